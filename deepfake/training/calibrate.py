"""A fitted network's logits on the validation split -> temperature and thresholds.

    p_fake = sigmoid(logit / temperature + logit_shift)

Both numbers minimise the cross-entropy with reals and fakes weighing the same (Platt scaling, with his targets, which
keep a small split that is ranked without a mistake from being taken for certainty; with a shift of 0 it is temperature
scaling). The thresholds are quantiles of the validation split: `fake_above` is passed by at most `FALSE_ALARMS` of the
reals, and at most `MISSES` of the fakes stay under `real_below`. To call a real person's face fake does more
harm than to miss a fake, so the first is the smaller.

Reference:
    Platt, "Probabilistic outputs for support vector machines", 1999; Guo et al., ICML 2017.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from deepfake.data.index import Row
from deepfake.data.loader import read_crop
from deepfake.data.sampling import training_rows
from deepfake.errors import DatasetError
from deepfake.evaluation.metrics import Labels, Values, expected_calibration_error, roc_auc
from deepfake.records import CropSpec, Thresholds
from deepfake.system.files import write_json
from deepfake.training.run import load_run, read_run_config

FALSE_ALARMS = 0.02
"""Share of reals called fake that the thresholds allow on the validation split."""
MISSES = 0.03
"""Share of fakes called real that they allow."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a logit becomes a probability and an answer."""

    temperature: float
    """Positive; the logit is divided by it."""
    logit_shift: float
    """Added after the division."""
    thresholds: Thresholds
    """Where `real` ends and `fake` begins."""

    def p_fake(self, logits: Values) -> Values:
        """Calibrated probabilities of raw logits, shape unchanged."""
        return np.asarray(expit(np.asarray(logits) / self.temperature + self.logit_shift), np.float64)


def fit_calibration(labels: Labels, logits: Values) -> Calibration:
    """Fits temperature, shift and thresholds.

    Args:
        labels: Shape `(n,)`, 1 for fake and 0 for real. Both must occur.
        logits: Shape `(n,)`, above 0 for fake.

    Raises:
        ValueError: If a class is absent, or larger logits do not mean more fake.
    """
    labels, logits = np.asarray(labels), np.asarray(logits, np.float64)
    if roc_auc(labels, logits) <= 0.5:
        raise ValueError("These logits rank no better than chance: there is nothing to calibrate. Train longer.")
    weights = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))

    # Platt's targets: of n fakes that all rank above the reals, nobody may conclude that the next one surely will.
    fakes, reals = int(labels.sum()), int((1 - labels).sum())
    targets = np.where(labels == 1, (fakes + 1) / (fakes + 2), 1 / (reals + 2))

    def cross_entropy(scale_and_shift: Values) -> float:
        scaled = logits * np.exp(scale_and_shift[0]) + scale_and_shift[1]
        return float(np.average(np.logaddexp(0, scaled) - targets * scaled, weights=weights))

    log_scale, shift = minimize(cross_entropy, np.zeros(2), method="Nelder-Mead").x
    p_fake = expit(logits * np.exp(log_scale) + shift)
    fake_above = float(np.quantile(p_fake[labels == 0], 1 - FALSE_ALARMS))
    real_below = float(np.quantile(p_fake[labels == 1], MISSES))
    # Where both rates are met with room to spare, nothing was seen between the two: that is inconclusive as well.
    real_below, fake_above = sorted((real_below, fake_above))
    thresholds = Thresholds(real_below=round(real_below, 4), fake_above=round(fake_above, 4))
    return Calibration(float(np.exp(-log_scale)), float(shift), thresholds)


def calibrate(run: Path, batch_size: int = 32) -> Path:
    """Calibrates a run's best network on the validation split that it was watched on.

    What p_fake is of, people meet outside: where the index has fakes, they alone count, not blends made from its reals.

    Args:
        run: Folder of a finished run.
        batch_size: Crops a batch.

    Returns:
        The path of `calibration.json`.

    Raises:
        DatasetError: If the run is not finished, its data are gone, or it ranks them no better than chance.
    """
    network, config = load_run(run), read_run_config(run)
    _, watched = training_rows(config)
    given = [row for row in watched if not row.made]
    rows = given if any(row.label == "fake" for row in given) else watched
    logits = _logits(keras.Model(network.input, network.output["logit"]), rows, config.crop, batch_size)
    labels = np.array([row.target for row in rows])
    try:
        calibration = fit_calibration(labels, logits)
    except ValueError as error:
        raise DatasetError(f"{run} cannot be calibrated: {error}") from error
    record: dict[str, Any] = {
        "temperature": calibration.temperature,
        "logit_shift": calibration.logit_shift,
        "thresholds": msgspec.to_builtins(calibration.thresholds),
        "count": len(rows),
        "false_alarms": FALSE_ALARMS,
        "misses": MISSES,
        "ece_before": expected_calibration_error(labels, expit(logits)),
        "ece_after": expected_calibration_error(labels, calibration.p_fake(logits)),
    }
    return write_json(run / "calibration.json", record)


def _logits(network: keras.Model, rows: Sequence[Row], spec: CropSpec, batch_size: int) -> Any:
    """Each row's logit, the mean over its views as in `deepfake.model.scorer`, float64 `(n,)`."""
    found = []
    for start in range(0, len(rows), batch_size):
        crops = [read_crop(row, spec) for row in rows[start : start + batch_size]]
        views = [[view.image for view in (crop, *crop.wider)] for crop in crops]
        logits = network.predict(
            np.array([image for own in views for image in own], np.float32), batch_size=batch_size, verbose=0
        )
        ends = np.cumsum([len(own) for own in views])[:-1]
        found += [float(np.mean(own, dtype=np.float64)) for own in np.split(logits, ends)]
    return np.array(found)


def read_calibration(path: Path) -> Calibration:
    """Reads what `calibrate` wrote.

    Raises:
        DatasetError: If it is not there.
    """
    if not path.exists():
        raise DatasetError(f"No {path.name} in {path.parent}. Run calibrate first.")
    record = json.loads(path.read_text(encoding="utf-8"))
    return Calibration(record["temperature"], record["logit_shift"], Thresholds(**record["thresholds"]))
