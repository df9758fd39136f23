"""What a file is, from its first bytes and never from its name, and how large a picture may be."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from deepfake.errors import MediaError
from deepfake.media.chunks import png_chunks, riff_chunks

Kind = Literal["picture", "video"]

MAX_PIXELS = 50_000_000
"""Pictures and frames with more are shrunk while they are decoded, or refused before."""
MOST_PIXELS = {"JPEG": 400_000_000, "PNG": 400_000_000, "HEIF": 210_000_000, "TIFF": 178_000_000, "WEBP": 210_000_000}
"""Formats of which larger pictures than `MAX_PIXELS` are read, and shrunk: what decoding such a one takes stays within
the memory that `deepfake.media.isolated` grants. Of a TIFF, Pillow decodes no more."""
PICTURE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jfif", ".jpe", ".mpo", ".png", ".apng", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic",
    ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico",
})  # fmt: skip
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".avi", ".mkv", ".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg",
    ".vob", ".flv", ".f4v", ".wmv", ".asf", ".ogv",
})  # fmt: skip
"""Endings under which a file is looked for that its first bytes do not tell, to be said what is wrong with it."""
PILLOW_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "AVIF", "JPEG2000", "PPM", "TGA", "ICO")
PICTURE_FORMATS = (*PILLOW_FORMATS, "TIFF", "HEIF")
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
"""Formats of pictures that may move."""
HEAD_BYTES = 1024
"""So many first bytes say what a file is."""

_SIGNATURES: tuple[tuple[str, bytes, int], ...] = (
    ("JPEG", b"\xff\xd8\xff", 0),
    ("PNG", b"\x89PNG\r\n\x1a\n", 0),
    ("GIF", b"GIF87a", 0),
    ("GIF", b"GIF89a", 0),
    ("TIFF", b"II*\0", 0),
    ("TIFF", b"MM\0*", 0),
    ("TIFF", b"II+\0\x08\0", 0),
    ("TIFF", b"MM\0+\0\x08", 0),
    ("BMP", b"BM", 0),
    ("JPEG2000", b"\0\0\0\x0cjP  \r\n\x87\n", 0),
    ("JPEG2000", b"\xff\x4f\xff\x51", 0),
    ("ICO", b"\0\0\1\0", 0),
    ("matroska", b"\x1a\x45\xdf\xa3", 0),
    ("flv", b"FLV\1", 0),
    ("asf", bytes.fromhex("3026b2758e66cf11"), 0),
    ("ogg", b"OggS", 0),
    ("mpeg", b"\0\0\1\xba", 0),
    ("mpegvideo", b"\0\0\1\xb3", 0),
    *(("mov", atom, 4) for atom in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),
)
"""Pillow's name or that of FFmpeg's demuxer, and the bytes that stand at a place of each such file."""
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AVIF_BRANDS = (b"avif", b"avis")
_STILL_BRANDS = (b"mif1", b"mif2", b"msf1", b"miaf")
"""Major brands that say that a file holds stills, and leave their code to the brands after them."""
_PACKET = 188
"""Length of a packet of an MPEG transport stream; four bytes of time may precede each."""
_MAX_STEPS = 100_000
"""So many parts of a file are looked at for the second frame of an animation."""

_FFMPEG = "ffmpeg -i {name} -c:v libx264 converted.mp4"
_CONVERTED: tuple[tuple[str, tuple[tuple[bytes, int], ...], str], ...] = (
    ("a JPEG XL picture", ((b"\xff\x0a", 0), (b"\0\0\0\x0cJXL ", 0)), "djxl {name} converted.png"),
    ("a raw photo (CR3)", ((b"ftypcrx ", 4),), "darktable-cli {name} converted.jpg"),
    ("a raw photo (RAF)", ((b"FUJIFILM", 0),), "darktable-cli {name} converted.jpg"),
    ("a Photoshop document", ((b"8BPS", 0),), "magick {name}[0] converted.png"),
    ("an OpenEXR picture", ((b"\x76\x2f\x31\x01", 0),), "magick {name} converted.png"),
    ("a Radiance HDR picture", ((b"#?RADIANCE", 0), (b"#?RGBE", 0)), "magick {name} converted.png"),
    ("a QOI picture", ((b"qoif", 0),), "magick {name} converted.png"),
    ("a DirectDraw surface", ((b"DDS ", 0),), "magick {name} converted.png"),
    ("a PDF document", ((b"%PDF-", 0),), "pdftoppm -png {name} page"),
    ("an SVG drawing", ((b"<svg", 0),), "rsvg-convert {name} -o converted.png"),
    ("a RealMedia video", ((b".RMF", 0),), _FFMPEG),
    ("an MXF video", ((b"\x06\x0e\x2b\x34", 0),), _FFMPEG),
    ("a DV video", ((b"\x1f\x07\0", 0),), _FFMPEG),
    ("a Y4M video", ((b"YUV4MPEG2", 0),), _FFMPEG),
    ("a bare H.264 or HEVC stream", ((b"\0\0\0\1", 0),), _FFMPEG),
    ("an MP3 or WAV sound", ((b"ID3", 0), (b"WAVE", 8)), "the file with the pictures"),
)
"""Known and not read: what it is, by which bytes it is known, and the command that converts it."""


def kind_of(path: Path | str) -> Kind:
    """Says from a file's first bytes whether it is a picture or a video; an animation is a video.

    Raises:
        MediaError: If the file cannot be opened, is empty, or is of none of the known formats.
    """
    path = Path(path)
    name = format_of(path)
    return "picture" if name in PICTURE_FORMATS and not _moves(path, name) else "video"


def format_of(path: Path) -> str:
    """A format of Pillow's, `HEIF`, or the name of an FFmpeg demuxer.

    Raises:
        MediaError: As for `kind_of`.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise MediaError(f"{path} is a pipe or a device, not a file. Write what it gives to a file first.")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            name = sniffed(head)
    except (OSError, ValueError) as error:
        # A name with a zero byte, or one that the system's encoding lacks, is a ValueError.
        raise MediaError(f"{path} cannot be opened: {said(error)}. Check the path and its permissions.") from error
    if not head:
        raise MediaError(f"{path} is empty (0 bytes). Copy it again.")
    if name is None:
        raise MediaError(_refusal(path, head))
    return name


