"""The pages of a TIFF, BigTIFF included, at whatever depth they were written: each is a picture of its own."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.TiffImagePlugin

from deepfake.errors import MediaError
from deepfake.media.formats import MOST_PIXELS, check_size
from deepfake.media.pixels import DAMAGE, flattened, within_limits
from deepfake.records import Image
from deepfake.system.quiet import quiet

MAX_PAGES = 200
"""More are refused: each is decoded and searched."""
_SUBFILE, _WIDTH, _HEIGHT, _DEPTH, _COLOURS, _PLANES, _SAMPLE_FORMAT = 254, 256, 257, 258, 262, 284, 339
_LAB = 8
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WHITES = (1.0, 255.0, 65535.0, 4294967295.0)
"""What stands for white in numbers that do not say: the least of these that is not below the brightest."""


class TiffPages:
    """The pages of a TIFF, found without decoding one.

    Thumbnails and masks are left out.

    Args:
        path: The file.

    Raises:
        MediaError: If the file makes no sense, has too many pages, or holds a raw photo.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = path.read_bytes()
        try:
            found = list(_directories(self._content))
        except (struct.error, KeyError, ValueError, OverflowError) as error:
            raise MediaError(f"{path} is damaged: its TIFF header has no size, or several. Copy it again.") from error
        self._pages = [(number, tags) for number, tags in enumerate(found) if not tags.get(_SUBFILE, 0) & 5]
        if found and not self._pages:
            raise MediaError(
                f"{path} holds a raw photo, or thumbnails alone. Convert it: darktable-cli {path.name} converted.jpg"
            )
        if not 0 < len(self._pages) <= MAX_PAGES:
            raise MediaError(
                f"{path} has {len(self._pages)} pages; 1 to {MAX_PAGES} are read. Divide it: tiffsplit {path.name}"
            )

    def __len__(self) -> int:
        return len(self._pages)

    def read(self, page: int) -> Image:
        """One page, upright, RGB uint8 `(height, width, 3)`.

        Raises:
            MediaError: If it is damaged, of an unknown kind, or has too many pixels.
        """
        number, tags = self._pages[page]
        check_size(self._path, tags[_WIDTH], tags[_HEIGHT], MOST_PIXELS["TIFF"])
        depth = tags.get(_DEPTH, 1)
        # Of 16 bits, Pillow mixes up the colours that stand apart; of Lab it makes no RGB.
        is_whole = tags.get(_SAMPLE_FORMAT, 1) == 1
        by_pillow = depth <= 8 or (depth == 16 and is_whole and tags.get(_PLANES, 1) == 1)
        try:
            with quiet():
                if by_pillow and tags.get(_COLOURS) != _LAB:
                    return self._by_pillow(number)
                # What becomes floating-point numbers has too many bytes to be shrunk.
                check_size(self._path, tags[_WIDTH], tags[_HEIGHT])
                return self._by_opencv(number, to_eight_bits=depth in (8, 16) and is_whole)
        except (*DAMAGE, PIL.Image.DecompressionBombError, cv2.error) as error:
            raise MediaError(
                f"{self._path} is damaged or of an unknown kind of TIFF. Copy it again, or convert it: "
                f"magick {self._path.name} -depth 8 converted.png"
            ) from error

    def _by_pillow(self, number: int) -> Image:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Pillow's own door refuses what can be shrunk.
            with PIL.TiffImagePlugin.TiffImageFile(io.BytesIO(self._content)) as picture:
                picture.seek(number)
                check_size(self._path, *picture.size, MOST_PIXELS["TIFF"])
                picture.load()  # Turns it upright, too.
                return np.asarray(flattened(within_limits(picture)))

    def _by_opencv(self, number: int, *, to_eight_bits: bool) -> Image:
        """For what Pillow does not read. OpenCV passes over damage in silence, so it is not asked first."""
        # OpenCV 5 garbles deep pixels that it is asked for in the order of RGB.
        flags = cv2.IMREAD_COLOR if to_eight_bits else cv2.IMREAD_UNCHANGED
        _, found = cv2.imdecodemulti(np.frombuffer(self._content, np.uint8), flags, range=(number, number + 1))
        if not found:
            raise ValueError("OpenCV does not read it")
        pixels = found[0] if found[0].ndim == 3 else found[0][..., None].repeat(3, axis=2)
        return _eight_bit(pixels[..., 2::-1])


def _directories(content: bytes) -> Iterator[dict[int, int]]:
    """The first number of each tag of each page that is a number; width and height stand there once."""
    order = "<" if content[:2] == b"II" else ">"
    big = content[2:4] in (b"+\0", b"\0+")
    # Of BigTIFF, offsets and counters have 8 bytes.
    offset, counter, step = ("Q", "Q", 20) if big else ("I", "H", 12)
    (place,) = struct.unpack_from(f"{order}{offset}", content, 8 if big else 4)
    seen = set[int]()
    while place and place not in seen:
        seen.add(place)
        (count,) = struct.unpack_from(f"{order}{counter}", content, place)
        tags: dict[int, int] = {}
        start = place + struct.calcsize(counter)
        for entry in range(start, start + step * count, step):
            tag, kind, length = struct.unpack_from(f"{order}HH{offset}", content, entry)
            if tag in (_WIDTH, _HEIGHT) and (tag in tags or kind not in (3, 4, 16)):
                raise ValueError(tag)
            number = _NUMBERS.get(kind)
            if number is None or not length or tag in tags:
                continue
            at = entry + step - struct.calcsize(offset)
            if length * struct.calcsize(number) > struct.calcsize(offset):
                (at,) = struct.unpack_from(f"{order}{offset}", content, at)
                if tag not in (_DEPTH, _SAMPLE_FORMAT):
                    continue
            (tags[tag],) = struct.unpack_from(f"{order}{number}", content, at)
        if not {_WIDTH, _HEIGHT} <= set(tags):
            raise ValueError(place)
        yield tags
        if len(seen) > 10 * MAX_PAGES:
            return
        (place,) = struct.unpack_from(f"{order}{offset}", content, start + step * count)


def _eight_bit(values: Image) -> Image:
    """Numbers of any kind as 8 bits: black is 0, and white what their kind, or the brightest of them, says."""
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype == np.uint16:
        return np.ascontiguousarray(values // 257).astype(np.uint8)
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    brightest = float(numbers.max())
    white = next((white for white in _WHITES if brightest <= white * 1.001), brightest)
    return np.ascontiguousarray(np.clip(numbers / white * 255, 0, 255).round().astype(np.uint8))
