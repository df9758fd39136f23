"""What videos and animations share: the times that are sampled, and each picture once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from deepfake.errors import MediaError
from deepfake.records import Floats, Frame, Sampling

AFAR = 64
"""Parts on each side into which a frame is averaged, to be compared with another."""
CODING = 2.0
"""What coding alone changes in such a part, in 8-bit steps."""


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
    """The frames that show something else than the last one did: a still says no more for being shown longer.

    What a codec adds to a still is nothing else: seen from afar, no part of the picture changes by more than `CODING`.
    """
    before: Floats | None = None
    for frame in frames:
        afar = cv2.resize(frame.image, (AFAR, AFAR), interpolation=cv2.INTER_AREA).astype(np.float32)
        if before is None or np.abs(afar - before).max() > CODING:
            yield frame
            before = afar
