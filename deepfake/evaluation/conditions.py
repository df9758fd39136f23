"""Labelled samples and what they are like -> counts of the answers about those that are alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deepfake.data.index import Row
from deepfake.faces.quality import blur_effect
from deepfake.media.compression import jpeg_quality
from deepfake.model.conditions import Conditions, conditions_of
from deepfake.model.measured import AnswerCounts, Cell
from deepfake.records import Crop, Label


@dataclass(frozen=True, slots=True)
class Judged:
    """One sample, what it is like, and what was said of it."""

    clip: str
    """The video or picture that it is of."""
    label: str
    """`real` or `fake`."""
    answer: Label
    """What the bundle said."""
    conditions: Conditions
    """What it is like."""


def conditions_of_row(row: Row, crop: Crop) -> Conditions:
    """What the face of a row is like, as far as that is true of the picture that is stored.

    The size of a face is not known where the picture was a crop already: whoever cut it may have scaled it. The quality
    of a JPEG is that of a file that was copied as it was; `extract` writes all others as PNG, which says nothing of how
    the picture was compressed before, and a fake that is made from a real was written by nobody.

    Args:
        row: With a path that can be opened.
        crop: What the bundle sees of it.
    """
    return conditions_of(
        face_px=crop.face.size if row.box else None,
        blur=blur_effect(crop.image),
        jpeg_quality=None if row.made else jpeg_quality(Path(row.path)),
    )


def cells_of(judged: Iterable[Judged]) -> tuple[Cell, ...]:
    """The answers about samples that are alike, counted; of each clip its middle sample alone.

    The frames of a clip are as good as one picture: counted each, they would make an interval too narrow.
    """
    by_clip: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        by_clip[one.label, one.clip].append(one)
    counts: dict[Conditions, Counter[tuple[str, Label]]] = defaultdict(Counter)
    for own in by_clip.values():
        middle = own[len(own) // 2]
        counts[middle.conditions][middle.label, middle.answer] += 1
    return tuple(
        Cell(conditions=like, real_called=_called(found, "real"), fake_called=_called(found, "fake"))
        for like, found in sorted(counts.items(), key=lambda pair: sorted(pair[0].known.items()))
    )


def _called(found: Counter[tuple[str, Label]], label: str) -> AnswerCounts:
    return AnswerCounts(**{answer.value: found[label, answer] for answer in Label})
