"""Files that are written whole or not at all (a killed command leaves the old one, or none), and their checksums."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from deepfake.system.text import printable

_CHUNK = 2**20
NAMED = 8
"""Endings that are named of files that were left out, the most frequent first."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; what was written takes its place when the block ends well.

    Args:
        path: The file; its folder is made if absent.

    Yields:
        A hidden path in the same folder, with the same suffixes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}")
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


class LeftOut:
    """Files of a folder that were passed over, to be counted and named: nothing vanishes without a word.

    Example:

    >>> left_out = LeftOut()
    >>> for name in ("a.txt", "b.txt", "README"):
    ...     left_out.add(Path(name))
    >>> str(left_out)
    '3 files: 2 .txt, 1 without an ending; for example a.txt'
    """

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._first = ""

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, path: Path) -> None:
        """Counts a file by the ending of its name."""
        self._counts[path.suffix.lower()] += 1
        self._first = self._first or path.name

    def __str__(self) -> str:
        kinds = [f"{count} {suffix or 'without an ending'}" for suffix, count in self._counts.most_common(NAMED)]
        others = len(self) - sum(count for _, count in self._counts.most_common(NAMED))
        listed = ", ".join([*kinds, *([f"{others} others"] if others else [])])
        return f"{len(self)} file{'s' * (len(self) != 1)}: {listed}; for example {printable(self._first)}"


def write_json(path: Path, values: Any) -> Path:
    """Writes plain values, indented; the answer is the path."""
    with replacing(path) as scratch:
        scratch.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return path


def write_bytes(path: Path, content: bytes) -> Path:
    """Writes bytes; the answer is the path."""
    with replacing(path) as scratch:
        scratch.write_bytes(content)
    return path


def write_png(path: Path, image: npt.NDArray[np.uint8]) -> Path:
    """Writes an RGB uint8 picture without loss; the answer is the path."""
    return write_bytes(path, cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes())


def sha256_of(path: Path, limit_s: float = math.inf) -> str:
    """The file's checksum as hex.

    Args:
        path: The file.
        limit_s: Longest time in seconds: a file may have any size, and take up none of the disk.

    Raises:
        TimeoutError: If it takes longer.
        OSError: If it cannot be read.
    """
    end = time.monotonic() + limit_s
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if time.monotonic() > end:
                raise TimeoutError(f"{path} took more than {limit_s:.0f} s to read.")
            digest.update(chunk)
    return digest.hexdigest()
