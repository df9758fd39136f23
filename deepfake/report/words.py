"""Verdict -> words: the answer, where its traces lie, its reason, and what it does not say. Stated here alone.

The words themselves stand in `languages/`, see `deepfake.report.catalogue`.
"""

from __future__ import annotations

import re

from deepfake.records import Label, Reason, Score, Verdict
from deepfake.report.catalogue import Catalogue, catalogue
from deepfake.report.regions import Region, region_of
from deepfake.system.text import one_line
from deepfake.verdict import judge

ENGLISH = catalogue()
ICONS = {Label.REAL: "✔", Label.FAKE: "⚠", Label.INCONCLUSIVE: "?"}
VERY_LIKELY = 0.95
"""A fake from this p_fake is called very likely, below it likely."""
TRACES = ("blended", "generated")
"""The kinds of trace that have a sentence; others are named as the model's manifest names them."""
ANSWERS = (
    *(f"answer.{likely}_{made}" for likely in ("very_likely", "likely") for made in ("manipulated", "generated")),
    *(f"answer.{label}" for label in (Label.REAL, Label.INCONCLUSIVE)),
)
"""Keys of the words of all answers."""
LIMITS = tuple(f"limits.{number}" for number in range(1, 7))
"""Keys of what an answer cannot do, whoever reads it where."""
MAX_NAME = 80
"""Longest name that is shown; the middle of longer ones is left out."""


def answer_key(verdict: Verdict) -> str:
    """The key of the answer's words, one of `ANSWERS`."""
    if verdict.label is not Label.FAKE or verdict.p_fake is None:
        return f"answer.{verdict.label}"
    likely = "very_likely" if verdict.p_fake >= VERY_LIKELY else "likely"
    return f"answer.{likely}_{'generated' if verdict.trace == 'generated' else 'manipulated'}"


def headline(verdict: Verdict, say: Catalogue = ENGLISH) -> str:
    """The answer in a few words: how likely a fake is, or that no traces were found, or why nothing can be told."""
    answer = say(answer_key(verdict))
    if verdict.reason:
        return f"{answer}: {say(f'reason.{verdict.reason}')}"
    if verdict.label is Label.FAKE and verdict.p_fake is not None:
        return say("answer.scored", answer=answer, score=of_hundred(verdict.p_fake))
    return answer


def sentences(verdict: Verdict, say: Catalogue = ENGLISH) -> list[str]:
    """The answer in sentences: what kind of trace, when and where it is seen, what it does not say, and how the
    file was looked at.

    They say "looks like", never "is": the network measures traces, and traces can be faked, too.
    """
    pages = [say("sentence.page", page=verdict.page)] if verdict.page else []
    notes = [*pages, *(say(f"note.{note}") for note in verdict.notes)]
    if verdict.reason:
        told = [say(f"sentence.{verdict.reason}")]
        if verdict.unstable_under:
            told.append(say("stability.under", changes=flipping_changes(verdict, say)))
        return [*told, *notes]
    which = "" if len(verdict.tracks) == 1 else "_of_many"
    if verdict.label is not Label.FAKE:
        return [say(f"sentence.real{which}"), *notes]
    kind = "fake" if verdict.trace is None else verdict.trace if verdict.trace in TRACES else "other_trace"
    told = [say(f"sentence.{kind}{which}", trace=verdict.trace)]
    if part := verdict.decisive_part:
        told.append(say("sentence.part", start=f"{part.from_s:.1f}", end=f"{part.to_s:.1f}", face=part.track + 1))
    if region := region_of_fake(verdict):
        told.append(say(f"where.{region}"))
    return [*told, *notes]


def flipping_changes(verdict: Verdict, say: Catalogue = ENGLISH) -> str:
    """The changes after which the answer would be another, in words with commas between."""
    return ", ".join(say(f"stability.{change}") for change in verdict.unstable_under)


def spread(verdict: Verdict, say: Catalogue = ENGLISH) -> list[str]:
    """A sentence with the p_fake after each harmless change; none where nothing was looked at again."""
    if not verdict.stability:
        return []
    values = verdict.stability.values()
    each = ", ".join(f"{say(f'stability.{change}')}: {p_fake:.2f}" for change, p_fake in verdict.stability.items())
    return [say("stability.spread", low=f"{min(values):.2f}", high=f"{max(values):.2f}", changes=each)]


def face_label(score: Score, verdict: Verdict) -> Label:
    """The answer about one face of one frame of a file; none where a harmless change would have another one given."""
    if _is_unstable(score, verdict):
        return Label.INCONCLUSIVE
    return judge(score.p_fake, verdict.face_thresholds)


def face_answer(score: Score, verdict: Verdict, say: Catalogue = ENGLISH) -> str:
    """`face_label` in words."""
    words = say(f"answer.{face_label(score, verdict)}_face")
    return f"{words} ({say(f'reason.{Reason.UNSTABLE}')})" if _is_unstable(score, verdict) else words


def _is_unstable(score: Score, verdict: Verdict) -> bool:
    return (score.face.track or 0) in verdict.unstable_tracks


def of_hundred(p_fake: float) -> int:
    """A probability as people say it, in whole parts of a hundred: never 0 or 100, for nothing is certain.

    Example:

    >>> of_hundred(0.984), of_hundred(0.9999)
    (98, 99)
    """
    return min(max(round(100 * p_fake), 1), 99)


def region_of_fake(verdict: Verdict) -> Region | None:
    """Where on the decisive person's face the traces of a fake lie; None where no frame of it looks fake."""
    decisive = verdict.decisive
    if verdict.label is not Label.FAKE or decisive is None:
        return None
    own = [
        score
        for score in verdict.scores
        if (score.face.track or 0) == decisive.number and score.p_fake >= verdict.face_thresholds.fake_above
    ]
    return region_of(own) if own else None


def shown_name(name: str, limit: int = MAX_NAME) -> str:
    """A file's name as it may be shown: one line, no folders, no invisible characters, not endless.

    Example:

    >>> shown_name("../a\\nb\\u202egpj.exe")
    'a b gpj.exe'
    """
    return one_line(re.split(r"[/\\]", name.rstrip("/\\"))[-1], limit) or "file"
