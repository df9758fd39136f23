"""What the readers of a benchmark's list share: where its files lie, and which of them are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deepfake.data.index import Row
from deepfake.errors import DatasetError
from deepfake.system.files import LeftOut


def listed(path: str) -> str:
    """A path as a list names it, on any system: with forward slashes, and without `./`.

    Example:

    >>> listed(".\\\\rgb\\\\FaceForensics++\\\\000.png")
    'rgb/FaceForensics++/000.png'
    """
    return str(PurePosixPath(path.replace("\\", "/")))


def below(rows: Sequence[Row], root: Path, source: Path) -> tuple[list[Row], LeftOut]:
    """The rows whose files are there, with paths relative to a folder, and what is absent of the others.

    A list was often written on another machine. So as few of the leading folders of its paths are passed over as it
    takes to find one of its files below `root`: the same number for all.

    Args:
        rows: Rows of a list, with paths as it names them.
        root: The folder with its files.
        source: The list, for errors.

    Raises:
        DatasetError: If it names no file, or none of them is there.

    Example:

    >>> rows = [Row("/home/me/examples/portrait.jpg", "real"), Row("/home/me/examples/gone.jpg", "fake")]
    >>> found, absent = below(rows, Path("examples"), Path("list.json"))
    >>> [row.path for row in found], str(absent)
    (['portrait.jpg'], '1 file: 1 .jpg; for example gone.jpg')
    """
    if not rows:
        raise DatasetError(f"A list must name pictures or videos. Received none in {source}. Write it again.")
    depth = max(len(PurePosixPath(row.path).parts) for row in rows)
    for passed_over in range(depth):
        moved = [replace(row, path=_shortened(row.path, passed_over)) for row in rows]
        if len({row.path for row in moved}) < len(moved):
            break  # What is left of the paths no longer tells the files apart.
        found = [row for row in moved if (root / row.path).is_file()]
        if found:
            return found, _absent(moved, found)
    raise DatasetError(
        f"The files that {source} lists must lie below {root}. Received: none of {len(rows)} is there, such as "
        f"{rows[0].path}. Pass the folder that they are in as --root."
    )


def _shortened(path: str, passed_over: int) -> str:
    # Neither the root of an absolute path nor `..` may lead out of the folder that the path is joined to.
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")][passed_over:]
    return "/".join(parts)


def _absent(rows: Iterable[Row], found: Iterable[Row]) -> LeftOut:
    there, absent = {row.path for row in found}, LeftOut()
    for row in rows:
        if row.path not in there:
            absent.add(Path(row.path))
    return absent
