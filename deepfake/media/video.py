"""One video -> the Frames that are sampled, decoded one at a time, so that memory does not grow with its length."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition

from deepfake.errors import MediaError
from deepfake.media.containers import credentials_in
from deepfake.media.formats import MAX_PIXELS, Kind, format_of, kind_of, said, size_error
from deepfake.provenance.credentials import Credentials
from deepfake.records import Frame, Sampling

_MAX_TICKS = 2**63 - 1
_SEEK_GAP_S = Fraction(1)
"""A keyframe closer than this to the frame before is not worth a seek."""
_OPTIONS = {"max_pixels": str(MAX_PIXELS)}
"""For FFmpeg: a frame that turns out larger than its header said is not decoded, either."""
_THREADS = 4
"""Most threads that decode a video. Each holds frames: of 8K, a thread a core of a large machine takes gigabytes."""
_GRACE_S = Fraction(1, 4)
"""How long past its end a frame still counts as shown where the ones after it are lost."""

_REORDERED = 32
"""Packets this far apart may belong to neighbouring frames; twice what the codecs allow."""


class VideoReader:
    """Iterates over the sampled frames of an MP4, MOV, AVI, MKV or WebM video.

    Times are exact fractions of a second from the video's first frame; rotation metadata is applied. A frame
    that cannot be decoded is counted in `frames_failed`, not replaced. Each iteration reads the file anew.

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
        with _Opened(self.path) as (container, stream):
            self.size = (stream.codec_context.width, stream.codec_context.height)
            self._first = _time(stream.start_time or 0, stream)
            self.duration = self._duration(container, stream)
        try:
            self.times = self.sampling.times(self.duration)
        except ValueError as error:
            raise MediaError(f"{self.path} is too long. {error} Choose a smaller --fps, or an --end.") from error
        if not self.times:
            raise MediaError(
                f"{self.path} lasts {float(self.duration):.2f} s, so there is no frame after "
                f"{self.sampling.start_s} s. Choose an earlier --start."
            )

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Frame]:
        self.frames_failed = 0
        found = 0
        with _Opened(self.path) as (container, stream):
            for index, frame in self._sampled(container, stream):
                try:
                    image = frame.to_ndarray(format="rgb24")
                except (av.error.FFmpegError, ValueError):
                    continue
                found += 1
                turns = (round(frame.rotation) // 90) % 4
                yield Frame(
                    image=np.ascontiguousarray(np.rot90(image, turns)),
                    index=index,
                    time=_time(frame.pts, stream) - self._first,
                )
        self.frames_failed = len(self.times) - found
        if not found:
            raise MediaError(
                f"None of {len(self.times)} frames of {self.path} could be decoded: the video is damaged. "
                f"Copy it again, or try: ffmpeg -i {self.path.name} -c:v libx264 repaired.mp4"
            )

    def credentials(self, anchors: str = "") -> Credentials | None:
        """See `credentials_in`."""
        return credentials_in(self.path, anchors)

    def _sampled(self, container: Any, stream: Any) -> Iterator[tuple[int, Any]]:
        """The frame shown at each time to sample, with the time's number; times whose frame is lost are left out."""
        targets = [time + self._first for time in self.times]
        ticks = [math.floor(target / stream.time_base) for target in targets]
        decoded = _Decoded(container, stream, ticks)
        shown, following = None, next(decoded, None)
        for index, target in enumerate(targets):
            reached = shown or following
            if reached is not None and self._sought(container, stream, reached, ticks[index]):
                decoded = _Decoded(container, stream, ticks)
                shown, following = None, next(decoded, None)
            while following is not None and (shown is None or _time(following.pts, stream) <= target):
                decoded.broken = False
                shown, following = following, next(decoded, None)
            if shown is None:
                return
            lost = decoded.broken or following is None
            if not lost or target - _time(shown.pts, stream) < _length(shown, stream) + _GRACE_S:
                yield index, shown

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

    def _duration(self, container: Any, stream: Any) -> Fraction:
        if (stream.duration or 0) > 0:
            return _time(stream.duration, stream)
        if (container.duration or 0) > 0:
            return Fraction(container.duration, av.time_base)
        last = max((packet.pts for packet in _packets(container, stream) if packet.pts is not None), default=None)
        if last is None:
            raise MediaError(f"{self.path} holds no video frame. Export it again.")
        return _time(last, stream) - self._first + 1 / Fraction(stream.average_rate or 25)


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
        # A picture of a record's cover is no video.
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
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
    in the stream's own ticks.
    """

    def __init__(self, container: Any, stream: Any, targets: Sequence[int]) -> None:
        self.broken = False
        self._context = stream.codec_context
        self._targets = targets
        self._frames = self._decode(_packets(container, stream))

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> Any:
        return next(self._frames)

    def _decode(self, packets: Iterator[Any]) -> Iterator[Any]:
        for packet, is_shown in self._looked_ahead(packets):
            self._context.skip_frame = "DEFAULT" if is_shown else "NONREF"
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.broken = True
                continue
            for frame in frames:
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
    return _time(frame.duration, stream) if frame.duration else 1 / Fraction(stream.average_rate or 25)
