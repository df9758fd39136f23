"""One video -> the Frames that are sampled, decoded one at a time, so that memory does not grow with its length."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Disposition

from deepfake.errors import MediaError
from deepfake.media.containers import credentials_in
from deepfake.media.display import Display
from deepfake.media.formats import MAX_PIXELS, Kind, format_of, kind_of, said, size_error
from deepfake.media.metadata import origin_in
from deepfake.media.sampled import distinct, sampled_times
from deepfake.provenance.credentials import Credentials
from deepfake.provenance.origin import Origin
from deepfake.records import Frame, Note, Sampling

_MAX_TICKS = 2**63 - 1
_SEEK_GAP_S = Fraction(1)
"""A keyframe closer than this to the frame before is not worth a seek."""
_OPTIONS = {"max_pixels": str(MAX_PIXELS)}
"""For FFmpeg: a frame that turns out larger than its header said is not decoded, either."""
_THREADS = 4
"""Most threads that decode a video. Each holds frames: of 8K, a thread a core of a large machine takes gigabytes."""
_GRACE_S = Fraction(1, 4)
"""How long past its end a frame still counts as shown where the ones after it are lost."""

_ENCRYPTED = {
    "mov": re.compile(rb"encv|drmi"),
    "matroska": re.compile(rb"\x6d\x80.{1,8}\x62\x40.{1,64}\x50\x35", re.DOTALL),
    "asf": re.compile(rb"\xfb\xb3\x11\x22\x23\xbd\xd2\x11|\x14\xe6\x8a\x29\x22\x26\x17\x4c"),
}
"""What an encrypted file of each format holds: a sample entry, an encoding of a track, an object of DRM."""
_REORDERED = 32
"""Packets this far apart may belong to neighbouring frames; twice what the codecs allow."""


class VideoReader:
    """Iterates over the sampled frames of a video, as a player shows them, each once.

    Of several video streams it is the one that players show. Times are exact fractions of a second from its first
    frame. A frame that cannot be decoded is counted in `frames_failed`, not replaced. Each iteration reads the file
    anew.

    Args:
        path: The video.
        sampling: Which frames to take.

    Raises:
        MediaError: On opening, if the file holds no video that can be decoded; on iterating, if not one of
            the sampled frames could be decoded.
    """

    kind: Kind = "video"

    def __init__(self, path: Path | str, sampling: Sampling | None = None) -> None:
        self.path = Path(path)
        self.sampling = sampling or Sampling()
        self.frames_failed = 0
        with _Opened(self.path) as (container, _):
            self.notes = (Note.SEVERAL_VIDEOS,) if len(_pictured(container)) > 1 else ()
        self._first, end = _span(self.path)
        self.duration = end - self._first
        self.times = sampled_times(self.path, self.sampling, self.duration)

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Frame]:
        return distinct(self._decoded())

    def _decoded(self) -> Iterator[Frame]:
        self.frames_failed = len(self.times)
        found = False
        with _Opened(self.path) as (container, stream):
            display = Display(stream)
            for indices, moment in self._sampled(container, stream):
                try:
                    image = display.shown(moment.frame, moment.before, moment.after)
                except (av.error.FFmpegError, ValueError):
                    continue
                found = True
                self.frames_failed -= len(indices)
                yield Frame(image, indices[0], _time(moment.frame.pts, stream) - self._first)
        if not found:
            _refuse_encrypted(self.path)
            raise MediaError(
                f"None of {len(self.times)} frames of {self.path} could be decoded: the video is damaged. "
                f"Copy it again, or try: ffmpeg -i {self.path.name} -c:v libx264 repaired.mp4"
            )

    def credentials(self, anchors: str = "") -> Credentials | None:
        """See `credentials_in`."""
        return credentials_in(self.path, anchors)

    def origin(self) -> Origin:
        """See `origin_in`."""
        return origin_in(self.path)

    def close(self) -> None:
        """Nothing is held between two iterations."""

    def _sampled(self, container: Any, stream: Any) -> Iterator[tuple[list[int], _Moment]]:
        """Each frame shown at times to sample, with the times' numbers; times whose frame is lost are left out."""
        indices: list[int] = []
        last: _Moment | None = None
        for index, moment in self._moments(container, stream):
            if last is not None and moment.frame is not last.frame:
                yield indices, last
                indices = []
            indices.append(index)
            last = moment
        if last is not None:
            yield indices, last

    def _moments(self, container: Any, stream: Any) -> Iterator[tuple[int, _Moment]]:
        targets = [time + self._first for time in self.times]
        ticks = [math.floor(target / stream.time_base) for target in targets]
        decoded = _Decoded(container, stream, ticks)
        before, shown, following = None, None, next(decoded, None)
        for index, target in enumerate(targets):
            reached = shown or following
            if reached is not None and self._sought(container, stream, reached, ticks[index]):
                decoded = _Decoded(container, stream, ticks)
                before, shown, following = None, None, next(decoded, None)
            while following is not None and (shown is None or _time(following.pts, stream) <= target):
                decoded.broken = False
                before, shown, following = shown, following, next(decoded, None)
            if shown is None:
                return
            lost = decoded.broken or following is None
            if not lost or target - _time(shown.pts, stream) < _length(shown, stream) + _GRACE_S:
                yield index, _Moment(before, shown, following)

    def _sought(self, container: Any, stream: Any, reached: Any, target: int) -> bool:
        """Whether it jumped to the last keyframe before a target, as that lies far enough ahead of where it was."""
        place = stream.index_entries.search_timestamp(min(max(target, -_MAX_TICKS), _MAX_TICKS))
        if place < 0:
            return False
        keyframe = stream.index_entries[place].timestamp
        if _time(keyframe, stream) <= _time(reached.pts, stream) + _SEEK_GAP_S:
            return False
        try:
            container.seek(keyframe, stream=stream)
        except av.error.FFmpegError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Moment:
    """A frame that is shown at a time to sample, with its neighbours, if there are any."""

    before: Any
    frame: Any
    after: Any


