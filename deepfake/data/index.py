"""A table of labelled pictures and videos: one row each, read from and written to CSV.

Columns: `path` (relative to the table's folder), `label` (`real` or `fake`), and, each empty where it is not known or
left out, `source` (the data set), `split` (`train`, `val` or `test`), `identity` (what links rows that must not be
divided between splits: people, or the original clip; several joined by `+`), `method` (how it was faked), `clip` (the
video or picture it was cut from), `box` and `landmarks` (of the face in it, where the picture is no crop yet), `mesh`
(a file of the 468 points of a real face) and `twin` (a file of its round trip through an autoencoder). `group` is read
as another name of `identity`.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from deepfake.errors import DatasetError
from deepfake.system.files import replacing
from deepfake.system.text import decoded

SPLITS = ("train", "val", "test")
LABELS = ("real", "fake")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled picture or video."""

    path: str
    """Relative to the folder of the table, with forward slashes."""
    label: str
    """`real` or `fake`."""
    source: str = ""
    """The data set it comes from."""
    split: str = ""
    """`train`, `val` or `test`; empty before `split`."""
    identity: str = ""
    """People in it, or the original of a fake, joined by `+`, the one whose picture was changed first; may be empty."""
    method: str = ""
    """How it was faked; empty for real, or where nobody knows."""
    clip: str = ""
    """The video or picture that it was cut from, unique within its source; the path without its suffix if empty."""
    box: str = ""
    """Left, top, right, bottom of its face in pixels, separated by blanks; empty if the picture is a crop already."""
    landmarks: str = ""
    """The face's five points, x and y in pixels, separated by blanks; empty where they are not known."""
    mesh: str = ""
    """A `.npy` file with the 468 points of its face, float32 x and y in pixels, relative like `path`; may be empty."""
    twin: str = ""
    """The same picture after an autoencoder's round trip, relative like `path`; empty where none was made."""
    made: str = ""
    """`blend` or `twin` for a fake that is made from the real at `path` while it is loaded; no table says so."""

    @property
    def target(self) -> int:
        """1 for fake, 0 for real."""
        return LABELS.index(self.label)

    @property
    def clip_name(self) -> str:
        """The clip, or the path without its suffix where none is stated."""
        return self.clip or str(Path(self.path).with_suffix(""))

    @property
    def people(self) -> tuple[str, ...]:
        """The parts of `identity`.

        Example:

        >>> Row("a.mp4", "fake", identity="033+097").people
        ('033', '097')
        """
        return tuple(part for part in self.identity.split("+") if part)


COLUMNS = tuple(field.name for field in fields(Row) if field.name != "made")


def read_index(path: Path | str) -> list[Row]:
    """Reads a table of labelled pictures or videos: CSV as any spreadsheet writes it.

    Columns may be parted by commas, semicolons or tabs, and the text be UTF-8 or UTF-16.

    Raises:
        DatasetError: If the file cannot be read, `path` or `label` is absent, or a label or split is none of the
            known ones.
    """
    path = Path(path)
    try:
        text = decoded(path.read_bytes())
        if "\0" in text:
            raise DatasetError(f"{path} holds zero bytes, so it is no CSV table. Export it again.")
        # Excel writes in its first line what parts the columns, if it is told to.
        head, _, rest = text.partition("\n")
        text, head = (rest, rest.partition("\n")[0]) if head.startswith("sep=") else (text, head)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
        given = reader.fieldnames or []
        absent = {"path", "label"} - set(given)
        if absent:
            raise DatasetError(
                f"{path} needs the columns path and label, and may have {', '.join(COLUMNS[2:])}. "
                f"Missing: {', '.join(sorted(absent))}."
            )
        alias = {"identity": "group"} if "identity" not in given else {}
        cells: list[list[Any]] = [[record.get(alias.get(c, c)) or "" for c in COLUMNS] for record in reader]
        rows = [Row(*own) for own in cells]
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as a CSV table: {error}.") from error
    for number, row in enumerate(rows, start=2):
        if row.label not in LABELS or row.split not in (*SPLITS, ""):
            raise DatasetError(
                f"{path}, line {number}: `label` must be one of {', '.join(LABELS)} and `split` one of "
                f"{', '.join(SPLITS)} or empty. Received: {row.label!r}, {row.split!r}."
            )
    return rows


def read_indexes(paths: Iterable[Path | str]) -> list[Row]:
    """The rows of several tables, in order; the paths of each are made absolute.

    Raises:
        DatasetError: As `read_index`.
    """
    return [_moved(row, Path(path).parent.resolve()) for path in paths for row in read_index(path)]


def write_index(path: Path, rows: Iterable[Row]) -> None:
    """Writes a table, whole or not at all."""
    with replacing(path) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(row, name) for name in COLUMNS] for row in rows)


def located(rows: Iterable[Row], root: Path, home: Path) -> list[Row]:
    """The same rows with paths relative to another folder: that of the table they are written to.

    Args:
        rows: Rows with paths relative to `root`.
        root: A folder.
        home: The folder that the paths of the answer are relative to.
    """
    if root.resolve() == home.resolve():
        return list(rows)
    away = Path(os.path.relpath(root.resolve(), home.resolve()))
    return [replace(_moved(row, away), clip=row.clip_name) for row in rows]


def _moved(row: Row, folder: Path) -> Row:
    """The row with each of its paths seen from where `folder` is seen from."""
    paths = {name: getattr(row, name) for name in ("path", "mesh", "twin")}
    found = {name: Path(os.path.normpath(folder / path)).as_posix() for name, path in paths.items() if path}
    return replace(row, **found)


def count_labels(rows: Sequence[Row]) -> dict[str, int]:
    """Number of real and of fake rows.

    Example:

    >>> count_labels([Row("a.png", "real", "x", "train", "1")])
    {'real': 1, 'fake': 0}
    """
    counts = Counter(row.label for row in rows)
    return {label: counts[label] for label in LABELS}
