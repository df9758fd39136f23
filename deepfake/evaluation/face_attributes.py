"""A face -> its skin tone, brightness, size and pose, and the bins that these are divided into.

What is measured, and how far that can be trusted:

    skin         individual typology angle (ITA), atan((L* - 50) / b*), of the cheeks; it cannot tell a dark skin from
                 a dark room, nor a light one from a flash
    brightness   mean L* of the crop
    face_px      longer side of the face's box
    yaw          how far the head is turned, from the place of the nose between eyes and mouth

Reference:
    Chardon et al., "Skin colour typology and suntanning pathways", Int. J. Cosmetic Science 1991; Del Bino and
    Bernerd, "Variations in skin colour and the biological consequences of ultraviolet radiation exposure", British
    J. Dermatology 2013.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from deepfake.data.cut import LARGEST_FACE_PX, main_face
from deepfake.data.index import Row
from deepfake.data.loader import landmarks_of
from deepfake.faces.mtcnn import FaceFinder
from deepfake.records import Crop, Floats, Frame, Image

CHEEK = 0.15
"""Half the side of a patch of cheek, over the distance from the eye to the corner of the mouth."""
COLOURLESS = 1.0
"""Skin whose b* is lower is shown in grey or in blue light: its typology angle means nothing."""
NOSE_DEPTH = 0.4
"""How far the tip of an average nose stands before the plane of eyes and mouth, over the distance of the eyes."""
UNKNOWN = "not known"
"""The bin of what is not known."""


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that faces differ in, and the bins it is divided into."""

    title: str
    """How the card calls it."""
    means: str
    """What was measured."""
    edges: tuple[float, ...]
    """Where bins meet, rising; an edge itself belongs to the bin below it."""
    bins: tuple[str, ...]
    """Their names, from the lowest, one more than there are edges."""


TRAITS = {
    "skin": Trait(
        "skin tone",
        "individual typology angle of the median CIE L* and b* of two patches of cheek, halfway between the eye and "
        "the corner of the mouth; the six classes of Chardon and Del Bino, in degrees",
        (-30, 10, 28, 41, 55),
        (
            "dark (up to -30)",
            "brown (-30 to 10)",
            "tan (10 to 28)",
            "intermediate (28 to 41)",
            "light (41 to 55)",
            "very light (above 55)",
        ),
    ),
    "brightness": Trait(
        "brightness",
        "mean CIE L* of the crop, of 100",
        (30, 40, 50),
        ("up to 30", "30 to 40", "40 to 50", "above 50"),
    ),
    "face_px": Trait(
        "size of the face",
        f"longer side of its box in pixels of the picture; of larger ones, {LARGEST_FACE_PX}, to which they were "
        "shrunk; not known of pictures that were crops already",
        (120, 160, 200),
        ("up to 120", "120 to 160", "160 to 200", "above 200"),
    ),
    "yaw": Trait(
        "pose",
        "degrees that the head is turned to either side, from how far the nose lies beside the line from the middle of "
        "the eyes to that of the mouth; a rough estimate",
        (10, 20, 30),
        ("up to 10", "10 to 20", "20 to 30", "above 30"),
    ),
}
"""What is looked at, by its name in `metrics.json`."""


def measure(row: Row, image: Image, crop: Crop, finder: FaceFinder) -> dict[str, float | None]:
    """What is known of one face, by the names of `TRAITS`; None where it is not known.

    Args:
        row: Where the crop comes from.
        image: The picture of that row, RGB uint8.
        crop: What the bundle sees of it.
        finder: Searches for the face where the row has no landmarks.
    """
    points = landmarks_of(row) if row.landmarks else _searched(image, finder)
    colour = None if points is None else cheek_colour(image, points)
    return {
        "skin": None if colour is None or colour[2] < COLOURLESS else typology_angle(colour[0], colour[2]),
        "brightness": float(_lab(crop.image)[..., 0].mean()),
        "face_px": crop.face.size if row.box else None,
        "yaw": None if points is None else _absolute(yaw(points)),
    }


def typology_angle(lightness: float, yellowness: float) -> float:
    """Individual typology angle (ITA) of a skin in degrees: the lighter the skin, the larger.

    Args:
        lightness: CIE L*, in [0, 100].
        yellowness: CIE b*; below 0 is blue, which no skin is.

    Example:

    >>> round(typology_angle(lightness=70.0, yellowness=20.0), 6)
    45.0
    """
    return math.degrees(math.atan2(lightness - 50, yellowness))


def cheek_colour(image: Image, landmarks: Floats) -> tuple[float, float, float] | None:
    """Median L*, a* and b* (D65) of two patches of cheek, each halfway between an eye and its corner of the mouth.

    Args:
        image: RGB uint8 `(height, width, 3)`, taken for sRGB.
        landmarks: The five points of the face, `(5, 2)`, in pixels of `image`.

    Returns:
        Three numbers, L* in [0, 100]; None if the patches lie outside the picture.
    """
    patches = []
    for eye, mouth in ((0, 3), (1, 4)):
        middle = (landmarks[eye] + landmarks[mouth]) / 2
        half = max(1.0, CHEEK * float(np.hypot(*(landmarks[mouth] - landmarks[eye]))))
        (left, top), (right, bottom) = (np.maximum(np.round(middle + way * half), 0).astype(int) for way in (-1, 1))
        patches.append(image[top:bottom, left:right].reshape(-1, 3))
    pixels = np.concatenate(patches)
    if not len(pixels):
        return None
    lightness, redness, yellowness = np.median(_lab(pixels[None])[0], axis=0)
    return float(lightness), float(redness), float(yellowness)


def yaw(landmarks: Floats) -> float | None:
    """How far a head is turned, in degrees, from its five points; above 0 if its nose points to the picture's right.

    The nose stands out from the plane of eyes and mouth, so it leaves the line between their middles as the head turns,
    and the eyes move together: `tan(yaw) = offset / (NOSE_DEPTH * distance of the eyes)`. Turning the picture in its
    plane changes nothing. It is an average nose's: no more than coarse bins may be read off.

    Args:
        landmarks: Eyes, nose and corners of the mouth, `(5, 2)`; the subject's right eye first.

    Returns:
        In (-180, 180]; None if eyes and mouth lie in one place.

    Example:

    >>> yaw(np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 0.0], [-0.8, 1.0], [0.8, 1.0]]))
    0.0
    """
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    down = mouth - eyes
    length = float(np.hypot(*down))
    if length == 0:
        return None
    across = np.array([down[1], -down[0]]) / length
    offset = float((points[2] - eyes) @ across)
    return math.degrees(math.atan2(offset / NOSE_DEPTH, float((points[1] - points[0]) @ across)))


def bin_of(value: float | None, trait: Trait) -> str:
    """The name of the bin that a value falls into.

    Example:

    >>> bin_of(28.0, TRAITS["skin"]), bin_of(None, TRAITS["skin"])
    ('tan (10 to 28)', 'not known')
    """
    return UNKNOWN if value is None else trait.bins[int(np.searchsorted(trait.edges, value, side="left"))]


def _searched(image: Image, finder: FaceFinder) -> Floats | None:
    (faces,) = finder.find([Frame(image, 0, Fraction(0))])
    return main_face(faces).landmarks if faces else None


def _absolute(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _lab(image: Image) -> Floats:
    """CIE L*a*b* (D65) of sRGB pixels, float32 of the same shape."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
