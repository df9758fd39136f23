"""The command line: stdout is data, stderr is talk.

Exit status: 0 when all went well, 2 for a wrong call, 3 when some file could not be read, 1 for other failures.
"""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from deepfake import __version__
from deepfake.errors import DeepfakeError, MediaError

UNREADABLE = 3
"""Exit status when some file could not be read."""
MODEL = click.Path(file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)


class Commands(click.Group):
    """Turns this package's errors, and the system's, into a line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeepfakeError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(
                f"{where}{error.strerror or error}. Check the path, its rights and the disk."
            ) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Tell whether the faces in pictures and videos were manipulated or generated.

    \b
    Example:
      python -m deepfake detect examples/portrait.jpg
    """


@main.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a file.")
@click.option("--save-dir", type=click.Path(file_okay=False, path_type=Path), help="Write annotated files here.")
@click.option(
    "--frames", type=click.IntRange(min=1), default=24, show_default=True, help="Frames of a video to look at."
)
@click.option("--fps", type=click.FloatRange(min=0, min_open=True), help="One frame every 1/FPS seconds instead.")
@click.option("--start", type=click.FloatRange(min=0), default=0.0, help="Begin a video here, in seconds.")
@click.option("--end", type=click.FloatRange(min=0, min_open=True), help="Stop a video here, in seconds.")
@click.option("--model", type=MODEL, help="Folder of a bundle. [default: the one that ships]")
@click.option(
    "--min-face",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.06,
    show_default=True,
    help="Smallest face searched for, as a share of the picture's short side.",
)
@click.option("--trust", is_flag=True, help="Use a bundle whose files differ from their checksums.")
def detect(
    paths: tuple[str, ...],
    as_json: bool,
    save_dir: Path | None,
    frames: int,
    fps: float | None,
    start: float,
    end: float | None,
    model: Path | None,
    min_face: float,
    trust: bool,
) -> None:
    """Judge pictures and videos: files, folders or globs.

    Prints a line a file. Exit status 3 if some file could not be read.

    \b
    Examples:
      python -m deepfake detect examples/portrait.jpg
      python -m deepfake detect examples --json --save-dir out
    """
    from deepfake.bundle import DEFAULT_MODEL
    from deepfake.faces import FaceSettings
    from deepfake.pipeline import Detector
    from deepfake.records import Sampling
    from deepfake.report import to_json, write_report

    try:
        sampling = Sampling(frames, fps, start, end)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    files, failed = list(_expanded(paths)), False
    if not files:
        raise click.UsageError(f"No picture or video in {', '.join(paths)}.")
    detector = Detector(model or DEFAULT_MODEL, trust, FaceSettings(min_face_share=min_face))
    for number, path in enumerate(files, start=1):
        try:
            with _bar(f"{number}/{len(files)} {path.name}") as bar:
                verdict = detector.detect(path, sampling, partial(_advance, bar))
            written = write_report(verdict, save_dir) if save_dir else []
        except MediaError as error:
            click.echo(f"Error: {error}", err=True)
            failed = True
            continue
        click.echo(to_json(verdict) if as_json else _line(verdict.as_dict()))
        for file in written:
            click.echo(f"wrote {file}", err=True)
    if failed:
        sys.exit(UNREADABLE)


@main.command("export-detector")
@click.option("--out", type=MODEL, default=Path("models/mtcnn"), show_default=True, help="Folder to write to.")
def export_detector_command(out: Path) -> None:
    """Convert the networks of the installed `mtcnn` package to TFLite.

    \b
    Example:
      python -m deepfake export-detector --out models/mtcnn
    """
    from deepfake.training.export_detector import export_detector

    click.echo(export_detector(out))


