"""What it is worth to look at each face again after harmless changes: `detect --stability`, measured on labelled faces.

    python benchmarks/stability.py --model models/light-5 --index faces/index.csv --split val

Prints a table of the answers as they are, of those that outlast every change, and of a wider inconclusive band that
leaves as many faces unanswered: what that does at no cost is not worth four more looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from deepfake.cli.terminal import progress_bar
from deepfake.data.index import Row, read_indexes
from deepfake.data.loader import read_face
from deepfake.face_scorer import FaceScorer
from deepfake.model.calibration import logit_of
from deepfake.records import Change, Label, Thresholds
from deepfake.verdict import judge


@dataclass(frozen=True, slots=True)
class Looked:
    """One face, and what is said of it."""

    is_fake: bool
    """The truth."""
    p_fake: float
    """As it is."""
    changed: tuple[float, ...]
    """After each change, in the order of `Change`."""


def main_table(faces: Sequence[Looked], thresholds: Thresholds) -> str:
    """The answers to the faces, with and without the second looks, as a Markdown table."""
    plain = [judge(face.p_fake, thresholds) for face in faces]
    stable = [
        label if all(judge(p_fake, thresholds) is label for p_fake in face.changed) else Label.INCONCLUSIVE
        for face, label in zip(faces, plain, strict=True)
    ]
    wider = widened(faces, plain, thresholds, stable.count(Label.INCONCLUSIVE))
    lines = [
        "| answers | false alarms | misses | right | unanswered | wrong of answered |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, labels in (("as they are", plain), ("with `--stability`", stable), ("with a wider band", wider)):
        lines.append(f"| {name} | {' | '.join(counted(faces, labels))} |")
    return "\n".join(lines)


def counted(faces: Sequence[Looked], labels: Sequence[Label]) -> list[str]:
    """False alarms, misses, right answers, unanswered faces, and the share of the answers that is wrong."""
    pairs = [(face.is_fake, label) for face, label in zip(faces, labels, strict=True)]
    alarms, misses = pairs.count((False, Label.FAKE)), pairs.count((True, Label.REAL))
    right = pairs.count((False, Label.REAL)) + pairs.count((True, Label.FAKE))
    answered = alarms + misses + right
    share = f"{(alarms + misses) / answered:.1%}" if answered else "-"
    return [*(f"{count:,}" for count in (alarms, misses, right, len(pairs) - answered)), share]


def widened(faces: Sequence[Looked], labels: Sequence[Label], thresholds: Thresholds, unanswered: int) -> list[Label]:
    """The answers where both thresholds move apart, by as much in logits, until so many faces are left unanswered."""
    margins = np.array([margin(face.p_fake, thresholds) for face in faces])
    silenced = set(np.argsort(margins, kind="stable")[:unanswered].tolist())
    return [Label.INCONCLUSIVE if place in silenced else label for place, label in enumerate(labels)]


def margin(p_fake: float, thresholds: Thresholds) -> float:
    """How far in logits a probability lies beyond the inconclusive band; below 0 within it."""
    logit = logit_of(p_fake)
    return max(logit - logit_of(thresholds.fake_above), logit_of(thresholds.real_below) - logit)


def flips(faces: Sequence[Looked], thresholds: Thresholds) -> str:
    """How many answers each change alone would change, as a Markdown table."""
    answered = [face for face in faces if judge(face.p_fake, thresholds) is not Label.INCONCLUSIVE]
    lines = ["| change | answers that flip |", "|---|--:|"]
    for place, change in enumerate(Change):
        flipped = sum(judge(face.changed[place], thresholds) is not judge(face.p_fake, thresholds) for face in answered)
        lines.append(f"| {change} | {flipped:,} of {len(answered):,} |")
    return "\n".join(lines)


def drawn(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """At most so many rows, drawn at random, always the same."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[place] for place in np.sort(np.random.default_rng(0).permutation(len(rows))[:limit])]


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--index", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True, required=True)
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="val", show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Look at so many faces, drawn at random. [default: all]")
def main(model: Path, index: tuple[Path, ...], split: str, limit: int | None) -> None:
    """Looks at each face five times."""
    scorer = FaceScorer(model, trust=True)
    rows = drawn([row for row in read_indexes(index) if row.split == split], limit)
    faces = []
    with progress_bar("faces") as follow:
        for number, row in enumerate(rows, start=1):
            image, face = read_face(row, scorer.bundle.crop)
            # Of a face that is too small there is no answer that could flip.
            for score in scorer.look_again(image, scorer.score(scorer.cut(image, [face]))):
                changed = tuple(score.changed[change] for change in Change)
                faces.append(Looked(row.label == "fake", score.p_fake, changed))
            follow(number, len(rows))
    thresholds = scorer.bundle.calibration.face.thresholds
    fakes = sum(face.is_fake for face in faces)
    click.echo(f"{scorer.bundle.model.name}, {split}: {len(faces) - fakes:,} real and {fakes:,} fake faces\n")
    click.echo(f"{main_table(faces, thresholds)}\n\n{flips(faces, thresholds)}")


if __name__ == "__main__":
    main()
