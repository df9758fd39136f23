"""One video's stream of pictures: opened, its span in time, and its frames, decoded one at a time."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer
from av.stream import Disposition

from deepfake.errors import MediaError
from deepfake.media.formats import MAX_PIXELS, format_of, kind_of, said, size_error

_OPTIONS = {"max_pixels": str(MAX_PIXELS)}
"""For FFmpeg: a frame that turns out larger than its header said is not decoded, either."""
_THREADS = 4
"""Most threads that decode a video. Each holds frames: of 8K, a thread a core of a large machine takes gigabytes."""
_ENCRYPTED = {
    "mov": re.compile(rb"encv|drmi"),
    "matroska": re.compile(rb"\x6d\x80.{1,8}\x62\x40.{1,64}\x50\x35", re.DOTALL),
    "asf": re.compile(rb"\xfb\xb3\x11\x22\x23\xbd\xd2\x11|\x14\xe6\x8a\x29\x22\x26\x17\x4c"),
}
"""What an encrypted file of each format holds: a sample entry, an encoding of a track, an object of DRM."""
_REORDERED = 32
"""Packets this far apart may belong to neighbouring frames; twice what the codecs allow."""
MAX_TICKS = 2**63 - 1
"""The latest time that FFmpeg can be asked for."""


class OpenedVideo:
    """A container and its video stream, as a context; what PyAV raises becomes a `MediaError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if kind_of(path) != "video":
            raise MediaError(f"{path} is a picture, not a video.")
        try:
            # Absolute, for FFmpeg takes what stands before a colon for a protocol; titles may be in any encoding.
            self._container: InputContainer = av.open(
                str(path.absolute()), format=format_of(path), options=_OPTIONS, metadata_errors="replace"
            )
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(
                f"{path} cannot be opened as a video ({said(error)}): it is damaged or cut short. Copy it again."
            ) from error

    def __enter__(self) -> tuple[InputContainer, VideoStream]:
        container = self._container
        streams = pictured(container)
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

    def _wrong(self, streams: list[VideoStream], sounds: int) -> str:
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


class DecodedFrames:
    """Iterates over the frames that could be decoded and have a time; `broken` says that some could not.

    Frames that no other refers to are passed over, which halves the work, unless they are shown at one of `targets`,
    in the stream's own ticks, or may be needed to complete their interlaced neighbours.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, targets: Sequence[int]) -> None:
        self.broken = False
        self._is_interlaced = False
        self._context = stream.codec_context
        self._targets = targets
        self._frames = self._decode(_packets(container, stream))

    def __iter__(self) -> DecodedFrames:
        return self

    def __next__(self) -> VideoFrame:
        return next(self._frames)

    def _decode(self, packets: Iterator[Packet]) -> Iterator[VideoFrame]:
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

    def _looked_ahead(self, packets: Iterator[Packet]) -> Iterator[tuple[Packet, bool]]:
        """Each packet, in order of decoding, with whether its frame is shown at one of the targets."""
        ahead: deque[Packet] = deque()
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


def pictured(container: InputContainer) -> list[VideoStream]:
    """The video streams, the one first that players show; a picture of a record's cover is no video."""
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return sorted(streams, key=lambda stream: not stream.disposition & Disposition.default)


def span_of(path: Path) -> tuple[Fraction, Fraction]:
    """When the first frame of a video begins and its last one ends, in seconds of the stream's own clock.

    MP4, MOV and AVI say how long each stream is. Others state the end of the longest one, or an estimate: of these the
    packets at the end are looked at, and all packets where it cannot be sought.
    """
    with OpenedVideo(path) as (container, stream):
        if stream.start_time is not None:
            first = time_of(stream.start_time, stream)
            if (stream.duration or 0) > 0 and container.format.name.startswith(("mov", "avi")):
                return first, first + time_of(stream.duration, stream)
            if container.duration:
                stated = Fraction((container.start_time or 0) + container.duration, av.time_base)
                with contextlib.suppress(av.error.FFmpegError):
                    container.seek(min(int(stated / stream.time_base), MAX_TICKS), stream=stream)
                    end = _bounds(container, stream)[1]
                    if end is not None and end > first:
                        return first, end
    with OpenedVideo(path) as (container, stream):
        begin, end = _bounds(container, stream)
    if begin is None or end is None:
        refuse_encrypted(path)
        raise MediaError(f"{path} holds no video frame. Export it again.")
    return begin, end


def refuse_encrypted(path: Path) -> None:
    """Raises a `MediaError` if a video of which nothing can be decoded says that it is encrypted."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        mark = _ENCRYPTED.get(format_of(path))
        if mark and mark.search(content):
            raise MediaError(
                f"{path} is encrypted (DRM), so only its own player can show it. Give a copy that plays everywhere, or "
                "a recording of the screen."
            )


def _bounds(container: InputContainer, stream: VideoStream) -> tuple[Fraction | None, Fraction | None]:
    """When the first frame begins and the last one ends of those whose packets follow; None without any."""
    begin = end = None
    for packet in _packets(container, stream):
        if packet.pts is not None:
            time = time_of(packet.pts, stream)
            begin = time if begin is None else min(begin, time)
            end = max(end or time, time + length_of(packet, stream))
    return begin, end


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    """What can be read of a stream: its packets up to the first that cannot be found."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.error.FFmpegError):
            return


def time_of(ticks: int, stream: VideoStream) -> Fraction:
    """Seconds of the stream's own clock, exact."""
    return Fraction(ticks) * Fraction(stream.time_base)


def length_of(frame: VideoFrame | Packet, stream: VideoStream) -> Fraction:
    """How long a frame, or that of a packet, is shown."""
    return time_of(frame.duration, stream) if frame.duration else 1 / Fraction(stream.average_rate or 25)
