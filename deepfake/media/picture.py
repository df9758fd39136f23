"""One picture -> its Frames, one a page. What is too large is refused by its header, before it is decoded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.JpegImagePlugin
import PIL.PngImagePlugin
import PIL.WebPImagePlugin

from deepfake.errors import MediaError
from deepfake.media.file_reader import FileReader
from deepfake.media.formats import MAX_PIXELS, MOST_PIXELS, Kind, check_size, format_of, kind_of, shrink_of
from deepfake.media.heif import HeifPages, is_moving
from deepfake.media.jpeg import check_scans
from deepfake.media.pixels import DAMAGE, decoding, flattened, within_limits
from deepfake.media.tiff import TiffPages
from deepfake.records import Frame, Image, Note
from deepfake.system.quiet import quiet

MAX_FILE_BYTES = 2 * 2**30
"""Larger files are refused before they are read: 50 megapixels in the widest format that is read, uncompressed."""
_ORIENTATION = 0x0112
_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation."""


class PictureReader(FileReader):
    """Iterates over the pages of a picture: one, but for a TIFF and a HEIF of several.

    A page that cannot be read is counted in `frames_failed`, unless there is no other.

    Args:
        path: The picture.

    Raises:
        MediaError: On opening, if the file is no picture; on iterating, as `read_picture`.
    """

    kind: Kind = "picture"
    duration = Fraction(0)

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self._pages = _pages(self.path)
        self.notes = tuple(self._noted())

    def __len__(self) -> int:
        return len(self._pages)

    def __iter__(self) -> Iterator[Frame]:
        self.frames_failed = 0
        for index in range(len(self)):
            try:
                yield Frame(np.ascontiguousarray(self._pages.read(index)), index, Fraction(0))
            except MediaError:
                self.frames_failed += 1
                if self.frames_failed == len(self):
                    raise

    def _noted(self) -> Iterator[Note]:
        if len(self) > 1:
            yield Note.PAGES
        if isinstance(self._pages, _Still | HeifPages) and self._pages.has_video():
            yield Note.STILL_OF_VIDEO


def read_picture(path: Path | str) -> Frame:
    """Reads a picture, or the first of its pages, upright, in 8-bit RGB.

    The EXIF orientation is applied, as are the turns and mirrors of HEIF and AVIF; grey and palette become RGB; what is
    transparent becomes white; deeper values keep their high byte.

    Raises:
        MediaError: If the file is no picture, is damaged, or has too many pixels.
    """
    return Frame(np.ascontiguousarray(_pages(Path(path)).read(0)), 0, Fraction(0))


def _pages(path: Path) -> TiffPages | HeifPages | _Still:
    if kind_of(path) != "picture":
        raise MediaError(f"{path} is a video, not a picture.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise MediaError(f"{path} is far too large for a picture ({size / 2**30:.1f} GB). Shrink it first.")
    name = format_of(path)
    return TiffPages(path) if name == "TIFF" else HeifPages(path) if name == "HEIF" else _Still(path, name)


class _Still:
    """The one page of what Pillow reads."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name

    def __len__(self) -> int:
        return 1

    def has_video(self) -> bool:
        """Whether a phone wrote a short video into the same file, or beside it."""
        if self._name != "JPEG":
            return False
        try:
            with decoding(self._path), self._opened() as picture:
                return is_moving(picture.info.get("xmp", b""), picture.getexif())
        except MediaError:  # Reading it says what is wrong.
            return False

    def read(self, page: int) -> Image:
        """The picture, RGB uint8 `(height, width, 3)`; `page` is 0.

        Raises:
            MediaError: As `read_picture`.
        """
        if self._name == "JPEG":
            check_scans(self._path)
        if self._name == "WEBP" and (large := _large_webp(self._path)):
            return np.asarray(large)
        with decoding(self._path), self._opened() as picture:
            check_size(self._path, *picture.size, MOST_PIXELS.get(self._name, MAX_PIXELS))
            if self._name == "JPEG":
                shrink = next(n for n in (1, 2, 4, 8) if picture.width * picture.height <= MAX_PIXELS * n * n)
                if shrink > 1:
                    picture.draft(picture.mode, (picture.width // shrink, picture.height // shrink))
            picture.load()
            return np.asarray(flattened(_turned(within_limits(picture), _orientation(picture))))

    def _opened(self) -> PIL.Image.Image:
        # Pillow's own door refuses what can be shrunk.
        if self._name == "JPEG":
            return PIL.JpegImagePlugin.JpegImageFile(self._path)
        if self._name == "WEBP":
            return PIL.WebPImagePlugin.WebPImageFile(self._path)
        if self._name != "PNG":
            return PIL.Image.open(self._path, formats=(self._name,))
        try:
            return PIL.PngImagePlugin.PngImageFile(self._path)
        except DAMAGE:
            return PIL.PngImagePlugin.PngImageFile(io.BytesIO(_pixels_alone(self._path.read_bytes())))


def _large_webp(path: Path) -> PIL.Image.Image | None:
    """A WebP of more than `MAX_PIXELS` with no more, upright: Pillow would hold each pixel four times, OpenCV once.

    Returns:
        The picture, or None if it is not as large.
    """
    with decoding(path):
        with PIL.WebPImagePlugin.WebPImageFile(path) as opened:
            check_size(path, *opened.size, MOST_PIXELS["WEBP"])
            shrink, orientation = shrink_of(*opened.size), _orientation(opened)
        if shrink == 1:
            return None
        del opened  # It holds room for all pixels.
        with quiet():
            pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise ValueError("its pixels make no sense")
        size = -(-pixels.shape[1] // shrink), -(-pixels.shape[0] // shrink)
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        order = cv2.COLOR_BGR2RGB if small.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        return _turned(flattened(PIL.Image.fromarray(cv2.cvtColor(small, order))), orientation)


def _orientation(picture: PIL.Image.Image) -> int:
    """As its EXIF says; EXIF that makes no sense says nothing, which is 1."""
    try:
        found = picture.getexif().get(_ORIENTATION)
    except DAMAGE:
        return 1
    return found if found in _TURNS else 1


def _turned(picture: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """What is upright once an orientation is undone."""
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture


def _pixels_alone(content: bytes) -> bytes:
    """A PNG without the parts that a viewer can do without: texts and profiles that are broken cost no pixels."""
    kept, place = [content[:8]], 8
    while place + 8 <= len(content):
        name, size = content[place + 4 : place + 8], int.from_bytes(content[place : place + 4], "big")
        if not name[0] & 0x20 or name == b"tRNS":
            kept.append(content[place : place + 12 + size])
        place += 12 + size
    return b"".join(kept)
