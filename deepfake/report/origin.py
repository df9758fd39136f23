"""What a file says of its own origin -> words: what it says, what it names, and which marks were looked for.

They say "the file says", never "it is": anybody can write metadata, and anybody can remove them.
"""

from __future__ import annotations

from deepfake.provenance.credentials import quoted
from deepfake.provenance.origin import JpegTables, MarkKind, Origin
from deepfake.report.catalogue import Catalogue
from deepfake.report.words import ENGLISH


def origin_sentences(origin: Origin, say: Catalogue = ENGLISH) -> list[str]:
    """What the file says of how it was made, and what that is worth.

    Example:

    >>> origin_sentences(Origin())[0]
    'The file has no word of its origin.'
    """
    claim = origin.says or ("unclear" if origin.marks else "nothing")
    return [say(f"origin.{claim}"), say("origin.absence" if claim == "nothing" else "origin.claim")]


def origin_doubts(origin: Origin, say: Catalogue = ENGLISH) -> list[str]:
    """What in its metadata does not fit together, and what of them could not be read: a sentence each."""
    unread = [say("origin.unread", places=", ".join(origin.unread))] if origin.unread else []
    return [*(say(f"origin.{sign}") for sign in origin.signs), *unread]


def origin_facts(origin: Origin, say: Catalogue = ENGLISH) -> list[tuple[str, str]]:
    """What the file names, each with its label: a camera, programs, times, and the tables of a JPEG. Not escaped."""
    named = {
        "camera_name": origin.camera and quoted(origin.camera),
        "programs": ", ".join(map(quoted, origin.programs)),
        "captured": _shown(origin.captured),
        "saved": _shown(origin.saved),
        "jpeg": _tables(origin, say),
    }
    return [(say(f"origin.{key}"), value) for key, value in named.items() if value]


def origin_marks(origin: Origin, say: Catalogue = ENGLISH) -> list[tuple[str, str]]:
    """Each mark that was looked for, and what was found of it. Not escaped."""
    rows = []
    for kind in MarkKind:
        texts = [quoted(mark.text) for mark in origin.marks if mark.kind is kind]
        result = say("origin.found", text=", ".join(texts)) if texts else say("origin.not_found")
        rows.append((say(f"origin.{kind}"), result))
    return rows


def _tables(origin: Origin, say: Catalogue) -> str:
    if origin.jpeg_tables is JpegTables.STANDARD:
        return say("origin.jpeg_standard", quality=origin.jpeg_standard_quality)
    return say("origin.jpeg_own") if origin.jpeg_tables else ""


def _shown(time: str | None) -> str:
    return time.replace("T", " ") if time else ""
