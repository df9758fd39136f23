"""Commands that make a table of faces: from folders of pictures and videos to what training reads.

Each imports what it needs when it runs: the command line starts without TensorFlow.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepfake.cli.options import FILE, FOLDER, NEW_FILE, NEW_FOLDER
from deepfake.cli.terminal import progress_bar

if TYPE_CHECKING:
    from deepfake.data.split import Link

BY = click.option(
    "--by",
    type=click.Choice(["identity", "clip"]),
    default="identity",
    show_default=True,
    help="What must not be divided: people, originals and clips, or clips alone.",
)


@click.command()
@click.argument("folder", type=NEW_FOLDER)
@click.option("--count", type=click.IntRange(min=1), default=24, show_default=True, help="Pictures of each kind.")
def demo(folder: Path, count: int) -> None:
    """Write a small folder of real and fake pictures, made from one photograph, to try the other commands on.

    \b
    Example:
      python -m deepfake demo demo
    """
    from deepfake.data.demo import write_demo
    from deepfake.faces.mtcnn import FaceFinder
    from deepfake.model.bundle import load_detector

    click.echo(write_demo(folder, FaceFinder(load_detector()), count))


@click.command("index")
@click.argument(
    "dataset",
    type=click.Choice(["celeb-df-v2", "faceforensics", "dfdc", "cifake", "folder", "deepfakebench", "forensichub"]),
)
@click.argument("place", metavar="FOLDER|FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=NEW_FILE, required=True, help="Table to write.")
@click.option("--root", type=FOLDER, help="Folder with the files of a benchmark's list. [default: that of the list]")
@click.option("--split", type=click.Choice(["train", "val", "test"]), help="Split of files that are in none.")
def index_command(dataset: str, place: Path, out: Path, root: Path | None, split: str | None) -> None:
    """List a data set's files with their labels, people and methods in a table.

    DATASET names the layout of FOLDER; `folder` is any tree with `real` and `fake` in it. `deepfakebench` and
    `forensichub` are lists of these benchmarks: JSON files.

    \b
    Examples:
      python -m deepfake index celeb-df-v2 /data/Celeb-DF-v2 --out celeb.csv
      python -m deepfake index folder my_pictures --out mine.csv
      python -m deepfake index deepfakebench Celeb-DF-v2.json --root /data/rgb --out bench.csv
    """
    from deepfake.data.datasets import rows_of
    from deepfake.data.index import write_index

    rows, passed_over = rows_of(dataset, place, out.parent, root=root, split=split or "")
    write_index(out, rows)
    _say_counts(rows)
    if passed_over:
        click.echo(f"left out: {passed_over}", err=True)


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
    from deepfake.data.index import located, read_index, write_index
    from deepfake.data.split import assign_splits
    from deepfake.data.split import balance as balanced

    try:
        rows = assign_splits(read_index(index), val, test, seed, by, drop_linked=drop_linked)
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

    from deepfake.data.cutter import ExtractSettings
    from deepfake.data.extract import extract as extract_faces
    from deepfake.data.index import read_index
    from deepfake.data.split import representative
    from deepfake.faces.mtcnn import FaceFinder
    from deepfake.model.bundle import load_detector
    from deepfake.records import CropSpec

    rows = read_index(index)
    rows = representative(rows, max_videos) if max_videos else rows
    settings = ExtractSettings(frames, context, CropSpec() if aligned else None, cropped)
    started = time.perf_counter()
    with progress_bar("extract") as follow:
        summary = extract_faces(rows, index.parent, out, FaceFinder(load_detector()), settings, follow)
    rate = (summary.files - summary.resumed) / (time.perf_counter() - started)
    click.echo(json.dumps({**asdict(summary), "files_per_second": round(rate, 2)}))


@click.command()
@click.argument("index", type=FILE)
@click.option("--source", "sources", multiple=True, help="Take this source alone; may be given several times.")
def twin(index: Path, sources: tuple[str, ...]) -> None:
    """Make the twin of each real face: its round trip through an autoencoder, a fake to train on.

    INDEX is the table that extract wrote; it gains the column twin. Takes about a second a face on a CPU; a killed
    command goes on when it is called again.

    \b
    Example:
      python -m deepfake twin faces/index.csv --source stylegan
    """
    from deepfake.data.twin import make_twins

    with progress_bar("twins") as follow:
        click.echo(f"{make_twins(index, sources, follow)} twins")


def _say_counts(rows: Any) -> None:
    """Prints how many reals and fakes each split has."""
    from deepfake.data.index import SPLITS, count_labels

    for name in (*SPLITS, ""):
        own = [row for row in rows if row.split == name]
        if own or name:
            click.echo(f"{name or 'no split'}: {count_labels(own)}")
