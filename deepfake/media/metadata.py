"""A file -> what its metadata state. What is wrong with them is told as unread; it costs neither pixels nor answer."""

from __future__ import annotations

import mmap
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import av.error
import PIL.Image
import PIL.JpegImagePlugin

from deepfake.errors import MediaError
from deepfake.media.compression import standard_quality
from deepfake.media.formats import PICTURE_FORMATS, format_of
from deepfake.media.pixels import DAMAGE
from deepfake.media.png_texts import EXIF, XMP, png_texts
from deepfake.media.thumbnail import thumbnail_differs
from deepfake.provenance.claims import origin_of
from deepfake.provenance.metadata import Metadata, Place, Statement
from deepfake.provenance.origin import Origin
from deepfake.provenance.xmp import MAX_PACKET, properties_of
from deepfake.system.text import decoded

MAX_STATEMENTS = 256
"""So many are looked at; a file has some dozens."""
MAX_EXIF = 1_000_000
"""Longer EXIF, in bytes, is not read. In a JPEG it has at most 64 kB."""
_EXIF_IFD = 0x8769
_TAGS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x9003: "DateTimeOriginal",
    0x9286: "UserComment",
}
_TEXTLESS = ("BMP", "PPM", "TGA", "ICO", "JPEG2000")
"""Formats in which nobody states an origin."""
_GIF_XMP, _GIF_XMP_END = b"\x21\xff\x0bXMP DataXMP", b"\x01\xff\xfe\xfd"
"""What stands around the XMP of a GIF."""
_QUALITY_OF_PHOTOSHOP, _IPTC = 0x0406, 0x0404
"""Image resources: the first is written by Photoshop alone, the second by many."""
_UNREADABLE = (*DAMAGE, MediaError, zlib.error, av.error.FFmpegError, PIL.Image.DecompressionBombError)


def origin_in(path: Path) -> Origin:
    """What a file says of its own origin, without its Content Credentials.

    Raises:
        MediaError: If the file cannot be opened, or is of no known format.

    Example:

    >>> origin_in(Path("examples/portrait.jpg")).marks
    ()
    """
    return origin_of(metadata_of(path))


def metadata_of(path: Path) -> Metadata:
    """What a file's metadata state.

    Raises:
        MediaError: As `origin_in`.
    """
    name = format_of(path)
    found = _Found()
    if name == "PNG":
        _of_png(path, found)
    elif name == "HEIF":
        _of_heif(path, found)
    elif name not in PICTURE_FORMATS:
        _of_video(path, name, found)
    elif name not in _TEXTLESS:
        _of_pillow(path, name, found)
    differs = None
    if name == "JPEG":
        with found.reading(Place.THUMBNAIL):
            differs = thumbnail_differs(path)
    return Metadata(
        statements=tuple(found.statements[:MAX_STATEMENTS]),
        is_jpeg=name == "JPEG",
        standard_quality=standard_quality(path) if name == "JPEG" else None,
        thumbnail_differs=differs,
        written=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        unread=tuple(dict.fromkeys(found.unread)),
    )


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.unread: list[Place] = []

    @contextmanager
    def reading(self, place: Place) -> Iterator[None]:
        """Reads what stands in a place; what cannot be read there is noted, and the rest goes on."""
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                yield
        except _UNREADABLE:
            self.unread.append(place)
            return
        # Pillow passes over broken tags, and warns of them so. Its other warnings are of other kinds.
        if any(warning.category is UserWarning for warning in said):
            self.unread.append(place)

    def add(self, place: Place, name: str, value: object) -> None:
        text = decoded(value) if isinstance(value, bytes) else value
        if isinstance(text, str) and text.strip("\0 ") and len(self.statements) < MAX_STATEMENTS:
            self.statements.append(Statement(place, name, text.strip("\0 ")))

    def add_xmp(self, packet: object) -> None:
        content = packet.encode() if isinstance(packet, str) else packet
        with self.reading(Place.XMP):
            for name, text in properties_of(content) if isinstance(content, bytes) and content else ():
                self.add(Place.XMP, name, text)

    def add_exif(self, content: bytes) -> None:
        exif = PIL.Image.Exif()
        with self.reading(Place.EXIF):
            if len(content) > MAX_EXIF:
                raise ValueError(f"EXIF may have {MAX_EXIF} bytes. Received: {len(content)}.")
            exif.load(content)
            self.add_tags(exif)

    def add_tags(self, exif: PIL.Image.Exif) -> None:
        for tags in (exif, exif.get_ifd(_EXIF_IFD)):
            for tag, name in _TAGS.items():
                value = tags.get(tag)
                # A comment begins with the name of its code in eight bytes.
                comment = name == "UserComment" and isinstance(value, bytes)
                self.add(Place.EXIF, name, _comment(value) if comment and value else value)


