"""The commands of the training path, in the order in which they are used.

Each imports what it needs when it runs: the command line starts without TensorFlow.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepfake.terminal import FILE, FOLDER, NEW_FILE, NEW_FOLDER, advance, progress_bar

if TYPE_CHECKING:
    from deepfake.training.config import Fakes
    from deepfake.training.split import Link

BY = click.option(
    "--by",
    type=click.Choice(["identity", "clip"]),
    default="identity",
    show_default=True,
    help="What must not be divided: people, originals and clips, or clips alone.",
)
FAKES = click.option(
    "--fakes",
    type=click.Choice(["given", "self-blend", "both"]),
    help="Which fakes: those given, those made from the real faces, or both. [default: given, or what CONFIG says]",
)
SPLIT = click.option(
    "--split", "split_name", type=click.Choice(["val", "test"]), default="test", show_default=True, help="Which faces."
)


@click.command("export-detector")
@click.option("--out", type=NEW_FOLDER, default=Path("models/mtcnn"), show_default=True, help="Folder to write to.")
def export_detector_command(out: Path) -> None:
    """Convert the networks of the installed `mtcnn` package to TFLite.

    \b
    Example:
      python -m deepfake export-detector --out models/mtcnn
    """
    from deepfake.training.export_detector import export_detector

    click.echo(export_detector(out))


@click.command()
@click.argument("folder", type=NEW_FOLDER)
@click.option("--count", type=click.IntRange(min=1), default=24, show_default=True, help="Pictures of each kind.")
def demo(folder: Path, count: int) -> None:
    """Write a small folder of real and fake pictures, made from one photograph, to try the other commands on.

    \b
    Example:
      python -m deepfake demo demo
    """
    from deepfake.bundle import load_detector
    from deepfake.faces import FaceFinder
    from deepfake.training.demo import write_demo

    click.echo(write_demo(folder, FaceFinder(load_detector()), count))


@click.command("index")
@click.argument("dataset", type=click.Choice(["celeb-df-v2", "faceforensics", "dfdc", "cifake", "folder"]))
@click.argument("folder", type=FOLDER)
@click.option("--out", type=NEW_FILE, required=True, help="Table to write.")
def index_command(dataset: str, folder: Path, out: Path) -> None:
    """List a data set's files with their labels, people and methods in a table.

    DATASET names the layout of FOLDER; `folder` is any tree with `real` and `fake` in it.

    \b
    Examples:
      python -m deepfake index celeb-df-v2 /data/Celeb-DF-v2 --out celeb.csv
      python -m deepfake index folder my_pictures --out mine.csv
    """
    from deepfake.training.datasets import READERS
    from deepfake.training.index import located, write_index

    rows = located(READERS[dataset](folder), folder, out.parent)
    write_index(out, rows)
    _say_counts(rows)


@click.command()
@click.argument("index", type=FILE)
@click.option("--out", type=NEW_FILE, required=True, help="Table to write.")
@click.option("--val", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of the groups.")
@click.option("--test", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of the groups.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed deals differently.")
@BY
@click.option("--drop-linked", is_flag=True, help="Leave out training rows linked to given val and test rows.")
@click.option("--balance", is_flag=True, help="Leave out clips until each source has as many reals as fakes.")
def split(
    index: Path, out: Path, val: float, test: float, seed: int, by: Link, drop_linked: bool, balance: bool
) -> None:
    """Deal the rows of a table out to train, val and test, without a leak.

    Rows that have a split keep it. Rows of one clip, person, original or swap pair stay together.

    \b
    Example:
      python -m deepfake split mine.csv --out split.csv --val 0.1 --test 0.1 --balance
    """
    from deepfake.training.index import located, read_index, write_index
    from deepfake.training.split import assign_splits
    from deepfake.training.split import balance as balanced

    try:
        rows = assign_splits(read_index(index), val, test, seed, by, drop_linked)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    rows = balanced(rows) if balance else rows
    write_index(out, located(rows, index.parent, out.parent))
    _say_counts(rows)


@click.command()
@click.argument("index", type=FILE)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder for the faces and their index.")
@click.option("--frames", type=click.IntRange(min=1), default=12, show_default=True, help="Frames of each video.")
@click.option("--max-videos", type=click.IntRange(min=1), help="Take so many files, evenly over labels and methods.")
@click.option(
    "--context",
    type=click.FloatRange(min=1),
    default=2.0,
    show_default=True,
    help="Width of what is kept, in boxes of the face.",
)
@click.option("--aligned", is_flag=True, help="Write finished crops of 224 pixels instead, for other tools.")
@click.option("--cropped", multiple=True, metavar="SOURCE", help="A source whose pictures are crops already.")
def extract(
    index: Path,
    out: Path,
    frames: int,
    max_videos: int | None,
    context: float,
    aligned: bool,
    cropped: tuple[str, ...],
) -> None:
    """Cut the face out of every picture, and the largest person's out of every video.

    INDEX is a CSV table with path and label, and if known source, split, identity, method. A killed extraction goes
    on when it is called again.

    \b
    Example:
      python -m deepfake extract split.csv --out faces
    """
    import time

    from deepfake.bundle import load_detector
    from deepfake.faces import FaceFinder
    from deepfake.records import CropSpec
    from deepfake.training.extract import ExtractSettings
    from deepfake.training.extract import extract as extract_faces
    from deepfake.training.index import read_index
    from deepfake.training.split import representative

    rows = read_index(index)
    rows = representative(rows, max_videos) if max_videos else rows
    settings = ExtractSettings(frames, context, CropSpec() if aligned else None, cropped)
    started = time.perf_counter()
    with progress_bar("extract") as bar:
        summary = extract_faces(rows, index.parent, out, FaceFinder(load_detector()), settings, partial(advance, bar))
    rate = (summary.files - summary.resumed) / (time.perf_counter() - started)
    click.echo(json.dumps({**asdict(summary), "files_per_second": round(rate, 2)}))


@click.command()
@click.argument("config", type=FILE)
@click.option("--run", type=NEW_FOLDER, required=True, help="Folder for the run.")
@FAKES
def fit(config: Path, run: Path, fakes: Fakes | None) -> None:
    """Fit a network to faces; a killed run goes on where it stopped.

    CONFIG is a TOML file with the sections data, crop, network, degrade and fit.

    \b
    Examples:
      python -m deepfake fit scripts/light-2.toml --run runs/light-2
      python -m deepfake fit mine.toml --run runs/reals --fakes self-blend
    """
    from dataclasses import replace

    from deepfake.training.config import read_config
    from deepfake.training.fit import fit as fit_network

    settings = read_config(config)
    if fakes:
        settings = replace(settings, data=replace(settings.data, fakes=fakes))
    click.echo(fit_network(settings, run, verbose=1 if sys.stdout.isatty() else 2))


@click.command("fine-tune")
@click.argument("folder", type=FOLDER)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the new bundle; its name is the model's.")
@click.option("--work", type=NEW_FOLDER, required=True, help="Folder for faces and the run.")
@click.option("--model", type=NEW_FOLDER, help="The bundle to start from. [default: the one that ships]")
@click.option(
    "--dataset",
    type=click.Choice(["celeb-df-v2", "faceforensics", "dfdc", "cifake", "folder"]),
    default="folder",
    show_default=True,
    help="Layout of the folder.",
)
@FAKES
@click.option("--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Most epochs.")
def fine_tune(
    folder: Path, out: Path, work: Path, model: Path | None, dataset: str, fakes: Fakes | None, epochs: int
) -> None:
    """Go on training a bundle on a folder of your own, and write and measure a new one.

    FOLDER holds pictures or videos below `real` and `fake`; with --fakes self-blend, `real` is enough.

    \b
    Example:
      python -m deepfake fine-tune my_pictures --work runs/mine --out models/mine
    """
    from deepfake.bundle import DEFAULT_MODEL
    from deepfake.training.fine_tune import FineTuneSettings
    from deepfake.training.fine_tune import fine_tune as go_on

    settings = FineTuneSettings(fakes or "given", epochs=epochs, dataset=dataset)
    found = go_on(folder, work, out, model or DEFAULT_MODEL, settings, partial(click.echo, err=True))
    click.echo(json.dumps(found))


@click.command()
@click.argument("runs", type=FOLDER, nargs=-1, required=True)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder of the mean; a run like any other.")
def average(runs: tuple[Path, ...], out: Path) -> None:
    """Average the weights of runs of which each went on from the one before.

    \b
    Example:
      python -m deepfake average runs/one runs/two --out runs/mean
    """
    from deepfake.training.average import average as average_runs

    click.echo(average_runs(runs, out))


@click.command()
@click.argument("run", type=FOLDER)
def calibrate(run: Path) -> None:
    """Fit a run's temperature and thresholds on its validation split.

    \b
    Example:
      python -m deepfake calibrate runs/light-2
    """
    from deepfake.training.calibrate import calibrate as calibrate_run

    click.echo(calibrate_run(run).read_text(encoding="utf-8"))


@click.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=NEW_FOLDER, required=True, help="The bundle's folder; its name is the model's.")
@click.option("--crops", type=click.IntRange(min=1), default=500, show_default=True, help="Crops to compare on.")
def export(run: Path, out: Path, crops: int) -> None:
    """Write a run as a bundle of TFLite graphs, checked against Keras.

    \b
    Example:
      python -m deepfake export runs/light-2 --out models/light-2
    """
    from deepfake.training.export import export_run

    click.echo(json.dumps(export_run(run, out, crops), indent=2))


@click.command()
@click.option("--model", type=NEW_FOLDER, required=True, help="Folder of a bundle.")
@click.option("--index", type=FILE, multiple=True, help="An index of faces; may be given several times.")
@SPLIT
@FAKES
@click.option("--clips", type=FILE, help="A CSV table of labelled videos or pictures, for the whole pipeline.")
@click.option("--report", type=NEW_FOLDER, help="Folder for the scores, plots, and the worst mistakes.")
def evaluate(
    model: Path, index: tuple[Path, ...], split_name: str, fakes: Fakes | None, clips: Path | None, report: Path | None
) -> None:
    """Measure a bundle and keep the numbers in its metrics.json.

    \b
    Example:
      python -m deepfake evaluate --model models/light-2 --index faces/index.csv --report out
    """
    if not index and clips is None:
        raise click.UsageError("Give --index, --clips or both.")
    from deepfake.tables import quality_tables
    from deepfake.training import evaluate as measure

    found = {}
    if index:
        with progress_bar("faces") as bar:
            follow = partial(advance, bar)
            found[split_name] = measure.evaluate_crops(model, index, split_name, fakes or "given", follow)
        if split_name == "test":
            measure.write_quality(found[split_name], model, model / "plots" / "quality.png")
        if report:
            measure.write_mistakes(found[split_name], model, index, report / split_name / "mistakes.png")
    if clips is not None:
        with progress_bar("clips") as bar:
            found["clips"] = measure.evaluate_clips(model, clips, partial(advance, bar))
    for section, evaluation in found.items():
        measure.update_metrics(model / "metrics.json", section, evaluation.measures)
        if report:
            measure.write_scores(evaluation, report / section / "scores.csv")
            measure.write_quality(evaluation, model, report / section / "quality.png")
    if report:
        click.echo(f"wrote {report}", err=True)
    click.echo(quality_tables({section: evaluation.measures for section, evaluation in found.items()}))


@click.command()
@click.option("--model", type=NEW_FOLDER, required=True, help="Folder of a bundle.")
@click.option("--index", type=FILE, multiple=True, required=True, help="An index of faces.")
@SPLIT
@click.option("--source", multiple=True, help="Take this source alone; may be given several times.")
def sweep(model: Path, index: tuple[Path, ...], split_name: str, source: tuple[str, ...]) -> None:
    """Measure a bundle under compression, shrinking, blur, noise, brightness and a moved crop.

    Keeps the numbers in metrics.json and their picture in plots/robustness.png.

    \b
    Example:
      python -m deepfake sweep --model models/light-2 --index faces/index.csv --source dfdc
    """
    from deepfake.files import write_bytes
    from deepfake.training.evaluate import update_metrics
    from deepfake.training.plot import sweep_figure
    from deepfake.training.sweep import sweep as measure

    with progress_bar("faces") as bar:
        found = measure(model, index, split_name, source, partial(advance, bar))
    update_metrics(model / "metrics.json", "robustness", found)
    figure = sweep_figure({name: harm["levels"] for name, harm in found["harms"].items()})
    write_bytes(model / "plots" / "robustness.png", figure)
    click.echo(json.dumps(found, indent=2))


@click.command()
@click.option("--model", type=NEW_FOLDER, required=True, help="Folder of a bundle.")
@click.option("--index", type=FILE, multiple=True, required=True, help="An index of faces.")
@SPLIT
@click.option("--source", multiple=True, help="Take this source alone; may be given several times.")
@click.option("--crops", type=click.IntRange(min=2), default=200, show_default=True, help="Most faces of a source.")
@click.option(
    "--eps",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    default=(2, 4),
    show_default=True,
    help="How far a pixel may move, of 255; may be given several times.",
)
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Steps of PGD.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed draws other faces."
)
def attack(
    model: Path,
    index: tuple[Path, ...],
    split_name: str,
    source: tuple[str, ...],
    crops: int,
    eps: tuple[float, ...],
    steps: int,
    seed: int,
) -> None:
    """Measure a bundle against somebody who knows it: FGSM and PGD, with random noise as the control.

    Takes as many reals as fakes of each source, and keeps the numbers in metrics.json. Needs TensorFlow.

    \b
    Example:
      python -m deepfake attack --model models/light-2 --index faces/index.csv --crops 200
    """
    from deepfake.training.attack import attack as measure
    from deepfake.training.evaluate import update_metrics
    from deepfake.trials import attack_table

    with progress_bar("faces") as bar:
        found = measure(model, index, split_name, source, crops, eps, steps, seed, partial(advance, bar))
    update_metrics(model / "metrics.json", "attack", found)
    click.echo(attack_table(json.loads((model / "metrics.json").read_text(encoding="utf-8"))))


@click.command()
@click.option("--model", type=NEW_FOLDER, required=True, help="Folder of a bundle.")
@click.option("--index", type=FILE, multiple=True, required=True, help="An index of faces.")
@SPLIT
def audit(model: Path, index: tuple[Path, ...], split_name: str) -> None:
    """Measure whom a bundle is wrong about: errors by skin tone, brightness, size of the face, and pose.

    Keeps the numbers in metrics.json.

    \b
    Example:
      python -m deepfake audit --model models/light-2 --index faces/index.csv
    """
    from deepfake.training.audit import audit as measure
    from deepfake.training.evaluate import update_metrics
    from deepfake.trials import audit_table

    with progress_bar("faces") as bar:
        found = measure(model, index, split_name, partial(advance, bar))
    update_metrics(model / "metrics.json", "audit", found)
    click.echo(audit_table(json.loads((model / "metrics.json").read_text(encoding="utf-8"))))


@click.command()
@click.argument("config", type=FILE)
@click.option("--run", type=NEW_FOLDER, required=True, help="Folder for the runs of all variants.")
@click.option("--clips", type=FILE, help="A table of labelled videos that nothing was trained on.")
@click.option("--model", type=NEW_FOLDER, help="A bundle whose metrics.json shall hold the result.")
def ablate(config: Path, run: Path, clips: Path | None, model: Path | None) -> None:
    """Fit and measure the variants of a configuration: what each part is worth.

    CONFIG is a training configuration with tables [[variant]].

    \b
    Example:
      python -m deepfake ablate scripts/ablation.toml --run runs/ablation --model models/light-2
    """
    from deepfake.training.ablate import ablate as compare
    from deepfake.training.evaluate import update_metrics

    found = compare(config, run, clips, partial(click.echo, err=True))
    if model:
        update_metrics(model / "metrics.json", "ablation", found)
    click.echo(json.dumps(found, indent=2))


@click.command()
@click.argument("model", type=FOLDER)
@click.option("--readme", type=FILE, help="A README whose table of quality is brought up to date.")
def card(model: Path, readme: Path | None) -> None:
    """Write a bundle's card from its metrics.json.

    \b
    Example:
      python -m deepfake card models/light-2 --readme README.md
    """
    from deepfake.training.card import write_card

    click.echo(write_card(model, readme))


COMMANDS = (
    demo,
    index_command,
    split,
    extract,
    fit,
    fine_tune,
    average,
    calibrate,
    export,
    evaluate,
    sweep,
    attack,
    audit,
    ablate,
    card,
    export_detector_command,
)
"""What the command line offers beside `detect`."""


def _say_counts(rows: Any) -> None:
    """Prints how many reals and fakes each split has."""
    from deepfake.training.index import SPLITS, count_labels

    for name in (*SPLITS, ""):
        own = [row for row in rows if row.split == name]
        if own or name:
            click.echo(f"{name or 'no split'}: {count_labels(own)}")
