"""Which face of a picture is kept, and how much of what surrounds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2

from deepfake.records import Face, Image

DOUBT = 0.05
"""Faces whose probability is lower than that of the surest by more are not taken for a picture's main face."""
LARGEST_FACE_PX = 270
"""Faces with a longer box are shrunk to it: a crop of 224 pixels loses nothing."""


def main_face(faces: Sequence[Face]) -> Face:
    """The largest of the faces that the detector is about as sure of as of the surest: not a large hand or stone.

    Example:

    >>> points = np.zeros((5, 2), np.float32)
    >>> main_face([Face((0, 0, 90, 90), points, 0.85), Face((0, 0, 30, 30), points, 0.99)]).size
    30
    """
    surest = max(face.detector_score for face in faces)
    return max((face for face in faces if face.detector_score >= surest - DOUBT), key=lambda face: face.size)


def surroundings(image: Image, face: Face, context: float) -> tuple[Image, Any, Any]:
    """Cuts a face with what surrounds it, as far as the picture reaches.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        face: A face of this picture.
        context: Side of the cut, over the longer side of the face's box.

    Returns:
        The cut, and in its pixels the box `(4,)` and the landmarks `(5, 2)`. It is shrunk where the box is longer
        than `LARGEST_FACE_PX`.
    """
    left, top, right, bottom = face.box_xyxy
    half = face.size * context / 2
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    x0, y0 = max(0, int(middle_x - half)), max(0, int(middle_y - half))
    x1, y1 = min(image.shape[1], int(middle_x + half) + 1), min(image.shape[0], int(middle_y + half) + 1)
    picture = image[y0:y1, x0:x1]
    factor_x = factor_y = 1.0
    if face.size > LARGEST_FACE_PX:
        width, height = (max(1, round(side * LARGEST_FACE_PX / face.size)) for side in (x1 - x0, y1 - y0))
        factor_x, factor_y = width / picture.shape[1], height / picture.shape[0]
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    box = [(left - x0) * factor_x, (top - y0) * factor_y, (right - x0) * factor_x, (bottom - y0) * factor_y]
    return picture, box, (face.landmarks - (x0, y0)) * (factor_x, factor_y)
