"""One picture -> one Frame. It is refused by the size in its header, before it is decoded."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps

from deepfake.errors import MediaError
from deepfake.media.containers import credentials_in
from deepfake.media.formats import MAX_PIXELS, PILLOW_FORMATS, Kind, check_size, format_of, kind_of, said
from deepfake.provenance.credentials import Credentials
from deepfake.records import Frame, Image

MAX_FILE_BYTES = 2 * 2**30
"""Larger files are refused before they are read: 50 megapixels in the widest format that is read, uncompressed."""
MAX_SCANS = 100
"""Times that a JPEG may draw its picture, each time finer; encoders write a dozen."""
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""What begins a part of a JPEG: not the stuffing and the restarts within a scan. Two bytes, so that the time to look
for it is linear in the file's size, whatever bytes fill it before."""
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = b"\xd8", b"\xd9", b"\xda"
_TIFF_NUMBERS = {3: "H", 4: "I"}
_DAMAGE = (OSError, ValueError, SyntaxError, KeyError, IndexError, struct.error, EOFError, OverflowError)
"""What Pillow raises for files that are damaged."""


class PictureReader:
    """Iterates over the one frame of a JPEG, PNG, WebP, BMP or TIFF picture.

    Args:
        path: The picture.

    Raises:
        MediaError: On opening, if the file is no picture; on iterating, as `read_picture`.
    """

    kind: Kind = "picture"
    duration = Fraction(0)
    frames_failed = 0

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if kind_of(self.path) != "picture":
            raise MediaError(f"{self.path} is a video, not a picture.")

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Frame]:
        yield read_picture(self.path)

    def credentials(self, anchors: str = "") -> Credentials | None:
        """See `credentials_in`."""
        return credentials_in(self.path, anchors)


def read_picture(path: Path | str) -> Frame:
    """Reads a JPEG, PNG, WebP, BMP or TIFF picture, upright, in 8-bit RGB.

    The EXIF orientation is applied; grey and palette become RGB; what is transparent becomes white; 16-bit
    values keep their high byte; of an animation the first frame is read.

    Raises:
        MediaError: If the file is no such picture, is damaged, or has more than 50 megapixels.
    """
    path = Path(path)
    if kind_of(path) != "picture":
        raise MediaError(f"{path} is a video, not a picture.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise MediaError(f"{path} is far too large for a picture ({size / 2**30:.1f} GB). Shrink it first.")
    image = _read_tiff(path) if format_of(path) == "TIFF" else _read_with_pillow(path)
    return Frame(image=np.ascontiguousarray(image), index=0, time=Fraction(0))


def _read_with_pillow(path: Path) -> Image:
    if format_of(path) == "JPEG":
        _check_scans(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path, formats=PILLOW_FORMATS) as picture:
                check_size(path, *picture.size)
                PIL.ImageOps.exif_transpose(picture, in_place=True)
                return np.asarray(_flattened(picture))
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(f"{path} has far more than {MAX_PIXELS // 10**6} megapixels. Shrink it first.") from error
    except PIL.UnidentifiedImageError as error:
        # Its own words hold the path once more, in quotes.
        raise MediaError(f"{path} is damaged or cut short (its header makes no sense). Copy it again.") from error
    except _DAMAGE as error:
        raise MediaError(f"{path} is damaged or cut short ({said(error)}). Copy it again.") from error


def _flattened(picture: PIL.Image.Image) -> PIL.Image.Image:
    """8-bit RGB, with white where it was transparent."""
    if picture.mode.startswith("I"):
        grey = np.asarray(picture) // 257
        return PIL.Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _read_tiff(path: Path) -> Image:
    """TIFF goes through OpenCV, which reads 16-bit RGB; Pillow does not."""
    content = path.read_bytes()
    check_size(path, *_tiff_size(path, content))
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise MediaError(f"{path} is damaged or of an unknown kind of TIFF. Convert it to PNG.") from error
    if image is None:
        raise MediaError(f"{path} is damaged or of an unknown kind of TIFF. Convert it to PNG.")
    return np.asarray(image, np.uint8)


def _tiff_size(path: Path, content: bytes) -> tuple[int, int]:
    """Width and height as written once, as a number of 16 or 32 bits: OpenCV must not find another."""
    order = "<" if content[:2] == b"II" else ">"
    sizes: dict[int, list[int]] = {256: [], 257: []}
    try:
        (start,) = struct.unpack_from(f"{order}I", content, 4)
        (count,) = struct.unpack_from(f"{order}H", content, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", content, place)
            if tag in sizes:
                sizes[tag] += struct.unpack_from(f"{order}{_TIFF_NUMBERS[kind]}", content, place + 8)
        (width,), (height,) = sizes.values()
        return width, height
    except (struct.error, KeyError, ValueError) as error:
        raise MediaError(f"{path} is damaged: its TIFF header has no size, or several. Copy it again.") from error


def _check_scans(path: Path) -> None:
    """Raises a `MediaError` if a JPEG is drawn again and again: each scan costs as much time as the picture."""
    scans = _scans(path.read_bytes())
    if scans > MAX_SCANS:
        raise MediaError(f"{path} draws its picture in {scans} scans; at most {MAX_SCANS} are read. Export it again.")


def _scans(content: bytes) -> int:
    place, scans = 0, 0
    while found := _MARKER.search(content, place):
        place, marker = found.end(), found[0][-1:]
        if marker == _END_OF_IMAGE:
            break
        if marker != _START_OF_IMAGE:
            place += int.from_bytes(content[place : place + 2])
        scans += marker == _START_OF_SCAN
    return scans