def _comment(value: Any) -> str:
    code, content = value[:8], value[8:]
    if code != b"UNICODE\0":
        return decoded(content if code[:5] in (b"ASCII", b"\0\0\0\0\0") else value)
    # Its bytes are in the order of whoever wrote it.
    zeros = content[:64:2].count(0), content[1:64:2].count(0)
    return str(content.decode("utf-16-be" if zeros[0] >= zeros[1] else "utf-16-le", "replace"))


def _of_png(path: Path, found: _Found) -> None:
    with found.reading(Place.TEXT):
        for name, content in png_texts(path):
            if name == EXIF:
                found.add_exif(content)
            elif name == XMP:
                found.add_xmp(content)
            else:
                found.add(Place.TEXT, name, content)


def _of_heif(path: Path, found: _Found) -> None:
    # Here alone: it is a large library that most files do not need.
    import pillow_heif

    with found.reading(Place.EXIF):
        info = pillow_heif.open_heif(path).info
        found.add_xmp(info.get("xmp"))
        found.add_exif(info.get("exif") or b"")


def _of_pillow(path: Path, name: str, found: _Found) -> None:
    """JPEG, WebP, AVIF, GIF and TIFF, of which Pillow has all before it decodes one pixel."""
    with found.reading(Place.EXIF), _opened(path, name) as picture:
        found.add_xmp(_gif_packet(path) if name == "GIF" else picture.info.get("xmp"))
        found.add(Place.TEXT, "Comment", picture.info.get("comment"))
        if name == "JPEG":
            _add_writers(picture.info.get("photoshop"), found)
        found.add_tags(picture.getexif())


def _gif_packet(path: Path) -> bytes:
    """The XMP of a GIF, of which Pillow reads one block of its kind alone; empty if there is none."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(_GIF_XMP)
        start = place + len(_GIF_XMP)
        end = content.find(_GIF_XMP_END, start)
        return content[start : min(end, start + MAX_PACKET + 1)] if 0 <= place < end else b""


def _opened(path: Path, name: str) -> PIL.Image.Image:
    # As in `picture`: Pillow's own door refuses what is large, though nothing of it is decoded here.
    is_jpeg = name == "JPEG"
    return PIL.JpegImagePlugin.JpegImageFile(path) if is_jpeg else PIL.Image.open(path, formats=(name,))


def _add_writers(resources: object, found: _Found) -> None:
    """The programs that alone write certain parts."""
    if not isinstance(resources, dict):
        return
    if _QUALITY_OF_PHOTOSHOP in resources:
        found.add(Place.JPEG, "Writer", "Adobe Photoshop")
    iptc = resources.get(_IPTC)
    # Special Instructions (2:40) of what was fetched from there.
    if isinstance(iptc, bytes) and b"\x1c\x02\x28" in iptc and b"FBMD" in iptc:
        found.add(Place.JPEG, "Writer", "Facebook or Instagram")


def _of_video(path: Path, name: str, found: _Found) -> None:
    options = {"export_xmp": "1"} if name == "mov" else {}
    with (
        found.reading(Place.CONTAINER),
        av.open(str(path.absolute()), format=name, options=options, metadata_errors="replace") as container,
    ):
        for owner in (container, *container.streams):
            for tag, text in owner.metadata.items():
                if tag.lower() == "xmp":
                    found.add_xmp(text)
                else:
                    found.add(Place.CONTAINER, tag, text)
