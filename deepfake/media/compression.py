"""A file -> how strongly it is compressed, read without decoding it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np

from deepfake.records import Source

# Annex K.1 and K.2 of the JPEG standard (ITU-T T.81), in zigzag order, for which libjpeg's quality of 50 stands.
_LUMA = np.fromstring(
    "16 11 12 14 12 10 16 14 13 14 18 17 16 19 24 40 26 24 22 22 24 49 35 37 29 40 58 51 61 60 57 51 "
    "56 55 64 72 92 78 64 68 87 69 55 56 80 109 81 87 95 98 103 104 103 62 77 113 121 112 100 120 92 101 103 99",
    sep=" ",
)
_CHROMA = np.array([17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66] + [99] * 50)
_MAX_SEGMENTS = 1000
"""A JPEG file has some dozens before its pixels; a hostile one any number."""


def source_of(path: Path, width: int, height: int, duration: Fraction) -> Source:
    """What a file is like.

    Args:
        path: The file.
        width: Of its frames in pixels.
        height: Of its frames in pixels.
        duration: In seconds; 0 for a picture.
    """
    if duration:
        length = float(duration)
        return Source(width, height, bits_per_s=round(8 * path.stat().st_size / length, 1), duration_s=length)
    return Source(width, height, jpeg_quality=jpeg_quality(path))


def jpeg_quality(path: Path) -> int | None:
    """The quality that a JPEG was written with, from 1 to 100 as libjpeg counts; None of other formats.

    It is read from the table by which brightness was divided. Other programs count otherwise, and a picture that was
    compressed before shows the last time alone.
    """
    with path.open("rb") as file:
        if file.read(2) != b"\xff\xd8":
            return None
        table = next((steps for number, steps in _tables(file) if number == 0), None)
    if table is None:
        return None
    percent = float(np.mean(100 * table / _LUMA))
    return int(np.clip(round(5000 / percent if percent > 100 else (200 - percent) / 2), 1, 100))


def standard_quality(path: Path) -> int | None:
    """The quality whose tables a JPEG has exactly as libjpeg scales those of the standard; None if it has others.

    Most programs and web sites write with libjpeg; cameras, phones and Photoshop have tables of their own.
    """
    with path.open("rb") as file:
        if file.read(2) != b"\xff\xd8":
            return None
        tables = dict(_tables(file))
    return next((quality for quality in range(100, 0, -1) if tables and _has_quality(tables, quality)), None)


def _has_quality(tables: dict[int, np.ndarray], quality: int) -> bool:
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return all(
        np.array_equal(steps, np.clip(((_LUMA if number == 0 else _CHROMA) * percent + 50) // 100, 1, 255))
        for number, steps in tables.items()
    )


def _tables(file: IO[bytes]) -> Iterator[tuple[int, np.ndarray]]:
    """Number and 8-bit steps, in zigzag order, of each of the tables for division."""
    for _ in range(_MAX_SEGMENTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return
        length = int.from_bytes(head[2:], "big") - 2
        if head[1] != 0xDB:
            file.seek(max(length, 0), 1)
            continue
        body = file.read(max(length, 0))
        while len(body) >= 65 and body[0] < 16:
            yield body[0], np.frombuffer(body[1:65], np.uint8).astype(np.float64)
            body = body[65:]
