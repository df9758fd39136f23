"""Splits that do not leak: no clip and no person on both sides."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from deepfake.errors import DatasetError
from deepfake.training.index import Row


def check_disjoint(rows: Iterable[Row]) -> None:
    """Refuses a table in which a group lies in more than one split.

    Raises:
        DatasetError: If one does; the message names it.

    Example:

    >>> check_disjoint([Row("a.png", "real", "x", "train", "g"), Row("b.png", "fake", "x", "train", "g")])
    """
    splits = defaultdict(set)
    for row in rows:
        splits[row.source, row.group].add(row.split)
    leaks = sorted(key for key, found in splits.items() if len(found) > 1)
    if leaks:
        source, group = leaks[0]
        raise DatasetError(
            f"{len(leaks)} groups lie in several splits, so a test would see what training saw. The first: "
            f"group {group!r} of {source!r} in {', '.join(sorted(splits[leaks[0]]))}. Assign each group to one split."
        )


def split_groups(rows: Sequence[Row], val_share: float, test_share: float, seed: int = 0) -> list[Row]:
    """Deals the groups out to train, val and test.

    A group's split depends on its name and the seed alone, so that rows added later move none.

    Args:
        rows: Rows whose `split` is overwritten.
        val_share: Share of the groups in [0, 1] for validation.
        test_share: Share of the groups in [0, 1] for testing.
        seed: Another seed deals differently.

    Raises:
        ValueError: If a share is negative or they add up to 1 or more.

    Example:

    >>> split_groups([Row("a.png", "real", "x", "train", "g")], val_share=0.0, test_share=0.0)[0].split
    'train'
    """
    if val_share < 0 or test_share < 0 or val_share + test_share >= 1:
        raise ValueError(f"Shares must be in [0, 1) and leave some to train. Received: {val_share}, {test_share}.")

    def split_of(row: Row) -> str:
        digest = hashlib.sha256(f"{seed}/{row.source}/{row.group}".encode()).digest()
        place = int.from_bytes(digest[:8]) / 2**64
        return "test" if place < test_share else "val" if place < test_share + val_share else "train"

    return [replace(row, split=split_of(row)) for row in rows]
