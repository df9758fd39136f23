"""Pictures -> fingerprints that outlast compression and scaling: what was trained on must not measure.

A split by names cannot see that one picture lies in two folders. Its fingerprint can: 128 bits that say of a coarse
copy of the picture whether it grows brighter to the right and downwards. Pictures whose fingerprints differ in few bits
are alike: copies, resized or compressed again, or frames of one moment.

Reference:
    The difference hash (dHash): Krawetz, "Kind of like that", hackerfactor.com, 2013.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from deepfake.data.index import Row
from deepfake.data.stored import read_stored
from deepfake.records import Image

Fingerprints = npt.NDArray[np.uint8]
"""Shape `(n, 16)`."""
CELLS = 8
"""Cells along each side of the coarse copy."""
ALIKE_BITS = 6
"""Most bits in which the fingerprints of alike pictures differ. Of 94 million pairs of face crops one of two different
people did in so few; of crops saved again as JPEG at quality 40, or at half their size, 99 of 100 did."""
LEAST_BITS = 16
"""Fewer set bits say nothing: so has a picture of nearly one colour. Of 2,500 face crops none had fewer than 28."""
_AT_ONCE = 256
"""Pictures that are compared with all others in one step, to bound the memory."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What of the pictures kept for validation and tests is seen in training, too."""

    held_out: int
    """Pictures that were kept."""
    alike: tuple[tuple[str, str], ...]
    """The path of each that is like a training picture, and of that picture."""
    copies: tuple[tuple[str, str], ...]
    """Those of them that are the same, byte for byte."""

    def __str__(self) -> str:
        """A warning for people."""
        one, other = (self.copies or self.alike)[0]
        same = f", {len(self.copies)} of them byte for byte," if self.copies else ""
        return (
            f"{len(self.alike)} of {self.held_out} pictures kept for validation and tests look like one that is "
            f"trained on{same} such as {one} and {other}: measures on them flatter. Take one of each pair out."
        )


def fingerprint(image: Image) -> Fingerprints:
    """The fingerprint of a picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.

    Returns:
        Shape `(16,)`: 128 bits. All are 0 of a picture of one colour.

    Example:

    >>> print(fingerprint(np.zeros((32, 32, 3), np.uint8)))
    [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    coarse = cv2.resize(grey, (CELLS + 1, CELLS + 1), interpolation=cv2.INTER_AREA).astype(np.int16)
    to_the_right, downwards = np.diff(coarse, axis=1)[:-1] > 0, np.diff(coarse, axis=0)[:, :-1] > 0
    return np.packbits(np.concatenate([to_the_right.ravel(), downwards.ravel()]))


def read_fingerprints(rows: Sequence[Row], threads: int = 2) -> Fingerprints:
    """The fingerprints of the pictures of rows, in order.

    Raises:
        DatasetError: If one is missing or damaged.
    """
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda row: fingerprint(read_stored(Path(row.path))), rows))
    return np.array(found, np.uint8).reshape(-1, CELLS * CELLS // 4)


def nearest(own: Fingerprints, others: Fingerprints) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """For each fingerprint the place of the most alike among others, and whether the two are alike.

    Pictures of nearly one colour are like nothing: their fingerprints say nothing.

    Example:

    >>> one, other = np.full((2, 1, 16), [[[255]], [[15]]], np.uint8)
    >>> nearest(one, np.concatenate([other, one]))[1], nearest(one, other)[1]
    (array([ True]), array([False]))
    """
    places, alike = np.zeros(len(own), np.intp), np.zeros(len(own), np.bool_)
    for start in range(0, len(own) if len(others) else 0, _AT_ONCE):
        part = own[start : start + _AT_ONCE]
        bits = np.bitwise_count(part.view(np.uint64)[:, None] ^ others.view(np.uint64)[None]).sum(-1, dtype=np.int16)
        places[start : start + _AT_ONCE] = bits.argmin(axis=1)
        alike[start : start + _AT_ONCE] = bits.min(axis=1) <= ALIKE_BITS
    return places, alike & (np.bitwise_count(own).sum(axis=1) >= LEAST_BITS)


def overlap_of(rows: Iterable[Row]) -> Overlap:
    """What of the validation and test rows is seen in the training rows, too.

    Args:
        rows: Rows of an index, their paths absolute.

    Raises:
        DatasetError: If a picture is missing or damaged.
    """
    rows = list(rows)
    train = [row for row in rows if row.split == "train"]
    held_out = [row for row in rows if row.split in ("val", "test")]
    copies = _copies(train, held_out)
    places, alike = nearest(read_fingerprints(held_out), read_fingerprints(train))
    found = {row.path: train[place].path for row, place, like in zip(held_out, places, alike, strict=True) if like}
    return Overlap(len(held_out), tuple({**found, **copies}.items()), tuple(copies.items()))


def _copies(train: Sequence[Row], held_out: Sequence[Row]) -> dict[str, str]:
    """The paths of held-out rows whose file is a training row's, byte for byte, and that row's path."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for row in train:
        by_size[Path(row.path).stat().st_size].append(row.path)
    found = {}
    for row in held_out:
        same_size = by_size.get(Path(row.path).stat().st_size, [])
        own = _checksum(row.path) if same_size else ""
        if same := next((path for path in same_size if _checksum(path) == own), None):
            found[row.path] = same
    return found


def _checksum(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
