"""A picture of Pillow's -> 8-bit RGB, and what Pillow raises -> a `MediaError`."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import PIL.Image

from deepfake.errors import MediaError
from deepfake.media.formats import MAX_PIXELS, said

DAMAGE = (
    OSError, ValueError, SyntaxError, LookupError, TypeError, struct.error, EOFError, ArithmeticError, RuntimeError,
)  # fmt: skip
"""What Pillow and libheif raise for files that are damaged."""


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
