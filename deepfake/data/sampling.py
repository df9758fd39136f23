"""Rows of an index -> those that a run trains on, and the pairs that an epoch shows, in which order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepfake.data.config import Fakes, PairConfig, TrainingConfig
from deepfake.data.index import Row, count_labels, read_indexes
from deepfake.data.split import check_disjoint
from deepfake.errors import DatasetError

Pair = tuple[Row, Row]
"""A real and a fake."""
METHODS = {"blend": "self_blend", "twin": "autoencoder"}
"""What the method of a fake that is made while loading is called."""


SPARSE = (
    "Give more clips and people of each class, at least ten, so that each split gets some; or divide them yourself: "
    "into folders named train, val and test, or by the column `split`."
)
"""What to do where a split lacks a class though the data have both."""


def training_rows(config: TrainingConfig) -> tuple[list[Row], list[Row]]:
    """The rows that a run trains on and those that it is watched on, their paths made absolute.

    Raises:
        DatasetError: If an index is unusable, the splits leak, or a split lacks a class.
    """
    data = config.data
    rows = [row for row in read_indexes(data.indexes) if row.source not in data.leave_out]
    check_disjoint(rows, data.disjoint)
    if data.pairs:
        named = {source for pair in data.pairs for source in (*pair.sources, *pair.reals)} - set(data.leave_out)
        if absent := sorted(named - {row.source for row in rows}):
            raise DatasetError(f"`data.pairs` names sources that no index has: {', '.join(absent)}.")
        train = [row for row in rows if row.split == "train" and row.source in named]
        return train, _watched(rows, data.kept_pairs)
    # A source of weight 0 stands for nothing in training; validation keeps it, to watch what it never saw.
    train = [row for row in rows if row.split == "train" and data.weights.get(row.source, 1.0) > 0]
    if data.fakes != "given" and not any(row.mesh for row in train if row.label == "real"):
        raise DatasetError("Blends are made from real faces with a face mesh, and none has any. Run extract again.")
    val = with_self_blends((row for row in rows if row.split == "val"), data.fakes)
    count_classes(with_self_blends(train, data.fakes), "train")
    count_classes(val, "val")
    return train, val


def held_out_rows(config: TrainingConfig) -> list[Row]:
    """The rows that are kept for validation and tests, of all sources, their paths made absolute.

    Raises:
        DatasetError: If an index is unusable.
    """
    return [row for row in read_indexes(config.data.indexes) if row.split in ("val", "test")]


def _watched(rows: Sequence[Row], pairs: Sequence[PairConfig]) -> list[Row]:
    """The validation rows of the sources that pairs name, and a fake made from each real where pairs are made so."""
    val = [row for row in rows if row.split == "val"]
    found: dict[tuple[str, str], Row] = {}
    for pair in pairs:
        for row in val:
            sources = {**pair.sources, **pair.reals} if row.label == "real" else pair.sources
            if row.source in sources and (row.label == "real" or pair.kind == "given"):
                found.setdefault((row.path, ""), row)
            if row.source in pair.sources and can_become(row, pair.kind):
                found.setdefault((row.path, pair.kind), made_of(row, pair.kind))
    count_classes(list(found.values()), "val")
    return list(found.values())


def can_become(row: Row, kind: str) -> bool:
    """Whether a fake of this kind can be made from a row."""
    return row.label == "real" and bool({"blend": row.mesh, "twin": row.twin}.get(kind))


def made_of(row: Row, kind: str) -> Row:
    """The fake of kind `blend` or `twin` that is made from a real while it is loaded."""
    return replace(row, label="fake", method=METHODS[kind], made=kind)


def chosen_pairs(rows: Sequence[Row], kinds: Sequence[PairConfig], count: int, rng: np.random.Generator) -> list[Pair]:
    """The pairs of one epoch.

    Args:
        rows: The training rows of an index.
        kinds: Of which kinds, and how common each is. Sources without rows are passed over.
        count: How many.
        rng: The only source of chance.

    Returns:
        Reals and fakes, in random order: of a given fake, methods equally often, and a real of the same moment, else
        of the same person or clip, else of the same source.

    Raises:
        DatasetError: If a kind finds no fake, or no real for it.
    """
    reals, fakes = Reals(rows), defaultdict[str, dict[str, list[Row]]](lambda: defaultdict(list))
    for row in rows:
        if row.label == "fake":
            fakes[row.source][row.method].append(row)
    shares = np.array([kind.share for kind in kinds])
    found: list[Pair] = []
    for kind, own in zip(kinds, rng.multinomial(count, shares / shares.sum()), strict=True):
        if kind.kind == "given":
            sources = _chances(kind.sources, fakes)
            for source in rng.choice(list(sources), size=own, p=list(sources.values())):
                methods = list(fakes[source].values())
                fake = _one_of(methods[rng.integers(len(methods))], rng)
                found.append((reals.beside(fake, kind.reals, rng), fake))
            continue
        bases = {
            source: [row for row in reals.by_source[source] if can_become(row, kind.kind)] for source in kind.sources
        }
        sources = _chances(kind.sources, bases)
        for source in rng.choice(list(sources), size=own, p=list(sources.values())):
            real = _one_of(bases[source], rng)
            found.append((real, made_of(real, kind.kind)))
    return [found[place] for place in rng.permutation(len(found))]


class Reals:
    """The real rows of an index, found by source, person and moment."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.by_source: dict[str, list[Row]] = defaultdict(list)
        self.by_person: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            if row.label == "real":
                self.by_source[row.source].append(row)
                for person in row.people[:1] or (row.clip_name,):
                    self.by_person[row.source, person].append(row)

    def beside(self, fake: Row, sources: dict[str, float], rng: np.random.Generator) -> Row:
        """A real to be shown beside a given fake.

        Args:
            fake: The fake.
            sources: Where to take any real from; empty to look for one that shows the same.
            rng: The only source of chance.

        Raises:
            DatasetError: If there is none.
        """
        if sources:
            chances = _chances(sources, self.by_source)
            return _one_of(self.by_source[rng.choice(list(chances), p=list(chances.values()))], rng)
        # The first of its people is the one whose picture was changed.
        same = self.by_person.get((fake.source, (fake.people or (fake.clip_name,))[0]), [])
        moment = [row for row in same if _moment(row) and _moment(row) == _moment(fake)]
        candidates = moment or same or self.by_source[fake.source]
        if not candidates:
            raise DatasetError(f"No real face of {fake.source} for its fakes. Name the sources of reals in `reals`.")
        return _one_of(candidates, rng)


