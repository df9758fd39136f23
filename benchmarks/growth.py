"""How time and memory grow with the number of files and the length of a video.

    python benchmarks/growth.py --out growth.json --plot docs/growth.png

Draws pictures that all differ and clips, and lets the command line work on them, each time in a fresh process:

    scan     100, 1,000 and 10,000 pictures; two clips of 10 s, 1 min and 10 min; with 1 and with 2 workers
    detect   one clip of each length, 24 frames of it or one frame a second; 24 frames of 2 s in 720p, 4K and 8K

Wall time includes the start; memory is the most that the resident sets of the command and of its children summed up
to, looked at ten times a second. Prints a Markdown table and what a million and a hundred million pictures would cost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import psutil
from drawn import HEIGHT, WIDTH, encoded, portrait_variant, repeat_clip, write_clip
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

CLIP_S = 10
"""Length of the clip that the longer ones repeat."""
SCALES = (1, 3, 6)
"""Widths of frames over 1280: 720p, 4K and 8K."""
SCALED_S = 2
"""Length of the clips of these widths."""
CLIPS = 2
"""Clips of one length that are scanned together."""
LONGEST_PX = 480
"""Longer side of the largest pictures; the smallest have a third of it."""
ESTIMATES = (10**6, 10**8)
DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Row:
    """One command, measured."""

    series: str
    """Rows of one series differ in size alone."""
    size: int
    """Pictures, or seconds of a clip."""
    unit: str
    """`pictures` or `seconds of video`."""
    workers: int
    seconds: float
    memory_mb: float
    stored_bytes: int
    """Size of the store afterwards; 0 for `detect`."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pictures", multiple=True, default=(100, 1000, 10000), show_default=True, help="Numbers of pictures.")
