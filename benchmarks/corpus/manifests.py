"""Content Credentials that are no such thing, in the files that may carry some."""

from __future__ import annotations

import struct
from functools import partial

from corpus.pictures import PNG_MAGIC, Maker, chunk, directory, head, with_segment
from corpus.sound import sound_files
from corpus.videos import box, nested

_KIND = bytes.fromhex("63327061 0011 0010 8000 00aa00389b71")
_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def odd_manifests() -> dict[str, Maker]:
    """Stores of credentials that are empty, nested, endless and torn."""
    bodies = {
        "empty": b"",
        "torn": struct.pack(">I4s", 1000, b"jumb") + b"\1" * 99,
        "of-all": struct.pack(">I4sQ", 1, b"jumb", 2**63),
        "to-the-end": struct.pack(">I4s", 0, b"jumb"),
        "nested": nested(b"jumb", 5000),
        "arrays-in-arrays": box(b"cbor", b"\x9f" * 20_000),
        "array-of-all": box(b"cbor", b"\x9b" + b"\xff" * 8),
        "lists-in-lists": box(b"json", b"[" * 20_000),
        "compressed": box(b"brob", b"jumb" + b"\x5b" * 2000),
    }
    made: dict[str, Maker] = {}
    for name, body in bodies.items():
        store = box(b"jumb", box(b"jumd", _KIND + b"\3c2pa\0") + body)
        made[f"credentials-{name}.jpg"] = partial(with_segment, b"\xff\xeb", b"JP\0\1\0\0\0\1" + store)
        made[f"credentials-{name}.png"] = partial(_in_png, store)
        made[f"credentials-{name}.webp"] = partial(_in_webp, store)
        made[f"credentials-{name}.tiff"] = partial(_in_tiff, store)
        made[f"credentials-{name}.mp4"] = partial(_in_mp4, store)
    return made


def _in_png(store: bytes) -> bytes:
    rest = sound_files()["rgb.png"][len(PNG_MAGIC) + len(head(1, 1)) :]
    return sound_files()["rgb.png"][: -len(rest)] + chunk(b"caBX", store) + rest


def _in_webp(store: bytes) -> bytes:
    body = sound_files()["lossy.webp"][8:] + struct.pack("<4sI", b"C2PA", len(store)) + store + b"\0" * (len(store) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _in_tiff(store: bytes) -> bytes:
    tag = (0xCD41, 7, len(store), struct.pack("<I", 26))
    return directory([tag]) + store


def _in_mp4(store: bytes) -> bytes:
    content = sound_files()["streamed.mp4"]
    return content + box(b"uuid", _UUID + bytes(4) + b"manifest\0" + bytes(8) + store)
