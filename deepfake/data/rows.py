"""Rows of an index -> those that a run trains on and is watched on, with the fakes that are made while loading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deepfake.data.config import Fakes, PairConfig, TrainingConfig
from deepfake.data.index import Row, count_labels, read_indexes
from deepfake.data.split import check_disjoint
from deepfake.errors import DatasetError

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
