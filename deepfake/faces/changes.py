"""(Image, Face) -> the same after a change that no answer should depend on: what a face is looked at again for.

Sending and saving a picture do as much to it: it is compressed, shrunk, its white balance moves, and a face is found
two pixels beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from deepfake.faces.crops import moved_face, shown_part
from deepfake.records import Change, CropSpec, Face, Image

JPEG_QUALITY = 75
"""That of most programs that save a picture to be sent."""
SMALLER = 0.75
"""Share of the size that is left."""
TINT = (8, 0, -8)
"""What is added to red, green and blue, of 255."""
SHIFT_PX = 2.0
"""How far the crop moves to the right and down, in its own pixels: as much for a large face as for a small one."""


def changed(image: Image, face: Face, spec: CropSpec, change: Change) -> tuple[Image, Face]:
    """As much of a picture as the crop of a face shows, after a harmless change, and the face in it.

    Args:
        image: RGB uint8 `(height, width, 3)`; it stays as it is.
        face: A face of it.
        spec: Geometry of the crop.
        change: What is done.

    Returns:
        What `deepfake.faces.crops.cut_crop` takes with the same `spec`. A large picture costs no more than a small one.

    Example:

    >>> from deepfake.faces.crops import face_of_crop
    >>> grey = np.full((64, 64, 3), 100, np.uint8)
    >>> changed(grey, face_of_crop(64, CropSpec()), CropSpec(), Change.TINT)[0][0, 0].tolist()
    [108, 100, 92]
    """
    if change is Change.SHIFT:
        pixels = SHIFT_PX * face.size * spec.scale / spec.size
        face = moved_face(face, pixels, pixels)
    part, face, _ = shown_part(image, face, spec)
    return _CHANGES[change](part, face)


def _compressed(image: Image, face: Face) -> tuple[Image, Face]:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)), face


def _shrunk(image: Image, face: Face) -> tuple[Image, Face]:
    height, width = image.shape[:2]
    size = max(1, round(width * SMALLER)), max(1, round(height * SMALLER))
    # Whole pixels: the sides may shrink by shares that differ a little.
    x, y = size[0] / width, size[1] / height
    left, top, right, bottom = face.box_xyxy
    smaller = replace(
        face,
        box_xyxy=(left * x, top * y, right * x, bottom * y),
        landmarks=face.landmarks * np.array([x, y], np.float32),
    )
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), smaller


def _tinted(image: Image, face: Face) -> tuple[Image, Face]:
    return np.clip(image.astype(np.int16) + np.array(TINT, np.int16), 0, 255).astype(np.uint8), face


def _as_it_is(image: Image, face: Face) -> tuple[Image, Face]:
    return image, face


_CHANGES: dict[Change, Callable[[Image, Face], tuple[Image, Face]]] = {
    Change.JPEG: _compressed,
    Change.SMALLER: _shrunk,
    Change.TINT: _tinted,
    Change.SHIFT: _as_it_is,
}
"""What is done to the pixels."""
