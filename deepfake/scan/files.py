"""Folders, globs and lists -> the pictures and videos that they name."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from deepfake.media import is_media
from deepfake.system.files import LeftOut
from deepfake.system.text import decoded


def find_files(names: Iterable[str], left_out: LeftOut | None = None) -> Iterator[Path]:
    """Files as they are; folders and globs as the pictures and videos in them, sorted folder by folder.

    What a file holds decides, not its name. A folder is walked as it is read, so that any number of files takes no more
    memory than the largest folder. Links to folders are not followed. A name that is none of these is passed on: its
    reader says what is wrong.

    Args:
        names: Of files, folders or globs.
        left_out: Counts what of folders and globs is neither a picture nor a video.

    Example:

    >>> [path.name for path in find_files(["examples/no_face.jpg", "examples/p*.jpg"])]
    ['no_face.jpg', 'portrait.jpg']
    """
    for name in names:
        path = Path(name)
        # Unlike those of `Path`, these questions raise nothing, whatever the name.
        if os.path.isdir(name):  # noqa: PTH112
            found = _walk(path)
        elif _is_glob(name):
            found = iter(sorted(map(Path, glob.iglob(name, recursive=True))))  # noqa: PTH207
        else:
            yield path
            continue
        for file in found:
            if os.path.isfile(file):  # noqa: PTH113
                if is_media(file):
                    yield file
                elif left_out is not None:
                    left_out.add(file)


def unfitting(names: Iterable[str]) -> list[str]:
    """The globs that nothing fits."""
    return [name for name in names if _is_glob(name) and not any(glob.iglob(name, recursive=True))]  # noqa: PTH207


def _is_glob(name: str) -> bool:
    return glob.has_magic(name) and not os.path.exists(name)  # noqa: PTH110


def read_list(path: Path) -> list[str]:
    """The names in a text file, one a line; what is relative is so to the file's own folder. Empty lines are left out.

    Zero bytes may stand in the place of line ends, as `find -print0` writes them.

    Raises:
        OSError: If it cannot be read.
    """
    text = decoded(path.read_bytes())
    # Not `splitlines`: names may hold its rarer signs.
    lines = text.split("\0") if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [str(path.parent / line) for line in lines if line.strip()]


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))
