"""Celeb-DF v2."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from deepfake.data.datasets.walk import checked, is_video, media_below, name_parts, without_suffix
from deepfake.data.index import Row
from deepfake.errors import DatasetError

_LIST = "List_of_testing_videos.txt"
_NAMES = {
    "Celeb-real": re.compile(r"(id\d+)_\d+"),
    "YouTube-real": re.compile(r"\d+"),
    "Celeb-synthesis": re.compile(r"(id\d+)_(id\d+)_\d+"),
}
_LAYOUT = f"Celeb-real/id0_0000.mp4, YouTube-real/00170.mp4, Celeb-synthesis/id0_id16_0000.mp4, {_LIST}"


def celeb_df(root: Path) -> list[Row]:
    """Rows of Celeb-DF v2; the videos of its official list are the test split, the others have none.

    The list divides videos, not people: one person may be on both sides of it.

    Args:
        root: Folder with `Celeb-real`, `YouTube-real`, `Celeb-synthesis` and `List_of_testing_videos.txt`.

    Raises:
        DatasetError: If the list is absent or damaged, names a video that is absent, or contradicts a video's folder;
            if a file is not named as in the data set; or if there are no videos.

    Reference:
        Li, Yang, Sun, Qi and Lyu, "Celeb-DF: a large-scale challenging dataset for DeepFake forensics", CVPR 2020.
    """
    rows: dict[str, Row] = {}
    for file in media_below(root, _LAYOUT):
        path, place = str(file), str(file.parent)
        if place in _NAMES and is_video(root / file):
            people = "+".join(name_parts(_NAMES[place], file.stem, root / file, _LAYOUT))
            label, method = ("fake", "celeb_synthesis") if place == "Celeb-synthesis" else ("real", "")
            rows[path] = Row(path, label, "celeb_df_v2", "", people, method, without_suffix(path))
    for path, label in _celeb_test_list(root).items() if rows else ():
        if path not in rows or rows[path].label != label:
            arrived = f"lies in a folder of {rows[path].label} videos" if path in rows else "is absent"
            raise DatasetError(
                f"Videos must be as {root / _LIST} lists them. Received: {path}, listed as {label}, {arrived}. "
                "Fetch the data set again."
            )
        rows[path] = replace(rows[path], split="test")
    return checked(rows.values(), root, _LAYOUT)


def _celeb_test_list(root: Path) -> dict[str, str]:
    """Labels of the official test videos by path; in the list itself, 1 is real and 0 is fake."""
    path = root / _LIST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"Celeb-DF v2 needs its list of test videos. Received: {error}. "
            f"Put {_LIST}, which comes with the data set, into {root}."
        ) from error
    listed = {}
    for number, line in enumerate(lines, start=1):
        match line.split():
            case ["0" | "1" as digit, video]:
                listed[video] = "real" if digit == "1" else "fake"
            case [_, *_]:
                raise DatasetError(f"{path}, line {number}: must be 0 or 1 and a video's path. Received: {line!r}.")
    return listed
