"""The stills of a HEIC or HEIF file, whole and as they are shown: tiles put together, turned, mirrored and cut."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from deepfake.errors import MediaError
from deepfake.media.formats import MOST_PIXELS, check_size
from deepfake.media.pixels import decoding, flattened, within_limits
from deepfake.records import Image

MAX_STILLS = 200
"""More are refused: each is decoded and searched."""
_EXIF_IFD, _MAKER_NOTE, _CONTENT_ID = 0x8769, 0x927C, 0x11
_SEQUENCES = (b"hevc", b"hevx", b"hevm", b"hevs", b"msf1")


class HeifPages:
    """The stills of a HEIF file, mostly one; the primary one first. Thumbnails and maps of depth are left out.

    Args:
        path: The file.

    Raises:
        MediaError: If the file makes no sense, or has too many stills.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        stills = self._opened()
        if not 0 < len(stills) <= MAX_STILLS:
            raise MediaError(f"{path} holds {len(stills)} stills; 1 to {MAX_STILLS} are read. Export them one by one.")
        self._count = len(stills)
        self._metadata = stills[0].info

    def __len__(self) -> int:
        return self._count

    def has_video(self) -> bool:
        """Whether the camera wrote a short video into the same file, or beside it."""
        with self._path.open("rb") as file:
            if file.read(12)[8:] in _SEQUENCES:
                return True
        exif = PIL.Image.Exif()
        try:
            with decoding(self._path):
                exif.load(self._metadata.get("exif") or b"")
                return is_moving(self._metadata.get("xmp") or b"", exif)
        except MediaError:  # Metadata never cost the pixels.
            return False

    def read(self, page: int) -> Image:
        """One still, RGB uint8 `(height, width, 3)`.

        Raises:
            MediaError: If it is damaged, or has too many pixels.
        """
        still = self._opened()[page]
        width, height = still.size
        check_size(self._path, width, height, MOST_PIXELS["HEIF"])
        with decoding(self._path):
            # Its own turns and mirrors are applied; what EXIF says besides is no order to a viewer of HEIF.
            picture = still.to_pillow()
            return np.asarray(flattened(within_limits(picture)))

    def _opened(self) -> list[Any]:
        """The stills, none of them decoded yet."""
        # Here alone: it is a large library that most files do not need.
        import pillow_heif

        with decoding(self._path):
            return sorted(pillow_heif.open_heif(self._path), key=lambda still: not still.info.get("primary", False))


def is_moving(xmp: bytes, exif: PIL.Image.Exif) -> bool:
    """Whether metadata say that a short video belongs to a picture: a Motion Photo, or a Live Photo.

    Args:
        xmp: The picture's XMP; empty if it has none.
        exif: Its EXIF. Apple's notes in it name the video by an identifier of content.
    """
    if b"MotionPhoto" in xmp or b"MicroVideo" in xmp:
        return True
    note = exif.get_ifd(_EXIF_IFD).get(_MAKER_NOTE, b"")
    if not isinstance(note, bytes) or not note.startswith(b"Apple iOS\0"):
        return False
    (count,) = struct.unpack_from(">H", note, 14)
    return any(struct.unpack_from(">H", note, 16 + 12 * entry) == (_CONTENT_ID,) for entry in range(count))
