"""Verdict -> words: the answer, its reason, what would change it, and what it does not say. Stated here alone."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby

from deepfake.records import Label, Reason, Verdict
from deepfake.system.text import one_line

ICONS = {Label.REAL: "✔", Label.FAKE: "⚠", Label.INCONCLUSIVE: "?"}
WORDS = {Label.REAL: "Looks real", Label.FAKE: "Looks fake", Label.INCONCLUSIVE: "Inconclusive"}
HEAT_LEGEND = "red speaks for fake, blue for real"
"""How to read a heat map."""
NOT_MEASURED = "This model's error rates were not measured."
LIMITS = (
    "It says what a face looks like to this model, never what it is. That is evidence to be weighed with other "
    "evidence, not proof, and must never be the only ground to act on, least of all against a person.",
    "A new kind of fake may leave no trace that this model knows.",
    "Strong compression, small faces, make-up, filters and retouching move the answer in both directions.",
    "It judges faces alone, in single frames: lips out of step and unnatural motion are not seen, sound is not heard, "
    "and whether a true picture is shown with a false story is not asked.",
    "It was not made to withstand people who know it and try to deceive it.",
)
"""What an answer cannot do, whoever reads it where."""
PART_FRAMES = 5
"""Frames in a row that make a part of a video suspicious."""
MAX_NAME = 80
"""Longest name that is shown; the middle of longer ones is left out."""


@dataclass(frozen=True, slots=True)
class ReasonText:
    """How a reason for an inconclusive answer is told."""

    words: str
    """In brackets behind the answer."""
    sentence: str
    """What it means."""
    advice: str
    """What would change the answer; `{moment}` stands for another moment of a video."""


REASONS = {
    Reason.NO_FACE: ReasonText(
        "no face found",
        "No face was found, so there is nothing to judge.",
        "a picture in which a face is seen from the front and not covered.",
    ),
    Reason.FACE_TOO_SMALL: ReasonText(
        "faces too small",
        "The faces are too small to judge. Try a larger picture.",
        "a larger picture, or a cut-out of the face from the original.",
    ),
    Reason.TOO_FEW_FRAMES: ReasonText(
        "too few frames",
        "Nobody is seen in enough frames to judge. Try more frames, or a longer clip.",
        "a longer clip, or more frames.",
    ),
    Reason.UNCERTAIN: ReasonText(
        "uncertain",
        "The traces speak neither clearly for real nor clearly for fake.",
        "a copy of better quality, closer to the original{moment}.",
    ),
}


def headline(verdict: Verdict) -> str:
    """The answer in two words, with its reason in brackets if it is inconclusive."""
    return WORDS[verdict.label] + (f" ({REASONS[verdict.reason].words})" if verdict.reason else "")


def sentence(verdict: Verdict) -> str:
    """The answer in words, and what it does not say.

    It says "looks like", never "is": the network measures traces, and traces can be faked, too.
    """
    part = suspicious_part(verdict) if verdict.kind == "video" and verdict.label is not Label.FAKE else None
    if part:
        number, start_s, end_s = part
        return (
            f"From {start_s:.1f} s to {end_s:.1f} s face {number + 1} looks manipulated or generated; over the whole "
            "time the traces do not speak clearly for fake. Look at that part."
        )
    if verdict.reason:
        return REASONS[verdict.reason].sentence
    persons = "The face" if len(verdict.tracks) == 1 else "The most suspicious face"
    if verdict.label is Label.FAKE:
        return f"{persons} looks manipulated or generated."
    return f"{persons} looks real. That is no proof: a new kind of fake may leave no trace that this model knows."


def advice(verdict: Verdict) -> str:
    """What could change the answer, in words."""
    if verdict.label is Label.FAKE:
        return "the original file, if this is a copy: filters, retouching and repeated compression leave traces, too."
    moment = " or another moment of the video" if verdict.kind == "video" else ""
    if verdict.reason:
        return REASONS[verdict.reason].advice.format(moment=moment)
    return f"a copy of better quality{moment}; a kind of fake that this model has not learned may look real, too."


def suspicious_part(verdict: Verdict) -> tuple[int, float, float] | None:
    """The longest time through which each frame of one person looks fake: its number, begin and end in seconds.

    None if there are not `PART_FRAMES` such frames in a row: a mean over a whole video hides a part, but a frame or two
    say nothing.
    """
    by_track: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for score in verdict.scores:
        looks_fake = score.p_fake >= verdict.face_thresholds.fake_above
        by_track[score.face.track or 0].append((verdict.times[score.face.frame_index], looks_fake))
    best: tuple[int, float, float] | None = None
    longest = PART_FRAMES - 1
    for number, points in sorted(by_track.items()):
        for looks_fake, group in groupby(sorted(points), key=lambda point: point[1]):
            times = [time_s for time_s, _ in group]
            if looks_fake and len(times) > longest:
                best, longest = (number, times[0], times[-1]), len(times)
    return best


def shown_name(name: str, limit: int = MAX_NAME) -> str:
    """A file's name as it may be shown: one line, no folders, no invisible characters, not endless.

    Example:

    >>> shown_name("../a\\nb\\u202egpj.exe")
    'a b gpj.exe'
    """
    return one_line(re.split(r"[/\\]", name.rstrip("/\\"))[-1], limit) or "file"
