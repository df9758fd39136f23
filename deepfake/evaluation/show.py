"""What was measured -> a table of scores, a picture of the quality, a picture of the worst mistakes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from deepfake.data.index import read_indexes
from deepfake.data.loader import read_crop
from deepfake.data.rows import with_self_blends
from deepfake.evaluation.evaluate import Evaluation, Sample, answered
from deepfake.evaluation.plots import mistake_maps_figure, mistakes_figure
from deepfake.evaluation.quality_plot import quality_figure
from deepfake.model.bundle import load_bundle
from deepfake.model.scorer import Scorer
from deepfake.records import Crop, Score
from deepfake.system.files import replacing, write_bytes

WORST = 12
"""Mistakes of each kind that are drawn."""
IN_CARD = 5
"""Mistakes whose maps are in the card."""


def write_scores(evaluation: Evaluation, path: Path) -> Path:
    """Writes a table of what was said of every face: the columns of `Sample`."""
    with replacing(path) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Sample)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in evaluation.samples)
    return path


def write_quality(evaluation: Evaluation, model: Path, path: Path) -> Path:
    """Draws how good a bundle is at the level of faces: ranking, calibration, scores and answers.

    Args:
        evaluation: What was measured.
        model: Folder of the bundle that was measured.
        path: The PNG file to write; of a card, it is `QUALITY_PLOT` in the bundle's folder.
    """
    return write_bytes(
        path, quality_figure(_groups(evaluation.samples), load_bundle(model).calibration.face.thresholds)
    )


def write_mistakes(evaluation: Evaluation, model: Path, indexes: Sequence[Path], path: Path) -> Path:
    """Draws the crops that a bundle is most wrong about, each beside its heat map.

    Args:
        evaluation: What `evaluate_crops` measured.
        model: Folder of the bundle that was measured.
        indexes: The indexes that it was measured on.
        path: The PNG file to write.
    """

    def drawn(label: str, sign: int) -> list[tuple[Any, Any, str]]:
        own = [sample for sample in evaluation.samples if sample.label == label]
        worst = sorted(own, key=lambda s: sign * (s.p_fake or 0.0))[:WORST]
        return [
            (
                (crop, *crop.wider)[-1].image,
                score.evidence,
                f"{sample.source} {sample.method} p_fake {score.p_fake:.2f}",
            )
            for sample, crop, score in _scored(worst, model, indexes)
        ]

    return write_bytes(path, mistakes_figure(drawn("real", -1), drawn("fake", 1)))


def write_mistake_maps(evaluation: Evaluation, model: Path, indexes: Sequence[Path], path: Path) -> Path:
    """Draws the heat maps of the worst mistakes over drawn faces: a card may show them, and nobody's picture.

    Args:
        evaluation: As for `write_mistakes`.
        model: As for `write_mistakes`.
        indexes: As for `write_mistakes`.
        path: The PNG file to write; of a card, it is `MISTAKES_PLOT` in the bundle's folder.
    """
    worst = sorted(evaluation.samples, key=lambda s: -abs((s.p_fake or 0.0) - (s.label == "fake")))[:IN_CARD]
    entries = []
    for sample, _, score in _scored(worst, model, indexes):
        to_unit = np.linalg.inv(np.vstack([score.to_frame, (0, 0, 1)]))[:2]
        landmarks = score.face.landmarks @ to_unit[:, :2].T + to_unit[:, 2]
        caption = f"{sample.label}, {sample.source} {sample.method}: p_fake {score.p_fake:.2f}"
        entries.append((score.evidence, landmarks, caption))
    return write_bytes(path, mistake_maps_figure(entries))


def _scored(samples: Sequence[Sample], model: Path, indexes: Sequence[Path]) -> Iterator[tuple[Sample, Crop, Score]]:
    """Each of these faces once more: its crop, and what the bundle says of it."""
    bundle = load_bundle(model)
    scorer = Scorer(bundle)
    rows = {(row.path, row.label): row for row in with_self_blends(read_indexes(indexes), "both")}
    for sample in samples:
        crop = read_crop(rows[sample.path, sample.label], bundle.crop)
        (score,) = scorer.score([crop])
        yield sample, crop, score


def _groups(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        source or "all": answered([s for s in samples if s.source == source])
        for source in sorted({s.source for s in samples})
    }
