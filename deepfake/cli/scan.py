"""`scan`: many files, and what to do with what was found."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepfake.cli.options import (
    FILE,
    FPS,
    FRAMES,
    MIN_FACE,
    MODEL,
    NEW_FILE,
    TRUST,
    CommandList,
    found_model,
    not_empty,
)
from deepfake.cli.terminal import duration

if TYPE_CHECKING:
    from deepfake.scan.local import Tally

REPORT_S = 10.0
"""Seconds between two lines of progress where stderr is no terminal."""


class ScanCommands(CommandList):
    """`scan PATHS...` is `scan run PATHS...`; the other commands are said by name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if known or not args else ["run", *args])


@click.group(cls=ScanCommands, no_args_is_help=True)
def scan() -> None:
    """Judge many files into a store that can be resumed, asked and exported.

    A first word that is no command is a path: `scan photos` is `scan run photos`.

    \b
    Examples:
      python -m deepfake scan examples --out scan.sqlite --workers 2
      python -m deepfake scan summary scan.sqlite
      python -m deepfake scan export scan.sqlite --csv scan.csv
    """


@scan.command()
@click.argument("paths", nargs=-1, callback=not_empty)
@click.option("--list", "lists", type=FILE, multiple=True, help="A text file that names files or folders, one a line.")
@click.option("--out", required=True, metavar="FILE", help="The SQLite file; with --ray, a folder or an address.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes. [default: one a core]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds that one file may take.",
)
@click.option(
    "--memory",
    type=click.FloatRange(min=2),
    default=8.0,
    show_default=True,
    help="Gigabytes of address space that a worker may have (Linux).",
)
@click.option("--retry-errors", is_flag=True, help="Try files again whose row holds an error.")
@FRAMES
@FPS
@MODEL
@TRUST
@MIN_FACE
@click.option("--ray", metavar="ADDRESS", help="Run on this Ray cluster (`local` for one of its own); OUT is Parquet.")
def run(
    paths: tuple[str, ...],
    lists: tuple[Path, ...],
    out: str,
    workers: int | None,
    timeout: float,
    memory: float,
    retry_errors: bool,
    frames: int,
    fps: float | None,
    model: str,
    trust: bool,
    min_face: float,
    ray: str | None,
) -> None:
    """Judge files, folders and globs; a row a file goes into the store as it comes.

    Killed at any moment and called again it goes on: no file is left out and none is there twice. Identical files are
    analysed once. A file that cannot be read, takes too long or kills its worker gets a row that says so.

    \b
    Examples:
      python -m deepfake scan photos "clips/*.mp4" --out scan.sqlite --workers 4
      python -m deepfake scan --list names.txt --out scan.sqlite --retry-errors
      python -m deepfake scan s3://bucket/photos --ray auto --out s3://bucket/found
    """
    import os
    from itertools import chain

    from deepfake.records import Sampling
    from deepfake.scan.files import find_files, read_list, unfitting
    from deepfake.scan.worker import ScanSettings
    from deepfake.system.files import LeftOut
    from deepfake.system.text import printable

    names = [*paths, *chain.from_iterable(map(read_list, lists))]
    if not names:
        raise click.UsageError("Nothing to scan. Give files, folders or globs, or --list FILE.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = workers or cores
    try:
        sampling = Sampling(frames, fps)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = ScanSettings(
        model=found_model(model, trust=trust),
        trust=trust,
        sampling=sampling,
        min_face_share=min_face,
        threads=max(1, cores // workers),
        memory_bytes=int(memory * 2**30),
    )
    if ray:
        try:
            from deepfake.scan.cluster import scan_cluster
        except ModuleNotFoundError as error:
            raise click.ClickException(f"A cluster needs {error.name}: pip install 'deepfake[ray]'") from error
        written = scan_cluster(names, out, ray, settings, workers, timeout)
        click.echo(f"{written} files judged, rows in {out}")
        return

    from deepfake.scan.local import scan as scan_files
    from deepfake.scan.store import Store

    with Store(Path(out), settings.identity) as store:
        left_out = LeftOut()
        for name in unfitting(names):
            click.echo(f"nothing fits {printable(name)}", err=True)
        total = sum(1 for _ in find_files(names, left_out))
        if left_out:
            click.echo(f"left out: {left_out}", err=True)
        if not total:
            raise click.UsageError(f"No picture or video in {', '.join(names)}.")
        shown = _Shown(total)
        try:
            tally = scan_files(
                find_files(names), store, settings, workers, timeout, retry_errors=retry_errors, progress=shown.update
            )
        except KeyboardInterrupt as stop:
            raise click.ClickException("Stopped. What is done stays done: call again to go on.") from stop
        finally:
            shown.end()
    found = ", ".join(f"{count} {label}" for label, count in sorted(tally.verdicts.items())) or "none new"
    click.echo(
        f"{tally.done} files: {found}; {tally.errors} errors, {tally.identical} identical, {tally.resumed} done before"
    )


@scan.command()
@click.argument("store", type=FILE)
@click.option("--csv", "csv_file", type=NEW_FILE, help="Write a CSV file.")
@click.option("--parquet", type=NEW_FILE, help="Write a Parquet file.")
@click.option("--html", type=NEW_FILE, help="Write a page for people: the summary and the most suspicious files.")
def export(store: Path, csv_file: Path | None, parquet: Path | None, html: Path | None) -> None:
    """Write a store's rows as CSV, Parquet or HTML.

    \b
    Example:
      python -m deepfake scan export scan.sqlite --csv scan.csv --html scan.html
    """
    from deepfake.scan.export import to_csv, to_html, to_parquet
    from deepfake.scan.store import Store

    wanted = [(to_csv, csv_file), (to_parquet, parquet), (to_html, html)]
    if not any(path for _, path in wanted):
        raise click.UsageError("Say what to write: --csv FILE, --parquet FILE or --html FILE.")
    with Store(store) as opened:
        for write, path in wanted:
            if path:
                write(opened, path)
                click.echo(f"wrote {path}", err=True)


@scan.command()
@click.argument("store", type=FILE)
def summary(store: Path) -> None:
    """Count what a store holds: answers, reasons, kinds, errors.

    \b
    Example:
      python -m deepfake scan summary scan.sqlite
    """
    from deepfake.scan.export import summary_of
    from deepfake.scan.store import Store

    with Store(store) as opened:
        click.echo(summary_of(opened))


@scan.command()
@click.argument("store", type=FILE)
@click.argument("number", type=click.IntRange(min=1, max=500))
@click.option("--out", type=NEW_FILE, default="worst.jpg", show_default=True, help="The contact sheet.")
def worst(store: Path, number: int, out: Path) -> None:
    """Draw the NUMBER most suspicious faces as a contact sheet, and list their files.

    \b
    Example:
      python -m deepfake scan worst scan.sqlite 24 --out worst.jpg
    """
    from deepfake.scan.export import draw_worst
    from deepfake.scan.store import Store

    with Store(store) as opened:
        for row in draw_worst(opened, number, out):
            click.echo(f"{row['p_fake']:.3f}  {row['path']}")
    click.echo(f"wrote {out}", err=True)


class _Shown:
    """Progress on stderr: in one line of a terminal, or in a line from time to time."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._started = self._said = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def update(self, tally: Tally) -> None:
        now = time.monotonic()
        if now - self._said < (0.2 if self._terminal else REPORT_S) and tally.done < self._total:
            return
        self._said = now
        new = tally.done - tally.resumed
        rate = new / max(now - self._started, 1e-9)
        left = f", {duration((self._total - tally.done) / rate)} left" if new else ""
        text = f"{tally.done}/{self._total} files, {rate:.1f}/s, {tally.errors} errors{left}"
        click.echo(f"\r{text:<78}" if self._terminal else text, err=True, nl=not self._terminal)

    def end(self) -> None:
        if self._terminal:
            click.echo(err=True)
