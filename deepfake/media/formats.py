"""What a file is, from its first bytes, and how large a picture may be."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from deepfake.errors import MediaError

Kind = Literal["picture", "video"]

MAX_PIXELS = 50_000_000
"""Pictures and frames with more are refused before they are decoded."""
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"})
PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
PICTURE_FORMATS = (*PILLOW_FORMATS, "TIFF")
HEAD_BYTES = 1024
"""So many first bytes say what a file is."""

_TIFF_MAGIC = (b"II*\0", b"MM\0*")
_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def kind_of(path: Path | str) -> Kind:
    """Says from a file's first bytes whether it is a picture or a video.

    Raises:
        MediaError: If the file cannot be opened, is empty, or is of none of the known formats.
    """
    return "picture" if format_of(Path(path)) in PICTURE_FORMATS else "video"


def format_of(path: Path) -> str:
    """A Pillow format, `TIFF`, or the name of an FFmpeg demuxer."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise MediaError(f"{path} is a pipe or a device, not a file. Write what it gives to a file first.")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError) as error:
        # A name with a zero byte, or one that the system's encoding lacks, is a ValueError.
        raise MediaError(f"{path} cannot be opened: {said(error)}. Check the path and its permissions.") from error
    if not head:
        raise MediaError(f"{path} is empty (0 bytes). Copy it again.")
    name = sniffed(head)
    if name is None:
        raise MediaError(
            f"{path} is neither a picture (JPEG, PNG, WebP, BMP, TIFF) nor a video (MP4, MOV, AVI, MKV, WebM), "
            "whatever its name says. Convert it first."
        )
    return name


def sniffed(head: bytes) -> str | None:
    """The format that a file's first `HEAD_BYTES` bytes tell, as `format_of`; None if none.

    Example:

    >>> sniffed(b"BM"), sniffed(b"Dear reader")
    ('BMP', None)
    """
    if head[:4] in _TIFF_MAGIC:
        return "TIFF"
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM":
        return "BMP"
    if head[4:8] in _MOV_ATOMS:
        return "mov"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    return "matroska" if head[:4] == b"\x1a\x45\xdf\xa3" else None


def check_size(path: Path, width: int, height: int) -> None:
    """Raises a `MediaError` if a picture of that size has no pixels, or too many."""
    if not 0 < width * height <= MAX_PIXELS:
        raise MediaError(size_error(path, width, height))


def size_error(path: Path, width: int, height: int) -> str:
    """What is said of a picture that has no pixels, or too many."""
    return (
        f"{path} must have at most {MAX_PIXELS // 10**6} megapixels. "
        f"Received: {width} x {height} ({width * height / 1e6:.0f} megapixels). Shrink it first."
    )


def said(error: Exception) -> str:
    """What a decoder said, as a part of a sentence."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
