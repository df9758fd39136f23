"""What the readers share: walking a folder, and refusing what is not as its data set says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from deepfake.data.index import Row
from deepfake.errors import DatasetError, MediaError
from deepfake.media import VIDEO_SUFFIXES, is_media, kind_of
from deepfake.system.files import LeftOut


def media_below(root: Path, layout: str) -> list[PurePosixPath]:
    """Paths of the pictures and videos below a folder, relative to it and sorted; nothing hidden."""
    if not root.is_dir():
        raise DatasetError(f"A data set is read from its folder. Received: {root}, which is none. Expected: {layout}.")

    def refuse(error: OSError) -> None:
        raise DatasetError(f"Every folder of a data set must be readable. Received: {error}.") from error

    found = []
    # Parts of large sets are often links to another disk.
    for place, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        parent = PurePosixPath(Path(place).relative_to(root).as_posix())
        found += [parent / name for name in files if not name.startswith(".")]
    return sorted((file for file in found if is_media(root / file)), key=str)


def left_out(root: Path, rows: Iterable[Row]) -> LeftOut:
    """The files below a folder that none of the rows names, whose paths are relative to it."""
    named, found = {row.path for row in rows}, LeftOut()
    for place, folders, files in os.walk(root, followlinks=True):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            if path.relative_to(root).as_posix() not in named:
                found.add(path)
    return found


def is_video(path: Path) -> bool:
    """Says by its content whether a file is a video; by its name if that is damaged."""
    try:
        return kind_of(path) == "video"
    except MediaError:
        return path.suffix.lower() in VIDEO_SUFFIXES


def without_suffix(path: str) -> str:
    """A path without the ending of its name."""
    return str(PurePosixPath(path).with_suffix(""))


def checked(rows: Iterable[Row], root: Path, layout: str, *, shared_clips: bool = False) -> list[Row]:
    """The rows sorted by path; refuses none at all, and a clip that occurs twice unless clips are shared by frames."""
    rows = sorted(rows, key=lambda row: row.path)
    if not rows:
        raise DatasetError(f"A data set needs files of its layout. Found none in {root}. Expected: {layout}.")
    seen: dict[str, str] = {}
    for row in rows:
        if seen.setdefault(row.clip, row.path) != row.path and not shared_clips:
            raise DatasetError(
                f"Each clip must occur once in {root}. Received: {seen[row.clip]} and {row.path}. Remove one of them."
            )
    return rows


def name_parts(pattern: re.Pattern[str], name: str, path: Path, layout: str) -> tuple[str, ...]:
    """The people in a clip's name."""
    matched = pattern.fullmatch(name)
    if matched is None:
        raise DatasetError(f"Files must keep the names of the data set. Received: {path}. Expected: {layout}.")
    return matched.groups()


def read_json(path: Path) -> Any:
    """The plain values of a JSON file; a `DatasetError` if it is damaged or gone."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as JSON: {error}. Fetch the file again.") from error
