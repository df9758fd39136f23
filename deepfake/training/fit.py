"""Crops -> a fitted network: AdamW, warm-up and cosine, class weights, early stopping on validation AUC, resume.

A run folder holds:

    config.json             what was asked for, and the versions that ran
    log.csv                 one line an epoch
    best.weights.h5         the weights of the epoch with the highest validation AUC
    best.keras              the same, as a whole network: what is calibrated, evaluated and exported
    backup/                 where a killed run goes on from; gone when the run is done
"""

from __future__ import annotations

import csv
import json
import math
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake.errors import DatasetError
from deepfake.nn.losses import WeightedCrossentropy
from deepfake.nn.network import build_network, training_network
from deepfake.training.config import DegradeConfig, FitConfig, TrainingConfig
from deepfake.training.index import Row, count_labels, read_index
from deepfake.training.loader import CropLoader
from deepfake.training.split import check_disjoint

MONITOR = "val_logit_auc"


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
        DatasetError: If the index is unusable, its splits leak, a split lacks a class, or the folder holds a run of
            another configuration.
    """
    rows = read_index(config.data.index)
    check_disjoint(rows)
    train = [
        row
        for row in rows
        if row.split == "train" and not (row.method and row.method == config.data.without_method)
        for _ in range(config.data.repeat.get(row.source, 1))
    ]
    val = [row for row in rows if row.split == "val"]
    _claim(run, config)
    if (run / "best.keras").exists():
        return run / "best.keras"

    for weights in (config.fit.backbone_weights, config.fit.initial_weights):
        if weights and not Path(weights).exists():
            raise DatasetError(f"The weights {weights} are missing. Correct the path in the configuration.")
    keras.utils.set_random_seed(config.fit.seed)
    backbone = Path(config.fit.backbone_weights) if config.fit.backbone_weights else None
    network = build_network(config.network, config.fit.input_size, backbone)
    if config.fit.initial_weights:
        network.load_weights(config.fit.initial_weights)
    model = training_network(network)
    steps = -(-len(train) // config.fit.batch_size)
    model.compile(
        optimizer=_optimizer(config.fit, steps),
        loss=_losses(config.fit, class_weights(train), sorted(model.output)),
        loss_weights={name: 1.0 if name == "logit" else config.fit.auxiliary_weight for name in model.output},
        metrics={"logit": [keras.metrics.AUC(from_logits=True, num_thresholds=1000, name="auc")]},
        jit_compile=keras.backend.backend() == "jax",
    )
    count_classes(val, "val")
    best = BestWeights(network, run / "best.weights.h5")
    best.recall(run / "log.csv", _epochs_done(run))
    for epoch in range(_epochs_done(run), config.fit.epochs):
        if epoch - best.best_epoch > config.fit.patience:
            break
        # One call an epoch: the loader then knows its epoch, and a resumed run sees what an unbroken one would.
        model.fit(
            _loader(config, train, model, epoch, config.degrade),
            validation_data=_loader(config, val, model, epoch, None),
            initial_epoch=epoch,
            epochs=epoch + 1,
            # The backup comes last: what was done twice can be cut from the log, what was missed cannot be added.
            callbacks=[
                best,
                keras.callbacks.CSVLogger(run / "log.csv", append=True),
                keras.callbacks.BackupAndRestore(run / "backup", delete_checkpoint=False),
            ],
            # The loader has dealt the batches out; Keras would shuffle them by a state that no backup holds.
            shuffle=False,
            verbose=verbose,
        )
    network.load_weights(run / "best.weights.h5")
    network.save(run / "best.keras")
    shutil.rmtree(run / "backup", ignore_errors=True)
    return run / "best.keras"


def load_run(run: Path) -> keras.Model:
    """The best network of a finished run.

    Raises:
        DatasetError: If the folder holds none.
    """
    path = run / "best.keras"
    if not path.exists():
        raise DatasetError(f"No best.keras in {run}: it is not the folder of a finished run. Run fit first.")
    return keras.models.load_model(path, compile=False)


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


def run_description(config: TrainingConfig) -> dict[str, Any]:
    """The configuration and the versions that run it, as plain values."""
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        "backend": keras.backend.backend(),
    }
    return {"config": asdict(config), "versions": versions}


def _claim(run: Path, config: TrainingConfig) -> None:
    """Makes the folder of a run its own, or refuses that of another."""
    run.mkdir(parents=True, exist_ok=True)
    path, description = run / "config.json", run_description(config)
    if path.exists() and json.loads(path.read_text(encoding="utf-8"))["config"] != description["config"]:
        raise DatasetError(f"{run} holds a run of another configuration, in {path.name}. Choose another folder.")
    path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _optimizer(fit: FitConfig, steps: int) -> keras.optimizers.Optimizer:
    warmup = max(1, round(fit.warmup_epochs * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=fit.learning_rate / 100,
        warmup_target=fit.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, fit.epochs * steps - warmup),
        alpha=0.01,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=fit.weight_decay, global_clipnorm=fit.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _losses(fit: FitConfig, weights: dict[str, float], outputs: Sequence[str]) -> dict[str, keras.losses.Loss]:
    return {
        name: WeightedCrossentropy(weights["real"], weights["fake"], label_smoothing=fit.label_smoothing)
        for name in outputs
    }


def _loader(
    config: TrainingConfig, rows: Sequence[Row], model: keras.Model, epoch: int, degrade: DegradeConfig | None
) -> CropLoader:
    return CropLoader(
        rows,
        root=Path(config.data.index).parent,
        size=config.fit.input_size,
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
        self.best = -math.inf
        self.best_epoch = -1

    def recall(self, log: Path, epochs: int) -> None:
        """Reads what a killed run had reached, and cuts its log to the epochs that its backup has."""
        if not log.exists():
            return
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)[: epochs + 1]
        log.write_text("".join(lines), encoding="utf-8")
        for record in csv.DictReader(lines):
            self._note(int(record["epoch"]), float(record[MONITOR]))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._note(epoch, float((logs or {})[MONITOR])):
            scratch = self.path.with_name(f"next-{self.path.name}")
            self.network.save_weights(scratch)
            scratch.replace(self.path)

    def _note(self, epoch: int, value: float) -> bool:
        better = value > self.best
        if better:
            self.best, self.best_epoch = value, epoch
        return better
