"""One picture -> one Frame. It is refused by the size in its header, before it is decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps

from deepfake.credentials import Credentials
from deepfake.errors import MediaError
from deepfake.media.boxes import credentials_in
from deepfake.media.kinds import MAX_PIXELS, PILLOW_FORMATS, Kind, check_size, format_of, kind_of, said
from deepfake.records import Frame, Image


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
    image = _read_tiff(path) if format_of(path) == "TIFF" else _read_with_pillow(path)
    return Frame(image=np.ascontiguousarray(image), index=0, time=Fraction(0))


def _read_with_pillow(path: Path) -> Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path, formats=PILLOW_FORMATS) as picture:
                check_size(path, *picture.size)
                PIL.ImageOps.exif_transpose(picture, in_place=True)
                return np.asarray(_flattened(picture))
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(f"{path} has far more than {MAX_PIXELS // 10**6} megapixels. Shrink it first.") from error
    except (OSError, ValueError, SyntaxError, KeyError, IndexError, struct.error, EOFError, OverflowError) as error:
        raise MediaError(f"{path} is damaged or cut short ({said(error)}). Copy it again.") from error


def _flattened(picture: PIL.Image.Image) -> PIL.Image.Image:
    """8-bit RGB, with white where it was transparent."""
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = np.asarray(picture, dtype=np.float64)
        return PIL.Image.fromarray((grey / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
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
    order = "<" if content[:2] == b"II" else ">"
    sizes = {}
    try:
        (start,) = struct.unpack_from(f"{order}I", content, 4)
        (count,) = struct.unpack_from(f"{order}H", content, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", content, place)
            sizes[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", content, place + 8)[0]
        return sizes[256], sizes[257]
    except (struct.error, KeyError) as error:
        raise MediaError(f"{path} is damaged: its TIFF header has no size. Copy it again.") from error
