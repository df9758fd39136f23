"""The chunks that a PNG and a RIFF file (WebP, AVI) are made of, found without reading what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO


def png_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk of a PNG before its end, while the file stands at its content.

    Example:

    >>> import io
    >>> list(png_chunks(io.BytesIO(bytes(8) + bytes([0, 0, 0, 2]) + b"tEXtab" + bytes(4))))
    [(b'tEXt', 2)]
    """
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        size, start = int.from_bytes(head[:4], "big"), file.tell()
        yield head[4:], size
        file.seek(start + size + 4)  # A checksum follows.


def riff_chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Name of each chunk at the top of a RIFF file; each begins at an even place.

    Example:

    >>> import io
    >>> list(riff_chunks(io.BytesIO(bytes(12) + b"ANMF" + bytes([1, 0, 0, 0]) + b"a" + bytes(1) + b"EXIF" + bytes(4))))
    [b'ANMF', b'EXIF']
    """
    file.seek(12)
    while len(head := file.read(8)) == 8:
        yield head[:4]
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)
