"""A run's folder: whose it is, what it was told, how far it came, and what came of it.

config.json             what was asked for, a checksum of the data, and the versions that ran
log.csv, history.png    one line an epoch, and its picture
kinds.csv               each epoch, the validation crops by kind of fake
calibration.json        temperature and thresholds, once it was calibrated
tensorboard/            the same for TensorBoard, if asked for
best.weights.h5         the weights of the epoch with the highest validation AUC
best.keras              the same, as a whole float32 network: what is calibrated, evaluated and exported
backup/                 where a killed run goes on from; gone when the run is done
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from msgspec.structs import replace

from deepfake.data.config import TrainingConfig
from deepfake.data.index import Row, count_labels
from deepfake.errors import DatasetError
from deepfake.model.lineage import Training, TrainingData
from deepfake.model.measured import Counts
from deepfake.nn.saved import load_file
from deepfake.system.files import replacing, write_json
from deepfake.system.settings import Kind, Settings, read_settings

CONFIG = "config.json"
LOG = "log.csv"
HISTORY = "history.png"
KINDS = "kinds.csv"
TENSORBOARD = "tensorboard"
WEIGHTS = "best.weights.h5"
NETWORK = "best.keras"
BACKUP = "backup"
CALIBRATION = "calibration.json"


def claim(run: Path, config: TrainingConfig, rows: Sequence[Row]) -> None:
    """Makes the folder of a run its own, or refuses that of another that has come so far that work would be lost."""
    run.mkdir(parents=True, exist_ok=True)
    path, description = run / CONFIG, describe(config, rows)
    if path.exists() and any((run / name).exists() for name in (LOG, WEIGHTS, NETWORK)):
        known = read_training(run)
        with contextlib.suppress(ValueError):
            # What a later version can be told besides, an earlier run had at its default.
            known = replace(known, config=as_plain(read_settings(known.config, TrainingConfig)))
        for part, name in (("config", "configuration"), ("data", "data")):
            if getattr(known, part) != getattr(description, part):
                raise DatasetError(f"{run} holds a run of another {name}, in {path.name}. Choose another folder.")
    write_json(path, msgspec.to_builtins(description))


def read_training(run: Path) -> Training:
    """What a run was told, what it saw, and what ran it.

    Raises:
        DatasetError: If the folder holds no `config.json`, or one that is not whole.
    """
    return read_record(run / CONFIG, Training, "fit")


def read_run_config(run: Path) -> TrainingConfig:
    """What a run was told.

    Raises:
        DatasetError: As `read_training`, or if it was told what this version does not know.
    """
    try:
        return read_settings(read_training(run).config, TrainingConfig)
    except ValueError as error:
        raise DatasetError(f"{run / CONFIG} cannot be used: {error} Run fit again, in another folder.") from error


def read_record(path: Path, kind: type[Kind], command: str) -> Kind:
    """A record from the folder of a run.

    Args:
        path: Its file.
        kind: What it is.
        command: Which writes it.

    Raises:
        DatasetError: If it is not there, or not whole.
    """
    if not path.exists():
        raise DatasetError(
            f"No {path.name} in {path.parent}: it is not the folder of a run after {command}. Run {command} first."
        )
    try:
        return read_settings(json.loads(path.read_text(encoding="utf-8")), kind)
    except ValueError as error:
        raise DatasetError(f"{path} is not whole: {error} Run {command} again.") from error


def load_run(run: Path) -> keras.Model:
    """The best network of a finished run.

    Raises:
        DatasetError: If the folder holds none.
    """
    path = run / NETWORK
    if not path.exists():
        raise DatasetError(f"No {NETWORK} in {run}: it is not the folder of a finished run. Run fit first.")
    return load_file(path)


def write_made(run: Path, training: Training, network: keras.Model) -> Path:
    """Writes a finished run that was made of others, without training.

    Args:
        run: Its folder; made if absent.
        training: What its `config.json` says.
        network: Its network.

    Returns:
        The path of its `best.keras`.
    """
    run.mkdir(parents=True, exist_ok=True)
    write_json(run / CONFIG, msgspec.to_builtins(training))
    with replacing(run / WEIGHTS) as scratch:
        network.save_weights(scratch)
    # Written last: this file says that the run is finished.
    with replacing(run / NETWORK) as scratch:
        network.save(scratch)
    return run / NETWORK


def read_log(path: Path) -> list[dict[str, str]]:
    """The lines of a run's log, an epoch each; empty where there is none yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def epochs_done(run: Path) -> int:
    """Epochs that a killed run has behind it."""
    metadata = run / BACKUP / "training_metadata.json"
    return int(json.loads(metadata.read_text(encoding="utf-8"))["epoch"]) if metadata.exists() else 0


def describe(config: TrainingConfig, rows: Sequence[Row]) -> Training:
    """The configuration, the data and the versions that run it.

    Raises:
        DatasetError: If a picture is missing.
    """
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        "backend": keras.backend.backend(),
    }
    return Training(config=as_plain(config), data=_data(rows), versions=versions)


def as_plain(config: Settings) -> dict[str, Any]:
    """Settings as JSON has them: tables, lists and plain values."""
    values: dict[str, Any] = json.loads(msgspec.json.encode(config))
    return values


def _data(rows: Sequence[Row]) -> TrainingData:
    """A checksum of what the rows say and of the sizes of their files, and the counts of each source.

    Raises:
        DatasetError: If a picture is missing.
    """
    digest = hashlib.sha256()
    try:
        for row in rows:
            digest.update(repr((Path(row.path).name, row, Path(row.path).stat().st_size)).encode())
    except FileNotFoundError as error:
        raise DatasetError(f"The crop {error.filename} is missing. Run extract again.") from error
    sources = sorted({row.source for row in rows})
    counts = {
        source: {
            split: Counts(**count_labels([row for row in rows if row.source == source and row.split == split]))
            for split in ("train", "val")
        }
        for source in sources
    }
    return TrainingData(digest.hexdigest(), counts)
