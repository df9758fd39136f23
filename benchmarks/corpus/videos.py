"""Videos that are odd, absurd, or made to do harm; by name, each made when it is asked for."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import av
import numpy as np
import PIL.Image

from corpus.pictures import HUGE, Maker, many_scans
from corpus.sound import clip, muxed, picture, portrait, sound_alone, sound_files, video
from deepfake.records import Image

ONE, MINUS = 0x10000, 0xFFFF0000
MATRICES = {
    0: (ONE, 0, 0, ONE),
    90: (0, MINUS, ONE, 0),
    180: (MINUS, 0, 0, MINUS),
    270: (0, ONE, MINUS, 0),
    "mirrored": (MINUS, 0, 0, ONE),
    "slanted": (0xB504, 0xB504, 0xFFFF4AFC, 0xB504),
    "of-nothing": (0, 0, 0, 0),
    "of-all": (HUGE, HUGE, HUGE, HUGE),
}
"""The upper left of a display matrix, by what it does."""


def odd_videos() -> dict[str, Maker]:
    """Videos that are sound, and rare."""
    made: dict[str, Maker] = {
        "odd-size.mp4": lambda: video("mp4", "libx264", _odd_sized(), pix_fmt="yuv444p"),
        "odd-size.webm": lambda: video("webm", "libvpx-vp9", _odd_sized()),
        "odd-size.avi": lambda: video("avi", "mjpeg", _odd_sized(), pix_fmt="yuvj444p"),
        "two-pixels.mp4": partial(video, "mp4", "libx264", [np.zeros((2, 2, 3), np.uint8)] * 12),
        "one-frame.mp4": lambda: video("mp4", "libx264", clip()[:1]),
        "one-frame.avi": lambda: video("avi", "mpeg4", clip()[:1]),
        "no-sound-no-index.mkv": partial(video, "matroska", "libx264", muxer={"live": "1"}),
        "in-pieces.mp4": partial(video, "mp4", "libx264", muxer={"movflags": "frag_keyframe+empty_moov"}),
        "ten-bit.mkv": partial(video, "matroska", "libx264", pix_fmt="yuv420p10le"),
        "grey.mkv": partial(video, "matroska", "ffv1", pix_fmt="gray"),
        "rgb.mkv": partial(video, "matroska", "ffv1", pix_fmt="bgr0"),
        "alpha.mov": partial(video, "mov", "png", pix_fmt="rgba"),
        "raw.avi": lambda: video("avi", "rawvideo", clip()[:3], pix_fmt="bgr24"),
        "two-streams.mp4": partial(video, "mp4", "libx264", streams=2),
        "two-streams.mkv": partial(video, "matroska", "mpeg4", streams=2, sound=True),
        "sound-alone.mp4": partial(sound_alone, "mp4", "aac"),
        "sound-alone.mkv": partial(sound_alone, "matroska", "mp2"),
        "sound-alone.avi": partial(sound_alone, "avi", "mp2"),
        "changing-size.avi": lambda: pictures_in_a_row("avi", _sizes()),
        "changing-size.mkv": lambda: pictures_in_a_row("matroska", _sizes()),
        "title-in-another-code.mp4": partial(_latin_title, "mp4"),
        "title-in-another-code.mkv": partial(_latin_title, "matroska"),
    }
    for name, matrix in MATRICES.items():
        value = struct.pack(">9I", *matrix[:2], 0, *matrix[2:], 0, 0, 0, 0x40000000)
        made[f"turned-{name}.mp4"] = partial(_patched, "streamed.mp4", b"tkhd", 40, value)
    return made


def odd_times() -> dict[str, Maker]:
    """Videos with rare, absurd and contradictory times."""
    made: dict[str, Maker] = {
        "fps-million.mp4": partial(video, "mp4", "mpeg4", rate=60_000),
        "fps-million.mkv": partial(video, "matroska", "libx264", rate=1_000_000),
        "fps-thousandth.mp4": partial(video, "mp4", "libx264", rate=Fraction(1, 1000)),
        "fps-thousandth.mkv": partial(video, "matroska", "libx264", rate=Fraction(1, 1000)),
        "variable.mp4": partial(video, "mp4", "libx264", times=[0, 1, 2, 50, 51, 52, 53, 400, 401, 402, 900, 5000]),
        "gap-of-a-day.mp4": partial(video, "mp4", "libx264", times=[*range(11), 2**20]),
        "gap-of-years.mkv": partial(video, "matroska", "libx264", times=[*range(11), 2**40]),
        "late.mkv": partial(video, "matroska", "libx264", times=[2**41 + number for number in range(12)]),
        "before-zero.mp4": partial(_before_zero, "mp4"),
        "before-zero.mkv": partial(_before_zero, "matroska"),
        "backwards.mkv": lambda: _block_times([900 - 80 * number for number in range(12)]),
        "all-at-once.mkv": lambda: _block_times([0] * 12),
        "jumping.mkv": lambda: _block_times([32_767, -32_768] * 6),
    }
    for atom, place, what in (
        (b"mvhd", 12, "movie-scale"),
        (b"mvhd", 16, "movie-duration"),
        (b"mdhd", 12, "scale"),
        (b"mdhd", 16, "duration"),
        (b"tkhd", 20, "track-duration"),
        (b"stts", 8, "time-count"),
        (b"stts", 12, "time-step"),
        (b"ctts", 12, "offset"),
        (b"elst", 8, "edit-duration"),
        (b"elst", 12, "edit-begin"),
        (b"elst", 16, "edit-rate"),
    ):
        for value in (0, 1, HUGE, 2**31, 2**32 - 1):
            made[f"{what}-{value}.mp4"] = partial(_patched, "streamed.mp4", atom, place, struct.pack(">I", value))
    return made


def broken_boxes() -> dict[str, Maker]:
    """Containers whose parts lie about their number, size and place."""
    made: dict[str, Maker] = {
        "nested.mp4": lambda: _ftyp() + nested(b"moov", 20_000),
        "nested-tracks.mp4": lambda: _ftyp() + box(b"moov", nested(b"trak", 20_000)),
        "nested-without-end.mp4": lambda: _ftyp() + struct.pack(">I4s", 2**32 - 1, b"moov") * 50_000,
        "boxes-of-nothing.mp4": lambda: _ftyp() + box(b"free", b"") * 200_000,
        "box-of-all.mp4": lambda: _ftyp() + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1),
        "box-to-the-end.mp4": lambda: _ftyp() + struct.pack(">I4s", 0, b"moov"),
        "samples-without-end.mp4": samples_without_end,
        "coding-unknown.mp4": partial(_patched, "streamed.mp4", b"stsd", 12, b"zzzz"),
        "coding-not-what-it-says.mp4": partial(_patched, "streamed.mp4", b"stsd", 12, b"vp09"),
        "nested.mkv": lambda: _ebml() + _element(b"\x18\x53\x80\x67", b"") * 100_000,
        "nested-tags.mkv": lambda: _ebml() + _element(b"\x18\x53\x80\x67", _nested_tags(20_000), b"\xff"),
        "element-of-all.mkv": lambda: _ebml() + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xfe",
        "void.mkv": lambda: _ebml() + _element(b"\x18\x53\x80\x67", b"\xec\x80" * 200_000, b"\xff"),
        "looking-at-itself.mkv": lambda: _ebml() + _element(b"\x18\x53\x80\x67", _seek_head(), b"\xff"),
        "lacing.mkv": lambda: re.sub(rb"(\xa3.{1,4}?\x81..)\x80", b"\\1\x86", sound_files()["h264.mkv"], flags=re.S),
        "index-of-all.avi": lambda: sound_files()["mpeg4.avi"].replace(b"idx1", b"idx1\xff\xff\xff\x7f"),
        "no-index.avi": lambda: sound_files()["mpeg4.avi"].partition(b"idx1")[0],
        "frames-without-end.avi": lambda: _avi_head(16, HUGE),
        "rate-of-nothing.avi": lambda: _avi_stream(24, struct.pack("<II", 1, 0)),
        "scale-of-nothing.avi": lambda: _avi_stream(20, struct.pack("<II", 0, 1)),
        "rate-of-all.avi": lambda: _avi_stream(20, struct.pack("<II", 1, 2**32 - 1)),
        "length-of-all.avi": lambda: _avi_stream(32, struct.pack("<I", 2**32 - 1)),
    }
    places = "stsd 4, stsd 40, stsz 4, stsz 8, stsc 4, stsc 12, stco 4, stco 8, stss 4, ctts 4, elst 4, avcC 6"
    for atom, place in (entry.split() for entry in places.split(", ")):
        for value in (0, HUGE, 2**32 - 1):
            name = f"{atom.lower()}-{place}-{value}.mp4"
            made[name] = partial(_patched, "streamed.mp4", atom.encode(), int(place), struct.pack(">I", value))
    return made


def video_bombs() -> dict[str, Maker]:
    """Small videos that grow when they are read."""
    return {
        "wide.mp4": partial(_patched, "streamed.mp4", b"stsd", 40, struct.pack(">HH", 65535, 65535)),
        "large.mkv": lambda: pictures_in_a_row("matroska", [_flat_jpeg(7000, 7000)] * 24),
        "suddenly-large.mkv": lambda: pictures_in_a_row(
            "matroska", [_flat_jpeg(160, 160)] * 4 + [_flat_jpeg(7000, 7000)] * 20
        ),
        "suddenly-huge.mkv": lambda: pictures_in_a_row(
            "matroska", [_flat_jpeg(160, 160)] * 4 + [_flat_jpeg(16_000, 16_000)] * 8
        ),
        "huge-from-the-start.mkv": lambda: pictures_in_a_row("matroska", [_flat_jpeg(16_000, 16_000)] * 4),
        "scans.mkv": lambda: pictures_in_a_row("matroska", [many_scans(scans=2000)] * 3),
        "eleven-thousand-frames.mp4": lambda: video(
            "mp4", "mpeg4", [np.full((16, 16, 3), number % 255, np.uint8) for number in range(11_000)]
        ),
    }


def pictures_in_a_row(container: str, jpegs: Sequence[bytes]) -> bytes:
    """Motion JPEG whose every frame may have a size of its own."""
    with muxed(container) as (target, out):
        stream = target.add_stream("mjpeg", rate=12)
        stream.width = stream.height = 160
        stream.pix_fmt = "yuvj420p"
        for number, content in enumerate(jpegs):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 12)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            target.mux(packet)
    return bytes(out)


def samples_without_end() -> bytes:
    """An MP4 of a few hundred bytes whose index, once built, has a hundred million entries."""
    content = bytearray(sound_files()["streamed.mp4"])
    for atom, place, value in ((b"stsz", 4, 1), (b"stsz", 8, 100_000_000), (b"stsc", 12, 100_000_000)):
        start = content.index(atom) + 4 + place
        content[start : start + 4] = struct.pack(">I", value)
    return bytes(content)


def _patched(name: str, atom: bytes, place: int, value: bytes) -> bytes:
    """A sound file with other bytes at a place in the first box of a name."""
    content = sound_files()[name]
    start = content.index(atom) + 4 + place
    return content[:start] + value + content[start + len(value) :]


def _sizes() -> list[bytes]:
    shown = PIL.Image.fromarray(portrait())
    made = []
    for side in (160, 160, 320, 320, 64, 64, 200, 200, 1, 1, 160, 160):
        out = io.BytesIO()
        shown.resize((side, side)).save(out, "JPEG")
        made.append(out.getvalue())
    return made


def _odd_sized() -> list[Image]:
    return [np.ascontiguousarray(frame[:85, :127]) for frame in clip()]


def _flat_jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), (90, 120, 150)).save(out, "JPEG", quality=50)
    return out.getvalue()


def _latin_title(container: str) -> bytes:
    with muxed(container) as (target, out):
        target.metadata["title"] = "AAAA-title"
        stream = target.add_stream("mjpeg", rate=12)
        stream.width = stream.height = 160
        stream.pix_fmt = "yuvj420p"
        for number in range(12):
            packet = av.Packet(picture("JPEG"))
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 12), number, number
            target.mux(packet)
    return bytes(out).replace(b"AAAA-title", b"\xc4\xd6\xdc\xff-title")


def _before_zero(container: str) -> bytes:
    times = [number - 6 for number in range(12)]
    return video(container, "libx264", times=times, muxer={"avoid_negative_ts": "disabled"})


def _block_times(times: Sequence[int]) -> bytes:
    """A Matroska file whose frames come at these milliseconds, in the order of the file."""
    left = iter(times)
    return re.sub(
        rb"(\xa3.{1,4}?\x81)..(?=[\x00\x80])",
        lambda found: found[1] + struct.pack(">h", next(left, 0)),
        sound_files()["h264.mkv"],
        flags=re.S,
    )


def _ftyp() -> bytes:
    return box(b"ftyp", b"isom\0\0\2\0isom")


def box(kind: bytes, body: bytes) -> bytes:
    """A box of an MP4."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def nested(kind: bytes, depth: int) -> bytes:
    """Boxes in boxes."""
    return b"".join(struct.pack(">I4s", 8 * (depth - level), kind) for level in range(depth))


