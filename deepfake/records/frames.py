"""What media -> Frame hands on: a frame, which frames are asked for, and what their file is like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy.typing as npt

# OpenCV's stubs know no dtypes, so these name what an array is rather than have it checked.
Image = npt.NDArray[Any]
"""RGB uint8 `(height, width, 3)`."""
Floats = npt.NDArray[Any]
"""float32 of the shape that is stated."""
MAX_SAMPLES = 500_000
"""Most frames of one video that are looked at: every frame of some hours."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, or one frame of a video."""

    image: Image
    """RGB uint8, upright."""
    index: int
    """Position among the frames that were asked for, or among the pages of a picture, from 0."""
    time: Fraction
    """Presentation time in seconds from the start of the video, exact; 0 for a picture."""

    @property
    def time_s(self) -> float:
        """`time` as a float."""
        return float(self.time)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video are looked at."""

    frames: int = 24
    """Their number, spread evenly over the time searched. Ignored where `fps` is set."""
    fps: float | None = None
    """One frame every 1 / fps seconds instead; any positive finite number."""
    start_s: float = 0.0
    """Where to begin, in seconds from the first frame."""
    end_s: float | None = None
    """Where to stop; None for the end of the video."""

    def __post_init__(self) -> None:
        if not 0 < self.frames <= MAX_SAMPLES:
            raise ValueError(
                f"`frames` counts the frames to look at and must be from 1 to {MAX_SAMPLES}. Received: {self.frames}."
            )
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise ValueError(f"`fps` must be positive and finite. Received: {self.fps}.")
        if not 0 <= self.start_s < math.inf or (self.end_s is not None and not self.start_s < self.end_s < math.inf):
            raise ValueError(
                f"`start_s` must be at least 0 and `end_s` above it, both finite. "
                f"Received: {self.start_s}, {self.end_s}."
            )

    def times(self, duration: Fraction) -> list[Fraction]:
        """Times in seconds to take frames at: the middle of each of `frames` equal parts.

        Raises:
            ValueError: If `fps` gives more than `MAX_SAMPLES`: a file may claim to last for a thousand years.

        Example:

        >>> [str(time) for time in Sampling(frames=2).times(Fraction(10))]
        ['5/2', '15/2']
        """
        start = Fraction(self.start_s)
        end = duration if self.end_s is None else min(duration, Fraction(self.end_s))
        span = max(end - start, Fraction(0))
        if self.fps is None:
            return [start + span * (2 * part + 1) / (2 * self.frames) for part in range(self.frames)] if span else []
        step = 1 / Fraction(self.fps)
        count = math.ceil(span / step)
        if count > MAX_SAMPLES:
            raise ValueError(
                f"At most {MAX_SAMPLES} frames can be looked at. Received: {float(span):.4g} s at `fps` {self.fps:.4g}."
            )
        return [start + step * part for part in range(count)]


@dataclass(frozen=True, slots=True)
class Source:
    """What a file is like, whoever is seen in it."""

    width: int
    """Of its frames, in pixels; 0 where none could be read."""
    height: int
    """Of its frames, in pixels."""
    jpeg_quality: int | None = None
    """From 1 to 100, as libjpeg counts; None of other formats."""
    bits_per_s: float | None = None
    """Of a video with all that it holds; None of pictures."""
    duration_s: float | None = None
    """Of a video in seconds; None of pictures."""