def _moment(row: Row) -> str:
    """Number at the end of a file's name, which in frames of a clip is the frame's; empty without one."""
    number = re.search(r"(\d+)\.\w+$", row.path)
    return number[1] if number else ""


def _chances(
    weights: dict[str, float], rows: dict[str, list[Row]] | dict[str, dict[str, list[Row]]]
) -> dict[str, float]:
    """Probabilities of the sources that have rows."""
    own = {source: weight for source, weight in weights.items() if weight > 0 and rows.get(source)}
    if not own:
        raise DatasetError(f"No rows for a pair of {', '.join(weights)}: extract, or twin, made none.")
    total = sum(own.values())
    return {source: weight / total for source, weight in own.items()}


def _one_of(rows: Sequence[Row], rng: np.random.Generator) -> Row:
    return rows[int(rng.integers(len(rows)))]


def chosen_rows(
    rows: Iterable[Row], weights: dict[str, float], fakes: Fakes, rng: np.random.Generator, *, balanced: bool
) -> list[Row]:
    """The rows of one epoch.

    Args:
        rows: The training rows of an index.
        weights: How often a source is shown; 1 where it is not named. Of a weight of 1.5, half the people are
            shown twice, other ones each epoch.
        fakes: Which fakes. Of `both`, each fake gives way to a blend of any real half of the time, so that an epoch is
            no longer than one of the given fakes.
        rng: The only source of chance.
        balanced: Whether rows of the rarer label are repeated until both labels are equally common.
    """
    shown: list[Row] = []
    draws: dict[tuple[str, str], float] = {}
    for row in with_self_blends(rows, "given" if fakes == "both" else fakes):
        weight = weights.get(row.source, 1.0)
        # One draw for a person: a real and its fakes are shown together or not at all.
        draw = draws.setdefault(_subject(row), rng.random())
        shown += [row] * (int(weight) + (draw < weight % 1))
    if fakes == "both":
        reals = [row for row in shown if can_become(row, "blend")]
        shown = [
            made_of(_one_of(reals, rng), "blend") if row.label == "fake" and reals and rng.random() < 0.5 else row
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


def paired(rows: Sequence[Row], rng: np.random.Generator) -> list[tuple[Row, ...]]:
    """The rows in random order, two and two: wherever there is one, a fake with a real of the same person or original.

    The real beside a fake that is made while loading becomes the picture that it is made from.

    Args:
        rows: Rows of an index.
        rng: The only source of chance.

    Returns:
        Pairs of a real and a fake, rows that found no partner two and two, and perhaps a last one alone.
    """
    subjects: dict[tuple[str, str], tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for place in rng.permutation(len(rows)):
        subjects[_subject(rows[place])][rows[place].target].append(rows[place])
    units: list[tuple[Row, ...]] = []
    alone: list[Row] = []
    for reals, fakes in subjects.values():
        count = min(len(reals), len(fakes))
        units += [(_real_of(fake) if fake.made else real, fake) for real, fake in zip(reals, fakes, strict=False)]
        alone += [*reals[count:], *fakes[count:]]
    alone = [alone[place] for place in rng.permutation(len(alone))]
    units += [tuple(alone[start : start + 2]) for start in range(0, len(alone), 2)]
    odd = [unit for unit in units if len(unit) == 1]
    whole = [unit for unit in units if len(unit) == 2]
    return [whole[place] for place in rng.permutation(len(whole))] + odd


def with_self_blends(rows: Iterable[Row], fakes: Fakes) -> list[Row]:
    """The rows with the fakes that are wanted: each real with a known face mesh is followed by a blend of itself.

    Example:

    >>> real = Row("a.png", "real", mesh="a.mesh.npy")
    >>> [row.label for row in with_self_blends([real, Row("b.png", "fake")], "self-blend")]
    ['real', 'fake']
    """
    found = []
    for row in rows:
        if row.label == "real" or fakes != "self-blend":
            found.append(row)
        if can_become(row, "blend") and fakes != "given":
            found.append(made_of(row, "blend"))
    return found


def count_classes(rows: Sequence[Row], split: str) -> dict[str, int]:
    """Number of real and of fake rows.

    Raises:
        DatasetError: If one of them is 0.
    """
    counts = count_labels(rows)
    if not all(counts.values()):
        raise DatasetError(f"The split {split!r} needs real and fake crops. Found: {counts}. {SPARSE}")
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


def _real_of(fake: Row) -> Row:
    """The real that a fake is made from while it is loaded."""
    return replace(fake, label="real", method="", made="")
