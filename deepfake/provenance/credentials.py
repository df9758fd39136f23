"""Content Credentials: what a file says about its own origin, how far that was proved, and both in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deepfake.system.text import one_line

MAX_TEXT = 80
"""Longest text from a file that is kept; the middle of longer ones is left out."""
MAX_PROBLEMS = 4
"""Most problems that are told."""


class State(StrEnum):
    """Whether the credentials hold."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_CHECKED = "not_checked"


class AiShare(StrEnum):
    """How much of a file was made by AI, as its credentials say."""

    WHOLE = "whole"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The Content Credentials (C2PA) that one file carries. They never change its verdict.

    Every text but `problems` was written by whoever made the file: it is in one line and short, and not escaped.
    """

    state: State
    """`valid`: what was signed has not changed since. It says nothing of who signed, see `signer_trusted`; and who
    signs chooses what is signed: the standard allows to leave out parts of a file."""
    problems: tuple[str, ...] = ()
    """Why they are invalid, or were not checked, in words."""
    signer: str | None = None
    """Whom the certificate names; None if it names nobody, or the signature is not its."""
    signer_trusted: bool | None = None
    """Whether the trust list vouches for the signer; None if none is configured, or the state is not `valid`."""
    generator: str | None = None
    """The program that claims to have written them."""
    software_agent: str | None = None
    """The program that claims to have made or edited the content; the one of the AI if there are several."""
    ai_made: AiShare | None = None
    """What they say about AI; None if nothing, which is not the same as no AI."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the credentials as plain values: the key `credentials` of `detect --json`."""
        return {
            "state": str(self.state),
            "problems": list(self.problems),
            "signer": self.signer,
            "signer_trusted": self.signer_trusted,
            "generator": self.generator,
            "software_agent": self.software_agent,
            "ai_made": str(self.ai_made) if self.ai_made else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Credentials:
        """The credentials that `as_dict` told; texts that are too long are shortened again.

        Raises:
            ValueError: If a state or a share is none of those known.
        """
        trusted = values["signer_trusted"]
        return cls(
            state=State(values["state"]),
            problems=tuple(one_line(str(problem), 2 * MAX_TEXT) for problem in values["problems"][:MAX_PROBLEMS]),
            signer=text_from(values["signer"]),
            signer_trusted=None if trusted is None else trusted is True,
            generator=text_from(values["generator"]),
            software_agent=text_from(values["software_agent"]),
            ai_made=AiShare(values["ai_made"]) if values["ai_made"] else None,
        )


def text_from(value: object) -> str | None:
    """A text from a file as it is kept; None if it is none, or empty.

    Example:

    >>> text_from("Camera\\n 1"), text_from(["Camera"])
    ('Camera 1', None)
    """
    return (one_line(value, MAX_TEXT) or None) if isinstance(value, str) else None


def in_a_word(credentials: Credentials) -> str:
    """The credentials as a part of a line.

    Example:

    >>> in_a_word(Credentials(State.VALID, signer="A", ai_made=AiShare.WHOLE))
    'credentials valid, signer unchecked, say AI-made'
    """
    if credentials.state is not State.VALID:
        return f"credentials {str(credentials.state).replace('_', ' ')}"
    signer = {None: "signer unchecked", True: "signer trusted", False: "signer not trusted"}
    words = [f"credentials valid, {signer[credentials.signer_trusted]}"]
    if credentials.ai_made:
        words.append("say AI-made" if credentials.ai_made is AiShare.WHOLE else "say partly AI-made")
    return ", ".join(words)


def in_sentences(credentials: Credentials) -> str:
    """What the credentials prove, what they say, and what they do not: for people, not escaped."""
    if credentials.state is State.NOT_CHECKED:
        return f"The file carries some, but they were not checked: {'; '.join(credentials.problems)}."
    sentences = []
    if credentials.state is State.VALID:
        sentences += ["Valid: what was signed has not changed since.", _signed(credentials)]
    else:
        sentences.append(f"Invalid: {'; '.join(credentials.problems)}. Nothing that they say is proved.")
    if credentials.ai_made:
        part = "" if credentials.ai_made is AiShare.WHOLE else "a part of "
        sentences.append(f"They say that AI made {part}it.")
    if credentials.software_agent:
        sentences.append(f"They name the software {quoted(credentials.software_agent)}.")
    if credentials.generator:
        sentences.append(f"They name {quoted(credentials.generator)} as the program that wrote them.")
    sentences.append("The answer does not depend on them.")
    return " ".join(sentences)


def _signed(credentials: Credentials) -> str:
    """Who signed, and no more trust than was proved."""
    if not credentials.signer:
        return "Their signer has no name."
    if credentials.signer_trusted:
        return f"They were signed by {quoted(credentials.signer)}, for whom the trust list vouches."
    checked = (
        "the trust list does not vouch for that name"
        if credentials.signer_trusted is False
        else "that name was not checked against a trust list"
    )
    return f"The signer goes by the name {quoted(credentials.signer)}; {checked}, and anyone can sign by any name."


def quoted(text: str) -> str:
    """A text from a file in quotation marks, which it cannot close to go on in this program's own words.

    Example:

    >>> quoted("Camera” is real. “")
    "“Camera' is real. '”"
    """
    inner = re.sub("[“”„‟″〝〞]", "'", text)
    return f"“{inner}”"