@click.option("--seconds", multiple=True, default=(10, 60, 600), show_default=True, help="Lengths of clips.")
@click.option("--workers", multiple=True, default=(1, 2), show_default=True, help="Workers of a scan.")
@click.option("--only", type=click.Choice(["scan", "detect"]), help="Measure this command alone.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here, as JSON.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write the plot here, as PNG.")
def main(
    pictures: tuple[int, ...],
    seconds: tuple[int, ...],
    workers: tuple[int, ...],
    only: str | None,
    out: Path | None,
    plot: Path | None,
) -> None:
    """Measure how cost grows.

    \b
    Example:
      python benchmarks/growth.py --pictures 100 --pictures 1000 --seconds 10 --seconds 60
    """
    load = os.getloadavg()[0]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = write_clip(folder / "source.mp4", CLIP_S)
        clips = {
            length: [repeat_clip(source, folder / f"{length}-{n}.mp4", length // CLIP_S, str(n)) for n in range(CLIPS)]
            for length in sorted(seconds)
        }
        if only != "detect":
            parts = written_pictures(folder / "pictures", sorted(pictures))
            for count in workers:
                for size, part in parts.items():
                    rows.append(scanned("scan, pictures", size, "pictures", part, count, folder))
                for length, own in clips.items():
                    rows.append(scanned(f"scan, {CLIPS} clips", length, "seconds of video", own, count, folder))
        if only != "scan":
            for name, options in (("24 frames", ["--frames", "24"]), ("one frame a second", ["--fps", "1"])):
                for length, own in clips.items():
                    command = ["detect", str(own[0]), "--json", *options]
                    rows.append(Row(f"detect, {name}", length, "seconds of video", 1, *measured(command), 0))
                    click.echo(rows[-1], err=True)
            for scale in SCALES:
                command = ["detect", str(write_clip(folder / f"scaled-{scale}.mp4", SCALED_S, scale)), "--json"]
                pixels = round(scale * scale * WIDTH * HEIGHT / 1e6)
                rows.append(Row("detect, by size of frame", pixels, "megapixels a frame", 1, *measured(command), 0))
                click.echo(rows[-1], err=True)
    print(table(rows))
    print("\n" + estimate(rows))
    print(f"\n{os.cpu_count()} cores; load average before: {load:.1f}")
    if out:
        figures = {"cores": os.cpu_count(), "load_before": load, "rows": [asdict(row) for row in rows]}
        out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if plot:
        draw(rows, plot)


def written_pictures(folder: Path, sizes: list[int]) -> dict[int, list[Path]]:
    """Folders that hold so many different pictures together; the larger sets contain the smaller."""
    chance, parts, made = np.random.default_rng(0), [], 0
    sets = {}
    for size in sizes:
        part = folder / str(size)
        part.mkdir(parents=True)
        for number in range(made, size):
            image = portrait_variant(chance, LONGEST_PX)
            (part / f"{number:06d}.jpg").write_bytes(encoded(image, ".jpg", int(chance.integers(60, 96))))
        made = size
        parts.append(part)
        sets[size] = list(parts)
    return sets


def scanned(series: str, size: int, unit: str, paths: list[Path], workers: int, folder: Path) -> Row:
    """A scan of these paths into a new store."""
    store = folder / f"{len(list(folder.iterdir()))}.sqlite"
    command = ["scan", *map(str, paths), "--out", str(store), "--workers", str(workers)]
    name = f"{series}, {workers} worker{'s' if workers > 1 else ''}"
    row = Row(name, size, unit, workers, *measured(command), store.stat().st_size)
    click.echo(row, err=True)
    return row


def measured(command: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a `deepfake` command.

    Raises:
        SystemExit: If the command fails.
    """
    started, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([sys.executable, "-m", "deepfake", *command], stdout=said, stderr=said)
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(tree))
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        seconds = time.perf_counter() - started
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command[:2])} ended with {process.returncode}: {said.read().decode()[-2000:]}")
    return seconds, peak / 2**20


def _resident(tree: psutil.Process) -> float:
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        for process in (tree, *tree.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


def by_series(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows that differ in size alone, under the name of their series."""
    series = defaultdict(list)
    for row in rows:
        series[row.series].append(row)
    return dict(series)


def slope(rows: list[Row], what: str) -> float:
    """The exponent of growth: 1 is in step with the size, 0 is no growth at all. NaN for one row."""
    if len(rows) < 2:
        return float("nan")
    found = np.polyfit(np.log([row.size for row in rows]), np.log([getattr(row, what) for row in rows]), 1)[0]
    return round(float(found), 2) + 0.0  # Never -0.00.


def marginal_s(rows: list[Row]) -> float:
    """Seconds that one more picture, or one more second of video, costs: the start does not count."""
    if len(rows) < 2:
        return rows[0].seconds / rows[0].size
    return float(np.polyfit([row.size for row in rows], [row.seconds for row in rows], 1)[0])


def table(rows: list[Row]) -> str:
    """The figures as Markdown."""
    lines = ["| what | size | wall time | peak memory | one more costs | time grows as | memory grows as |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for name, own in by_series(rows).items():
        for row in own:
            last = row is own[-1]
            growth = [f"size^{slope(own, what):.2f}" if last else "" for what in ("seconds", "memory_mb")]
            lines.append(
                f"| {name} | {row.size:,} {row.unit} | {row.seconds:.1f} s | {row.memory_mb:.0f} MB "
                f"| {f'{1000 * marginal_s(own):.1f} ms' if last else ''} | {growth[0]} | {growth[1]} |"
            )
    return "\n".join(lines)


def estimate(rows: list[Row]) -> str:
    """What very many pictures would cost, by the measured rate of the fastest series of pictures."""
    series = [own for own in by_series(rows).values() if own[0].unit == "pictures"]
    if not series:
        return "No scan of pictures was measured, so nothing is estimated."
    own = min(series, key=marginal_s)
    each, cores = marginal_s(own), os.cpu_count() or 1
    stored = own[-1].stored_bytes / own[-1].size
    lines = [
        f"Estimate from {1000 * each:.1f} ms a picture and {stored:.0f} bytes of the store a picture, measured with "
        f"{own[0].workers} worker(s) on {cores} cores. Assumed: pictures of up to {LONGEST_PX} px with at most one "
        "face, on a disk that is no bottleneck; time grows in step with their number, as measured; machines share "
        "the list and slow each other down by nothing.",
        "",
        "| pictures | on this machine | machines like this for one day | store |",
        "|---:|---:|---:|---:|",
    ]
    for number in ESTIMATES:
        hours, machines = number * each / 3600, int(np.ceil(number * each / DAY_S))
        lines.append(f"| {number:,} | {hours:,.0f} h | {machines:,} | {number * stored / 1e9:,.1f} GB |")
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> None:
    """Time and memory against size, both axes logarithmic, with the fitted exponent of each series."""
    figure = Figure(figsize=(10, 7.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    units = sorted({row.unit for row in rows})
    grid = figure.subplots(2, len(units), squeeze=False)
    for column, unit in enumerate(units):
        for axes, what, label in zip(
            grid[:, column], ("seconds", "memory_mb"), ("wall time in s", "peak memory in MB"), strict=True
        ):
            for name, own in by_series([row for row in rows if row.unit == unit]).items():
                sizes, values = [row.size for row in own], [getattr(row, what) for row in own]
                (line,) = axes.loglog(sizes, values, "o", markersize=5)
                if len(own) > 1:
                    exponent, constant = np.polyfit(np.log(sizes), np.log(values), 1)
                    fitted = np.exp(constant) * np.power(np.array(sizes, float), exponent)
                    axes.loglog(sizes, fitted, "-", color=line.get_color(), linewidth=1)
                line.set_label(f"{name}: size^{slope(own, what):.2f}")
            axes.set(xlabel=unit, ylabel=label)
            if what == "memory_mb":
                axes.set_ylim(100, 10 ** np.ceil(np.log10(max(row.memory_mb for row in rows)) + 0.01))
            axes.grid(which="both", color="0.9")
            axes.legend(fontsize=8)
    figure.suptitle("How cost grows (log-log, fitted exponents)")
    figure.savefig(path)


if __name__ == "__main__":
    main()
