"""Crops -> a fitted network: AdamW, cosine or plateau, balanced classes, early stopping on validation AUC, resume.

A run folder holds:

    config.json             what was asked for, a checksum of the data, and the versions that ran
    log.csv, history.png    one line an epoch, and its picture
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
import math
import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake.errors import DatasetError
from deepfake.nn.losses import WeightedCrossentropy
from deepfake.nn.network import build_network, training_network
from deepfake.training.config import DegradeConfig, FitConfig, TrainingConfig, filled_config
from deepfake.training.devices import has_gpu, sharing
from deepfake.training.files import replacing, write_bytes, write_json
from deepfake.training.index import Row, count_labels, read_indexes
from deepfake.training.loader import CropLoader, chosen_rows, with_self_blends
from deepfake.training.plot import history_figure
from deepfake.training.split import check_disjoint

MONITOR = "val_logit_auc"
PLATEAU_FACTOR = 1 / 3
"""What the learning rate is multiplied by on a plateau."""


def fit(config: TrainingConfig, run: Path, verbose: int = 2) -> Path:
    """Fits a network and keeps the best epoch. Called again on the folder of a killed run, it goes on.

    On the folder of a finished run it does nothing.

    Args:
        config: What to train on, and how.
        run: Folder for the run; made if absent.
        verbose: Keras' verbosity: 0 silent, 1 a progress bar, 2 a line an epoch.

    Returns:
        The path of `best.keras`.

    Raises:
        DatasetError: If the index is unusable, its splits leak, a split lacks a class, the folder holds a run of
            another configuration or other data, or there are not so many devices.
    """
    train, val = training_rows(config)
    _claim(run, config, [*train, *val])
    if (run / "best.keras").exists():
        return run / "best.keras"
    for weights in (config.fit.backbone_weights, config.fit.initial_weights):
        if weights and not Path(weights).exists():
            raise DatasetError(f"The weights {weights} are missing. Correct the path in the configuration.")
    keras.utils.set_random_seed(config.fit.seed)
    with sharing(config.fit.devices) as devices, _precision(config.fit.precision):
        if config.fit.batch_size % devices:
            raise DatasetError(
                f"`batch_size` must be a multiple of {devices} devices. Received: {config.fit.batch_size}."
            )
        _fit_epochs(config, run, train, val, devices, verbose)
    network = build_network(config.network, config.crop.size)
    network.load_weights(run / "best.weights.h5")
    write_bytes(run / "history.png", history_figure(read_log(run / "log.csv")))
    # Written last: this file says that the run is finished.
    with replacing(run / "best.keras") as scratch:
        network.save(scratch)
    shutil.rmtree(run / "backup", ignore_errors=True)
    return run / "best.keras"


def training_rows(config: TrainingConfig) -> tuple[list[Row], list[Row]]:
    """The rows that a run trains on and those that it is watched on, their paths made absolute.

    Raises:
        DatasetError: If an index is unusable, the splits leak, or a split lacks a class.
    """
    rows = read_indexes(config.data.index)
    check_disjoint(rows, config.data.disjoint)
    # A source of weight 0 stands for nothing in training; validation keeps it, to watch what it never saw.
    train = [row for row in rows if row.split == "train" and config.data.weights.get(row.source, 1.0) > 0]
    val = with_self_blends((row for row in rows if row.split == "val"), config.data.fakes)
    count_classes(with_self_blends(train, config.data.fakes), "train")
    count_classes(val, "val")
    return train, val


def _fit_epochs(
    config: TrainingConfig, run: Path, train: list[Row], val: list[Row], devices: int, verbose: int
) -> None:
    def shown(epoch: int) -> list[Row]:
        rng = np.random.default_rng([config.fit.seed, epoch, 1])
        balanced = config.fit.balance == "batches"
        return chosen_rows(train, config.data.weights, config.data.fakes, balanced, rng)

    network = build_network(config.network, config.crop.size, _path(config.fit.backbone_weights))
    if config.fit.initial_weights.endswith(".keras"):
        loaded = keras.models.load_model(config.fit.initial_weights, compile=False)
        network.set_weights(loaded.get_weights())
    elif config.fit.initial_weights:
        network.load_weights(config.fit.initial_weights)
    model = training_network(network)
    first = shown(0)
    optimizer = _optimizer(config.fit, -(-len(first) // config.fit.batch_size))
    optimizer.build(model.trainable_variables)
    losses = _losses(config.fit, class_weights(first), sorted(model.output))
    best = BestWeights(network, run / "best.weights.h5")
    done = _epochs_done(run)
    best.recall(run / "log.csv", done)
    for epoch in range(done, config.fit.epochs):
        if epoch - best.best_epoch > config.fit.patience:
            break
        if epoch in (done, config.fit.frozen_epochs):
            _compile(model, optimizer, losses, config.fit, frozen=epoch < config.fit.frozen_epochs)
        if config.fit.schedule == "plateau":
            optimizer.learning_rate = plateau_rate(config.fit, best.values)
        # One call an epoch: the loader then knows its epoch, and a resumed run sees what an unbroken one would.
        model.fit(
            _loader(config, shown(epoch), model, epoch, devices, config.degrade),
            validation_data=_loader(config, val, model, epoch, devices, None),
            initial_epoch=epoch,
            epochs=epoch + 1,
            callbacks=_callbacks(best, run, config.fit),
            # The loader has dealt the batches out; Keras would shuffle them by a state that no backup holds.
            shuffle=False,
            verbose=verbose,
        )


def plateau_rate(fit: FitConfig, values: Sequence[float]) -> float:
    """The learning rate after these validation AUCs, one an epoch: lower after each wait without a better one.

    Example:

    >>> plateau_rate(FitConfig(learning_rate=0.9, plateau_patience=1), [0.6, 0.7, 0.65])
    0.3
    """
    rate, best, waited = fit.learning_rate, -math.inf, 0
    for value in values:
        waited = 0 if value > best else waited + 1
        best = max(best, value)
        if waited == fit.plateau_patience:
            rate, waited = rate * PLATEAU_FACTOR, 0
    return rate


def read_log(path: Path) -> list[dict[str, str]]:
    """The lines of a run's log, an epoch each; empty where there is none yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _compile(model: keras.Model, optimizer: Any, losses: dict[str, Any], fit: FitConfig, frozen: bool) -> None:
    """Compiles with the same optimizer each time, so that its moments outlive the frozen epochs."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            layer.trainable = not frozen
    model.compile(
        optimizer=optimizer,
        loss=losses,
        loss_weights={name: 1.0 if name == "logit" else fit.auxiliary_weight for name in model.output},
        metrics={"logit": [keras.metrics.AUC(from_logits=True, num_thresholds=1000, name="auc")]},
        jit_compile=keras.backend.backend() == "jax",
    )


def _callbacks(best: BestWeights, run: Path, fit: FitConfig) -> list[keras.callbacks.Callback]:
    boards = [keras.callbacks.TensorBoard(run / "tensorboard")] if fit.tensorboard else []
    return [
        best,
        *boards,
        keras.callbacks.CSVLogger(run / "log.csv", append=True),
        # The backup comes last: what was done twice can be cut from the log, what was missed cannot be added.
        keras.callbacks.BackupAndRestore(run / "backup", delete_checkpoint=False),
    ]


@contextlib.contextmanager
def _precision(name: str) -> Iterator[None]:
    """Networks made inside compute in this precision, and scale their loss if it is float16."""
    if name == "auto":
        name = "mixed_float16" if has_gpu() else "float32"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _path(name: str) -> Path | None:
    return Path(name) if name else None


def load_run(run: Path) -> keras.Model:
    """The best network of a finished run.

    Raises:
        DatasetError: If the folder holds none.
    """
    path = run / "best.keras"
    if not path.exists():
        raise DatasetError(f"No best.keras in {run}: it is not the folder of a finished run. Run fit first.")
    return keras.models.load_model(path, compile=False)


def read_run_config(run: Path) -> TrainingConfig:
    """What a run was told.

    Raises:
        DatasetError: If the folder holds no `config.json`.
    """
    path = run / "config.json"
    if not path.exists():
        raise DatasetError(f"No {path.name} in {run}: it is not the folder of a run. Run fit first.")
    return filled_config(json.loads(path.read_text(encoding="utf-8"))["config"])


def class_weights(rows: Sequence[Row]) -> dict[str, float]:
    """Weights that make both classes count the same: n / (2 * n_class).

    Raises:
        DatasetError: If a class is absent.

    Example:

    >>> class_weights([Row("a", "real", "x", "train", "1")] * 3 + [Row("b", "fake", "x", "train", "2")])
    {'real': 0.6666666666666666, 'fake': 2.0}
    """
    counts = count_classes(rows, "train")
    return {label: len(rows) / (2 * count) for label, count in counts.items()}


def count_classes(rows: Sequence[Row], split: str) -> dict[str, int]:
    """Number of real and of fake rows.

    Raises:
        DatasetError: If one of them is 0.
    """
    counts = count_labels(rows)
    if not all(counts.values()):
        raise DatasetError(f"The split {split!r} needs real and fake crops. Found: {counts}. Add the missing class.")
    return counts


def run_description(config: TrainingConfig, rows: Sequence[Row]) -> dict[str, Any]:
    """The configuration, the data and the versions that run it, as plain values."""
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        "backend": keras.backend.backend(),
    }
    return {"config": json.loads(json.dumps(asdict(config))), "data": describe_data(rows), "versions": versions}


def describe_data(rows: Sequence[Row]) -> dict[str, Any]:
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
            split: count_labels([row for row in rows if row.source == source and row.split == split])
            for split in ("train", "val")
        }
        for source in sources
    }
    return {"sha256": digest.hexdigest(), "counts": counts}


def _claim(run: Path, config: TrainingConfig, rows: Sequence[Row]) -> None:
    """Makes the folder of a run its own, or refuses that of another."""
    run.mkdir(parents=True, exist_ok=True)
    path, description = run / "config.json", run_description(config, rows)
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        for part, name in (("config", "configuration"), ("data", "data")):
            if known[part] != description[part]:
                raise DatasetError(f"{run} holds a run of another {name}, in {path.name}. Choose another folder.")
    write_json(path, description)


def _optimizer(fit: FitConfig, steps: int) -> keras.optimizers.Optimizer:
    warmup = max(1, round(fit.warmup_epochs * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=fit.learning_rate / 100,
        warmup_target=fit.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, fit.epochs * steps - warmup),
        alpha=0.01,
    )
    rate = schedule if fit.schedule == "cosine" else fit.learning_rate
    optimizer = keras.optimizers.AdamW(rate, weight_decay=fit.weight_decay, global_clipnorm=fit.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _losses(fit: FitConfig, weights: dict[str, float], outputs: Sequence[str]) -> dict[str, keras.losses.Loss]:
    return {
        name: WeightedCrossentropy(weights["real"], weights["fake"], label_smoothing=fit.label_smoothing)
        for name in outputs
    }


def _loader(
    config: TrainingConfig,
    rows: Sequence[Row],
    model: keras.Model,
    epoch: int,
    devices: int,
    degrade: DegradeConfig | None,
) -> CropLoader:
    return CropLoader(
        # Devices share a batch evenly; the few rows beyond a multiple are left out of this epoch.
        rows[: len(rows) // devices * devices],
        spec=config.crop,
        batch_size=config.fit.batch_size,
        outputs=sorted(model.output),
        degrade_config=degrade,
        epoch=epoch,
        seed=config.fit.seed,
        workers=config.fit.workers,
    )


def _epochs_done(run: Path) -> int:
    """Epochs that a killed run has behind it."""
    metadata = run / "backup" / "training_metadata.json"
    return int(json.loads(metadata.read_text(encoding="utf-8"))["epoch"]) if metadata.exists() else 0


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the highest validation AUC, and remembers it in a run that goes on."""

    def __init__(self, network: keras.Model, path: Path) -> None:
        super().__init__()
        self.network = network
        self.path = path
        self.values: list[float] = []

    @property
    def best_epoch(self) -> int:
        """Number of the best epoch so far, -1 before the first."""
        return int(np.argmax(self.values)) if self.values else -1

    def recall(self, log: Path, epochs: int) -> None:
        """Reads what a killed run had reached, and cuts its log to the epochs that its backup has."""
        if not log.exists():
            return
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)[: epochs + 1]
        log.write_text("".join(lines), encoding="utf-8")
        self.values = [float(record[MONITOR]) for record in csv.DictReader(lines)]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.values.append(float((logs or {})[MONITOR]))
        if self.best_epoch == epoch:
            with replacing(self.path) as scratch:
                self.network.save_weights(scratch)