class _Opened:
    """A container and its video stream, as a context; what PyAV raises becomes a `MediaError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if kind_of(path) != "video":
            raise MediaError(f"{path} is a picture, not a video.")
        try:
            # Absolute, for FFmpeg takes what stands before a colon for a protocol; titles may be in any encoding.
            self._container: Any = av.open(
                str(path.absolute()), format=format_of(path), options=_OPTIONS, metadata_errors="replace"
            )
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(
                f"{path} cannot be opened as a video ({said(error)}): it is damaged or cut short. Copy it again."
            ) from error

    def __enter__(self) -> tuple[Any, Any]:
        container = self._container
        streams = _pictured(container)
        wrong = self._wrong(streams, len(container.streams.audio))
        if wrong:
            # Nothing of a closed container may be touched: PyAV would read freed memory.
            container.close()
            raise MediaError(wrong)
        streams[0].thread_type = "AUTO"
        streams[0].codec_context.thread_count = min(_THREADS, os.cpu_count() or 1)
        streams[0].codec_context.options = _OPTIONS
        return container, streams[0]

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _wrong(self, streams: list[Any], sounds: int) -> str:
        """Why none of the streams can be read; empty if the first can."""
        if not streams:
            return f"No video stream in {self._path} ({sounds} audio stream(s) found). Give one with pictures."
        codec = streams[0].codec_context
        if codec is None:
            return (
                f"The video in {self._path} is in a code that is not known here. Re-encode it where it plays: "
                f"ffmpeg -i {self._path.name} -c:v libx264 converted.mp4"
            )
        return "" if 0 < codec.width * codec.height <= MAX_PIXELS else size_error(self._path, codec.width, codec.height)


class _Decoded:
    """Iterates over the frames that could be decoded and have a time; `broken` says that some could not.

    Frames that no other refers to are passed over, which halves the work, unless they are shown at one of `targets`,
    in the stream's own ticks, or may be needed to complete their interlaced neighbours.
    """

    def __init__(self, container: Any, stream: Any, targets: Sequence[int]) -> None:
        self.broken = False
        self._is_interlaced = False
        self._context = stream.codec_context
        self._targets = targets
        self._frames = self._decode(_packets(container, stream))

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> Any:
        return next(self._frames)

    def _decode(self, packets: Iterator[Any]) -> Iterator[Any]:
        for packet, is_shown in self._looked_ahead(packets):
            self._context.skip_frame = "DEFAULT" if is_shown or self._is_interlaced else "NONREF"
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.broken = True
                continue
            for frame in frames:
                self._is_interlaced = self._is_interlaced or frame.interlaced_frame
                if frame.pts is None or frame.is_corrupt:
                    self.broken = True
                else:
                    yield frame

    def _looked_ahead(self, packets: Iterator[Any]) -> Iterator[tuple[Any, bool]]:
        """Each packet, in order of decoding, with whether its frame is shown at one of the targets."""
        ahead: deque[Any] = deque()
        before: deque[int] = deque(maxlen=_REORDERED)
        while True:
            try:
                while len(ahead) <= _REORDERED:
                    ahead.append(next(packets))
            except StopIteration:
                pass
            if not ahead:
                return
            packet = ahead.popleft()
            if packet.pts is None:
                yield packet, True
                continue
            known = (*before, *(other.pts for other in ahead if other.pts is not None))
            until = min((pts for pts in known if pts > packet.pts), default=math.inf)
            yield packet, bisect_left(self._targets, packet.pts) < bisect_left(self._targets, until)
            before.append(packet.pts)


def _pictured(container: Any) -> list[Any]:
    """The video streams, the one first that players show; a picture of a record's cover is no video."""
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return sorted(streams, key=lambda stream: not stream.disposition & Disposition.default)


