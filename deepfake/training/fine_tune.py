"""A bundle and a folder of one's own -> a new bundle: index, split, extract, fit, calibrate, export, evaluate, card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from deepfake.data.config import DataConfig, Fakes, FitConfig, TrainingConfig
from deepfake.data.cutter import ExtractSettings
from deepfake.data.datasets import READERS
from deepfake.data.datasets.walk import left_out
from deepfake.data.extract import INDEX, extract
from deepfake.data.index import SPLITS, Row, count_labels, read_index, write_index
from deepfake.data.rows import SPARSE, count_classes, with_self_blends
from deepfake.data.split import assign_splits
from deepfake.errors import BundleError, DatasetError
from deepfake.evaluation.card import write_card
from deepfake.evaluation.chance import can_beat_chance
from deepfake.evaluation.evaluate import evaluate_crops
from deepfake.evaluation.show import write_quality
from deepfake.faces.mtcnn import FaceFinder
from deepfake.media import VIDEO_SUFFIXES
from deepfake.model.bundle import DEFAULT_MODEL, KERAS_NETWORK, QUALITY_PLOT, load_bundle, load_detector, read_files
from deepfake.model.measured import Summary
from deepfake.model.metrics import METRICS, read_metrics, read_training_of, write_metrics
from deepfake.nn.config import NetworkConfig
from deepfake.report.metrics_tables import trained_on_sentence
from deepfake.system.settings import read_settings
from deepfake.training.calibrate import calibrate
from deepfake.training.estimate import fine_tune_s
from deepfake.training.export import export_run
from deepfake.training.fit import fit
from deepfake.training.progress import Follow, Say, unfollowed, unsaid


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
    say: Say = unsaid,
    follow: Follow = unfollowed,
) -> Comparison:
    """Goes on training a bundle on a folder of labelled pictures and videos, and writes and measures a new one.

    Called again after an interruption, it goes on.

    Args:
        folder: Holds `real` and `fake`, or another known layout.
        work: Folder for crops and the run; made if absent.
        out: Folder of the new bundle; its name is the model's.
        model: The bundle to start from, with its `model.keras`.
        settings: How.
        say: Called with a line for people before and after each stage.
        follow: Called after each step and each epoch of the training.

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
        counts = count_labels([row for row in rows if row.split == split])
        say(f"{split}: {counts['real']} real, {counts['fake']} fake")
    if settings.fakes == "given":
        for split in ("train", "val"):
            count_classes([row for row in rows if row.split == split], split)
    write_index(work / "files.csv", rows)
    bundle = load_bundle(model)
    likely = fine_tune_s(bundle, _faces(rows), settings.epochs)
    say(f"this takes about {_minutes(likely)} on this machine's processor, if all {settings.epochs} epochs are needed")
    summary = extract(rows, folder, work / "crops", FaceFinder(load_detector()), ExtractSettings())
    say(f"faces: {summary.pictures} pictures; left out: {summary.skipped or 'nothing'}")
    index = work / "crops" / INDEX
    _check_can_be_judged(index, settings)
    config = TrainingConfig(
        data=DataConfig(
            index=(str(index),),
            fakes=settings.fakes,
            terms={rows[0].source: f"the folder {folder.name}; terms not stated"},
        ),
        crop=bundle.crop,
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
    fit(config, work / "run", follow=follow, say=say)
    say("calibrating, exporting and measuring")
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


def _check_can_be_judged(index: Path, settings: FineTuneSettings) -> None:
    """Refuses, before it trains for long, a validation split by which no network could be told from one at chance.

    Raises:
        DatasetError: If it has too few faces.
    """
    val = with_self_blends((row for row in read_index(index) if row.split == "val"), settings.fakes)
    counts = count_labels(val)
    if not can_beat_chance(counts["real"], counts["fake"]):
        raise DatasetError(
            "The validation split must have some five faces of each class: with fewer, a network that learned nothing "
            f"may rank them well by chance. Found: {counts}. {SPARSE}"
        )


def _faces(rows: Sequence[Row]) -> dict[str, int]:
    """How many faces each split will have, if there is one in each picture and in each frame of a video."""
    frames = ExtractSettings().frames
    found = dict.fromkeys(SPLITS, 0)
    for row in rows:
        found[row.split] += frames if Path(row.path).suffix.lower() in VIDEO_SUFFIXES else 1
    return found


def _minutes(seconds: float) -> str:
    """A time as people plan with it."""
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def _measured(model: Path, out: Path, index: Path, settings: FineTuneSettings, say: Say) -> Comparison:
    tested = [row for row in read_index(index) if row.split == "test"]
    if not tested:
        say("no test split: nothing was measured")
        write_card(out)
        return Comparison()
    before = evaluate_crops(model, [index], "test", fakes=settings.fakes)
    after = evaluate_crops(out, [index], "test", fakes=settings.fakes)
    if after.measures.trained_on:
        say(trained_on_sentence(after.measures))
    write_metrics(out, replace(read_metrics(out), test=after.measures))
    write_quality(after, out, out / QUALITY_PLOT)
    write_card(out)
    return Comparison(before.measures.all, after.measures.all)
