"""The IPTC's digital source types: the words in which metadata say how a picture came to be.

Reference:
    IPTC NewsCodes, "Digital Source Type", http://cv.iptc.org/newscodes/digitalsourcetype/.
"""

from __future__ import annotations

from enum import StrEnum


class Says(StrEnum):
    """What a file says of its origin, the most telling first."""

    AI_MADE = "ai_made"
    """AI made all of it."""
    AI_PART = "ai_part"
    """AI made a part of it."""
    SYNTHETIC = "synthetic"
    """It was made on a computer, whole or in part; AI is not named."""
    CAMERA = "camera"
    """It was taken from life: a camera is named, or a way of taking pictures."""
    SOFTWARE = "software"
    """A program is named, which may have made, edited or merely saved it."""


_TERMS = {
    Says.AI_MADE: ("trainedAlgorithmicMedia",),
    Says.AI_PART: ("compositeWithTrainedAlgorithmicMedia",),
    Says.SYNTHETIC: (
        "algorithmicMedia", "compositeSynthetic", "dataDrivenMedia", "digitalArt", "digitalCreation", "softwareImage",
        "virtualRecording",
    ),
    Says.CAMERA: (
        "algorithmicallyEnhanced", "compositeCapture", "computationalCapture", "digitalCapture", "humanEdits",
        "minorHumanEdits", "negativeFilm", "positiveFilm", "print",
    ),
}  # fmt: skip
_SAYS = {term.lower(): says for says, terms in _TERMS.items() for term in terms}


def source_term(value: str) -> str:
    """The term itself of a digital source type, which is written as an address, as a code or bare.

    Example:

    >>> source_term("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture")
    'digitalCapture'
    """
    return value.strip().rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def said_by_source_type(value: str) -> Says | None:
    """What a digital source type says; None if it is not known.

    Example:

    >>> str(said_by_source_type("digsrctype:trainedAlgorithmicMedia"))
    'ai_made'
    """
    return _SAYS.get(source_term(value).replace(" ", "").lower())
