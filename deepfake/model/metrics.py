"""models/<name>/metrics.json <-> Metrics: what was measured of a bundle, and what it was trained on.

Whatever is said about a model's quality (card, page, report, README) is read from here. A section that was not measured
is absent; a key that is not known, or a value of another type, is an error and never a number that is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from deepfake.errors import BundleError
from deepfake.model.lineage import (
    Ablation,
    Export,
    FaceCalibration,
    PictureCalibration,
    Round,
    TrackCalibration,
    Training,
)
from deepfake.model.measured import Measured, Record
from deepfake.model.metrics_format import FORMAT, of_this_format
from deepfake.model.stress_tests import Adversarial, Fairness, Robustness
from deepfake.system.files import write_json
from deepfake.system.settings import read_settings

METRICS = "metrics.json"
"""The measures of a detector bundle, beside its manifest."""


class Metrics(Record, frozen=True, kw_only=True):
    """All that is known about a bundle; None for what was not measured."""

    training: Training | None = None
    calibration: FaceCalibration | None = None
    track_calibration: TrackCalibration | None = None
    picture_calibration: PictureCalibration | None = None
    export: Export | None = None
    test: Measured | None = None
    """Crops of the test split."""
    val: Measured | None = None
    """Crops of the validation split."""
    clips: Measured | None = None
    """Whole files."""
    pictures: Measured | None = None
    """Whole pictures, generated or not, whoever is in them."""
    robustness: Robustness | None = None
    adversarial: Adversarial | None = None
    fairness: Fairness | None = None
    ablation: Ablation | None = None
    rounds: tuple[Round, ...] = ()


def read_metrics(model: Path) -> Metrics:
    """What is known about a bundle: nothing, where it has no `metrics.json`.

    Args:
        model: The bundle's folder.

    Raises:
        BundleError: If the file cannot be read, was written for another version, or holds what is not known.
    """
    path = model / METRICS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Metrics()
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({error}). Fetch the bundle again, or evaluate it anew.") from error
    try:
        return read_settings(of_this_format(values), Metrics)
    except ValueError as error:
        raise BundleError(f"{path} cannot be used: {error} Fetch the bundle again, or evaluate it anew.") from error


def read_training_of(model: Path) -> Training:
    """How a bundle came about.

    Raises:
        BundleError: As `read_metrics`, or if that is not known.
    """
    training = read_metrics(model).training
    if training is None:
        raise BundleError(f"{model / METRICS} must say how the network was trained. Export it again.")
    return training


def write_metrics(model: Path, metrics: Metrics) -> Metrics:
    """Writes what is known about a bundle, every number to four digits; the answer is what will be read.

    Raises:
        ValueError: If a value is none that may be read again, such as a share above 1.
    """
    values = _rounded(msgspec.to_builtins(metrics))
    kept = read_settings(values, Metrics)
    write_json(model / METRICS, {"format": FORMAT, **values})
    return kept


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
