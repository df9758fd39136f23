"""The texts, the EXIF and the XMP of a PNG, wherever in it they stand, read without its pixels.

Pillow reads those after the pixels only once it has decoded them, and takes a broken text for a broken picture.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from deepfake.media.chunks import png_chunks

MAX_CHUNKS = 10_000
"""So many are looked at; an animation has one or two a frame."""
MAX_TEXT = 1_000_000
"""Most bytes of a text that are read: the workflow of a picture has some ten thousands."""
XMP, EXIF = "XML:com.adobe.xmp", "eXIf"
"""Names of what is no plain text."""


def png_texts(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each text of a PNG, the content in UTF-8 or Latin-1, and cut if it is long.

    Raises:
        OSError: If the file cannot be read.
        ValueError, zlib.error: If one of them makes no sense; those before it were yielded.
    """
    with path.open("rb") as file:
        for name, size in islice(png_chunks(file), MAX_CHUNKS):
            if name in (b"tEXt", b"zTXt", b"iTXt"):
                yield _text(name, file.read(min(size, MAX_TEXT)))
            elif name == b"eXIf":
                yield EXIF, file.read(min(size, MAX_TEXT))


def _text(kind: bytes, content: bytes) -> tuple[str, bytes]:
    name, mark, rest = content.partition(b"\0")
    if not mark:
        raise ValueError("A text of a PNG must have a name.")
    packed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        # The method of compression, a language and a translated name come first.
        rest = rest[2:].split(b"\0", 2)[-1]
    return name.decode("latin-1"), zlib.decompressobj().decompress(rest, MAX_TEXT) if packed else rest
