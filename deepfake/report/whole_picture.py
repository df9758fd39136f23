"""What is said of a picture as a whole -> words, and a map over the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepfake.model.metrics import read_metrics
from deepfake.records import Image, WholePicture
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import painted, shrunk
from deepfake.report.words import ENGLISH, of_hundred

MAP_SIDE = 640
"""Longest side in pixels at which the map is drawn, on the page and in the report."""
STRONGEST = 4.0
"""Calibrated logit, for or against, at which a place is painted at full strength: 98 of 100."""


def whole_line(whole: WholePicture | None, say: Catalogue = ENGLISH) -> list[str]:
    """The answer in a few words; nothing where nobody asked."""
    if whole is None:
        return []
    return [say(f"whole_picture.line_{whole.label}", score=of_hundred(whole.p_generated))]


def whole_sentences(whole: WholePicture, model: Path, say: Catalogue = ENGLISH) -> list[str]:
    """The answer in sentences: what it is, how often such answers err, and what it is about.

    Args:
        whole: The answer.
        model: Folder of the bundle that answered: how often it errs is quoted from its measures.
        say: The language.

    Raises:
        BundleError: If the measures of the bundle cannot be read.
    """
    told = [say(f"whole_picture.{whole.label}", score=of_hundred(whole.p_generated))]
    measured = read_metrics(model).pictures
    if measured and measured.all.real_called and measured.all.fake_called:
        count = measured.all.count
        wrong, found = measured.all.real_called.fake.share, measured.all.fake_called.fake.share
        told.append(
            say(
                "whole_picture.rates",
                reals=count.real,
                wrong=round(wrong * count.real),
                fakes=count.fake,
                found=round(found * count.fake),
            )
        )
    return [*told, say("whole_picture.what")]


def patch_map(image: Image, whole: WholePicture, opacity: float = 0.5) -> Image:
    """The picture, no larger than `MAP_SIDE`, under what its patches say: red looks generated, blue does not.

    Args:
        image: RGB uint8, the page that was judged.
        whole: The answer.
        opacity: Strength of the colour in [0, 1] where a patch is sure.
    """
    small = shrunk(image, MAP_SIDE)
    height, width = small.shape[:2]
    factor = width / image.shape[1]
    total, weight = np.zeros((height, width), np.float32), np.full((height, width), 1e-6, np.float32)
    for patch in whole.patches:
        left, top, right, bottom = (round(edge * factor) for edge in patch.box_xyxy)
        # A patch speaks most of all for its middle: where several overlap, the map has no edges.
        tent = np.outer(_tent(bottom - top), _tent(right - left)).astype(np.float32)
        inside = tent[: max(height - top, 0), : max(width - left, 0)]
        area = np.s_[top : top + inside.shape[0], left : left + inside.shape[1]]
        total[area] += inside * patch.logit
        weight[area] += inside
    return painted(small, np.clip(total / weight / STRONGEST, -1, 1), opacity)


def _tent(length: int) -> np.ndarray:
    return 1.05 - np.abs(np.linspace(-1, 1, max(length, 1)))