def _span(path: Path) -> tuple[Fraction, Fraction]:
    """When the first frame of a video begins and its last one ends, in seconds of the stream's own clock.

    MP4, MOV and AVI say how long each stream is. Others state the end of the longest one, or an estimate: of these the
    packets at the end are looked at, and all packets where it cannot be sought.
    """
    with _Opened(path) as (container, stream):
        if stream.start_time is not None:
            first = _time(stream.start_time, stream)
            if (stream.duration or 0) > 0 and container.format.name.startswith(("mov", "avi")):
                return first, first + _time(stream.duration, stream)
            if container.duration:
                stated = Fraction((container.start_time or 0) + container.duration, av.time_base)
                with contextlib.suppress(av.error.FFmpegError):
                    container.seek(min(int(stated / stream.time_base), _MAX_TICKS), stream=stream)
                    end = _bounds(container, stream)[1]
                    if end is not None and end > first:
                        return first, end
    with _Opened(path) as (container, stream):
        begin, end = _bounds(container, stream)
    if begin is None or end is None:
        _refuse_encrypted(path)
        raise MediaError(f"{path} holds no video frame. Export it again.")
    return begin, end


def _refuse_encrypted(path: Path) -> None:
    """Raises a `MediaError` if a video of which nothing can be decoded says that it is encrypted."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        mark = _ENCRYPTED.get(format_of(path))
        if mark and mark.search(content):
            raise MediaError(
                f"{path} is encrypted (DRM), so only its own player can show it. Give a copy that plays everywhere, or "
                "a recording of the screen."
            )


def _bounds(container: Any, stream: Any) -> tuple[Fraction | None, Fraction | None]:
    """When the first frame begins and the last one ends of those whose packets follow; None without any."""
    begin = end = None
    for packet in _packets(container, stream):
        if packet.pts is not None:
            time = _time(packet.pts, stream)
            begin = time if begin is None else min(begin, time)
            end = max(end or time, time + _length(packet, stream))
    return begin, end


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """What can be read of a stream: its packets up to the first that cannot be found."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.error.FFmpegError):
            return


def _time(ticks: int, stream: Any) -> Fraction:
    return Fraction(ticks) * Fraction(stream.time_base)


def _length(frame: Any, stream: Any) -> Fraction:
    """How long a frame, or that of a packet, is shown."""
    return _time(frame.duration, stream) if frame.duration else 1 / Fraction(stream.average_rate or 25)
