"""Whether the thumbnail in a JPEG shows what its pixels show. A program that edits pictures may leave the old one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.JpegImagePlugin

from deepfake.media.formats import MOST_PIXELS, check_size
from deepfake.media.jpeg import check_scans
from deepfake.media.pixels import decoding
from deepfake.records import Floats

MAX_SIDE = 1024
"""Larger ones are no thumbnails."""
SIDE = 32
"""Both are compared in a square of so many pixels, in which encoders differ little."""
SAME_SHAPE = 0.03
"""Widths over heights that differ by a smaller share differ by rounding alone."""
UNLIKE = 0.9
"""Below this correlation they show different things."""
CHANGED = 45.0
"""A spot that differs by more, of 255 steps of brightness, once both are alike on the whole, was changed."""
_OFFSET, _LENGTH = 0x0201, 0x0202
_HEADER = b"Exif\0\0"
_FLAT = 4.0
"""Pictures with less contrast are not compared: they correlate with nothing."""


def thumbnail_differs(path: Path) -> bool | None:
    """Says whether the thumbnail in a JPEG's EXIF shows something else than the picture; None if there is none.

    A thumbnail may be turned, smaller, sharper or brighter, and have black bars; none of this counts.

    Args:
        path: A JPEG.

    Raises:
        MediaError: If the thumbnail or the picture cannot be decoded, or has too many pixels.
    """
    with decoding(path), PIL.JpegImagePlugin.JpegImageFile(path) as picture:
        content = _thumbnail(picture)
        if content is None:
            return None
        check_scans(path)
        check_size(path, *picture.size, MOST_PIXELS["JPEG"])
        thumbnail = PIL.JpegImagePlugin.JpegImageFile(io.BytesIO(content))
        check_size(path, *thumbnail.size, MAX_SIDE * MAX_SIDE)
        small = np.asarray(thumbnail.convert("L"), np.float32)
        picture.draft("L", (2 * MAX_SIDE, 2 * MAX_SIDE))
        whole = np.asarray(picture.convert("L"), np.float32)
    turned = (np.rot90(small, turns) for turns in range(4))
    return not any(_alike(*view) for one in turned for view in _views(whole, one))


def _thumbnail(picture: PIL.Image.Image) -> bytes | None:
    """The bytes of the thumbnail; None if there is none that is a JPEG."""
    exif, tags = picture.info.get("exif", b""), picture.getexif().get_ifd(PIL.ExifTags.IFD.IFD1)
    start, length = tags.get(_OFFSET), tags.get(_LENGTH)
    if not (isinstance(start, int) and isinstance(length, int) and exif.startswith(_HEADER)):
        return None
    content = exif[len(_HEADER) + start :][:length]
    return content if content[:2] == b"\xff\xd8" else None


def _views(whole: Floats, small: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Picture and thumbnail in one shape: as they are, or cut where a camera fills or cuts to its usual shape."""
    wide, narrow = _aspect(whole), _aspect(small)
    if abs(wide / narrow - 1) < SAME_SHAPE:
        yield whole, small
    else:
        yield whole, _middle(small, wide)
        yield _middle(whole, narrow), small


def _aspect(image: Floats) -> float:
    return float(image.shape[1] / image.shape[0])


def _middle(image: Floats, aspect: float) -> Floats:
    """The largest middle part of that width over height."""
    height, width = image.shape
    own_width, own_height = max(1, min(width, round(height * aspect))), max(1, min(height, round(width / aspect)))
    top, left = (height - own_height) // 2, (width - own_width) // 2
    return image[top : top + own_height, left : left + own_width]


def _alike(whole: Floats, small: Floats) -> bool:
    """Whether both, in one shape, show one thing: alike on the whole, and in each spot."""
    one, other = (_square(image) for image in (whole, small))
    if min(one.std(), other.std()) < _FLAT:
        return True
    correlation = float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    gain, offset = np.polyfit(other.ravel(), one.ravel(), 1)
    changed = cv2.blur(np.abs(gain * other + offset - one), (3, 3)).max()
    return correlation >= UNLIKE and changed <= CHANGED


def _square(image: Floats) -> Floats:
    return np.asarray(cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
