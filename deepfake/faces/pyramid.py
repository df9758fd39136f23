"""A picture -> the small pictures that P-Net searches for faces, from the smallest face to the whole picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from deepfake.records import Image

CELL = 12
"""Side of P-Net's receptive field: the size at which it recognises a face."""
PYRAMID_STEP = 0.709
"""Size of a level of the pyramid over that of the level before."""
FINER = 1.75
"""A level of the pyramid is drawn from a picture of at least this times its size."""
FEW_VALUES = 800_000
"""A picture of fewer (500 x 500 pixels) is not halved any further: little would be gained, and some exactness lost."""
MAX_LEVEL_PIXELS = 2_000_000
"""Most pixels of a level of the pyramid. A ribbon, hundreds of times as wide as high, would else take gigabytes."""
SMALLEST_FACE_PX = 20.0
"""Faces below this are never searched for: O-Net cannot place landmarks on them."""


def pyramid_scales(height: int, width: int, min_face_share: float) -> list[float]:
    """Scales of the pyramid's levels, the largest first.

    The smallest face is 12 pixels wide on the first level, unless that would have more than `MAX_LEVEL_PIXELS`; the
    last level is still 12 pixels on its short side.

    Example:

    >>> [round(scale, 3) for scale in pyramid_scales(100, 200, 0.5)]
    [0.24, 0.17, 0.121]
    """
    short = min(height, width)
    scale = min(
        CELL / max(SMALLEST_FACE_PX, min_face_share * short), math.sqrt(MAX_LEVEL_PIXELS / max(1, height * width))
    )
    scales = []
    while short * scale >= CELL:
        scales.append(scale)
        scale *= PYRAMID_STEP
    return scales


def pyramid(image: Image, min_face_share: float) -> Iterator[tuple[float, Image]]:
    """Each level with its scale, averaged over areas as if from the full picture."""
    height, width = image.shape[:2]
    base, halved = image, 1.0
    for scale in pyramid_scales(height, width, min_face_share):
        # Averaging over whole pixels is many times faster than over parts of them, and from a picture of
        # `FINER` times a level's size the level looks as from the full one.
        while base.size > FEW_VALUES and scale * FINER <= halved / 2:
            base, halved = cv2.resize(base, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), halved / 2
        # Which of many proposals wins hangs on the last digits: no level is rounded to 8 bits.
        base = base.astype(np.float32, copy=False)
        yield scale, cv2.resize(base, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
