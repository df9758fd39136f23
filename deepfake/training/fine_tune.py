"""A bundle and a folder of one's own -> a new bundle: index, split, extract, fit, calibrate, export, evaluate, card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from deepfake.data.config import DataConfig, Fakes, FitConfig, TrainingConfig
from deepfake.data.cutter import ExtractSettings
from deepfake.data.datasets import READERS
from deepfake.data.datasets.walk import left_out
from deepfake.data.extract import INDEX, extract
from deepfake.data.index import SPLITS, count_labels, read_index, write_index
from deepfake.data.sampling import count_classes
from deepfake.data.split import assign_splits
from deepfake.errors import BundleError
from deepfake.evaluation.card import write_card
from deepfake.evaluation.evaluate import evaluate_crops
from deepfake.evaluation.show import write_quality
from deepfake.faces.mtcnn import FaceFinder
from deepfake.model.bundle import DEFAULT_MODEL, KERAS_NETWORK, QUALITY_PLOT, load_bundle, load_detector, read_files
from deepfake.model.metrics import METRICS, Summary, read_metrics, read_training_of, write_metrics
from deepfake.nn.config import NetworkConfig
from deepfake.system.settings import read_settings
from deepfake.training.calibrate import calibrate
from deepfake.training.export import export_run
from deepfake.training.fit import fit


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """How a bundle is fitted to new data."""

    fakes: Fakes = "given"
    """Which fakes; `self-blend` needs real pictures alone."""
    val_share: float = 0.2
    """Share of clips and people kept for stopping and calibration."""
    test_share: float = 0.2
    """Share kept for measuring."""
    epochs: int = 10
    """Most epochs."""
    learning_rate: float = 1e-4
    """A fifth of what training from the beginning takes: little is to change."""
    batch_size: int = 16
    """Crops a step."""
    seed: int = 0
    """Another seed splits and trains differently."""
    dataset: str = "folder"
    """The layout of the folder, one of `READERS`."""


class Comparison(msgspec.Struct, frozen=True):
    """Two bundles on the same crops; None where there were none."""

    before: Summary | None = None
    after: Summary | None = None


def fine_tune(
    folder: Path,
    work: Path,
    out: Path,
    *,
    model: Path = DEFAULT_MODEL,
    settings: FineTuneSettings | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> Comparison:
    """Goes on training a bundle on a folder of labelled pictures and videos, and writes and measures a new one.

    Called again after an interruption, it goes on.

    Args:
        folder: Holds `real` and `fake`, or another known layout.
        work: Folder for crops and the run; made if absent.
        out: Folder of the new bundle; its name is the model's.
        model: The bundle to start from, with its `model.keras`.
        settings: How.
        say: Called with a line for people after each stage.

    Returns:
        The measures of the old and of the new bundle on the folder's test split.

    Raises:
        DatasetError: If the folder cannot be trained on.
        BundleError: If the bundle has no network to go on with.
    """
    settings = settings or FineTuneSettings()
    network = _saved_network(model)
    found = READERS[settings.dataset](folder)
    if unnamed := left_out(folder, found):
        say(f"left out: {unnamed}")
    rows = assign_splits(found, settings.val_share, settings.test_share, settings.seed)
    for split in SPLITS:
        say(f"{split}: {count_labels([row for row in rows if row.split == split])}")
    if settings.fakes == "given":
        for split in ("train", "val"):
            count_classes([row for row in rows if row.split == split], split)
    write_index(work / "files.csv", rows)
    summary = extract(rows, folder, work / "crops", FaceFinder(load_detector()), ExtractSettings())
    say(f"faces: {summary.pictures} pictures; left out: {summary.skipped or 'nothing'}")
    index = work / "crops" / INDEX
    config = TrainingConfig(
        data=DataConfig(
            index=(str(index),),
            fakes=settings.fakes,
            terms={rows[0].source: f"the folder {folder.name}; terms not stated"},
        ),
        crop=load_bundle(model).crop,
        network=network,
        fit=FitConfig(
            batch_size=settings.batch_size,
            epochs=settings.epochs,
            frozen_epochs=1,
            learning_rate=settings.learning_rate,
            seed=settings.seed,
            initial_weights=str(model / KERAS_NETWORK),
        ),
    )
    fit(config, work / "run")
    calibrate(work / "run")
    export_run(work / "run", out)
    say(f"wrote {out}")
    return _measured(model, out, index, settings, say)


def _saved_network(model: Path) -> NetworkConfig:
    """What the bundle's network is made of, after a check of its file."""
    read_files(model, [KERAS_NETWORK], "detector")
    try:
        return read_settings(read_training_of(model).config, TrainingConfig).network
    except ValueError as error:
        raise BundleError(f"{model / METRICS} cannot be gone on from: {error} Export it again.") from error


def _measured(
    model: Path, out: Path, index: Path, settings: FineTuneSettings, say: Callable[[str], object]
) -> Comparison:
    tested = [row for row in read_index(index) if row.split == "test"]
    if not tested:
        say("no test split: nothing was measured")
        write_card(out)
        return Comparison()
    before = evaluate_crops(model, [index], "test", fakes=settings.fakes)
    after = evaluate_crops(out, [index], "test", fakes=settings.fakes)
    write_metrics(out, replace(read_metrics(out), test=after.measures))
    write_quality(after, out, out / QUALITY_PLOT)
    write_card(out)
    return Comparison(before.measures.all, after.measures.all)
