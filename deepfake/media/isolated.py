"""The files of strangers, decoded in a process that can die.

Decoders are large libraries in C; a file made to do harm them may crash them, keep them busy for ever, or make them
ask for all memory. Here each file is decoded by a process of its own, under limits; if it dies, that file cannot be
read, and nothing else happens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from deepfake.errors import MediaError, ProcessError
from deepfake.media.containers import holds_credentials
from deepfake.media.formats import MAX_PIXELS, Kind
from deepfake.media.reader import MediaReader, open_media
from deepfake.provenance.credentials import Credentials
from deepfake.provenance.metadata import Place
from deepfake.provenance.origin import Origin
from deepfake.records import MAX_SAMPLES, Frame, Image, Note, Sampling
from deepfake.system.process import OUT_OF_TIME, SENSELESS, ChildProcess, Line, limit_processor_time


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one file may cost."""

    processor_s: float = 30.0
    """Most processor time in seconds from one frame to the next, and to the first, of all threads together. It does not
    grow while others are busy, so a file is not refused for what they do. Enforced but on Windows."""
    frame_s: float = 300.0
    """Longest time on the wall in seconds for the same: for what waits without computing."""
    memory_bytes: int = 3 * 2**30
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
    """A `MediaReader` in a process of its own, which has the file open until `close`.

    An iteration that is left midway, or fails, ends the process; what is asked next is asked of a new one.
    """

    def __init__(self, path: Path | str, sampling: Sampling | None = None, limits: Limits = LIMITS) -> None:
        self.path = Path(path)
        self.frames_failed = 0
        self._sampling = sampling
        self._limits = limits
        self._idle: ChildProcess | None = None
        self._idle, header = self._started()
        self.kind: Kind = header.kind
        self.duration = Fraction(header.duration)
        self.notes = header.notes
        self._length = header.length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Frame]:
        with self._process() as child:
            child.tell(("frames", ""))
            for _ in range(self._length + 1):
                message = self._said(child, _Shot | _End)
                if isinstance(message, _End):
                    self.frames_failed = message.failed
                    return
                yield Frame(self._image(child, message), message.index, Fraction(message.time))
            raise self._failed(ProcessError(SENSELESS))

    def credentials(self, anchors: str = "") -> Credentials | None:
        """See `credentials_in`; a file that carries none is not asked for them."""
        if not holds_credentials(self.path):
            return None
        with self._process() as child:
            child.tell(("credentials", anchors))
            found = self._said(child, _Found).credentials
        return None if found is None else Credentials.from_dict(found)

    def origin(self) -> Origin:
        """See `origin_in`; if the process dies, all of the metadata are unread, for they cost no answer."""
        try:
            with self._process() as child:
                child.tell(("origin", ""))
                return self._said(child, _Stated).origin
        except MediaError:
            return Origin(unread=(Place.ALL,))

    def close(self) -> None:
        """Ends the process; asked again, the reader starts another."""
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    @contextmanager
    def _process(self) -> Iterator[ChildProcess]:
        """The process that has the file open, or a new one where that is busy or was ended."""
        child, self._idle = self._idle or self._started()[0], None
        try:
            yield child
        except BaseException:
            child.close()
            raise
        self.close()
        self._idle = child

    def _started(self) -> tuple[ChildProcess, _Header]:
        """A new process, and what it says that the file is."""
        arguments = (self._limits, _tell, str(self.path), self._sampling)
        try:
            child = ChildProcess(_work, arguments, self._limits.memory_bytes)
        except ProcessError as error:
            raise self._failed(error) from None
        try:
            return child, self._said(child, _Header)
        except BaseException:
            child.close()
            raise

    def _said(self, child: ChildProcess, kind: Any) -> Any:
        try:
            message: Any = child.said(self._limits.frame_s, kind | _Refused)
        except ProcessError as error:
            raise self._failed(error) from None
        if isinstance(message, _Refused):
            raise MediaError(message.error)
        return message

    def _image(self, child: ChildProcess, shot: _Shot) -> Image:
        shape = (shot.height, shot.width, 3)
        try:
            content = child.sent(self._limits.frame_s, math.prod(shape))
        except ProcessError as error:
            raise self._failed(error) from None
        return np.frombuffer(content, np.uint8).reshape(shape)

    def _failed(self, error: ProcessError) -> MediaError:
        if error.ending and error.ending != OUT_OF_TIME:
            return MediaError(
                f"{self.path} made its decoder stop ({error.ending}), so it is damaged or made to do harm. Export it "
                "again, in another format."
            )
        limits = self._limits
        spent = f"{limits.processor_s:.0f} s of processor time" if error.ending else f"{limits.frame_s:.0f} s"
        return MediaError(
            f"{self.path} took more than {spent} to decode. It is damaged, or far too large: export it again, smaller."
        )


