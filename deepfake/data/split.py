"""Splits that do not leak: no clip, no person and no swap pair on both sides."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from deepfake.data.index import SPLITS, Row
from deepfake.errors import DatasetError

Link = Literal["identity", "clip"]
"""What holds rows together: the same person or original (and so swap pairs, too), or the same clip alone."""


def check_disjoint(rows: Iterable[Row], by: Link = "identity") -> None:
    """Refuses a table in which a clip, a person or a swap pair lies in more than one split.

    Args:
        rows: Rows of an index; those without a split are ignored.
        by: `clip` accepts people on both sides, as the official lists of some data sets do.

    Raises:
        DatasetError: If one does; the message names it.

    Example:

    >>> check_disjoint([Row("a.png", "real", "x", "train", "g"), Row("b.png", "fake", "x", "train", "g")])
    """
    splits: dict[tuple[str, str, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        for link in _links(row, by) if row.split else ():
            splits[link].setdefault(row.split, row)
    leaks = sorted(link for link, found in splits.items() if len(found) > 1)
    if leaks:
        source, kind, name = leaks[0]
        found = splits[leaks[0]]
        examples = ", ".join(f"{split} ({found[split].path})" for split in sorted(found))
        raise DatasetError(
            f"{len(leaks)} clips or identities lie in several splits, so a test would see what training saw. "
            f"The first: {kind} {name!r} of {source!r} in {examples}. Assign each to one split, leave the linked "
            "training rows out (split --drop-linked), or accept people on both sides (by clip alone)."
        )


def linked_groups(rows: Sequence[Row], by: Link = "identity") -> list[str]:
    """For each row, the name of its group: rows that share a clip or a person, directly or through others.

    Example:

    >>> linked_groups([Row("a.mp4", "real", "x", "", "1"), Row("b.mp4", "fake", "x", "", "1+2")])
    ['x/1', 'x/1']
    """
    places: dict[tuple[str, str, str], int] = {}
    pairs = [
        (number, places.setdefault(link, len(places))) for number, row in enumerate(rows) for link in _links(row, by)
    ]
    if not pairs:
        return []
    row_places, link_places = np.array(pairs).T
    total = len(rows) + len(places)
    graph = coo_array((np.ones(len(pairs)), (row_places, len(rows) + link_places)), shape=(total, total))
    _, found = connected_components(graph, directed=False)
    names: dict[int, str] = {}
    for source, kind, name in sorted(places, key=lambda link: (link[1] != "identity", link)):
        names.setdefault(int(found[len(rows) + places[source, kind, name]]), f"{source}/{name}")
    return [names[int(number)] for number in found[: len(rows)]]


def assign_splits(
    rows: Sequence[Row],
    val_share: float,
    test_share: float,
    seed: int = 0,
    by: Link = "identity",
    *,
    drop_linked: bool = False,
) -> list[Row]:
    """Deals the rows without a split out to train, val and test, linked rows together; the others keep theirs.

    A group's split depends on its name and the seed alone, so that rows added later move none. A source that has
    test (or val) rows already gets no more of them.

    Args:
        rows: Rows of an index.
        val_share: Share of the groups in [0, 1] for validation.
        test_share: Share of the groups in [0, 1] for testing.
        seed: Another seed deals differently.
        by: What holds rows together.
        drop_linked: Leave out rows without a split that are linked to a val or test row, instead of refusing them.

    Returns:
        The rows, each with its split, in the same order.

    Raises:
        ValueError: If a share is negative or they add up to 1 or more.
        DatasetError: If the given splits leak, or a row without a split is linked to a val or test row.

    Example:

    >>> assign_splits([Row("a.png", "real", "x")], val_share=0.0, test_share=0.0)[0].split
    'train'
    """
    if val_share < 0 or test_share < 0 or val_share + test_share >= 1:
        raise ValueError(f"Shares must be in [0, 1) and leave some to train. Received: {val_share}, {test_share}.")
    groups = linked_groups(rows, by)
    given: dict[str, str] = {}
    for row, group in zip(rows, groups, strict=True):
        if row.split:
            # The rarest split decides what the group's other rows may be: check_disjoint refuses the rest.
            given[group] = max(given.get(group, "train"), row.split, key=SPLITS.index)
    has = {(row.source, row.split) for row in rows if row.split}
    dealt = []
    for row, group in zip(rows, groups, strict=True):
        if row.split:
            dealt.append(row)
        elif given.get(group, "train") == "train":
            test = 0.0 if (row.source, "test") in has else test_share
            val = 0.0 if (row.source, "val") in has else val_share
            split = "train" if group in given else _dealt(f"{seed}/{group}", val, test)
            dealt.append(replace(row, split=split))
        elif not drop_linked:
            dealt.append(replace(row, split="train"))  # A leak, which the check below names.
    check_disjoint(dealt, by)
    return dealt


def balance(rows: Sequence[Row]) -> list[Row]:
    """As many reals as fakes in each split of each source: clips of the larger class are left out, by their name.

    A source that has only one of the two in a split keeps it. Where a clip has several rows, the classes may differ
    by less than the rows of one clip.
    """
    kept: set[int] = set()
    strata: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, row in enumerate(rows):
        strata[row.source, row.split][row.label].append(number)
    for labels in strata.values():
        least = min(len(numbers) for numbers in labels.values())
        for numbers in labels.values():
            clips: dict[str, list[int]] = defaultdict(list)
            for number in numbers:
                clips[rows[number].clip_name].append(number)
            count = 0
            for clip in sorted(clips, key=_place):
                if count >= least:
                    break
                kept.update(clips[clip])
                count += len(clips[clip])
    return [row for number, row in enumerate(rows) if number in kept]


def representative(rows: Sequence[Row], count: int) -> list[Row]:
    """At most `count` rows, both labels alike and, within a label, every source, split and method in turn.

    Args:
        rows: Rows of an index, one a video or picture.
        count: Most rows to keep, positive.

    Returns:
        The chosen rows, in their order; which ones depends on their names alone.

    Raises:
        ValueError: If `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"`count` must be positive. Received: {count}.")
    strata: dict[str, dict[tuple[str, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, row in sorted(enumerate(rows), key=lambda item: _place(item[1].path)):
        strata[row.label][row.source, row.split, row.method].append(number)
    queues = [_in_turn([own[key] for key in sorted(own)]) for _, own in sorted(strata.items())]
    chosen = set(_in_turn(queues)[:count])
    return [row for number, row in enumerate(rows) if number in chosen]


def _in_turn(queues: Sequence[Sequence[int]]) -> list[int]:
    """The first of each queue, then the second of each that has one, and so on."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[place] for place in range(longest) for queue in queues if place < len(queue)]


def _links(row: Row, by: Link) -> list[tuple[str, str, str]]:
    people = [(row.source, "identity", person) for person in row.people] if by == "identity" else []
    return [(row.source, "clip", row.clip_name), *people]


def _dealt(name: str, val_share: float, test_share: float) -> str:
    place = _place(name)
    return "test" if place < test_share else "val" if place < test_share + val_share else "train"


def _place(name: str) -> float:
    """A number in [0, 1) that the name alone fixes."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