def _ebml() -> bytes:
    return _element(b"\x1a\x45\xdf\xa3", _element(b"\x42\x82", b"matroska"))


def _element(name: bytes, body: bytes, size: bytes | None = None) -> bytes:
    return name + (struct.pack(">I", 0x10000000 | len(body)) if size is None else size) + body


def _nested_tags(depth: int) -> bytes:
    """SimpleTag in SimpleTag in SimpleTag, each of unknown size."""
    return b"\x12\x54\xc3\x67\xff" + b"\x73\x73\xff" + b"\x67\xc8\xff" * depth


def _seek_head() -> bytes:
    """A table of contents that names itself as what is to be read."""
    entry = _element(b"\x53\xab", b"\x11\x4d\x9b\x74") + _element(b"\x53\xac", b"\0")
    return _element(b"\x11\x4d\x9b\x74", _element(b"\x4d\xbb", entry) * 1000)


def _avi_head(place: int, value: int) -> bytes:
    content = sound_files()["mpeg4.avi"]
    start = content.index(b"avih") + 8 + place
    return content[:start] + struct.pack("<I", value) + content[start + 4 :]


def _avi_stream(place: int, value: bytes) -> bytes:
    content = sound_files()["mpeg4.avi"]
    start = content.index(b"strh") + 8 + place
    return content[:start] + value + content[start + len(value) :]
