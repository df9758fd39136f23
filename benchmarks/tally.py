"""Sends every file of a folder of real test files through the detector, and counts what became of each.

    python benchmarks/tally.py path/to/pillow/Tests/images

Prints a Markdown table: answers by label and reason, refusals by what was said, what is left out as neither picture
nor video, and what failed. The counts add up to the files that are there; a failure, which is an exception that nobody
turned into a `MediaError`, is printed with its file, and the exit status is then 1.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import click

from deepfake.errors import MediaError
from deepfake.media.formats import is_media
from deepfake.media.isolated import open_isolated
from deepfake.pipeline import Detector
from deepfake.records import Sampling

FRAMES = 8
"""Frames of a video that are looked at."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--files", "show_files", is_flag=True, help="Print what became of each file, too, on stderr.")
def main(folder: Path, *, show_files: bool) -> None:
    """Count what becomes of each file below a folder.

    \b
    Example:
      python benchmarks/tally.py path/to/pillow/Tests/images
    """
    detector = Detector(opener=open_isolated, threads=1)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    counts = Counter[tuple[str, str]]()
    for number, path in enumerate(paths, 1):
        outcome, said = became(detector, path)
        counts[outcome, said] += 1
        if show_files or outcome == "failed":
            click.echo(f"{number} of {len(paths)} {path.relative_to(folder)}: {outcome}: {said}", err=True)
    print("| outcome | what was said | files |")
    print("| --- | --- | --- |")
    for (outcome, said), count in sorted(counts.items(), key=lambda one: (one[0][0], -one[1])):
        print(f"| {outcome} | {said.replace('|', '/')} | {count} |")
    print(f"| all | | {counts.total()} of {len(paths)} |")
    if any(outcome == "failed" for outcome, _ in counts):
        raise SystemExit(1)


def became(detector: Detector, path: Path) -> tuple[str, str]:
    """What became of one file, and what was said of it, without what differs from file to file."""
    if not is_media(path):
        return "left out", "neither picture nor video"
    try:
        verdict = detector.detect(path, Sampling(FRAMES))
    except MediaError as error:
        # An exit status is that of an exception in the decoder which nobody turned into a refusal.
        return "failed" if "exit status" in str(error) else "refused", kind_of_refusal(str(error), path)
    except Exception as error:  # noqa: BLE001 - Whatever else comes is what this looks for.
        return "failed", f"{type(error).__name__}: {error}"
    return "answered", f"{verdict.label} ({verdict.reason})" if verdict.reason else str(verdict.label)


def kind_of_refusal(said: str, path: Path) -> str:
    """A refusal without its file and numbers, so that those of one kind count together.

    Example:

    >>> kind_of_refusal("a/b.jpg is empty (0 bytes). Copy it again.", Path("a/b.jpg"))
    'FILE is empty (N bytes). Copy it again.'
    """
    for name in (str(path.resolve()), str(path), path.name):
        said = said.replace(name, "FILE")
    return re.sub(r"\d+(\.\d+)?", "N", said)


if __name__ == "__main__":
    main()
