"""Folders, globs and lists -> the pictures and videos that they name."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from deepfake.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES

_KNOWN = PICTURE_SUFFIXES | VIDEO_SUFFIXES


def find_files(names: Iterable[str]) -> Iterator[Path]:
    """Files as they are; folders and globs as the pictures and videos in them, sorted folder by folder.

    A folder is walked as it is read, so that any number of files takes no more memory than the largest folder.
    Links to folders are not followed. A name that is none of these is passed on: its reader says what is wrong.

    Args:
        names: Of files, folders or globs.

    Example:

    >>> [path.name for path in find_files(["examples/no_face.jpg", "examples/p*.jpg"])]
    ['no_face.jpg', 'portrait.jpg']
    """
    for name in names:
        path = Path(name)
        # Unlike those of `Path`, these questions raise nothing, whatever the name.
        if os.path.isdir(name):  # noqa: PTH112
            yield from _walk(path)
        elif not os.path.exists(name) and glob.has_magic(name):  # noqa: PTH110
            for found in sorted(glob.iglob(name, recursive=True)):  # noqa: PTH207
                if os.path.isfile(found):  # noqa: PTH113
                    yield Path(found)
        else:
            yield path


def read_list(path: Path) -> list[str]:
    """The names in a text file, one a line; what is relative is so to the file's own folder. Empty lines are left out.

    Raises:
        OSError: If it cannot be read.
    """
    lines = os.fsdecode(path.read_bytes()).splitlines()
    return [str(path.parent / line) for line in lines if line.strip()]


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix.lower() in _KNOWN and os.path.isfile(path):  # noqa: PTH113
                yield path
