"""Pictures that are odd, absurd, or made to do harm; by name, each made when it is asked for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import PIL.Image

from corpus.sound import by_opencv, clip, picture, portrait, sound_files

Maker = Callable[[], bytes]
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
HUGE = 2**31 - 1


def odd_modes() -> dict[str, Maker]:
    """Pictures that are sound, and rare."""
    deep = portrait().astype(np.uint16) * 257
    grey = deep[..., 1]
    made: dict[str, Maker] = {
        "cmyk.jpg": partial(picture, "JPEG", "CMYK"),
        "cmyk-not-inverted.jpg": lambda: _without_adobe(picture("JPEG", "CMYK")),
        "grey.jpg": partial(picture, "JPEG", "L"),
        "cmyk.tiff": partial(picture, "TIFF", "CMYK"),
        "lab.tiff": partial(picture, "TIFF", "LAB"),
        "one-bit.tiff": partial(picture, "TIFF", "1", compression="group4"),
        "two-pages.tiff": partial(picture, "TIFF", save_all=True, append_images=[PIL.Image.fromarray(portrait())]),
        "deep-grey.png": partial(by_opencv, ".png", grey),
        "deep-alpha.png": partial(by_opencv, ".png", np.dstack([deep, grey])),
        "deep-grey.tiff": partial(by_opencv, ".tiff", grey),
        "deep.tiff": partial(by_opencv, ".tiff", deep),
        "float.tiff": partial(by_opencv, ".tiff", grey.astype(np.float32)),
        "not-a-number.tiff": partial(by_opencv, ".tiff", np.full((64, 64, 3), np.nan, np.float32)),
        "double.tiff": partial(by_opencv, ".tiff", grey.astype(np.float64)),
        "transparent-palette.png": partial(picture, "PNG", "P", transparency=3),
        "transparent-rgb.png": partial(picture, "PNG", transparency=(0, 0, 0)),
        "palette.bmp": partial(picture, "BMP", "P"),
        "alpha.bmp": partial(picture, "BMP", "RGBA"),
        "alpha.webp": partial(picture, "WEBP", "RGBA"),
        "moving.png": lambda: picture("PNG", save_all=True, append_images=_moving(), duration=100),
        "moving-gif.png": lambda: picture("GIF", "P", save_all=True, append_images=_moving()),
        "gif.jpg": partial(picture, "GIF", "P"),
    }
    for mode in ("1", "L", "LA", "RGBA", "I;16"):
        made[f"mode-{mode}.png"] = partial(picture, "PNG", mode)
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF"):
        for width, height in ((1, 1), (1, 700), (700, 1), (13, 11)):
            made[f"{width}x{height}.{kind.lower()}"] = partial(_flat, kind, width, height)
    return made


def absurd_headers() -> dict[str, Maker]:
    """Pictures whose headers promise what does not follow."""
    made: dict[str, Maker] = {
        "wide.jpg": lambda: _jpeg_of_size(65535, 65535),
        "wide-allowed.jpg": lambda: _jpeg_of_size(65500, 760),
        "no-height.jpg": lambda: _jpeg_of_size(160, 0),
        "wide.webp": lambda: _webp_canvas(16_777_216, 16_777_216),
        "wide-allowed.webp": lambda: _webp_canvas(16383, 3000),
        "chunk-without-end.png": lambda: PNG_MAGIC + struct.pack(">I", HUGE) + b"IHDR",
        "chunks-after-another.png": lambda: _png(8, 8, b"".join(chunk(b"tEXt", b"a\0b") for _ in range(50_000))),
        "no-pixels.png": lambda: PNG_MAGIC + head(160, 160) + chunk(b"IEND", b""),
        "frames-without-number.png": lambda: _png(8, 8, chunk(b"acTL", struct.pack(">II", HUGE, 0))),
        "odd-depth.png": lambda: PNG_MAGIC + head(8, 8, depth=3) + chunk(b"IEND", b""),
        "compressed.bmp": lambda: _field(_bmp(), 30, struct.pack("<I", 1)),
        "masks.bmp": lambda: _field(_bmp(), 30, struct.pack("<I", 3)),
        "palette.bmp": lambda: _field(_bmp(), 46, struct.pack("<I", HUGE)),
        "offset.bmp": lambda: _field(_bmp(), 10, struct.pack("<I", HUGE)),
    }
    for width, height in ((65535, 65535), (65535, 1), (HUGE, HUGE), (0, 0), (50_000_000, 1), (7000, 7000)):
        made[f"{width}x{height}.png"] = partial(_header_alone, width, height)
    for width, height in ((65535, 65535), (HUGE, 1), (-160, 160), (160, -160), (0, 0), (160, -HUGE - 1), (7000, 7000)):
        made[f"{width}x{height}.bmp"] = partial(_bmp_of_size, width, height)
    return {**made, **_absurd_tiffs()}


def bombs() -> dict[str, Maker]:
    """Small files that grow when they are read."""
    return {
        "seven-thousand.png": lambda: _zeros(7000, 7000),
        "seven-thousand-alpha.png": lambda: _zeros(7000, 7000, colour=6),
        "seven-thousand-deep-alpha.png": lambda: _zeros(7000, 7000, depth=16, colour=6),
        "seven-thousand-deep-grey.png": lambda: _zeros(7000, 7000, depth=16, colour=0),
        "eight-thousand.png": lambda: _zeros(8000, 8000),
        "twenty-thousand.png": lambda: PNG_MAGIC + head(20_000, 20_000) + chunk(b"IDAT", bytes(1000)),
        "a-line.png": lambda: _zeros(49_999_999, 1, colour=0),
        "a-column.png": lambda: _zeros(1, 49_999_999, colour=0),
        "a-ribbon.png": lambda: _zeros(100_000, 490),
        "profile.png": lambda: _png(8, 8, chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(100_000_000)))),
        "text.png": lambda: _png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000)))),
        "unicode.png": lambda: _png(8, 8, chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(100_000_000)))),
        "texts.png": lambda: _png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) * 200),
        "raw-exif.png": lambda: _png(8, 8, chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 9\nzz")),
        "flat.jpg": partial(_flat, "JPEG", 7000, 7000),
        "flat.webp": partial(_flat, "WEBP", 7000, 7000),
        "flat-lzw.tiff": partial(_flat, "TIFF", 7000, 7000, compression="tiff_lzw"),
        "flat-deflate.tiff": partial(_flat, "TIFF", 7100, 7100, compression="tiff_adobe_deflate"),
        "scans.jpg": many_scans,
        "thumbnails.jpg": lambda: with_segment(b"\xff\xe2", b"MPF\0II*\0\x08\0\0\0" + b"\xff" * 60_000),
    }


def odd_exif() -> dict[str, Maker]:
    """Orientations that are absurd, in EXIF that is sound, and EXIF that is not."""
    turned = (0x0112, 3, 1, struct.pack("<HH", 6, 0))
    blocks = {
        "next-is-itself": directory([turned], following=8),
        "sub-is-itself": directory([turned, (0x8769, 4, 1, struct.pack("<I", 8))]),
        "gps-is-itself": directory([turned, (0x8825, 4, 1, struct.pack("<I", 8))]),
        "maker-is-itself": directory([turned, (0x927C, 7, 40, struct.pack("<I", 8))]),
        "points-behind-the-end": directory([turned, (0x010F, 2, 1000, struct.pack("<I", HUGE))]),
        "count-without-end": directory([turned, (0x010F, 5, HUGE, struct.pack("<I", 8))]),
        "turned-without-end": directory([(0x0112, 3, HUGE, struct.pack("<I", 8))]),
        "turned-not-at-all": directory([(0x0112, 3, 0, bytes(4))]),
        "turned-twice": directory([turned, (0x0112, 3, 1, struct.pack("<HH", 3, 0))]),
        "turned-by-two-numbers": directory([(0x0112, 3, 2, struct.pack("<HH", 6, 3))]),
        "turned-by-text": directory([(0x0112, 2, 4, b"six\0")]),
        "turned-by-bytes": directory([(0x0112, 7, 4, b"\6\0\0\0")]),
        "turned-by-a-fraction": directory([(0x0112, 5, 1, struct.pack("<I", 26))]) + struct.pack("<II", 6, 0),
        "turned-by-a-float": directory([(0x0112, 11, 1, struct.pack("<f", float("nan")))]),
        "unknown-type": directory([turned, (0x010F, 99, 4, b"abcd")]),
        "odd-types": directory([turned, (0x0100, 2, 4, b"abc\0"), (0x8769, 2, 4, b"abc\0"), (0x011A, 5, 1, bytes(4))]),
        "many-tags": directory([turned] + [(number, 3, 1, bytes(4)) for number in range(0x1000, 0x3000)]),
        "promises-more-tags": b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHI", *turned[:3]) + turned[3],
        "too-short": b"II",
        "no-order": b"XX*\0\x08\0\0\0",
        "start-behind-the-end": b"II*\0\xff\xff\xff\x7f",
        "empty": b"",
    }
    for orientation in (0, 1, 5, 8, 9, 255, 65535):
        blocks[f"orientation-{orientation}"] = directory([(0x0112, 3, 1, struct.pack("<HH", orientation, 0))])
    made: dict[str, Maker] = {}
    for name, block in blocks.items():
        made[f"{name}.jpg"] = partial(with_segment, b"\xff\xe1", b"Exif\0\0" + block)
        made[f"{name}.png"] = partial(_png_with_exif, block)
        made[f"{name}.webp"] = partial(picture, "WEBP", exif=b"Exif\0\0" + block)
    return made


def many_scans(width: int = 4000, height: int = 3000, scans: int = 4000) -> bytes:
    """A progressive JPEG that says the same thing again and again: little to send, long to decode."""
    content = _flat("JPEG", width, height, progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + content[-2:]


def _absurd_tiffs() -> dict[str, Maker]:
    sound = [
        (256, 3, 1, struct.pack("<HH", 16, 0)),
        (257, 3, 1, struct.pack("<HH", 16, 0)),
        (258, 3, 1, struct.pack("<HH", 8, 0)),
        (259, 3, 1, struct.pack("<HH", 1, 0)),
        (262, 3, 1, struct.pack("<HH", 1, 0)),
        (273, 4, 1, struct.pack("<I", 8)),
        (277, 3, 1, struct.pack("<HH", 1, 0)),
        (278, 4, 1, struct.pack("<I", 16)),
        (279, 4, 1, struct.pack("<I", 256)),
    ]
    changes: dict[str, list[tuple[int, int, int, bytes]]] = {
        "sound": [],
        "strips-without-end": [(273, 4, HUGE, struct.pack("<I", 8)), (279, 4, HUGE, struct.pack("<I", 8))],
        "strip-of-all": [(279, 4, 1, struct.pack("<I", 2**32 - 1))],
        "rows-none": [(278, 4, 1, bytes(4))],
        "rows-without-end": [(278, 4, 1, struct.pack("<I", 2**32 - 1))],
        "row-by-row": [(278, 4, 1, struct.pack("<I", 1))],
        "depth-64": [(258, 3, 1, struct.pack("<HH", 64, 0))],
        "depth-none": [(258, 3, 1, bytes(4))],
        "samples-without-end": [(277, 3, 1, struct.pack("<HH", 65535, 0))],
        "tiles-without-end": [(322, 4, 1, struct.pack("<I", HUGE)), (323, 4, 1, struct.pack("<I", HUGE))],
        "tiles-large": [(322, 4, 1, struct.pack("<I", 30_000)), (323, 4, 1, struct.pack("<I", 30_000))],
        "tiles-none": [(322, 4, 1, bytes(4)), (323, 4, 1, bytes(4))],
        "wide": [(256, 4, 1, struct.pack("<I", 65535)), (257, 4, 1, struct.pack("<I", 65535))],
        "wide-twice": [(256, 3, 1, struct.pack("<HH", 30_000, 0)), (257, 3, 1, struct.pack("<HH", 30_000, 0))],
        "wide-elsewhere": [(256, 16, 1, struct.pack("<I", 122)), (257, 16, 1, struct.pack("<I", 122))],
        "wide-by-text": [(256, 2, 4, b"16\0\0")],
        "size-none": [(256, 3, 1, bytes(4)), (257, 3, 1, bytes(4))],
        "deflated": [(259, 3, 1, struct.pack("<HH", 8, 0))],
        "coding-unknown": [(259, 3, 1, struct.pack("<HH", 999, 0))],
        "colours-unknown": [(262, 3, 1, struct.pack("<HH", 999, 0))],
        "upside-down": [(274, 3, 1, struct.pack("<HH", 3, 0))],
        "planes": [(284, 3, 1, struct.pack("<HH", 2, 0)), (277, 3, 1, struct.pack("<HH", 4, 0))],
    }
    made: dict[str, Maker] = {}
    for name, changed in changes.items():
        tags = {tag for tag, *_ in changed}
        kept = sound if name == "wide-twice" else [entry for entry in sound if entry[0] not in tags]
        order = sorted([*changed, *kept], key=lambda entry: entry[0])
        body = struct.pack("<II", 30_000, 0) + bytes(300)
        made[f"{name}.tiff"] = partial(bytes, directory(order) + body)
        made[f"{name}-again.tiff"] = partial(bytes, directory(order, following=8) + body)
    made["start-behind-the-end.tiff"] = lambda: b"II*\0\xff\xff\xff\x7f" + bytes(40)
    made["no-tags.tiff"] = lambda: directory([])
    made["big-start-behind-all-memory.tiff"] = lambda: b"II+\0\x08\0\0\0" + b"\xff" * 8
    made["big.tiff"] = lambda: b"II+\0\x08\0\0\0" + bytes(100)
    return made


def directory(entries: list[tuple[int, int, int, bytes]], following: int = 0) -> bytes:
    """A TIFF with one directory, at byte 8."""
    rows = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def head(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """The first chunk of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def _png(width: int, height: int, between: bytes) -> bytes:
    """A sound PNG of black, with chunks of one's own before the pixels."""
    pixels = chunk(b"IDAT", zlib.compress(bytes(height * (1 + 3 * width))))
    return PNG_MAGIC + head(width, height) + between + pixels + chunk(b"IEND", b"")


