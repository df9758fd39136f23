"""Folders of the known data sets -> rows of an index.

Each reader walks one folder and decodes nothing. `path` is relative to that folder; `split` is filled in only where
the data set has an official one; `identity` is what its file names tell about the people or the originals in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deepfake.data.datasets.celeb_df import celeb_df
from deepfake.data.datasets.cifake import cifake
from deepfake.data.datasets.dfdc import dfdc
from deepfake.data.datasets.face_forensics import face_forensics
from deepfake.data.datasets.folder import folder
from deepfake.data.index import Row

READERS: dict[str, Callable[[Path], list[Row]]] = {
    "celeb-df-v2": celeb_df,
    "faceforensics": face_forensics,
    "dfdc": dfdc,
    "cifake": cifake,
    "folder": folder,
}
"""Readers by their names on the command line."""