_Ratio = Annotated[str, Meta(pattern=r"^-?[0-9]{1,40}(/[1-9][0-9]{0,39})?$")]
"""A `Fraction` as text."""


class _Header(msgspec.Struct, tag=True):
    """What the file is."""

    kind: Kind
    duration: _Ratio
    length: Annotated[int, Meta(ge=0, le=MAX_SAMPLES)]
    notes: tuple[Note, ...]


class _Shot(msgspec.Struct, tag=True):
    """A frame, whose pixels follow."""

    index: Annotated[int, Meta(ge=0, lt=MAX_SAMPLES)]
    time: _Ratio
    height: Annotated[int, Meta(ge=1)]
    width: Annotated[int, Meta(ge=1)]

    def __post_init__(self) -> None:
        if self.height * self.width > MAX_PIXELS:
            raise ValueError("more pixels than are read")


class _End(msgspec.Struct, tag=True):
    """There are no more frames."""

    failed: Annotated[int, Meta(ge=0, le=MAX_SAMPLES)]


class _Found(msgspec.Struct, tag=True):
    """The Content Credentials as plain values."""

    credentials: dict[str, Any] | None


class _Stated(msgspec.Struct, tag=True):
    """What the metadata say of the file's origin."""

    origin: Origin


class _Refused(msgspec.Struct, tag=True):
    """Why the file cannot be read."""

    error: str


def _work(line: Line, limits: Limits, tell: Callable[..., None], path: str, sampling: Sampling | None) -> None:
    """What the process does: it tells what it is asked, or why it cannot."""
    limit_processor_time(limits.processor_s)
    try:
        tell(line, limits, path, sampling)
    except MediaError as error:
        line.say(_Refused(str(error)))
    except MemoryError:
        most = limits.memory_bytes / 2**30
        line.say(_Refused(f"{path} needs more than {most:.1f} GB of memory to decode. Shrink it first."))


def _tell(line: Line, limits: Limits, path: str, sampling: Sampling | None) -> None:
    """Tells what the file is; then, as often as it is asked, its frames, its Content Credentials or its origin."""
    media = open_media(path, sampling)
    line.say(_Header(media.kind, str(media.duration), len(media), tuple(media.notes)))
    while True:
        what, anchors = line.heard()
        limit_processor_time(limits.processor_s)
        if what == "frames":
            _tell_frames(line, limits, media)
        elif what == "origin":
            line.say(_Stated(media.origin()))
        else:
            found = media.credentials(anchors)
            line.say(_Found(None if found is None else found.as_dict()))


def _tell_frames(line: Line, limits: Limits, media: MediaReader) -> None:
    """Tells each frame, and how many failed."""
    for frame in media:
        height, width, _ = frame.image.shape
        line.say(_Shot(frame.index, str(frame.time), height, width))
        line.send(np.ascontiguousarray(frame.image).data.cast("B"))
        limit_processor_time(limits.processor_s)
    line.say(_End(media.frames_failed))
