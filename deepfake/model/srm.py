"""The fixed high-pass filters: what the noise stream is given, and what people are shown of it."""

from __future__ import annotations

import cv2
import numpy as np

from deepfake.records import Floats, Image

SRM_KERNELS = np.array(
    [
        # Second differences along the four directions of the pixel grid.
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, -2, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, -2, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, -2, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]],
        # The 5 x 5 square predictor ("KV").
        [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]],
    ],
    dtype=np.int64,
)
"""Shape `(5, 5, 5)`: kernel, row, column. Integers, so that each sums to zero exactly in any precision."""

SRM_SCALES = np.array([1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 12])
"""One over each kernel's centre: a residual then reads in 8-bit steps of the predicted pixel."""


def residual(image: Image, kernel: int = -1) -> Floats:
    """What one SRM filter leaves of a picture: float32 of its shape, in 8-bit steps.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        kernel: Which of `SRM_KERNELS`; the last is the square predictor.

    Example:

    >>> float(np.abs(residual(np.full((8, 8, 3), 200, np.uint8))).max())
    0.0
    """
    whole: Floats = cv2.filter2D(
        image.astype(np.float32), -1, SRM_KERNELS[kernel].astype(np.float32), borderType=cv2.BORDER_REFLECT_101
    )
    return whole * np.float32(SRM_SCALES[kernel])
