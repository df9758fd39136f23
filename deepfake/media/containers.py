"""Whether a file carries Content Credentials: a walk over its boxes, which costs next to nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from deepfake.errors import MediaError
from deepfake.media.chunks import png_chunks, riff_chunks
from deepfake.media.formats import format_of, said
from deepfake.provenance.c2pa import read_credentials
from deepfake.provenance.credentials import Credentials

MAX_BOXES = 10_000
"""So many are looked at. Credentials stand near the beginning, and a file may be nothing but boxes."""
_BMFF_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_TIFF_TAG = 0xCD41


def credentials_in(path: Path, anchors: str = "") -> Credentials | None:
    """The Content Credentials that a file carries; None if it carries none.

    Args:
        path: A picture or a video.
        anchors: As for `read_credentials`.

    Raises:
        MediaError: If the file cannot be opened.
    """
    return read_credentials(path, anchors) if holds_credentials(path) else None


def holds_credentials(path: Path) -> bool:
    """Says whether one of a file's first boxes is made to hold Content Credentials.

    Known are JPEG, PNG, WebP, TIFF, HEIC, AVIF, AVI, MP4 and MOV: the formats for which the standard names such a box.

    Raises:
        MediaError: If the file cannot be opened.

    Example:

    >>> holds_credentials(Path("examples/portrait.jpg"))
    False
    """
    walk = _WALKS.get(format_of(path))
    if walk is None:
        return False
    try:
        with path.open("rb") as file:
            return any(islice(walk(file), MAX_BOXES))
    except OSError as error:
        raise MediaError(f"{path} cannot be read ({said(error)}). Copy it again.") from error


def _jpeg(file: IO[bytes]) -> Iterator[bool]:
    """Segments up to the pixels: APP11 with a JUMBF box (ISO 19566-5) of the kind `c2pa`."""
    place = 2
    while True:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return
        if head[1] == 0xFF:  # A byte that fills.
            yield False
            place += 1
            continue
        payload = file.read(64) if head[1] == 0xEB else b""
        yield payload[:2] == b"JP" and b"c2pa" in payload
        place += 2 + int.from_bytes(head[2:], "big")


def _png(file: IO[bytes]) -> Iterator[bool]:
    for name, _ in png_chunks(file):
        yield name == b"caBX"


def _riff(file: IO[bytes]) -> Iterator[bool]:
    for name in riff_chunks(file):
        yield name == b"C2PA"


def _bmff(file: IO[bytes]) -> Iterator[bool]:
    """Top-level boxes of MP4, MOV, HEIC and AVIF."""
    end, place = file.seek(0, 2), 0
    while place < end:
        file.seek(place)
        head = file.read(32)
        size = int.from_bytes(head[:4], "big")
        start = 16 if size == 1 else 8
        yield head[4:8] == b"uuid" and head[start : start + 16] == _BMFF_UUID
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        if size < 8:  # 0 stands for the rest of the file, the others for damage.
            return
        place += size


def _tiff(file: IO[bytes]) -> Iterator[bool]:
    """Tags of each directory."""
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    while len(offset := file.read(4)) == 4 and any(offset):
        file.seek(struct.unpack(f"{order}I", offset)[0])
        count = file.read(2)
        if len(count) < 2:
            return
        yield False
        entries = file.read(12 * struct.unpack(f"{order}H", count)[0])
        for place in range(0, len(entries) - 11, 12):
            yield struct.unpack_from(f"{order}H", entries, place)[0] == _TIFF_TAG


_WALKS: dict[str, Callable[[IO[bytes]], Iterator[bool]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _riff,
    "avi": _riff,
    "mov": _bmff,
    "HEIF": _bmff,
    "AVIF": _bmff,
    "TIFF": _tiff,
}
