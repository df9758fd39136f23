"""Folders of the known data sets, and the lists of benchmarks -> rows of an index.

Each reader walks one folder, or reads one list, and decodes nothing. `path` is relative to that folder; `split` is
filled in only where the data set has an official one; `identity` is what its file names tell about the people or the
originals in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deepfake.data.datasets.celeb_df import celeb_df
from deepfake.data.datasets.cifake import cifake
from deepfake.data.datasets.deepfakebench import deepfakebench
from deepfake.data.datasets.dfdc import dfdc
from deepfake.data.datasets.face_forensics import face_forensics
from deepfake.data.datasets.folder import folder
from deepfake.data.datasets.forensichub import forensichub
from deepfake.data.datasets.lists import below
from deepfake.data.datasets.walk import left_out
from deepfake.data.index import Row, located
from deepfake.system.files import LeftOut

READERS: dict[str, Callable[[Path], list[Row]]] = {
    "celeb-df-v2": celeb_df,
    "faceforensics": face_forensics,
    "dfdc": dfdc,
    "cifake": cifake,
    "folder": folder,
}
"""Readers by their names on the command line."""
LISTS: dict[str, Callable[[Path], list[Row]]] = {
    "deepfakebench": deepfakebench,
    "forensichub": forensichub,
}
"""Readers of the lists of benchmarks by their names on the command line; their paths are as the list has them."""


def rows_of(
    dataset: str, place: Path, home: Path, *, root: Path | None = None, split: str = ""
) -> tuple[list[Row], LeftOut]:
    """The rows of a data set or of a benchmark's list, and the files that were passed over.

    Args:
        dataset: One of `READERS` or `LISTS`.
        place: The folder of the data set, or the list.
        home: The folder that the paths of the answer are relative to.
        root: The folder with the files of a list; that of the list itself if absent.
        split: The split of rows that the data set puts in none.

    Returns:
        The rows, and what lies in the folder and is in no row; of a list, what it names and is not there.

    Raises:
        DatasetError: As the readers.
    """
    if dataset in LISTS:
        root = root or place.parent
        found, passed_over = below(LISTS[dataset](place), root, place)
    else:
        root, found = place, READERS[dataset](place)
        passed_over = left_out(place, found)
    return located((replace(row, split=row.split or split) for row in found), root, home), passed_over
