"""What a file says of its own origin: its metadata, read as claims. Anybody can write them: no answer rests on them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from deepfake.provenance.credentials import AiShare, Credentials, text_from
from deepfake.provenance.generators import named_generator, written_by_generator
from deepfake.provenance.metadata import Metadata, Place, Statement
from deepfake.provenance.source_types import Says, said_by_source_type, source_term
from deepfake.provenance.times import captured_after, first_time, saved_again

MAX_MARKS = 12
"""Most marks that are told."""
MAX_PROGRAMS = 4
"""Most programs that are named."""


class MarkKind(StrEnum):
    """The marks of origin that are looked for, see article 50 (2) of Regulation (EU) 2024/1689, the AI Act."""

    C2PA = "c2pa"
    """Content Credentials."""
    SOURCE_TYPE = "digital_source_type"
    """The IPTC's digital source type in XMP."""
    AI_SYSTEM = "ai_system"
    """The AI that is named in the IPTC's property for it in XMP."""
    AIGC_LABEL = "aigc_label"
    """The label that China asks for (GB 45438-2025)."""
    GENERATOR = "generator"
    """The settings, or the name, of a program that draws pictures."""


class Sign(StrEnum):
    """What does not fit together in a file's metadata."""

    THUMBNAIL_DIFFERS = "thumbnail_differs"
    """Its thumbnail shows something else than its pixels: it was edited by a program that left the old thumbnail."""
    SAVED_LATER = "saved_later"
    """It says that it was saved again after it was taken."""
    CAPTURED_AFTER_WRITTEN = "captured_after_written"
    """It says that it was taken after the file itself was written."""


class JpegTables(StrEnum):
    """Whose tables a JPEG was quantised by."""

    STANDARD = "standard"
    """Those of the standard, scaled as libjpeg does: most programs and web sites have them."""
    OWN = "own"
    """Others, such as those of cameras, phones and Photoshop."""


