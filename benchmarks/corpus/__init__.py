"""Broken and odd files, the same for the same seed: what a reader of files may be sent.

`sound`: small files of every format, from which the broken ones are made.
`pictures`, `videos`, `manifests`: odd, absurd and harmful ones, each with a name.

Here: truncation, damage by chance, wrong extensions and odd names.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path

import numpy as np

from corpus import manifests, pictures, videos
from corpus.pictures import Maker
from corpus.sound import sound_files

HEADER_BYTES = 700
"""How much of a file counts as its header."""
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers at which counters and sizes overflow."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input."""

    kind: str
    """What is wrong with it, or odd about it."""
    title: str
    """Names it within its kind."""
    file: str
    """The name of its file, with folders below the one it is written to."""
    make: Maker
    """Makes its content."""

    @property
    def name(self) -> str:
        """Names it among all cases; with the seed, enough to make it again."""
        return f"{self.kind}/{self.title}".replace(" ", "-")

    def write(self, folder: Path) -> Path:
        """Writes it below a folder, and returns where."""
        path = folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.make())
        return path


def cases(number: int, seed: int = 0) -> Iterator[Case]:
    """The named cases, then damage by chance up to a number of cases.

    Args:
        number: How many; the named ones alone are fewer than a thousand.
        seed: Decides the damage, and nothing else.
    """
    return islice(_all(seed), number)


def named_cases() -> Iterator[Case]:
    """All cases that no seed decides."""
    yield from sound_cases()
    yield from odd_cases()
    yield from name_cases()
    yield from _extensions()
    yield from _truncated()


def odd_cases() -> Iterator[Case]:
    """What is odd, absurd or harmful; listing it makes nothing."""
    for kind, made in (
        ("odd pictures", pictures.odd_modes()),
        ("absurd headers", pictures.absurd_headers()),
        ("picture bombs", pictures.bombs()),
        ("odd EXIF", pictures.odd_exif()),
        ("odd videos", videos.odd_videos()),
        ("odd times", videos.odd_times()),
        ("broken boxes", videos.broken_boxes()),
        ("odd credentials", manifests.odd_manifests()),
        ("video bombs", videos.video_bombs()),
    ):
        for name, make in made.items():
            yield Case(kind, name, name, make)


def damaged(content: bytes, generator: np.random.Generator) -> bytes:
    """A copy with something wrong: bits, numbers, or a piece that is lost, doubled or overwritten.

    Half of the damage is done to the header, where the sizes and counters are.
    """
    copy = bytearray(content)
    start, end = header_span(content) if generator.random() < 0.5 else (0, len(content))
    places = generator.integers(start, max(start + 1, end), size=int(generator.integers(1, 9)))
    way = generator.integers(5)
    if way == 0:
        for place in places:
            copy[place] ^= 1 << int(generator.integers(8))
    elif way == 1:
        for place in places:
            copy[place] = int(generator.integers(256))
    elif way == 2:
        for place in places[:2]:
            order = generator.choice([">I", "<I", ">H", "<H"])
            value = int(generator.choice(EXTREMES)) & (0xFFFFFFFF if order[1] == "I" else 0xFFFF)
            copy[place : place + struct.calcsize(order)] = struct.pack(order, value)
    else:
        place, length = int(places[0]), int(generator.integers(1, 400))
        piece = bytes(copy[place : place + length])
        copy[place : place + length] = [b"", piece * 2, bytes(length)][generator.integers(3)]
    return bytes(copy)


def header_span(content: bytes) -> tuple[int, int]:
    """Where the sizes and counters of a file are: its beginning, or the index of an MP4."""
    index = content.find(b"moov")
    start = max(0, index - 4)
    return start, min(len(content), start + (2 * HEADER_BYTES if index >= 0 else HEADER_BYTES))


def _all(seed: int) -> Iterator[Case]:
    yield from named_cases()
    sources = sound_files()
    for number in count():
        for place, (name, content) in enumerate(sources.items()):
            file = f"{number}-{name}"
            yield Case("damage by chance", file, file, partial(_damaged, content, seed, number, place))


def _damaged(content: bytes, seed: int, number: int, place: int) -> bytes:
    return damaged(content, np.random.default_rng((seed, number, place)))


def sound_cases() -> Iterator[Case]:
    """Files with nothing wrong, with nothing in them, and with nothing but their first bytes."""
    for name in sound_files():
        yield Case("sound", f"sound-{name}", name, partial(_sound_file, name))
    for name, content in (("empty", b""), ("one-byte", b"\xff"), ("folder-of-dots", b"." * 100)):
        for suffix in ("jpg", "mp4"):
            yield Case("sound", f"{name}.{suffix}", f"{name}.{suffix}", partial(bytes, content))
    for name, content in sound_files().items():
        yield Case("magic alone", f"magic-{name}", name, partial(bytes, content[:16]))


def _sound_file(name: str) -> bytes:
    return sound_files()[name]


def _truncated() -> Iterator[Case]:
    for name, content in sound_files().items():
        cuts = [len(content) * tenth // 10 for tenth in range(1, 10)] + [len(content) - 1]
        for cut in cuts:
            yield Case("truncated", f"{cut}-bytes-of-{name}", name, partial(bytes, content[:cut]))


def _extensions() -> Iterator[Case]:
    for name, content in sound_files().items():
        for suffix in ("jpg", "tiff", "mp4", "avi", "txt", ""):
            file = f"{Path(name).stem}-as-{suffix}" + (f".{suffix}" if suffix else "")
            yield Case("wrong extension", f"{name}-as-{suffix}", file, partial(bytes, content))


def name_cases() -> Iterator[Case]:
    """Sound files under odd names."""
    long = "/".join(["folder-of-fifty-letters-xxxxxxxxxxxxxxxxxxxxxxxxxxx"] * 10)
    stems = {
        "new-line": "a\nb\r\nc",
        "emoji": "\U0001f600\U0001f468‍\U0001f469",
        "quotes": "a\"b'c`d",
        "dash": "-rf",
        "dashes": "--help",
        "right-to-left": "a\u202egpj\u200f\u2066",
        "250-bytes": "n" * 245,
        "250-bytes-of-others": "\u4e2d" * 81,
        "500-characters": f"{long}/a",
        "not-utf-8": os.fsdecode(b"\xff\xfe\x80"),
        "percent": "%d%s%n%03d",
        "braces": "{0}{path}{",
        "glob": "[a-z]*?",
        "shell": "$(reboot);`reboot`|&",
        "markup": "<img src=x onerror=alert(1)>&amp;",
        "space": " a ",
        "dots": "...",
        "backslash": "..\\..\\a",
        "protocol": "http:a",
        "joined": "concat:a|b",
        "own-protocol": "file:a",
        "list": "subfile,,start,0,end,9,,:a",
        "control": "\x1b[31m\x07\x7f",
        "composed": "é" + "́" * 40,
    }
    for name, stem in stems.items():
        for source in ("baseline.jpg", "streamed.mp4"):
            suffix = Path(source).suffix
            yield Case("odd names", name + suffix, stem + suffix, partial(_sound_file, source))
