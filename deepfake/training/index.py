"""A table of labelled pictures: one row each, read from and written to CSV.

Columns: `path` (relative to the table's folder), `label` (`real` or `fake`), `source` (the data set), `split`
(`train`, `val` or `test`), `group` (what must not be divided between splits: a clip, a person, a swap pair),
`method` (how it was faked; empty for real).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from deepfake.errors import DatasetError

SPLITS = ("train", "val", "test")
LABELS = ("real", "fake")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled picture."""

    path: str
    """Relative to the folder of the table, with forward slashes."""
    label: str
    """`real` or `fake`."""
    source: str
    """The data set it comes from."""
    split: str
    """`train`, `val` or `test`."""
    group: str
    """Rows of one group share a clip or a person and never lie in different splits."""
    method: str = ""
    """How it was faked; empty for real."""

    @property
    def target(self) -> int:
        """1 for fake, 0 for real."""
        return LABELS.index(self.label)


def read_index(path: Path | str) -> list[Row]:
    """Reads a table of labelled pictures.

    Raises:
        DatasetError: If the file cannot be read, a column is absent, or a label or split is none of the known ones.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names = [field.name for field in fields(Row)]
            absent = set(names) - set(reader.fieldnames or [])
            if absent:
                raise DatasetError(
                    f"{path} needs the columns {', '.join(names)}. Missing: {', '.join(sorted(absent))}."
                )
            rows = [Row(**{name: record[name] or "" for name in names}) for record in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as a CSV table: {error}.") from error
    for number, row in enumerate(rows, start=2):
        if row.label not in LABELS or row.split not in SPLITS:
            raise DatasetError(
                f"{path}, line {number}: `label` must be one of {', '.join(LABELS)} and `split` one of "
                f"{', '.join(SPLITS)}. Received: {row.label!r}, {row.split!r}."
            )
    return rows


def write_index(path: Path, rows: Iterable[Row]) -> None:
    """Writes a table, whole or not at all."""
    scratch = path.with_name(f"{path.name}.part")
    names = [field.name for field in fields(Row)]
    with scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)
    scratch.replace(path)


def count_labels(rows: Sequence[Row]) -> dict[str, int]:
    """Number of real and of fake rows.

    Example:

    >>> count_labels([Row("a.png", "real", "x", "train", "1")])
    {'real': 1, 'fake': 0}
    """
    counts = Counter(row.label for row in rows)
    return {label: counts[label] for label in LABELS}
