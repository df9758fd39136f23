"""Keys -> words: what a person reads on the page and in the report, in each language; `languages/` holds the words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("languages")
DEFAULT = "en"
LANGUAGES = tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))
"""Codes of the languages that there are, as in ISO 639-1."""
RIGHT_TO_LEFT = frozenset({"ar"})


class Catalogue:
    """The words of one language.

    Args:
        language: One of `LANGUAGES`.
        words: Words by `section.key`.

    Example:

    >>> catalogue("en")("answer.progress", done=1, total=24)
    'Looking at frame 1 of 24'
    """

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language = language
        self.words = words

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key, with these values in the place of their names in braces.

        Raises:
            KeyError: If there is no such key, or a value is missing: a slip of the program.
        """
        text = self.words[key]
        return text.format(**values) if values else text

    @property
    def right_to_left(self) -> bool:
        """Whether it is written from the right to the left."""
        return self.language in RIGHT_TO_LEFT


@cache
def catalogue(language: str = DEFAULT) -> Catalogue:
    """The words of a language.

    Raises:
        ValueError: If it is none of `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"`language` must be one of {', '.join(LANGUAGES)}. Received: {language}.")
    sections = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Catalogue(
        language, {f"{name}.{key}": text for name, section in sections.items() for key, text in section.items()}
    )


def best_language(accepted: str) -> str:
    """The language that a browser likes best, of those that there are; English where it likes none of them.

    Args:
        accepted: What a browser sends as `Accept-Language` (RFC 9110, section 12.5.4).

    Example:

    >>> best_language("xx, fr-CA;q=0.8, en;q=0.9"), best_language("")
    ('en', 'en')
    """
    wishes = [
        (-float(share or 1), place, language.lower())
        for place, (language, share) in enumerate(
            re.findall(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d+)?))?\s*(?:,|$)", accepted)
        )
    ]
    return next((language for _, _, language in sorted(wishes) if language in LANGUAGES), DEFAULT)