_IN_A_WORD = {
    Says.AI_MADE: "file says AI-made",
    Says.AI_PART: "file says partly AI-made",
    Says.SYNTHETIC: "file says computer-made",
    Says.CAMERA: "file names a camera",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of origin that was found."""

    kind: MarkKind
    """What it is."""
    place: Place
    """Where it stands."""
    says: Says | None
    """What it says; None if that is not known."""
    text: str
    """It itself, in one short line; written by whoever made the file, and not escaped."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What one file says of its own origin. It never changes the verdict.

    Every text was written by whoever made the file: it is in one line and short, and not escaped.

    Raises:
        ValueError: If a text is longer, or has more lines.
    """

    marks: tuple[Mark, ...] = ()
    """The marks that were found; without any the file may have been made by whatever."""
    camera: str | None = None
    """Maker and model of the camera that is named."""
    programs: tuple[str, ...] = ()
    """The programs that are named."""
    captured: str | None = None
    """When it says that it was taken or made (ISO 8601); without a time zone where none is stated."""
    saved: str | None = None
    """When it says that it was saved last."""
    jpeg_tables: JpegTables | None = None
    """Whose tables a JPEG was quantised by; None of other formats."""
    jpeg_standard_quality: int | None = None
    """The quality of standard tables, from 1 to 100."""
    signs: tuple[Sign, ...] = ()
    """What does not fit together."""
    unread: tuple[Place, ...] = ()
    """What is there and could not be read, so that marks in it were not seen."""

    def __post_init__(self) -> None:
        texts = (self.camera, *self.programs, self.captured, self.saved, *(mark.text for mark in self.marks))
        if any(text is not None and text != text_from(text) for text in texts):
            raise ValueError("Texts of an `Origin` must be in one short line each, see `text_from`.")

    @property
    def says(self) -> Says | None:
        """What the file says in all: the most telling of its claims; None if nothing."""
        claims = {mark.says for mark in self.marks}
        claims |= {Says.CAMERA} if self.camera else set()
        claims |= {Says.SOFTWARE} if self.programs else set()
        return next((claim for claim in Says if claim in claims), None)

    def with_credentials(self, credentials: Credentials | None) -> Origin:
        """The same, with the Content Credentials as a mark: whether they are valid, and what they say of AI."""
        if credentials is None:
            return self
        shares = {AiShare.WHOLE: Says.AI_MADE, AiShare.PART: Says.AI_PART}
        says = shares[credentials.ai_made] if credentials.ai_made else None
        mark = Mark(MarkKind.C2PA, Place.C2PA, says, str(credentials.state).replace("_", " "))
        return replace(self, marks=(mark, *self.marks))

    def as_dict(self) -> dict[str, Any]:
        """Returns it as plain values: the key `origin` of `detect --json`."""
        said = {"says": self.says, "looked_for": tuple(MarkKind)}
        return {**msgspec.to_builtins(said), **msgspec.to_builtins(self)}


def origin_in_a_word(origin: Origin) -> str:
    """What the file says of its origin as a part of a line; empty where that is little, or its credentials say it.

    Example:

    >>> origin_in_a_word(Origin((Mark(MarkKind.AIGC_LABEL, Place.TEXT, Says.AI_MADE, "Label 1"),)))
    'file says AI-made'
    """
    own = replace(origin, marks=tuple(mark for mark in origin.marks if mark.kind is not MarkKind.C2PA))
    words = [_IN_A_WORD[own.says]] if own.says in _IN_A_WORD else []
    words += ["thumbnail differs"] if Sign.THUMBNAIL_DIFFERS in origin.signs else []
    return ", ".join(words)


def origin_of(metadata: Metadata) -> Origin:
    """What a file's metadata say of its origin.

    Example:

    >>> origin = origin_of(Metadata((Statement(Place.TEXT, "Software", "NovelAI"),)))
    >>> str(origin.says), origin.programs
    ('ai_made', ('NovelAI',))
    """
    marks = [mark for statement in metadata.statements for mark in _marks(statement)]
    # A generator may put its texts where a camera has its name.
    own = [(mark.place, mark.text) for mark in marks if mark.kind is MarkKind.GENERATOR]
    texts = [one for one in metadata.statements if written_by_generator(one.name, one.text) is None]
    camera = None if any(place is Place.EXIF for place, _ in own) else _camera(texts)
    captured, saved = first_time(texts, "captured"), first_time(texts, "saved")
    signs = {
        Sign.THUMBNAIL_DIFFERS: metadata.thumbnail_differs is True,
        Sign.SAVED_LATER: saved_again(captured, saved),
        Sign.CAPTURED_AFTER_WRITTEN: captured_after(captured, metadata.written),
    }
    tables = JpegTables.STANDARD if metadata.standard_quality else JpegTables.OWN
    return Origin(
        marks=tuple(dict.fromkeys(marks))[:MAX_MARKS],
        camera=camera,
        programs=tuple(dict.fromkeys(_programs(texts)))[:MAX_PROGRAMS],
        captured=captured.isoformat() if captured else None,
        saved=saved.isoformat() if saved else None,
        jpeg_tables=tables if metadata.is_jpeg else None,
        jpeg_standard_quality=metadata.standard_quality,
        signs=tuple(sign for sign, shows in signs.items() if shows),
        unread=metadata.unread,
    )


def _marks(statement: Statement) -> Iterator[Mark]:
    """The marks in one statement, mostly none."""
    place, name, text = statement.place, statement.name, statement.text
    if name == "DigitalSourceType":
        yield from _mark(MarkKind.SOURCE_TYPE, place, said_by_source_type(text), source_term(text))
    elif name == "AISystemUsed":
        yield from _mark(MarkKind.AI_SYSTEM, place, Says.AI_MADE, text)
    elif (label := _aigc_label(name, text)) is not None:
        # 1 stands for made by AI; 2 and 3 for what may be, or is suspected to be.
        yield from _mark(MarkKind.AIGC_LABEL, place, Says.AI_MADE if label == "1" else None, f"Label {label}")
    elif program := written_by_generator(name, text):
        yield from _mark(MarkKind.GENERATOR, place, Says.AI_MADE, program)
    elif says := named_generator(name, text):
        yield from _mark(MarkKind.GENERATOR, place, says, text)


def _mark(kind: MarkKind, place: Place, says: Says | None, text: str) -> Iterator[Mark]:
    if shown := text_from(text):
        yield Mark(kind, place, says, shown)


def _aigc_label(name: str, text: str) -> str | None:
    """The number in China's label, which is a record in JSON, bare or under its name; None if it is none."""
    if name != "AIGC" and '"AIGC"' not in text[:200]:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return "?" if name == "AIGC" else None
    if isinstance(record, dict):
        inner = record.get("AIGC", record)
        if isinstance(inner, dict) and "Label" in inner:
            return str(inner["Label"])
    return "?" if name == "AIGC" else None


_MAKERS = ("make", "com.apple.quicktime.make", "com.android.manufacturer")
_MODELS = ("model", "com.apple.quicktime.model", "com.android.model")
_NAMED_IN_COMMENT = re.compile(r"CREATOR: |Lavc\d|LEAD Technologies|File written by |Created with ")
"""How comments begin that programs write of themselves."""
_WRITERS = ("software", "creatortool", "com.apple.quicktime.software", "encoder", "writer")


def _camera(statements: list[Statement]) -> str | None:
    """Maker and model, the maker once; None if neither is named."""
    maker, model = _first(statements, _MAKERS), _first(statements, _MODELS)
    if maker and model and not model.lower().startswith(maker.split()[0].lower()):
        return text_from(f"{maker} {model}")
    return model or maker


def _first(statements: list[Statement], names: tuple[str, ...]) -> str | None:
    found = (text_from(one.text) for name in names for one in statements if one.name.lower() == name)
    return next(filter(None, found), None)


def _programs(statements: list[Statement]) -> Iterator[str]:
    for one in statements:
        name = one.name.lower()
        names_itself = name in _WRITERS or (name == "comment" and _NAMED_IN_COMMENT.match(one.text))
        if names_itself and (shown := text_from(one.text)):
            yield shown
