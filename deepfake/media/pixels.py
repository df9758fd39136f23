"""A picture of Pillow's -> 8-bit RGB, and what Pillow raises -> a `MediaError`."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from deepfake.errors import MediaError
from deepfake.media.formats import MAX_PIXELS, said, shrink_of

DAMAGE = (
    OSError, ValueError, SyntaxError, LookupError, TypeError, struct.error, EOFError, ArithmeticError, RuntimeError,
)  # fmt: skip
"""What Pillow and libheif raise for files that are damaged."""
_STRIP = 256
"""Rows of a shrunk picture that are made at once."""


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Pillow at work: it warns of nothing, and what it raises becomes a `MediaError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(
            f"{path} has far more than {MAX_PIXELS // 10**6} megapixels. Shrink it first: "
            f"magick {path.name} -resize 50% smaller.png"
        ) from error
    except PIL.UnidentifiedImageError as error:
        # Its own words hold the path once more, in quotes.
        raise MediaError(f"{path} is damaged or cut short (its header makes no sense). Copy it again.") from error
    except DAMAGE as error:
        raise MediaError(f"{path} is damaged or cut short ({said(error)}). Copy it again.") from error


def within_limits(picture: PIL.Image.Image) -> PIL.Image.Image:
    """A decoded picture with at most `MAX_PIXELS`: each pixel the mean of a square of the former ones."""
    shrink = shrink_of(*picture.size)
    if shrink == 1:
        return picture
    if picture.mode.startswith("I;16"):  # Pillow reduces no 16 bits.
        size = -(-picture.width // shrink), -(-picture.height // shrink)
        return PIL.Image.fromarray(cv2.resize(np.asarray(picture), size, interpolation=cv2.INTER_AREA))
    # Colours by number have no mean.
    mode = "RGB" if picture.mode in ("1", "P") else picture.mode
    mode = "RGBA" if picture.has_transparency_data else mode
    # In strips: as colours, or weighed by its transparency, the whole would take its memory once more and again.
    small = PIL.Image.new(mode, (-(-picture.width // shrink), -(-picture.height // shrink)))
    for top in range(0, small.height, _STRIP):
        strip = (0, top * shrink, picture.width, min((top + _STRIP) * shrink, picture.height))
        small.paste(picture.crop(strip).convert(mode).reduce(shrink), (0, top))
    return small


def flattened(picture: PIL.Image.Image) -> PIL.Image.Image:
    """8-bit RGB, with white where it was transparent."""
    if picture.mode.startswith("I"):
        grey = np.asarray(picture) // 257
        return PIL.Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
