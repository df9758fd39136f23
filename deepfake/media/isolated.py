"""The files of strangers, decoded in a process that can die.

Decoders are large libraries in C; a file made to do harm them may crash them, keep them busy for ever, or make them
ask for all memory. Here each file is decoded by a process of its own, under limits; if it dies, that file cannot be
read, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from deepfake.errors import MediaError, ProcessError
from deepfake.media.containers import credentials_in, holds_credentials
from deepfake.media.formats import Kind
from deepfake.media.reader import open_media
from deepfake.provenance.credentials import Credentials
from deepfake.records import Frame, Note, Sampling
from deepfake.system.process import ChildProcess, Line


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one file may cost."""

    frame_s: float = 30.0
    """Longest time in seconds from one frame to the next, and to the first."""
    memory_bytes: int = 4 * 2**30
    """Most address space of the process. Enforced on Linux."""


LIMITS = Limits()


def open_isolated(path: Path | str, sampling: Sampling | None = None, limits: Limits = LIMITS) -> MediaApart:
    """Opens a picture or a video as `open_media` does, and decodes it in another process.

    Args:
        path: The file.
        sampling: Which frames of a video to take.
        limits: What it may cost.

    Raises:
        MediaError: As `open_media`, and if the process dies or passes a limit. Iterating raises it, too.

    Example:

    >>> [frame.image.shape for frame in open_isolated("examples/portrait.jpg")]
    [(512, 512, 3)]
    """
    return MediaApart(path, sampling, limits)


class MediaApart:
    """A `MediaReader` whose every iteration is a process."""

    def __init__(self, path: Path | str, sampling: Sampling | None = None, limits: Limits = LIMITS) -> None:
        self.path = Path(path)
        self.frames_failed = 0
        self._sampling = sampling
        self._limits = limits
        with closing(self._start(_tell_frames, self._sampling, False)) as child:
            header = self._said(child)
        self.kind: Kind = header["kind"]
        self.duration = Fraction(header["duration"])
        self.notes = tuple(map(Note, header["notes"]))
        self._length = int(header["length"])

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Frame]:
        with closing(self._start(_tell_frames, self._sampling, True)) as child:
            self._said(child)
            while "shape" in (message := self._said(child)):
                image = np.frombuffer(self._sent(child), np.uint8).reshape(message["shape"])
                yield Frame(image, message["index"], Fraction(message["time"]))
            self.frames_failed = message["failed"]

    def credentials(self, anchors: str = "") -> Credentials | None:
        """See `credentials_in`; a file that carries none costs no process."""
        if not holds_credentials(self.path):
            return None
        with closing(self._start(_tell_credentials, anchors)) as child:
            found = self._said(child)["credentials"]
        return None if found is None else Credentials.from_dict(found)

    def _start(self, tell: Callable[..., None], *arguments: Any) -> ChildProcess:
        memory = self._limits.memory_bytes
        try:
            return ChildProcess(_work, (memory, tell, str(self.path), *arguments), memory)
        except ProcessError as error:
            raise self._failed(error) from None

    def _said(self, child: ChildProcess) -> dict[str, Any]:
        try:
            message: dict[str, Any] = child.said(self._limits.frame_s)
        except ProcessError as error:
            raise self._failed(error) from None
        if "error" in message:
            raise MediaError(message["error"])
        return message

    def _sent(self, child: ChildProcess) -> bytes:
        try:
            return child.sent(self._limits.frame_s)
        except ProcessError as error:
            raise self._failed(error) from None

    def _failed(self, error: ProcessError) -> MediaError:
        if error.ending:
            return MediaError(
                f"{self.path} made its decoder stop ({error.ending}), so it is damaged or made to do harm. Export it "
                "again, in another format."
            )
        return MediaError(
            f"{self.path} took more than {self._limits.frame_s:.0f} s to decode. It is damaged, or far too large: "
            "export it again, smaller."
        )


def _work(line: Line, memory: int, tell: Callable[..., None], path: str, *arguments: Any) -> None:
    """What the process does: it tells what it was started to tell, or why it cannot."""
    try:
        tell(line, path, *arguments)
    except MediaError as error:
        line.say({"error": str(error)})
    except MemoryError:
        line.say({"error": f"{path} needs more than {memory / 2**30:.1f} GB of memory to decode. Shrink it first."})


def _tell_frames(line: Line, path: str, sampling: Sampling | None, decode: bool) -> None:
    """Tells what the file is, each frame, and how many failed."""
    media = open_media(path, sampling)
    line.say({"kind": media.kind, "duration": str(media.duration), "length": len(media), "notes": media.notes})
    for frame in media if decode else ():
        line.say({"index": frame.index, "time": str(frame.time), "shape": frame.image.shape})
        line.send(np.ascontiguousarray(frame.image).data.cast("B"))
    line.say({"failed": media.frames_failed})


def _tell_credentials(line: Line, path: str, anchors: str) -> None:
    """Tells the Content Credentials of the file."""
    found = credentials_in(Path(path), anchors)
    line.say({"credentials": None if found is None else found.as_dict()})
