"""A bundle and labelled pictures -> the calibration of its answer about whole pictures, and how good that is.

There are few pictures, so the same ones calibrate and measure, but none by a calibration that has seen it: they are
divided into folds, and each fold is judged by what was fitted to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from deepfake.data.index import read_indexes
from deepfake.errors import DatasetError
from deepfake.evaluation.evaluate import Sample, measured
from deepfake.evaluation.metrics import Labels, Values
from deepfake.evaluation.people import clip_key
from deepfake.evaluation.platt import fit_calibration
from deepfake.media import read_picture
from deepfake.model.bundle import MANIFEST, load_bundle, read_manifest
from deepfake.model.calibration import Calibration
from deepfake.model.lineage import PictureCalibration, PictureSample
from deepfake.model.measured import Measured
from deepfake.model.metrics import read_metrics, write_metrics
from deepfake.model.scorer import Scorer
from deepfake.pipeline import Progress
from deepfake.system.files import write_json
from deepfake.training.calibrate import check_beats_chance
from deepfake.verdict import judge
from deepfake.whole_picture import patch_logits

FOLDS = 5
LEAST = 20
"""Pictures of either class, without which nothing is fitted."""


def calibrate_pictures(
    model: Path, table: Path, *, progress: Progress = lambda done, total: None
) -> PictureCalibration:
    """Fits the calibration of a bundle's answers about whole pictures, writes it into its manifest, and measures it.

    Args:
        model: Folder of a bundle with an expert in what is generated.
        table: CSV table of labelled pictures that nothing was trained on: `real` for photographs, `fake` for generated.
        progress: Called after each picture.

    Returns:
        What was fitted, and to what.

    Raises:
        BundleError: If the bundle has no such expert.
        DatasetError: If there are too few pictures of either class, or they are ranked no better than chance.
        MediaError: If a picture cannot be read.
    """
    rows, scorer = read_indexes([table]), Scorer(load_bundle(model, trust=True))
    samples = []
    for number, row in enumerate(rows, start=1):
        if found := patch_logits(scorer, read_picture(row.path).image):
            logit = float(np.mean([own for _, own in found]))
            samples.append(PictureSample(clip_key(row), row.label, row.source, row.method, logit))
        progress(number, len(rows))
    labels, logits = _values(samples)
    fakes = int(labels.sum())
    if min(fakes, len(labels) - fakes) < LEAST:
        raise DatasetError(
            f"At least {LEAST} photographs and {LEAST} generated pictures are needed. "
            f"Found {len(labels) - fakes} and {fakes}."
        )
    check_beats_chance(model, labels, logits)
    calibrated = PictureCalibration(fit_calibration(labels, logits), tuple(samples))
    manifest = read_manifest(model)
    calibrations = replace(manifest.calibration, picture=calibrated.calibration)
    write_json(model / MANIFEST, msgspec.to_builtins(replace(manifest, calibration=calibrations)))
    measures = measured_by_folds(samples, calibrated.calibration)
    write_metrics(model, replace(read_metrics(model), picture_calibration=calibrated, pictures=measures))
    return calibrated


def measured_by_folds(samples: Sequence[PictureSample], calibration: Calibration) -> Measured:
    """How good the answers are, each by a calibration that was fitted to other pictures.

    Args:
        samples: All pictures.
        calibration: That of all, whose thresholds are named.
    """
    labels, logits = _values(samples)
    rng, judged = np.random.default_rng(0), []
    folds = np.empty(len(samples), int)
    for label in (0, 1):
        places = np.flatnonzero(labels == label)
        folds[places] = rng.permutation(np.arange(len(places)) % FOLDS)
    for fold in range(FOLDS):
        own = fit_calibration(labels[folds != fold], logits[folds != fold])
        for place in np.flatnonzero(folds == fold).tolist():
            sample = samples[place]
            p_generated = own.p_fake(sample.logit)
            answer = judge(p_generated, own.thresholds)
            judged.append(
                Sample(sample.label, sample.source, sample.method, p_generated, sample.picture, answer=answer)
            )
    return replace(measured({"picture": judged}, calibration.thresholds, across_sources=True), by_folds=len(samples))


def _values(samples: Sequence[PictureSample]) -> tuple[Labels, Values]:
    return np.array([int(sample.label == "fake") for sample in samples]), np.array([sample.logit for sample in samples])
