"""A bundle under corruption: what compression, scaling, blur, colour and a moved crop do to its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from deepfake.data.augment import (
    add_noise,
    apply_gamma,
    compress,
    compress_video,
    compress_webp,
    reduce_colours,
    saturate,
    sharpen,
    shift_channels,
)
from deepfake.data.index import Row, read_indexes
from deepfake.data.loader import read_face
from deepfake.errors import DatasetError
from deepfake.evaluation.evaluate import counts_of, ranking
from deepfake.faces.crops import cut_crop, moved_face
from deepfake.model.bundle import load_bundle
from deepfake.model.scorer import Scorer
from deepfake.model.stress_tests import Corruption, CorruptionLevel, Robustness
from deepfake.pipeline import Progress
from deepfake.records import Crop, CropSpec, Image
from deepfake.verdict import judge


def shrink(image: Image, factor: float) -> Image:
    """The picture at a share of its size, and back: averaged down, bilinear up."""
    height, width = image.shape[:2]
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height))


def brighten(image: Image, factor: float) -> Image:
    """Every pixel times a factor, cut at white."""
    return np.clip(np.round(image * np.float32(factor)), 0, 255).astype(np.uint8)


def tint(image: Image, shift: float) -> Image:
    """Another white balance: red shifted one way, blue the other."""
    return shift_channels(image, np.array([shift, 0, -shift]))


CORRUPTIONS: dict[str, tuple[str, Callable[[Image, float], Image], tuple[float, ...]]] = {
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
    "webp": ("WebP quality", lambda image, level: compress_webp(image, int(level)), (80, 50)),
    "palette": (
        "colours left, dithered",
        lambda image, level: reduce_colours(image, int(level), dithered=True),
        (256, 64),
    ),
    "sharpen": ("unsharp mask, strength", sharpen, (0.5, 1.0)),
    "tint": ("shift of red and, the other way, of blue, of 255", tint, (-18, 18)),
    "gamma": ("gamma", apply_gamma, (0.7, 1.4)),
    "saturation": ("factor", saturate, (0.5, 1.5)),
    "grey": ("share of the colour that is taken away", lambda image, level: saturate(image, 1 - level), (1,)),
}
"""What is done to a crop, by name: what its level means, the corruption, and the levels."""
SHIFTS = (0.05, 0.1, 0.2)
"""How far the crop is moved along both axes, over its side."""
ROUNDS = 500
"""Bootstrap rounds of each interval."""
SHIFT_MEANS = "share of the crop's side"
CLEAN = ("", 0.0)
"""Stands for a clean crop, among pairs of a corruption's name and its level."""


def measure_robustness(
    model: Path,
    indexes: Sequence[Path],
    *,
    split: str = "test",
    sources: Sequence[str] = (),
    progress: Progress = lambda done, total: None,
) -> Robustness:
    """Measures a bundle on the crops of one split, whole and corrupted in each way at each level.

    Args:
        model: Folder of a bundle.
        indexes: Crops' indexes.
        split: `val` or `test`.
        sources: Sources to take; all if empty.
        progress: Called after each crop.

    Raises:
        DatasetError: If there is no row, or only one class.
    """
    bundle = load_bundle(model)
    rows = [row for row in read_indexes(indexes) if row.split == split and (not sources or row.source in sources)]
    labels = np.array([row.target for row in rows])
    if set(labels.tolist()) != {0, 1}:
        raise DatasetError(
            f"Robustness needs real and fake crops in the split {split!r}. Found {len(rows)} rows of one."
        )
    scorer = Scorer(bundle)
    found: dict[tuple[str, float], list[float]] = {}
    for number, row in enumerate(rows, start=1):
        for key, crop in _corrupted(row, bundle.crop):
            found.setdefault(key, []).append(scorer.score([crop])[0].p_fake)
        progress(number, len(rows))
    clean = np.array(found.pop(CLEAN))
    thresholds = bundle.calibration.face.thresholds
    levels: dict[str, list[CorruptionLevel]] = {}
    for (name, level), p_fake in found.items():
        pairs = zip(clean.tolist(), p_fake, strict=True)
        flips = [judge(before, thresholds) is not judge(after, thresholds) for before, after in pairs]
        ranked = ranking(labels, np.array(p_fake), rounds=ROUNDS)
        own = CorruptionLevel(
            level=level, auc=ranked.auc, auc_interval=ranked.auc_interval, flip_rate=float(np.mean(flips))
        )
        levels.setdefault(name, []).append(own)
    return Robustness(
        split=split,
        sources=tuple(sorted({row.source for row in rows})),
        count=counts_of(rows),
        clean=ranking(labels, clean, rounds=ROUNDS),
        corruptions={
            name: Corruption(CORRUPTIONS[name][0] if name in CORRUPTIONS else SHIFT_MEANS, tuple(own))
            for name, own in levels.items()
        },
    )


def _corrupted(row: Row, spec: CropSpec) -> list[tuple[tuple[str, float], Crop]]:
    image, face = read_face(row, spec)
    crop = cut_crop(image, face, spec)
    corrupted = [(CLEAN, crop)]
    for name, (_, corruption, levels) in CORRUPTIONS.items():
        for level in levels:
            wider = tuple(replace(view, image=corruption(view.image, level)) for view in crop.wider)
            corrupted.append(((name, level), replace(crop, image=corruption(crop.image, level), wider=wider)))
    offsets = {level: level * crop.side for level in SHIFTS}
    return corrupted + [
        (("shift", level), cut_crop(image, moved_face(face, pixels, pixels), spec)) for level, pixels in offsets.items()
    ]
