"""(Frame, Face) -> Crop: the only geometry code. Training cuts its crops here too."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from deepfake.records import Crop, CropSpec, Face, Floats, Image

MIN_EYE_DISTANCE = 0.15
"""Over the longer side of the box. Closer eyes belong to a profile, and give no angle: the mouth does."""

AVERAGE_LANDMARKS = ((-0.18, -0.1), (0.18, -0.1), (0.0, 0.09), (-0.15, 0.26), (0.15, 0.26))
"""Eyes, nose and mouth corners of a face that looks straight ahead: from the box's centre, over its longer side."""

MIN_COVER = 0.8
"""Share of a wider square that must lie in the picture."""


def cut_crop(image: Image, face: Face, spec: CropSpec) -> Crop:
    """Cuts one square, upright crop around a face, and the wider ones that `spec.tta_scales` asks for.

    The crop's side is `spec.scale` times the longer side of the box. It is turned until the eyes are level, and
    its centre lies `spec.shift` of its side below the box's centre, along the turned axis. So the crop of a turned
    picture is the crop of the picture. Pixels beyond the picture's edge repeat the edge; a wider square of which too
    much lies there is left out.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        face: A face of this picture.
        spec: The bundle's geometry.

    Returns:
        The crop; its pixels are averaged over their area when the face is larger than the crop.
    """
    squares = [_square(face, spec, view) for view in spec.tta_scales]
    wider = tuple(
        Crop(sample_square(image, to_frame, spec.size), face, to_frame, side)
        for to_frame, side in squares[1:]
        if _cover(to_frame, image.shape) >= MIN_COVER
    )
    to_frame, side = squares[0]
    return Crop(sample_square(image, to_frame, spec.size), face, to_frame, side, wider)


def _square(face: Face, spec: CropSpec, view: float) -> tuple[Floats, float]:
    """A square around a face, from the unit square to pixels of the frame, and its side."""
    left, top, right, bottom = face.box_xyxy
    side = max(face.size * spec.scale * view, 1.0)
    angle = roll(face)
    axis = np.array([math.cos(angle), math.sin(angle)])
    down = np.array([-axis[1], axis[0]])
    centre = np.array([(left + right) / 2, (top + bottom) / 2]) + spec.shift * side * down
    corner = centre - side / 2 * (axis + down)
    return np.stack([side * axis, side * down, corner], axis=1).astype(np.float32), side


def _cover(to_frame: Floats, shape: tuple[int, ...]) -> float:
    """The share of a square that lies in the picture."""
    corners = np.array([(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)], np.float32) @ to_frame.T
    height, width = shape[:2]
    picture = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return float(cv2.intersectConvexConvex(corners, picture)[0] / cv2.contourArea(corners))


def crop_bounds(shape: tuple[int, ...], face: Face, spec: CropSpec) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of a picture that the widest square of `cut_crop` shows.

    Args:
        shape: Of the picture, height and width first.
        face: A face of it.
        spec: The geometry.

    Returns:
        Whole pixels of the picture, right and bottom exclusive, one pixel more than is shown; at least one pixel wide.
    """
    to_frame, _ = _square(face, spec, spec.tta_scales[-1])
    corners = np.array([(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)], np.float32) @ to_frame.T
    low, high = np.floor(corners.min(axis=0)) - 1, np.ceil(corners.max(axis=0)) + 1
    limits = np.array([shape[1], shape[0]])
    left, top = np.clip(low, 0, limits - 1).astype(int)
    right, bottom = np.clip(high, (left + 1, top + 1), limits).astype(int)
    return int(left), int(top), int(right), int(bottom)


def shown_part(image: Image, face: Face, spec: CropSpec) -> tuple[Image, Face, tuple[slice, slice]]:
    """As much of a picture as the widest square of `cut_crop` shows, the face in it, and where in the picture it lies.

    The crop of the part is the crop of the picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        face: A face of it.
        spec: The geometry.

    Returns:
        A view of the picture, the face in pixels of that, and its rows and columns.
    """
    left, top, right, bottom = crop_bounds(image.shape, face, spec)
    place = (slice(top, bottom), slice(left, right))
    return image[place], moved_face(face, -left, -top), place


def moved_face(face: Face, x: float, y: float) -> Face:
    """The same face so many pixels further to the right and down."""
    left, top, right, bottom = face.box_xyxy
    landmarks = face.landmarks + np.array([x, y], np.float32)
    return replace(face, box_xyxy=(left + x, top + y, right + x, bottom + y), landmarks=landmarks)


def face_of_crop(side: float, spec: CropSpec) -> Face:
    """The face of which a picture of this side is the crop: the inverse of `cut_crop`.

    Its landmarks are those of an average face that looks straight ahead.

    Args:
        side: Side of the square picture in pixels.
        spec: The geometry that it was cut by.
    """
    longer = side / spec.scale
    centre = np.array([side / 2, side / 2 - spec.shift * side])
    left, top = centre - longer / 2
    landmarks = centre + longer * np.array(AVERAGE_LANDMARKS)
    return Face((left, top, left + longer, top + longer), landmarks.astype(np.float32), detector_score=1.0)


def roll(face: Face) -> float:
    """Angle in radians from the picture's x axis to the line from the left-hand to the right-hand eye."""
    eyes = face.landmarks[1] - face.landmarks[0]
    if np.hypot(*eyes) >= MIN_EYE_DISTANCE * face.size:
        return float(math.atan2(eyes[1], eyes[0]))
    down = face.landmarks[3:].mean(axis=0) - face.landmarks[:2].mean(axis=0)
    return float(math.atan2(-down[0], down[1]))


def sample_square(image: Image, to_frame: Floats, size: int) -> Image:
    """The picture under the unit square that `to_frame` lays on it, as `Crop.to_frame` and `Score.to_frame` do.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        to_frame: Shape `(2, 3)`, from the unit square to pixels, counted from a pixel's corner.
        size: Side of the answer in pixels.

    Returns:
        RGB uint8 `(size, size, 3)`, averaged over the area under each pixel where the picture shrinks.
    """
    # Sampled more finely than the answer when it shrinks, then averaged.
    fine = max(1, math.ceil(float(np.hypot(*to_frame[:, 0])) / size))
    matrix = to_frame / (size * fine)
    # OpenCV counts from a pixel's centre.
    matrix[:, 2] = to_frame[:, 2] + (matrix[:, 0] + matrix[:, 1]) / 2 - 0.5
    sampled = cv2.warpAffine(
        image,
        matrix,
        (size * fine, size * fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if fine > 1:
        sampled = cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA)
    return sampled