@main.command()
@click.argument("index", type=EXISTING)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Table to write.")
@click.option("--val", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of the groups.")
@click.option("--test", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of the groups.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed deals differently.")
def split(index: Path, out: Path, val: float, test: float, seed: int) -> None:
    """Deal the groups of a table out to train, val and test.

    \b
    Example:
      python -m deepfake split faces/index.csv --out faces/split.csv --val 0.1 --test 0.1
    """
    from deepfake.training.index import SPLITS, count_labels, read_index, write_index
    from deepfake.training.split import split_groups

    rows = split_groups(read_index(index), val, test, seed)
    write_index(out, rows)
    for name in SPLITS:
        click.echo(f"{name}: {count_labels([row for row in rows if row.split == name])}")


@main.command()
@click.argument("index", type=EXISTING)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the crops.")
@click.option("--cropped", multiple=True, metavar="SOURCE", help="A source whose pictures are crops already.")
@click.option(
    "--self-blends",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fakes made from each real training picture.",
)
def extract(index: Path, out: Path, cropped: tuple[str, ...], self_blends: int) -> None:
    """Cut the largest face out of every picture of a table.

    INDEX is a CSV table with path, label, source, split, group, method.

    \b
    Example:
      python -m deepfake extract faces/index.csv --out crops
    """
    from deepfake.bundle import load_detector
    from deepfake.faces import FaceFinder
    from deepfake.records import CropSpec
    from deepfake.training.extract import Extractor
    from deepfake.training.index import read_index
    from deepfake.training.split import check_disjoint

    rows = read_index(index)
    check_disjoint(rows)
    extractor = Extractor(index.parent, out, FaceFinder(load_detector()), CropSpec(), frozenset(cropped), self_blends)
    with _bar("extract") as bar:
        tally = extractor.extract(rows, lambda done: _advance(bar, done, len(rows)))
    click.echo(json.dumps(tally))


@main.command()
@click.argument("config", type=EXISTING)
@click.option("--run", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the run.")
def fit(config: Path, run: Path) -> None:
    """Fit a network to crops; a killed run goes on where it stopped.

    CONFIG is a TOML file with the sections data, network, degrade and fit.

    \b
    Example:
      python -m deepfake fit scripts/light-1.toml --run runs/light-1
    """
    from deepfake.training.config import read_config
    from deepfake.training.fit import fit as fit_network

    click.echo(fit_network(read_config(config), run, verbose=1 if sys.stdout.isatty() else 2))


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--index", type=EXISTING, required=True, help="The crops' index; its validation split is used.")
def calibrate(run: Path, index: Path) -> None:
    """Fit a run's temperature and thresholds on the validation split.

    \b
    Example:
      python -m deepfake calibrate runs/light-1 --index crops/index.csv
    """
    from deepfake.training.calibrate import calibrate as calibrate_run

    click.echo(calibrate_run(run, index).read_text(encoding="utf-8"))


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=MODEL, required=True, help="The bundle's folder; its name is the model's.")
@click.option("--index", type=EXISTING, required=True, help="The crops' index; the graphs are compared on its crops.")
@click.option("--crops", type=click.IntRange(min=1), default=500, show_default=True, help="Crops to compare on.")
def export(run: Path, out: Path, index: Path, crops: int) -> None:
    """Write a run as a bundle of TFLite graphs, checked against Keras.

    \b
    Example:
      python -m deepfake export runs/light-1 --out models/light-1 --index crops/index.csv
    """
    from deepfake.training.export import export_run

    click.echo(json.dumps(export_run(run, out, index, crops), indent=2))


@main.command()
@click.option("--model", type=MODEL, required=True, help="Folder of a bundle.")
@click.option("--index", type=EXISTING, help="A crops' index.")
@click.option(
    "--split", "split_name", type=click.Choice(["val", "test"]), default="test", show_default=True, help="Which crops."
)
@click.option("--clips", type=EXISTING, help="A CSV table of labelled videos or pictures, for the whole pipeline.")
def evaluate(model: Path, index: Path | None, split_name: str, clips: Path | None) -> None:
    """Measure a bundle and keep the numbers in its metrics.json.

    \b
    Example:
      python -m deepfake evaluate --model models/light-1 --index crops/index.csv --split test
    """
    from deepfake.training.card import quality_tables
    from deepfake.training.evaluate import evaluate_clips, evaluate_crops, update_metrics

    if index is None and clips is None:
        raise click.UsageError("Give --index, --clips or both.")
    found = {}
    if index is not None:
        with _bar("crops") as bar:
            found[split_name] = evaluate_crops(model, index, split_name, lambda done: _advance(bar, done, done))
    if clips is not None:
        with _bar("clips") as bar:
            found["clips"] = evaluate_clips(model, clips, lambda done: _advance(bar, done, done))
    for section, values in found.items():
        update_metrics(model / "metrics.json", section, values)
    click.echo(quality_tables(found))


@main.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--readme", type=EXISTING, help="A README whose table of quality is brought up to date.")
def card(model: Path, readme: Path | None) -> None:
    """Write a bundle's card from its metrics.json.

    \b
    Example:
      python -m deepfake card models/light-1 --readme README.md
    """
    from deepfake.training.card import write_card

    click.echo(write_card(model, readme))


def _expanded(paths: tuple[str, ...]) -> Iterator[Path]:
    """Files as they are; folders and globs as the pictures and videos in them, sorted."""
    from deepfake.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES

    known = PICTURE_SUFFIXES | VIDEO_SUFFIXES
    for text in paths:
        path = Path(text)
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in known and p.is_file())
        elif not path.exists() and glob.has_magic(text):
            yield from sorted(Path(found) for found in glob.glob(text, recursive=True) if Path(found).is_file())  # noqa: PTH207
        else:
            yield path


def _bar(label: str) -> Any:
    return click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _advance(bar: Any, done: int, total: int) -> None:
    bar.length = total
    bar.update(done - bar.pos)


def _line(verdict: dict[str, Any]) -> str:
    """One verdict for people: the answer, p_fake, the reason, the file."""
    p_fake = "    -" if verdict["p_fake"] is None else f"{verdict['p_fake']:.3f}"
    tracks = len(verdict["tracks"])
    reason = verdict["reason"] or f"{tracks} {'track' if tracks == 1 else 'tracks'}"
    return f"{verdict['verdict']:<12} p_fake {p_fake}  {reason:<14} {verdict['path']}"
