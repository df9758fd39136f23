"""The files of strangers, decoded in a process that can die.

Decoders are large libraries in C; a file made to harm them may crash them, keep them busy for ever, or make them
ask for all memory. Here each file is decoded by a process of its own, under limits; if it dies, that file cannot be
read, and nothing else happens. What comes back is numbers and pixels, never objects that could run code.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from deepfake.errors import MediaError
from deepfake.media.kinds import Kind
from deepfake.media.reader import open_media
from deepfake.records import Frame, Sampling

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one file may cost."""

    frame_s: float = 30.0
    """Longest time in seconds from one frame to the next, and to the first."""
    memory_bytes: int = 4 * 2**30
    """Most address space of the process. Not enforced on Windows and macOS."""


LIMITS = Limits()


def open_apart(path: Path | str, sampling: Sampling | None = None, limits: Limits = LIMITS) -> MediaApart:
    """Opens a picture or a video as `open_media` does, and decodes it in another process.

    Args:
        path: The file.
        sampling: Which frames of a video to take.
        limits: What it may cost.

    Raises:
        MediaError: As `open_media`, and if the process dies or passes a limit. Iterating raises it, too.

    Example:

    >>> [frame.image.shape for frame in open_apart("examples/portrait.jpg")]
    [(512, 512, 3)]
    """
    return MediaApart(path, sampling, limits)


def warm_up() -> None:
    """Starts the process that the others are forked from, so that the first file does not wait for it."""
    if _FORKS:
        from multiprocessing.forkserver import ensure_running

        _CONTEXT.set_forkserver_preload([open_media.__module__])
        ensure_running()


class MediaApart:
    """A `MediaReader` whose every iteration is a process."""

    def __init__(self, path: Path | str, sampling: Sampling | None = None, limits: Limits = LIMITS) -> None:
        self.path = Path(path)
        self.frames_failed = 0
        self._sampling = sampling
        self._limits = limits
        with closing(self._start(decode=False)) as process:
            header = process.said()
        self.kind: Kind = header["kind"]
        self.duration = Fraction(header["duration"])
        self._length = int(header["length"])

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Frame]:
        with closing(self._start(decode=True)) as process:
            process.said()
            while "shape" in (message := process.said()):
                yield Frame(process.pixels(message["shape"]), message["index"], Fraction(message["time"]))
            self.frames_failed = message["failed"]

    def _start(self, decode: bool) -> _Process:
        return _Process(self.path, self._limits, (str(self.path), self._sampling, decode, self._limits.memory_bytes))


class _Process:
    """The other process, as the one that waits for it sees it."""

    def __init__(self, path: Path, limits: Limits, work: tuple[Any, ...]) -> None:
        warm_up()
        self._path = path
        self._limits = limits
        self._connection, theirs = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_decode, args=(theirs, *work), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._connection.recv_bytes()
        except EOFError:
            self.close()
            raise OSError(
                "The process that decodes could not start; the reason is printed above. A script that uses "
                '`open_apart` needs a file of its own, and `if __name__ == "__main__":` around what it does.'
            ) from None

    def said(self) -> dict[str, Any]:
        """Its next message.

        Raises:
            MediaError: If that says so, or none comes.
        """
        message: dict[str, Any] = json.loads(self._received())
        if "error" in message:
            raise MediaError(message["error"])
        return message

    def pixels(self, shape: list[int]) -> Any:
        """The picture that follows a message."""
        return np.frombuffer(self._received(), np.uint8).reshape(shape)

    def close(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()

    def _received(self) -> bytes:
        # A process that stops in the middle of a message would be waited for without end, so time ends it.
        late = threading.Event()
        timer = threading.Timer(self._limits.frame_s, self._end, [late])
        timer.start()
        try:
            return bytes(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            if late.is_set():
                raise MediaError(
                    f"{self._path} took more than {self._limits.frame_s:.0f} s to decode. It is damaged, or far too "
                    "large: export it again, smaller."
                ) from None
            raise MediaError(
                f"{self._path} made its decoder stop ({_ending(self._process.exitcode)}), so it is damaged or made to "
                "harm. Export it again, in another format."
            ) from None
        finally:
            timer.cancel()
            timer.join()

    def _end(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    return signal.Signals(-code).name


def _decode(connection: Connection, path: str, sampling: Sampling | None, decode: bool, memory: int) -> None:
    """What the other process does: it says that it lives, what the file is, each frame, and how many failed."""

    def say(**message: Any) -> None:
        connection.send_bytes(json.dumps(message).encode())

    _limit(memory)
    say(ready=True)

    try:
        media = open_media(path, sampling)
        say(kind=media.kind, duration=str(media.duration), length=len(media))
        for frame in media if decode else ():
            say(index=frame.index, time=str(frame.time), shape=frame.image.shape)
            connection.send_bytes(np.ascontiguousarray(frame.image).data.cast("B"))
        say(failed=media.frames_failed)
    except MediaError as error:
        say(error=str(error))
    except MemoryError:
        say(error=f"{path} needs more than {memory / 2**30:.0f} GB of memory to decode. Shrink it first.")
    except BrokenPipeError:
        return  # Nobody listens any more.


def _limit(memory: int) -> None:
    """Lets this process use no more memory than that, and leave nothing behind when it crashes."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