def is_media(path: Path) -> bool:
    """Says whether a file is a picture or a video, or is named like one: its reader then says what is wrong."""
    if path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
        return True
    try:
        format_of(path)
    except MediaError:
        return False
    return True


def sniffed(head: bytes) -> str | None:
    """The format that a file's first `HEAD_BYTES` bytes tell, as `format_of`; None if none.

    Example:

    >>> sniffed(b"GIF89a"), sniffed(b"Dear reader")
    ('GIF', None)
    """
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:4] == b"RIFF":
        return {b"WEBP": "WEBP", b"AVI ": "avi"}.get(head[8:12])
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    for name, magic, at in _SIGNATURES:
        if head[at : at + len(magic)] == magic:
            return name
    # The weakest signs last: one byte that recurs, and numbers that make sense.
    return _transport(head) or ("TGA" if _is_tga(head) else None)


def _by_brand(head: bytes) -> str | None:
    """Which of the formats that begin with an `ftyp` box: what its major brand says, else the brands after it."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4))]
    if brands[0] == b"crx ":
        return None
    known = brands if brands[0] in _STILL_BRANDS else brands[:1]
    if any(brand in _AVIF_BRANDS for brand in known):
        return "AVIF"
    if brands[0] not in (*_HEIF_BRANDS, *_STILL_BRANDS):
        return "mov"
    # A sequence without a still is a video: its track comes first.
    return "mov" if head[size + 4 : size + 8] == b"moov" else "HEIF"


def _transport(head: bytes) -> str | None:
    """`mpegts` if the byte that begins its packets recurs, wherever a recording was cut off."""
    for length in (_PACKET, _PACKET + 4):
        for start in range(length):
            marks = head[start::length]
            if len(marks) >= 3 and not marks.strip(b"\x47"):
                return "mpegts"
    return None


def _is_tga(head: bytes) -> bool:
    """Whether a header makes sense as that of a TGA, which has no first bytes of its own; few others' do."""
    if len(head) < 18:
        return False
    _, mapped, kind, *table, _, _, width, height, depth, flags = struct.unpack("<3B2HB4H2B", head[:18])
    fits = kind in (1, 9) if mapped == 1 else kind in (2, 3, 10, 11) and not (mapped or any(table))
    return bool(fits and width and height and depth in (8, 15, 16, 24, 32) and not flags & 0xC0)


