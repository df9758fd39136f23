"""A GIF, or a WebP, PNG or AVIF that moves -> the Frames that are sampled: a clip, read as a video is."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import PIL.Image

from deepfake.errors import MediaError
from deepfake.media.file_reader import FileReader
from deepfake.media.formats import Kind, check_size, format_of
from deepfake.media.pixels import decoding, flattened
from deepfake.media.sampled import distinct, sampled_times
from deepfake.records import Frame, Note, Sampling

MAX_FRAMES = 10_000
"""More are refused: to show one, those before it must be drawn."""
SHORTEST_S = Fraction(1, 50)
"""What is to be shown for less is shown for `UNSTATED_S`, as browsers do."""
UNSTATED_S = Fraction(1, 10)


class AnimationReader(FileReader):
    """Iterates over the sampled frames of an animation, each once; one that has a single frame is a picture.

    Args:
        path: The animation.
        sampling: Which frames to take.

    Raises:
        MediaError: On opening, if it cannot be read, or nothing of it is sampled; on iterating, if not one frame could
            be decoded.
    """

    notes: tuple[Note, ...] = ()

    def __init__(self, path: Path | str, sampling: Sampling | None = None) -> None:
        super().__init__(path)
        self._name = format_of(self.path)
        ends = list(accumulate(self._lengths()))
        self.kind: Kind = "picture" if len(ends) == 1 else "video"
        self.duration = ends[-1] if self.kind == "video" else Fraction(0)
        self._starts = [Fraction(0), *ends[:-1]]
        times = sampled_times(self.path, sampling or Sampling(), ends[-1]) if self.kind == "video" else [Fraction(0)]
        self._wanted: dict[int, int] = {}
        for index, time in enumerate(times):
            self._wanted.setdefault(bisect_right(self._starts, time) - 1, index)

    def __len__(self) -> int:
        return len(self._wanted)

    def __iter__(self) -> Iterator[Frame]:
        return distinct(self._decoded())

    def _decoded(self) -> Iterator[Frame]:
        self.frames_failed = 0
        with decoding(self.path):
            picture = self._opened()
        with picture:
            for number, index in self._wanted.items():
                try:
                    with decoding(self.path):
                        picture.seek(number)
                        image = np.asarray(flattened(picture))
                except MediaError:
                    self.frames_failed += 1
                    if self.frames_failed == len(self):
                        raise
                    continue
                yield Frame(np.ascontiguousarray(image), index, self._starts[number])

    def _opened(self) -> PIL.Image.Image:
        picture = PIL.Image.open(self.path, formats=(self._name,))
        try:
            check_size(self.path, *picture.size)
        except MediaError:
            picture.close()
            raise
        return picture

    def _lengths(self) -> Iterator[Fraction]:
        """How long each frame is shown, in seconds."""
        with decoding(self.path):
            picture = self._opened()
        with picture:
            with decoding(self.path):
                count = getattr(picture, "n_frames", 1)
            if count > MAX_FRAMES:
                raise MediaError(
                    f"{self.path} has {count} frames; at most {MAX_FRAMES} are read. Convert it: "
                    f"ffmpeg -i {self.path.name} -c:v libx264 converted.mp4"
                )
            for number in range(count):
                length = Fraction(0)
                # A frame that is broken is counted when it is to be shown.
                with contextlib.suppress(MediaError), decoding(self.path):
                    picture.seek(number)
                    length = Fraction(picture.info.get("duration") or 0).limit_denominator(1000) / 1000
                # A frame of a GIF may reach beyond what the header says; it is drawn when the next is looked for.
                check_size(self.path, *picture.size)
                yield length if length >= SHORTEST_S else UNSTATED_S
