"""A fitted network's logits on the validation split -> temperature, shift and thresholds of a single face.

    p_fake = sigmoid(logit / temperature + shift)

What is answered about a person over time is calibrated apart, on clips: see `calibrate_tracks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import msgspec
import numpy as np
from scipy.special import expit

from deepfake.data.index import Row
from deepfake.data.loader import read_crop
from deepfake.data.rows import training_rows
from deepfake.errors import DatasetError
from deepfake.evaluation.chance import beats_chance
from deepfake.evaluation.metrics import Labels, Values, expected_calibration_error, roc_auc
from deepfake.evaluation.platt import FALSE_ALARMS, MISSES, fit_calibration
from deepfake.model.lineage import FaceCalibration
from deepfake.nn.torch_layers import native_layers
from deepfake.records import CropSpec
from deepfake.system.files import write_json
from deepfake.training.run import CALIBRATION, load_run, read_record, read_run_config

HALF_WEIGHT = 50.0
"""Pictures of which a source weighs half of what an endless one does, where nothing else is asked (see
`deepfake.evaluation.platt.balanced_weights`)."""


def calibrate(run: Path, batch_size: int = 32, *, half_weight: float = HALF_WEIGHT) -> Path:
    """Calibrates a run's best network on the validation split that it was watched on.

    What p_fake is of, people meet outside: where the index has fakes, they alone count, not blends made from its reals.

    Args:
        run: Folder of a finished run.
        batch_size: Crops a batch.
        half_weight: Pictures of which a source weighs half of what an endless one does; 0 for all the same.

    Returns:
        The path of `calibration.json`.

    Raises:
        DatasetError: If the run is not finished, its data are gone, or it ranks them no better than chance.
    """
    network, config = load_run(run), read_run_config(run)
    _, watched = training_rows(config)
    given = [row for row in watched if not row.made]
    rows = given if any(row.label == "fake" for row in given) else watched
    logits = face_logits(network, rows, config.crop, batch_size)
    labels = np.array([row.target for row in rows])
    check_beats_chance(run, labels, logits)
    try:
        calibration = fit_calibration(labels, logits, [row.source for row in rows], half_weight)
    except ValueError as error:
        raise DatasetError(f"{run} cannot be calibrated: {error}") from error
    found = FaceCalibration(
        temperature=calibration.temperature,
        shift=calibration.shift,
        thresholds=calibration.thresholds,
        count=len(rows),
        false_alarms=FALSE_ALARMS,
        misses=MISSES,
        half_weight=half_weight,
        ece_before=expected_calibration_error(labels, expit(logits)),
        ece_after=expected_calibration_error(labels, np.array([calibration.p_fake(one) for one in logits.tolist()])),
    )
    return write_json(run / CALIBRATION, msgspec.to_builtins(found))


def check_beats_chance(model: Path, labels: Labels, logits: Values) -> None:
    """Refuses what ranks both classes no better than chance could: a calibration would make its noise sure of itself.

    Raises:
        DatasetError: If it does, or a class is absent.
    """
    fakes = int(labels.sum())
    reals = len(labels) - fakes
    if min(fakes, reals) == 0:
        raise DatasetError(f"{model} needs reals and fakes to be calibrated on. Found: {reals} and {fakes}.")
    if not beats_chance(labels, logits):
        raise DatasetError(
            f"{model} ranks {reals} reals and {fakes} fakes no better than chance could: its AUC is "
            f"{roc_auc(labels, logits):.2f}. Nothing was written. Train longer, or on more data; with very few faces "
            "give more of them."
        )


def face_logits(network: keras.Model, rows: Sequence[Row], spec: CropSpec, batch_size: int = 32) -> Values:
    """Each row's raw logit, the mean over its views as in `deepfake.model.scorer`, float64 `(n,)`."""
    model = keras.Model(network.input, network.output["logit"])
    found: list[float] = []
    for start in range(0, len(rows), batch_size):
        crops = [read_crop(row, spec) for row in rows[start : start + batch_size]]
        views = [[view.image for view in (crop, *crop.wider)] for crop in crops]
        crops_of_all = np.array([image for own in views for image in own], np.float32)
        with native_layers():
            logits = model.predict(crops_of_all, batch_size=batch_size, verbose=0)
        ends = np.cumsum([len(own) for own in views])[:-1]
        found += [float(np.mean(own, dtype=np.float64)) for own in np.split(logits, ends)]
    return np.array(found)


def read_calibration(run: Path) -> FaceCalibration:
    """Reads what `calibrate` wrote into the folder of a run.

    Raises:
        DatasetError: If it is not there, or not whole.
    """
    return read_record(run / CALIBRATION, FaceCalibration, "calibrate")
