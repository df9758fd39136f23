"""Crops -> a fitted network: AdamW, cosine or plateau, balanced classes, early stopping on validation AUC, resume."""

from __future__ import annotations

import contextlib
import csv
import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake.data.config import AugmentConfig, FitConfig, TrainingConfig
from deepfake.data.fingerprints import overlap_of
from deepfake.data.index import Row
from deepfake.data.loader import CropLoader, Unit
from deepfake.data.rows import class_weights, held_out_rows, training_rows
from deepfake.data.sampling import chosen_pairs, chosen_rows, paired
from deepfake.errors import DatasetError
from deepfake.evaluation.plots import history_figure
from deepfake.nn.losses import WeightedCrossentropy
from deepfake.nn.network import MEMBER, backbones, build_network, training_network
from deepfake.nn.saved import load_file
from deepfake.nn.torch_layers import native_layers
from deepfake.system.files import replacing, write_bytes
from deepfake.training.devices import has_gpu, sharing
from deepfake.training.progress import Follow, Reporter, Say, unfollowed, unsaid
from deepfake.training.run import (
    BACKUP,
    HISTORY,
    KINDS,
    LOG,
    NETWORK,
    TENSORBOARD,
    WEIGHTS,
    claim,
    epochs_done,
    read_log,
)
from deepfake.training.watch import Watch

MONITOR = "val_logit_auc"
PLATEAU_FACTOR = 1 / 3
"""What the learning rate is multiplied by on a plateau."""


def fit(config: TrainingConfig, run: Path, *, follow: Follow = unfollowed, say: Say = unsaid) -> Path:
    """Fits a network and keeps the best epoch. Called again on the folder of a killed run, it goes on.

    On the folder of a finished run it does nothing.

    Args:
        config: What to train on, and how.
        run: Folder for the run; made if absent.
        follow: Called after each step and each epoch.
        say: Called with a warning for people, if pictures kept for validation and tests are trained on, too.

    Returns:
        The path of `best.keras`.

    Raises:
        DatasetError: If the index is unusable, its splits leak, a split lacks a class, the folder holds a run of
            another configuration or other data, or there are not so many devices.
    """
    train, val = training_rows(config)
    is_new = not epochs_done(run)
    claim(run, config, [*train, *val])
    if (run / NETWORK).exists():
        return run / NETWORK
    if is_new and (overlap := overlap_of([*train, *held_out_rows(config)])).alike:
        say(str(overlap))
    for weights in (config.fit.backbone_weights, config.fit.initial_weights):
        if weights and not Path(weights).exists():
            raise DatasetError(f"The weights {weights} are missing. Correct the path in the configuration.")
    keras.utils.set_random_seed(config.fit.seed)
    with sharing(config.fit.devices) as devices, _precision(config.fit.precision), native_layers():
        if config.fit.batch_size % devices:
            raise DatasetError(
                f"`batch_size` must be a multiple of {devices} devices. Received: {config.fit.batch_size}."
            )
        _fit_epochs(config, run, train, val, devices, follow)
    network = build_network(config.network, config.crop.size)
    network.load_weights(run / WEIGHTS)
    write_bytes(run / HISTORY, history_figure(read_log(run / LOG)))
    # Written last: this file says that the run is finished.
    with replacing(run / NETWORK) as scratch:
        network.save(scratch)
    shutil.rmtree(run / BACKUP, ignore_errors=True)
    return run / NETWORK


