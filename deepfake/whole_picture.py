"""A picture -> patches at its own resolution -> the expert in generated faces -> whether the whole was generated.

What an autoencoder's decoder leaves behind lies in the finest detail, in a face as around it, so the expert that
learned it from faces finds it elsewhere, too. A picture is never resized for that: resizing is what wipes it out.

Reference:
    Guillaro et al., "A bias-free training paradigm for more general AI-generated image detection" (B-Free), CVPR 2025.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import cv2
import numpy as np

from deepfake.errors import BundleError
from deepfake.model.calibration import sigmoid
from deepfake.model.scorer import Scorer
from deepfake.records import Image, Label, Patch, PictureLabel, WholePicture
from deepfake.verdict import judge

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""
ANSWERS = {
    Label.FAKE: PictureLabel.GENERATED,
    Label.REAL: PictureLabel.NO_TRACES,
    Label.INCONCLUSIVE: PictureLabel.INCONCLUSIVE,
}
TRACE = "generated"
"""The expert that is asked."""
MOST_ALONG = 4
"""Patches along either side, at most. Those with the most texture alone ranked worse than all."""
LEAST_SIDE = 112
"""Pictures with a shorter side are not judged: more than half of a patch would be a mirror image."""
FLAT = 2.0
"""Patches whose grey values deviate by less show nothing, such as a plain background, and are left out."""
Turn = Callable[[], AbstractContextManager[object]]
"""Entered for each patch while the network is used."""


class PictureScorer:
    """Judges whole pictures with the graph of a bundle of experts.

    Args:
        scorer: The bundle's graph.

    Raises:
        BundleError: If the bundle has no expert in what is generated, or was not calibrated on whole pictures.
    """

    def __init__(self, scorer: Scorer) -> None:
        calibration = scorer.bundle.calibration.picture
        if calibration is None:
            raise BundleError(
                f"{scorer.bundle.model.name} was not calibrated on whole pictures. Ask about faces alone, use another "
                "bundle, or run calibrate-pictures."
            )
        self._scorer = scorer
        self._calibration = calibration

    def judge(self, image: Image, page: int = 0, turn: Turn = nullcontext) -> WholePicture | None:
        """The answer about one picture; None of one that is too small, or shows nothing.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            page: Which page of its file it is, from 0.
            turn: Entered for each patch while the network is used.
        """
        patches = tuple(
            Patch(box, self._calibration.logit(logit)) for box, logit in patch_logits(self._scorer, image, turn)
        )
        if not patches:
            return None
        p_generated = sigmoid(float(np.mean([own.logit for own in patches])))
        thresholds = self._calibration.thresholds
        return WholePicture(ANSWERS[judge(p_generated, thresholds)], p_generated, thresholds, patches, page)


def patch_logits(scorer: Scorer, image: Image, turn: Turn = nullcontext) -> list[tuple[Box, float]]:
    """The patches of a picture, and what the expert in generated faces says of each before calibration.

    Args:
        scorer: The graph of a bundle of experts.
        image: RGB uint8 `(height, width, 3)`.
        turn: Entered for each patch while the network is used.

    Raises:
        BundleError: If the bundle has no expert in what is generated.
    """
    if TRACE not in scorer.bundle.experts:
        raise BundleError(
            f"{scorer.bundle.model.name} has no expert called {TRACE!r}, which judges whole pictures. "
            "Use another bundle."
        )
    found = []
    for box in patches_of(image, scorer.bundle.crop.size):
        with turn():
            found.append((box, scorer.expert_logit(patch(image, box), TRACE)))
    return found


def patches_of(image: Image, size: int) -> list[Box]:
    """Boxes of the squares of a picture that are looked at: spread evenly, at most half of one over its neighbour.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        size: Side of a square in pixels.

    Returns:
        Left, top, right and bottom of each; none of a picture that is too small, or flat all over.

    Example:

    >>> noise = np.random.default_rng(0).integers(0, 255, (224, 300, 3), np.uint8)
    >>> patches_of(noise, 224)
    [(0, 0, 224, 224), (76, 0, 300, 224)]
    """
    height, width = image.shape[:2]
    if min(height, width) < LEAST_SIDE:
        return []
    boxes = [(left, top, left + size, top + size) for top in _starts(height, size) for left in _starts(width, size)]
    return [box for box in boxes if patch(image, box).mean(axis=2).std() >= FLAT]


def patch(image: Image, box_xyxy: Box) -> Image:
    """The pixels of one square; what lies beyond the picture's edge mirrors it."""
    left, top, right, bottom = box_xyxy
    inside = image[top:bottom, left:right]
    below, beside = bottom - top - inside.shape[0], right - left - inside.shape[1]
    if not below and not beside:
        return inside
    return np.asarray(cv2.copyMakeBorder(inside, 0, below, 0, beside, cv2.BORDER_REFLECT_101))


def _starts(side: int, size: int) -> list[int]:
    count = min(1 + math.ceil(max(side - size, 0) / (size / 2)), MOST_ALONG)
    return np.linspace(0, max(side - size, 0), count).round().astype(int).tolist()
