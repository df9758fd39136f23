"""Many pictures through one Detector in one process: what stays behind?

    python benchmarks/soak.py --pictures 5000 --out soak.json

The pictures are variants of the examples in many sizes and five formats; a quarter shows no face, and one in sixteen
is broken. Prints a Markdown table of the memory on the way, open files and temporary files before and after. Exits
with 1 if memory at the end differs by more than 5 % from that after a fifth of the pictures, or anything stays open.

Memory is the median of the resident set over the last 50 pictures: the next picture's size moves a single one.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
from drawn import encoded, portrait_variant

from deepfake.errors import MediaError
from deepfake.pipeline import Detector
from deepfake.system.memory import return_large_blocks

SUFFIXES = (".jpg", ".jpg", ".jpg", ".png", ".webp", ".bmp", ".tiff")
BROKEN_SHARE = 1 / 16
MAX_GROWTH = 0.05


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pictures", default=5000, show_default=True, help="How many.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here, as JSON.")
def main(pictures: int, out: Path | None) -> None:
    """Send many pictures through one Detector.

    \b
    Example:
      python benchmarks/soak.py --pictures 500
    """
    process, chance = psutil.Process(), np.random.default_rng(0)
    own, answers, marks = deque[float](maxlen=50), Counter[str](), {}
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as folder:
        # Whatever the run path writes for a while would lie here, alone.
        tempfile.tempdir = os.environ["TMPDIR"] = scratch
        return_large_blocks()  # As every command and worker does.
        detector = Detector()
        detector.detect(written(Path(folder), chance, broken=False))
        files_before, threads_before = process.num_fds(), process.num_threads()
        started = time.perf_counter()
        for number in range(1, pictures + 1):
            path = written(Path(folder), chance, broken=chance.random() < BROKEN_SHARE)
            try:
                answers[str(detector.detect(path).label)] += 1
            except MediaError:
                answers["refused"] += 1
            path.unlink()
            own.append(process.memory_info().rss / 2**20)
            if number % max(1, pictures // 5) == 0:
                marks[number] = statistics.median(own)
                click.echo(
                    f"{number} pictures: {marks[number]:.0f} MB, {time.perf_counter() - started:.0f} s", err=True
                )
        left = [str(path.relative_to(scratch)) for path in Path(scratch).rglob("*")]
    first, last = marks[min(marks)], marks[max(marks)]
    figures: dict[str, Any] = {
        "pictures": pictures,
        "answers": dict(answers),
        "memory_mb": marks,
        "growth": last / first - 1,
        "open_files": [files_before, process.num_fds()],
        "threads": [threads_before, process.num_threads()],
        "temporary_files_left": left,
        "seconds": time.perf_counter() - started,
    }
    print(table(figures))
    if out:
        out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if abs(last / first - 1) > MAX_GROWTH or left or files_before != process.num_fds():
        raise SystemExit(1)


def written(folder: Path, chance: np.random.Generator, broken: bool) -> Path:
    """A new picture in `folder`; a broken one is cut short, scribbled over, or no picture at all."""
    suffix = SUFFIXES[chance.integers(len(SUFFIXES))]
    content = encoded(portrait_variant(chance), suffix, int(chance.integers(40, 96)))
    if broken:
        kind = chance.integers(4)
        scribbled = content[:64] + chance.bytes(200) + content[264:]
        content = (content[: len(content) // 2], scribbled, b"a letter, not a picture", b"")[kind]
    path = folder / f"{chance.integers(2**60):x}{suffix}"
    path.write_bytes(content)
    return path


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| after | resident memory |", "|---:|---:|"]
    lines += [f"| {number} pictures | {memory:.0f} MB |" for number, memory in figures["memory_mb"].items()]
    files, threads = (" -> ".join(map(str, figures[name])) for name in ("open_files", "threads"))
    lines += [
        "",
        f"Growth {figures['growth']:+.1%}; open files {files}; threads {threads}; temporary files left: "
        f"{len(figures['temporary_files_left'])}; answers: {figures['answers']}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
