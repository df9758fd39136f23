"""Rows of an index -> those that a run trains on, those that an epoch shows, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepfake.errors import DatasetError
from deepfake.training.config import Fakes, TrainingConfig
from deepfake.training.index import Row, count_labels, read_indexes
from deepfake.training.split import check_disjoint


def training_rows(config: TrainingConfig) -> tuple[list[Row], list[Row]]:
    """The rows that a run trains on and those that it is watched on, their paths made absolute.

    Raises:
        DatasetError: If an index is unusable, the splits leak, or a split lacks a class.
    """
    rows = read_indexes(config.data.index)
    check_disjoint(rows, config.data.disjoint)
    # A source of weight 0 stands for nothing in training; validation keeps it, to watch what it never saw.
    train = [row for row in rows if row.split == "train" and config.data.weights.get(row.source, 1.0) > 0]
    val = with_self_blends((row for row in rows if row.split == "val"), config.data.fakes)
    count_classes(with_self_blends(train, config.data.fakes), "train")
    count_classes(val, "val")
    return train, val


def chosen_rows(
    rows: Iterable[Row], weights: dict[str, float], fakes: Fakes, balanced: bool, rng: np.random.Generator
) -> list[Row]:
    """The rows of one epoch.

    Args:
        rows: The training rows of an index.
        weights: How often a source is shown; 1 where it is not named. Of a weight of 1.5, half the people are
            shown twice, other ones each epoch.
        fakes: Which fakes. Of `both`, each fake gives way to a blend of any real half of the time, so that an epoch is
            no longer than one of the given fakes.
        balanced: Whether rows of the rarer label are repeated until both labels are equally common.
        rng: The only source of chance.
    """
    shown: list[Row] = []
    draws: dict[tuple[str, str], float] = {}
    for row in with_self_blends(rows, "given" if fakes == "both" else fakes):
        weight = weights.get(row.source, 1.0)
        # One draw for a person: a real and its fakes are shown together or not at all.
        draw = draws.setdefault(_subject(row), rng.random())
        shown += [row] * (int(weight) + (draw < weight % 1))
    if fakes == "both":
        reals = [row for row in shown if row.label == "real" and row.landmarks]
        shown = [
            _blend_of(reals[rng.integers(len(reals))]) if row.label == "fake" and reals and rng.random() < 0.5 else row
            for row in shown
        ]
    if balanced:
        counts = [sum(row.target == target for row in shown) for target in (0, 1)]
        if min(counts):
            rare = int(np.argmin(counts))
            own = [row for row in shown if row.target == rare]
            missing = max(counts) - min(counts)
            shown += own * (missing // len(own))
            shown += [own[place] for place in rng.permutation(len(own))[: missing % len(own)]]
    return shown


def dealt(rows: Sequence[Row], rng: np.random.Generator) -> list[int]:
    """A random order in which, wherever there is one, a fake follows a real of the same person or original.

    Args:
        rows: Rows of an index.
        rng: The only source of chance.

    Returns:
        Every number from 0 to `len(rows) - 1` once.
    """
    subjects: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place in rng.permutation(len(rows)):
        row = rows[place]
        subjects[_subject(row)][row.target].append(int(place))
    units = []
    for reals, fakes in subjects.values():
        pairs = min(len(reals), len(fakes))
        units += [list(pair) for pair in zip(reals[:pairs], fakes[:pairs], strict=True)]
        units += [[place] for place in (*reals[pairs:], *fakes[pairs:])]
    return [place for number in rng.permutation(len(units)) for place in units[number]]


def with_self_blends(rows: Iterable[Row], fakes: Fakes) -> list[Row]:
    """The rows with the fakes that are wanted: each real with known landmarks is followed by a blend of itself.

    Example:

    >>> real = Row("a.png", "real", landmarks="1 1 3 1 2 2 1 3 3 3")
    >>> [row.label for row in with_self_blends([real, Row("b.png", "fake")], "self-blend")]
    ['real', 'fake']
    """
    found = []
    for row in rows:
        if row.label == "real" or fakes != "self-blend":
            found.append(row)
        if row.label == "real" and row.landmarks and fakes != "given":
            found.append(_blend_of(row))
    return found


def count_classes(rows: Sequence[Row], split: str) -> dict[str, int]:
    """Number of real and of fake rows.

    Raises:
        DatasetError: If one of them is 0.
    """
    counts = count_labels(rows)
    if not all(counts.values()):
        raise DatasetError(f"The split {split!r} needs real and fake crops. Found: {counts}. Add the missing class.")
    return counts


def class_weights(rows: Sequence[Row]) -> dict[str, float]:
    """Weights that make both classes count the same: n / (2 * n_class).

    Raises:
        DatasetError: If a class is absent.

    Example:

    >>> class_weights([Row("a", "real", "x", "train", "1")] * 3 + [Row("b", "fake", "x", "train", "2")])
    {'real': 0.6666666666666666, 'fake': 2.0}
    """
    counts = count_classes(rows, "train")
    return {label: len(rows) / (2 * count) for label, count in counts.items()}


def _subject(row: Row) -> tuple[str, str]:
    """The source, and the person or, unknown, the clip: a real and the fakes made from it have the same."""
    return row.source, row.people[0] if row.people else row.clip_name


def _blend_of(row: Row) -> Row:
    return replace(row, label="fake", method="self_blend", blend=True)
