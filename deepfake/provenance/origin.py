"""What a file says of its own origin, as a record. Anybody can write metadata, so no answer rests on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from deepfake.provenance.credentials import AiShare, Credentials, text_from
from deepfake.provenance.metadata import Place
from deepfake.provenance.source_types import Says


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
        own = msgspec.json.decode(msgspec.json.encode(self))
        return {"says": str(self.says) if self.says else None, "looked_for": [str(kind) for kind in MarkKind], **own}


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