def _zeros(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A sound PNG of zeros, which shrink to next to nothing."""
    line = 1 + width * {0: 1, 2: 3, 6: 4}[colour] * depth // 8
    packer = zlib.compressobj(1)
    together = max(1, min(height, 1_000_000 // line))
    packed = b"".join(packer.compress(bytes(line * together)) for _ in range(height // together))
    packed += packer.compress(bytes(line * (height % together))) + packer.flush()
    return PNG_MAGIC + head(width, height, depth, colour) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _flat(kind: str, width: int, height: int, **options: object) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), (90, 120, 150)).save(out, kind, **options)
    return out.getvalue()


def _header_alone(width: int, height: int) -> bytes:
    return PNG_MAGIC + head(width, height) + chunk(b"IDAT", b"x")


def _png_with_exif(block: bytes) -> bytes:
    return _png(8, 8, chunk(b"eXIf", block))


def _bmp_of_size(width: int, height: int) -> bytes:
    return _field(_bmp(), 18, struct.pack("<ii", width, height))


def _bmp() -> bytes:
    return sound_files()["plain.bmp"]


def _moving() -> list[PIL.Image.Image]:
    return [PIL.Image.fromarray(frame) for frame in clip()[1:4]]


def _field(content: bytes, place: int, value: bytes) -> bytes:
    return content[:place] + value + content[place + len(value) :]


def with_segment(marker: bytes, body: bytes) -> bytes:
    """The portrait as a JPEG, with a segment of one's own at its beginning."""
    content = sound_files()["baseline.jpg"]
    return content[:2] + marker + struct.pack(">H", min(len(body) + 2, 65535)) + body[:65533] + content[2:]


def _without_adobe(content: bytes) -> bytes:
    """Without the segment that says that CMYK is inverted."""
    place = content.index(b"\xff\xee")
    (length,) = struct.unpack_from(">H", content, place + 2)
    return content[:place] + content[place + 2 + length :]


def _jpeg_of_size(width: int, height: int) -> bytes:
    content = sound_files()["baseline.jpg"]
    return _field(content, content.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


def _webp_canvas(width: int, height: int) -> bytes:
    content = sound_files()["moving.webp"]
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return _field(content, content.index(b"VP8X") + 12, size)