def _fit_epochs(
    config: TrainingConfig, run: Path, train: list[Row], val: list[Row], devices: int, follow: Follow
) -> None:
    def shown(epoch: int) -> list[Unit]:
        rng = np.random.default_rng([config.fit.seed, epoch, 1])
        if config.data.pairs:
            return list(chosen_pairs(train, config.data.kept_pairs, config.fit.pairs, rng))
        balanced = config.fit.balance == "batches"
        rows = chosen_rows(train, config.data.weights, config.data.fakes, rng, balanced=balanced)
        return paired(rows, np.random.default_rng([config.fit.seed, epoch]))

    network = build_network(config.network, config.crop.size, _path(config.fit.backbone_weights))
    if config.fit.initial_weights:
        _begin_with(network, Path(config.fit.initial_weights), config.fit.initial_member)
    model = training_network(network)
    first = shown(0)
    weights = class_weights([row for unit in first for row in unit])
    optimizer = _optimizer(config.fit, len(_loader(config, first, model, 0, devices, config.augment)))
    optimizer.build(model.trainable_variables)
    losses = _losses(config.fit, weights, sorted(model.output))
    best = BestWeights(network, run / WEIGHTS)
    done = epochs_done(run)
    best.recall(run / LOG, done)
    for epoch in range(done, config.fit.epochs):
        if epoch - best.best_epoch > config.fit.patience:
            break
        if epoch in (done, config.fit.frozen_epochs):
            _compile(model, optimizer, losses, config.fit, frozen=epoch < config.fit.frozen_epochs)
        if config.fit.schedule == "plateau":
            optimizer.learning_rate = plateau_rate(config.fit, best.values)
        # One call an epoch: the loader then knows its epoch, and a resumed run sees what an unbroken one would.
        model.fit(
            _loader(config, shown(epoch), model, epoch, devices, config.augment),
            initial_epoch=epoch,
            epochs=epoch + 1,
            callbacks=[
                Watch(_loader(config, val, model, epoch, devices, None), run / KINDS),
                *_callbacks(best, run, config.fit),
                Reporter(follow, epoch, config.fit.epochs, MONITOR),
            ],
            # The loader's order is random already; Keras would shuffle it by a state that no backup holds.
            shuffle=False,
            verbose=0,
        )


def _begin_with(network: keras.Model, weights: Path, member: int) -> None:
    """Sets the network's weights to those of a file, or to those of one network of several that the file holds."""
    if weights.suffix != ".keras":
        network.load_weights(weights)
        return
    found, wanted = load_file(weights), network.get_weights()
    members = [layer for layer in found.layers if layer.name.startswith(MEMBER)] or [found]
    own = members[member].get_weights() if member < len(members) else []
    if [each.shape for each in own] != [each.shape for each in wanted]:
        raise DatasetError(
            f"{weights} has no network {member} that is made as `network` says. Correct `initial_member` or `network`."
        )
    network.set_weights(own)


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


def _compile(model: keras.Model, optimizer: Any, losses: dict[str, Any], fit: FitConfig, *, frozen: bool) -> None:
    """Compiles with the same optimizer each time, so that its moments outlive the frozen epochs."""
    for backbone in backbones(model):
        backbone.trainable = not frozen
    model.compile(
        optimizer=optimizer,
        loss=losses,
        loss_weights={name: 1.0 if name == "logit" else fit.auxiliary_weight for name in model.output},
        metrics={"logit": [keras.metrics.AUC(from_logits=True, num_thresholds=1000, name="auc")]},
        jit_compile=keras.backend.backend() == "jax",
    )


def _callbacks(best: BestWeights, run: Path, fit: FitConfig) -> list[keras.callbacks.Callback]:
    boards = [keras.callbacks.TensorBoard(run / TENSORBOARD, write_graph=False)] if fit.tensorboard else []
    return [
        best,
        *boards,
        keras.callbacks.CSVLogger(run / LOG, append=True),
        # The backup comes last: what was done twice can be cut from the log, what was missed cannot be added.
        keras.callbacks.BackupAndRestore(run / BACKUP, delete_checkpoint=False),
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
    units: Sequence[Row | Unit],
    model: keras.Model,
    epoch: int,
    devices: int,
    augment: AugmentConfig | None,
) -> CropLoader:
    return CropLoader(
        # Devices share a batch evenly; what is beyond a multiple is left out of this epoch.
        units[: len(units) // devices * devices],
        spec=config.crop,
        batch_size=config.fit.batch_size,
        outputs=sorted(model.output),
        augment_config=augment,
        epoch=epoch,
        seed=config.fit.seed,
        workers=config.fit.workers,
        processes=config.fit.processes,
    )


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
