"""A bundle under harm: what compression, shrinking, blur, noise, brightness and a moved crop do to its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from deepfake.bundle import Bundle, load_bundle
from deepfake.crops import cut_crop
from deepfake.errors import DatasetError
from deepfake.pipeline import Progress
from deepfake.records import Crop, CropSpec, Face, Image
from deepfake.scores import Scorer
from deepfake.training.degrade import add_noise, compress, compress_video
from deepfake.training.index import Row, read_indexes
from deepfake.training.loader import read_face
from deepfake.training.metrics import bootstrap_interval, roc_auc
from deepfake.verdict import judge

Harm = Callable[[Image, float], Image]


def shrink(image: Image, factor: float) -> Image:
    """The picture at a share of its size, and back: averaged down, bilinear up."""
    height, width = image.shape[:2]
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height))


def brighten(image: Image, factor: float) -> Image:
    """Every pixel times a factor, cut at white."""
    return np.clip(np.round(image * np.float32(factor)), 0, 255).astype(np.uint8)


HARMS: dict[str, tuple[str, Harm, tuple[float, ...]]] = {
    "jpeg": ("JPEG quality", lambda image, level: compress(image, int(level)), (90, 70, 50, 30)),
    "h264": ("H.264 constant rate factor", lambda image, level: compress_video(image, int(level)), (23, 29, 35, 41)),
    "scale": ("share of the size", shrink, (0.75, 0.5, 0.25)),
    "blur": ("Gaussian blur, pixels", lambda image, level: cv2.GaussianBlur(image, (0, 0), level), (0.5, 1, 2)),
    "noise": (
        "Gaussian noise, of 255",
        lambda image, level: add_noise(image, level, np.random.default_rng(int(image.sum()))),
        (2, 5, 10),
    ),
    "brightness": ("factor", brighten, (0.5, 0.75, 1.25, 1.5)),
}
"""What is done to a crop, by name: what its level means, the harm, and the levels."""
SHIFTS = (0.05, 0.1, 0.2)
"""How far the crop is moved along both axes, over its side."""
CLEAN = ("", 0.0)
"""Stands for an unharmed crop, among pairs of a harm's name and its level."""


def sweep(
    model: Path,
    indexes: Sequence[Path],
    split: str = "test",
    sources: Sequence[str] = (),
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Measures a bundle on the crops of one split, whole and harmed in each way at each level.

    Args:
        model: Folder of a bundle.
        indexes: Crops' indexes.
        split: `val` or `test`.
        sources: Sources to take; all if empty.
        progress: Called after each crop.

    Returns:
        `split`, `sources`, `count` of reals and fakes, and `harms`: for each, `level_means` and `levels`, a list of
        `level` (None for unharmed), `auc` with its 95% `auc_interval`, and `flip_rate`, the share of answers
        that differ from those about unharmed crops.

    Raises:
        DatasetError: If there is no row, or only one class.
    """
    bundle = load_bundle(model)
    rows = [row for row in read_indexes(indexes) if row.split == split and (not sources or row.source in sources)]
    labels = np.array([row.target for row in rows])
    if set(labels.tolist()) != {0, 1}:
        raise DatasetError(f"A sweep needs real and fake crops in the split {split!r}. Found {len(rows)} rows of one.")
    scorer = Scorer(bundle)
    found: dict[tuple[str, float], list[float]] = {}
    for number, row in enumerate(rows, start=1):
        for key, crop in _harmed(row, bundle.crop):
            found.setdefault(key, []).append(scorer.score([crop])[0].p_fake)
        progress(number, len(rows))
    clean = np.array(found.pop(CLEAN))
    unharmed = {"level": None, **_ranked(labels, clean), "flip_rate": 0.0}
    harms: dict[str, Any] = {}
    for (name, level), p_fake in found.items():
        meaning = HARMS[name][0] if name in HARMS else "share of the crop's side"
        own = harms.setdefault(name, {"level_means": meaning, "levels": [unharmed]})
        own["levels"].append(
            {"level": level, **_ranked(labels, np.array(p_fake)), "flip_rate": _flips(clean, p_fake, bundle)}
        )
    counts = {"real": int((labels == 0).sum()), "fake": int(labels.sum())}
    return {"split": split, "sources": sorted({row.source for row in rows}), "count": counts, "harms": harms}


def _harmed(row: Row, spec: CropSpec) -> list[tuple[tuple[str, float], Crop]]:
    image, face = read_face(row, spec)
    crop = cut_crop(image, face, spec)
    harmed = [(CLEAN, crop)]
    for name, (_, harm, levels) in HARMS.items():
        for level in levels:
            wider = tuple(replace(view, image=harm(view.image, level)) for view in crop.wider)
            harmed.append(((name, level), replace(crop, image=harm(crop.image, level), wider=wider)))
    return harmed + [(("shift", level), cut_crop(image, _shifted(face, level * crop.side), spec)) for level in SHIFTS]


def _shifted(face: Face, pixels: float) -> Face:
    left, top, right, bottom = (edge + pixels for edge in face.box_xyxy)
    return replace(face, box_xyxy=(left, top, right, bottom))


def _ranked(labels: Any, p_fake: Any) -> dict[str, Any]:
    return {"auc": roc_auc(labels, p_fake), "auc_interval": bootstrap_interval(roc_auc, labels, p_fake, rounds=500)}


def _flips(clean: Any, harmed: Sequence[float], bundle: Bundle) -> float:
    pairs = zip(clean.tolist(), harmed, strict=True)
    return float(np.mean([judge(a, bundle.thresholds) is not judge(b, bundle.thresholds) for a, b in pairs]))
