"""The rows that a run trains on -> those that one epoch shows, in which pairs and in which order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepfake.data.config import Fakes, PairConfig
from deepfake.data.index import Row
from deepfake.data.rows import can_become, made_of, with_self_blends
from deepfake.errors import DatasetError

Pair = tuple[Row, Row]
"""A real and a fake."""


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


def _subject(row: Row) -> tuple[str, str]:
    """The source, and the person or, unknown, the clip: a real and the fakes made from it have the same."""
    return row.source, row.people[0] if row.people else row.clip_name


def _real_of(fake: Row) -> Row:
    """The real that a fake is made from while it is loaded."""
    return replace(fake, label="real", method="", made="")