def _refusal(path: Path, head: bytes) -> str:
    for what, magics, command in _CONVERTED:
        if any(head[at:].lstrip(b"\xef\xbb\xbf \r\n").startswith(magic) for magic, at in magics):
            return f"{path} is {what}, which is not read here. Convert it: {command.format(name=path.name)}"
    return (
        f"{path} is neither a picture (JPEG, PNG, GIF, WebP, HEIC, AVIF, TIFF, BMP, JPEG 2000, PPM, TGA, ICO) nor a "
        "video (MP4, MOV, 3GP, MKV, WebM, AVI, MPEG, TS, FLV, WMV, OGV), whatever its name says. Convert it first: a "
        f"picture by magick {path.name} converted.png, a video by {_FFMPEG.format(name=path.name)}"
    )


def _moves(path: Path, name: str) -> bool:
    """Whether a picture is an animation: it has a second frame."""
    if name not in _ANIMATED:
        return False
    try:
        with path.open("rb") as file:
            if name == "AVIF":
                return file.read(12)[8:] == b"avis"
            parts = {"GIF": _gif_frames, "PNG": _png_frames, "WEBP": _webp_frames}[name](file)
            frames = 0
            for _, is_frame in zip(range(_MAX_STEPS), parts, strict=False):
                frames += is_frame
                if frames > 1:
                    return True
    except (OSError, struct.error, IndexError) as error:
        raise MediaError(f"{path} cannot be read ({said(error)}). Copy it again.") from error
    return False


def _gif_frames(file: IO[bytes]) -> Iterator[bool]:
    """Blocks of a GIF, and whether each is a frame."""

    def skip_table(flags: int) -> None:
        file.seek(3 << ((flags & 7) + 1) if flags & 0x80 else 0, 1)

    skip_table((file.read(13) + b"\0" * 13)[10])
    while (mark := file.read(1)) in (b"\x21", b"\x2c"):
        yield mark == b"\x2c"
        if mark == b"\x2c":
            skip_table((file.read(9) + b"\0" * 9)[8])
        file.seek(1, 1)
        while (size := file.read(1)) not in (b"", b"\0"):
            file.seek(size[0], 1)
            yield False


def _png_frames(file: IO[bytes]) -> Iterator[bool]:
    """Chunks of a PNG, and whether each is a frame; one without `acTL` has none."""
    moving = False
    for name, _ in png_chunks(file):
        if name == b"IDAT" and not moving:
            return
        moving = moving or name == b"acTL"
        yield name == b"fcTL"


def _webp_frames(file: IO[bytes]) -> Iterator[bool]:
    """Chunks of a WebP, and whether each is a frame."""
    for name in riff_chunks(file):
        yield name == b"ANMF"


def shrink_of(width: int, height: int) -> int:
    """The whole number by which both sides are divided so that a picture has at most `MAX_PIXELS`.

    Example:

    >>> shrink_of(7000, 7000), shrink_of(20_000, 20_000)
    (1, 3)
    """
    shrink = max(1, math.isqrt(max(0, width * height - 1) // MAX_PIXELS))
    # The last column and row may be of fewer pixels, and count as well.
    while -(-width // shrink) * -(-height // shrink) > MAX_PIXELS:
        shrink += 1
    return shrink


def check_size(path: Path, width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raises a `MediaError` if a picture of that size has no pixels, or more than `most`."""
    if not 0 < width * height <= most:
        raise MediaError(size_error(path, width, height, most))


def size_error(path: Path, width: int, height: int, most: int = MAX_PIXELS) -> str:
    """What is said of a picture that has no pixels, or too many."""
    return (
        f"{path} must have at most {most // 10**6} megapixels. Received: {width} x {height} "
        f"({width * height / 1e6:.0f} megapixels). Shrink it first: magick {path.name} -resize 50% smaller.png"
    )


def said(error: Exception) -> str:
    """What a decoder said, as a part of a sentence."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
