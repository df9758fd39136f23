"""Scores -> where on the face the evidence for fake lies, by the landmarks of the face."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import cv2
import numpy as np

from deepfake.records import Floats, Score


class Region(StrEnum):
    """A part of a face that has a name."""

    EYES = "eyes"
    NOSE = "nose"
    MOUTH = "mouth"
    OUTLINE = "outline"
    WHOLE = "whole"


STANDS_OUT = 1.4
"""How many times stronger than over the whole face the evidence for fake must be in a part for that to be named."""
# Over the longer side of the face's box.
_NEAR_EYE = 0.13
_NEAR_NOSE = 0.1
_NEAR_MOUTH = 0.12
_OVAL = (0.38, 0.5)
"""Half the width and half the height of a face."""
_RIM = (0.8, 1.2)
"""Where its outline lies, over the radius of the oval."""


def region_of(scores: Sequence[Score]) -> Region:
    """The part of the face in which what speaks for fake stands out; `WHOLE` where none does.

    Args:
        scores: Of one person, at least one.
    """
    strength: dict[Region, float] = {}
    for score in scores:
        for_fake = np.maximum(score.evidence, 0)
        for region, mask in masks_of(score).items():
            strength[region] = strength.get(region, 0.0) + (float(for_fake[mask].mean()) if mask.any() else 0.0)
    whole = strength.pop(Region.WHOLE)
    strongest = max(strength, key=lambda region: strength[region])
    return strongest if whole > 0 and strength[strongest] >= STANDS_OUT * whole else Region.WHOLE


def masks_of(score: Score) -> dict[Region, Floats]:
    """Which places of the evidence belong to each part: boolean, of the shape of the evidence; `WHOLE` is the face."""
    rows, columns = score.evidence.shape
    down, across = np.mgrid[0.5:rows, 0.5:columns] / np.array([rows, columns])[:, None, None]
    places = np.stack([across, down], axis=-1)
    to_crop = cv2.invertAffineTransform(score.to_frame)
    right_eye, left_eye, nose, mouth_right, mouth_left = score.face.landmarks @ to_crop[:, :2].T + to_crop[:, 2]
    left, top, right, bottom = score.face.box_xyxy
    centre = np.array([(left + right) / 2, (top + bottom) / 2]) @ to_crop[:, :2].T + to_crop[:, 2]
    longer = score.face.size / float(np.hypot(*score.to_frame[:, 0]))
    radius = np.hypot(*np.moveaxis((places - centre) / (longer * np.array(_OVAL)), -1, 0))
    return {
        Region.EYES: np.minimum(_from_point(places, right_eye), _from_point(places, left_eye)) < _NEAR_EYE * longer,
        Region.NOSE: _from_point(places, nose) < _NEAR_NOSE * longer,
        Region.MOUTH: _from_line(places, mouth_right, mouth_left) < _NEAR_MOUTH * longer,
        Region.OUTLINE: (radius > _RIM[0]) & (radius < _RIM[1]),
        Region.WHOLE: radius < _RIM[1],
    }


def _from_point(places: Floats, point: Floats) -> Floats:
    return np.asarray(np.linalg.norm(places - point, axis=-1))


def _from_line(places: Floats, start: Floats, end: Floats) -> Floats:
    """The distance of each place from the line between two points."""
    along = end - start
    share = np.clip((places - start) @ along / max(float(along @ along), 1e-12), 0, 1)
    return np.asarray(np.linalg.norm(places - start - share[..., None] * along, axis=-1))
