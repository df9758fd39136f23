"""Crop -> FaceQuality: how well a face can be seen."""

from __future__ import annotations

import cv2
import numpy as np

from deepfake.records import Crop, Face, FaceQuality, Floats, Image

BLUR_WINDOW = 11
"""Length in pixels of the blur that a crop is compared under."""
PROFILE_TURN = 0.5
"""How far the nose lies from the middle of the eyes, over their distance, where one eye begins to be hidden."""


def quality_of(crop: Crop) -> FaceQuality:
    """Measures how well the face of a crop can be seen.

    Args:
        crop: As `deepfake.faces.crops.cut_crop` makes it.
    """
    image = crop.image
    left, _, right, _ = crop.face.box_xyxy
    return FaceQuality(
        width=right - left,
        blur=blur_effect(image),
        turn=turn_of(crop.face),
        brightness=float(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).mean()),
        colour=float((image.max(axis=2).astype(np.int16) - image.min(axis=2)).mean()),
    )


def blur_effect(image: Image) -> float:
    """How little is lost when a picture is blurred once more, in [0, 1]: 0 is sharp, 1 is already blurred, or flat.

    Args:
        image: RGB uint8 `(height, width, 3)`.

    Reference:
        Crete et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric",
        SPIE 2007; the larger of its two directions.

    Example:

    >>> blur_effect(np.full((32, 32, 3), 128, np.uint8))
    1.0
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return max(_blur_along(grey), _blur_along(grey.T))


def turn_of(face: Face) -> float:
    """How far a face is turned to a side, in [0, 1]: 0 from the front, 1 where one eye begins to be hidden.

    Example:

    >>> from deepfake.faces.crops import face_of_crop
    >>> from deepfake.records import CropSpec
    >>> turn_of(face_of_crop(64, CropSpec()))
    0.0
    """
    right_eye, left_eye, nose = face.landmarks[:3]
    across = left_eye - right_eye
    # Whoever looks from the side has eyes that almost meet; a distance of nothing is a profile as well.
    reach = float(across @ across)
    if reach == 0:
        return 1.0
    off = float((nose - (left_eye + right_eye) / 2) @ across) / reach
    return round(min(abs(off) / PROFILE_TURN, 1.0), 6)


def _blur_along(grey: Floats) -> float:
    blurred = cv2.blur(np.ascontiguousarray(grey), (BLUR_WINDOW, 1))
    sharp_steps, blurred_steps = (np.abs(np.diff(one, axis=1)) for one in (grey, blurred))
    total = float(sharp_steps.sum())
    return 1.0 - float(np.maximum(sharp_steps - blurred_steps, 0).sum()) / total if total else 1.0
