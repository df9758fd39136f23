"""Verdict -> a line: the answer, its score, and in a few words what was seen, when and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from deepfake.provenance.credentials import in_a_word
from deepfake.provenance.origin import origin_in_a_word
from deepfake.records import Label, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.whole_picture import whole_line
from deepfake.report.words import ENGLISH, TRACES, answer_key, flipping_changes, of_hundred, region_of_fake


@dataclass(frozen=True, slots=True)
class Brief:
    """What a line says of one file."""

    label: Label
    """The answer, for its colour."""
    answer: str
    """The answer in words."""
    score: str
    """Such as `98%`; empty where no face could be scored."""
    detail: str
    """What was seen: how many faces, and of a fake its kind of trace, its time in a video, its place on the face."""
    notes: tuple[str, ...] = ()
    """How the file was looked at, and what it says of its own origin."""


def brief(verdict: Verdict, say: Catalogue = ENGLISH) -> Brief:
    """The verdict in a line, in the words that the page and the report use."""
    origin = [in_a_word(verdict.credentials)] if verdict.credentials else []
    origin += [stated] if (stated := origin_in_a_word(verdict.origin)) else []
    return Brief(
        label=verdict.label,
        answer=say(answer_key(verdict)),
        score="" if verdict.p_fake is None else f"{of_hundred(verdict.p_fake)}%",
        detail=_detail(verdict, say),
        notes=(*whole_line(verdict.whole_picture, say), *origin, *(say(f"note.{note}") for note in verdict.notes)),
    )


def summary(labels: Iterable[Label], unreadable: int, say: Catalogue = ENGLISH) -> str:
    """How many files got each answer, and how many none.

    Example:

    >>> summary([Label.FAKE, Label.REAL, Label.FAKE], 1)
    '4 files: looks fake 2, no clear traces 1, cannot be read 1'
    """
    counts = Counter(labels)
    parts = {say(f"answer.{label}_face"): counts[label] for label in (Label.FAKE, Label.REAL, Label.INCONCLUSIVE)}
    parts[say("line.unreadable")] = unreadable
    counted = ", ".join(f"{words} {count}" for words, count in parts.items() if count)
    return f"{say('line.files', count=sum(parts.values()))}: {counted}"


def _detail(verdict: Verdict, say: Catalogue) -> str:
    people = len(verdict.tracks)
    faces = say("line.face") if people == 1 else say("line.faces", count=people)
    if verdict.reason:
        reason = say(f"reason.{verdict.reason}")
        if verdict.unstable_under:
            reason = f"{reason} ({flipping_changes(verdict, say)})"
        return f"{faces}: {reason}" if people else reason
    if verdict.label is not Label.FAKE:
        return faces
    seen = [say("line.of_face", face=verdict.decisive.number + 1)] if verdict.decisive and people > 1 else []
    if verdict.trace:
        seen.append(say(f"line.{verdict.trace}") if verdict.trace in TRACES else verdict.trace)
    if part := verdict.decisive_part:
        seen.append(say("line.part", start=f"{part.from_s:.1f}", end=f"{part.to_s:.1f}"))
    if region := region_of_fake(verdict):
        seen.append(say(f"line.{region}"))
    return f"{faces}: {', '.join(seen)}" if seen else faces
