"""What a file's metadata state -> what it says of its own origin: statements read as claims, none of them proved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from deepfake.provenance.credentials import text_from
from deepfake.provenance.generators import named_generator, written_by_generator
from deepfake.provenance.metadata import Metadata, Place, Statement
from deepfake.provenance.origin import JpegTables, Mark, MarkKind, Origin, Sign
from deepfake.provenance.source_types import Says, said_by_source_type, source_term
from deepfake.provenance.times import captured_after, first_time, saved_again

MAX_MARKS = 12
"""Most marks that are told."""
MAX_PROGRAMS = 4
"""Most programs that are named."""


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
