"""Text of strangers, as it may be shown."""

from __future__ import annotations

import codecs
import os
import unicodedata

_LONGEST = 4096
"""Of a longer text no more than this is looked at from either end."""


def decoded(content: bytes) -> str:
    """The text of a file from any system: UTF-8 or UTF-16, with a byte-order mark or without.

    What is no text in either stays as it is in a file's name on this system, see `os.fsdecode`.

    Example:

    >>> decoded(b"\\xef\\xbb\\xbfa.jpg"), decoded("a.jpg".encode("utf-16"))
    ('a.jpg', 'a.jpg')
    """
    for mark, code in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(mark):
            return content[len(mark) :].decode(code, "surrogateescape" if code == "utf-8" else "replace")
    for code, zeros in (("utf-16-le", content[1:64:2]), ("utf-16-be", content[:64:2])):
        # Text of the West in two bytes a letter: every other one is zero.
        if len(zeros) > 1 and not any(zeros):
            return content.decode(code, "replace")
    return os.fsdecode(content)


def one_line(text: str, limit: int) -> str:
    """A text in one line, without invisible or reordering characters, its middle left out if it is too long.

    It is not escaped: who writes HTML does that.

    Args:
        text: Any text.
        limit: Most characters of what is returned; at least 3.

    Example:

    >>> one_line("a\\nb\\u202egpj.exe", 80), one_line("x" * 10_000, 5)
    ('a b gpj.exe', 'xx…xx')
    """
    if len(text) > 2 * _LONGEST:
        text = text[:_LONGEST] + text[-_LONGEST:]
    letters = unicodedata.normalize("NFC", text)
    plain = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in letters)
    plain = " ".join(plain.split())
    tail = limit // 2
    return plain if len(plain) <= limit else f"{plain[: limit - tail - 1]}…{plain[-tail:]}"


def printable(text: str) -> str:
    """A text on one line, with escapes for what would steer a terminal, turn the text around, or cannot be encoded.

    Example:

    >>> printable("a\\x1b[31m\\nb")
    'a\\\\x1b[31m\\\\nb'
    """
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def not_a_formula(text: str) -> str:
    """A text for a cell of a table, quoted if a spreadsheet would run it as a formula.

    Example:

    >>> not_a_formula("=1+1"), not_a_formula("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text
