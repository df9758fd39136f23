"""One video -> the Frames that are sampled, decoded one at a time, so that memory does not grow with its length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error
from av import VideoFrame, VideoStream
from av.container import InputContainer

from deepfake.errors import MediaError
from deepfake.media.display import Display
from deepfake.media.file_reader import FileReader
from deepfake.media.formats import Kind
from deepfake.media.sampled import distinct, sampled_times
from deepfake.media.video_stream import (
    MAX_TICKS,
    DecodedFrames,
    OpenedVideo,
    length_of,
    pictured,
    refuse_encrypted,
    span_of,
    time_of,
)
from deepfake.records import Frame, Note, Sampling

_SEEK_GAP_S = Fraction(1)
"""A keyframe closer than this to the frame before is not worth a seek."""
_GRACE_S = Fraction(1, 4)
"""How long past its end a frame still counts as shown where the ones after it are lost."""


class VideoReader(FileReader):
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
        super().__init__(path)
        self.sampling = sampling or Sampling()
        with OpenedVideo(self.path) as (container, _):
            self.notes = (Note.SEVERAL_VIDEOS,) if len(pictured(container)) > 1 else ()
        self._first, end = span_of(self.path)
        self.duration = end - self._first
        self.times = sampled_times(self.path, self.sampling, self.duration)

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Frame]:
        return distinct(self._decoded())

    def _decoded(self) -> Iterator[Frame]:
        self.frames_failed = len(self.times)
        found = False
        with OpenedVideo(self.path) as (container, stream):
            display = Display(stream)
            for indices, moment in self._sampled(container, stream):
                try:
                    image = display.shown(moment.frame, moment.before, moment.after)
                except (av.error.FFmpegError, ValueError):
                    continue
                found = True
                self.frames_failed -= len(indices)
                yield Frame(image, indices[0], time_of(moment.frame.pts, stream) - self._first)
        if not found:
            refuse_encrypted(self.path)
            raise MediaError(
                f"None of {len(self.times)} frames of {self.path} could be decoded: the video is damaged. "
                f"Copy it again, or try: ffmpeg -i {self.path.name} -c:v libx264 repaired.mp4"
            )

    def _sampled(self, container: InputContainer, stream: VideoStream) -> Iterator[tuple[list[int], _Moment]]:
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

    def _moments(self, container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, _Moment]]:
        targets = [time + self._first for time in self.times]
        ticks = [math.floor(target / stream.time_base) for target in targets]
        decoded = DecodedFrames(container, stream, ticks)
        before, shown, following = None, None, next(decoded, None)
        for index, target in enumerate(targets):
            reached = shown or following
            if reached is not None and self._sought(container, stream, reached, ticks[index]):
                decoded = DecodedFrames(container, stream, ticks)
                before, shown, following = None, None, next(decoded, None)
            while following is not None and (shown is None or time_of(following.pts, stream) <= target):
                decoded.broken = False
                before, shown, following = shown, following, next(decoded, None)
            if shown is None:
                return
            lost = decoded.broken or following is None
            if not lost or target - time_of(shown.pts, stream) < length_of(shown, stream) + _GRACE_S:
                yield index, _Moment(before, shown, following)

    def _sought(self, container: InputContainer, stream: VideoStream, reached: VideoFrame, target: int) -> bool:
        """Whether it jumped to the last keyframe before a target, as that lies far enough ahead of where it was."""
        place = stream.index_entries.search_timestamp(min(max(target, -MAX_TICKS), MAX_TICKS))
        if place < 0:
            return False
        keyframe = stream.index_entries[place].timestamp
        if time_of(keyframe, stream) <= time_of(reached.pts, stream) + _SEEK_GAP_S:
            return False
        try:
            container.seek(keyframe, stream=stream)
        except av.error.FFmpegError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Moment:
    """A frame that is shown at a time to sample, with its neighbours, if there are any."""

    before: VideoFrame | None
    frame: VideoFrame
    after: VideoFrame | None
