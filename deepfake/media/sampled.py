"""What videos and animations share: the times that are sampled, and each picture once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from deepfake.errors import MediaError
from deepfake.records import Frame, Sampling


def sampled_times(path: Path, sampling: Sampling, duration: Fraction) -> list[Fraction]:
    """The times in seconds at which frames of a file are taken.

    Raises:
        MediaError: If there are too many, or none.
    """
    try:
        times = sampling.times(duration)
    except ValueError as error:
        raise MediaError(f"{path} is too long. {error} Choose a smaller --fps, or an --end.") from error
    if not times:
        raise MediaError(
            f"{path} lasts {float(duration):.2f} s, so there is no frame after {sampling.start_s} s. "
            "Choose an earlier --start."
        )
    return times


def distinct(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames whose pixels are not those of the frame before: a still says no more for being shown longer."""
    before: Frame | None = None
    for frame in frames:
        if before is None or not np.array_equal(before.image, frame.image):
            yield frame
        before = frame
