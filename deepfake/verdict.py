"""Scores -> a verdict: face -> person -> part -> clip.

A person's p_fake is that of the mean over time of the faces' logits, without the lowest and highest fifth (one bad
frame decides nothing), calibrated as such: a mean over time is spread less than what it is of. A clip is as fake as its
most suspicious person. In a video, a person seen in too few frames is left out, for a mean over too few frames is not
robust. A clip is fake, too, if a part of it is: through a second or more one person clearly looks fake, by a
calibration of its own, for among many parts one is always the most suspicious.

Where faces were looked at again after harmless changes, an answer that one of these would change is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from deepfake.model.calibration import Calibration, logit_of
from deepfake.records import Change, Label, Part, Reason, Score, Thresholds, Track

TRIMMED_SHARE = 0.2
"""Share of a person's scores that is left out at either end."""
PART_S = 1.0
"""Shortest part of a video in seconds that is judged by itself."""
PART_FACES = 5
"""Fewest scored faces of one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, before it is joined with where it comes from."""

    label: Label
    """`real`, `fake` or `inconclusive`."""
    reason: Reason | None
    """Why it is inconclusive."""
    p_fake: float | None
    """Of the most suspicious person, or of the part that decided; None without one."""
    thresholds: Thresholds
    """Those that this p_fake was held against: the person's, or the part's."""
    tracks: tuple[Track, ...]
    """Everyone who was scored, the most suspicious first."""
    parts: tuple[Part, ...] = ()
    """The parts that clearly look fake, the most suspicious first."""
    stability: Mapping[Change, float] | None = None
    """The p_fake after each harmless change; None where no face was looked at again, or the answer is none anyway."""
    unstable_under: tuple[Change, ...] = ()
    """The changes after which the answer would be another."""
    unstable_tracks: frozenset[int] = frozenset()
    """Numbers of the people of whom one of these changes would have another answer given."""


def decide(
    scores: Sequence[Score],
    times: dict[int, float],
    calibration: Calibration,
    min_frames: int,
    faces_found: int,
    part_calibration: Calibration | None = None,
) -> Decision:
    """Joins the scores of one file into one answer, and asks whether that outlasts harmless changes of the faces.

    Args:
        scores: Every scored face, in any order; each with a track. One that was not looked at again keeps its p_fake.
        times: Time in seconds of each frame, by its index.
        calibration: Of a person's robust mean, see `Calibrations.of_person`.
        min_frames: Scored faces that a person needs; 1 for a picture.
        faces_found: Faces that were found, whether scored or too small.
        part_calibration: Of the robust mean over a part of a video; None where no part decides.
    """
    decide_on = partial(
        _decide_once,
        times=times,
        calibration=calibration,
        min_frames=min_frames,
        faces_found=faces_found,
        part_calibration=part_calibration,
    )
    first = decide_on(scores)
    if first.label is Label.INCONCLUSIVE or not any(score.changed for score in scores):
        return first
    after = {change: decide_on([_changed(score, change) for score in scores]) for change in Change}
    stability = {change: own.p_fake for change, own in after.items() if own.p_fake is not None}
    flipped = tuple(change for change, own in after.items() if own.label is not first.label)
    people = [_label_of_each(own, calibration.thresholds) for own in (first, *after.values())]
    unstable = frozenset(number for number, label in people[0].items() if {own[number] for own in people} != {label})
    if flipped:
        first = replace(first, label=Label.INCONCLUSIVE, reason=Reason.UNSTABLE)
    return replace(first, stability=stability, unstable_under=flipped, unstable_tracks=unstable)


def _label_of_each(decision: Decision, thresholds: Thresholds) -> dict[int, Label]:
    """The answer about each person by itself, by number."""
    own = {track.number: judge(track.p_fake, thresholds) for track in decision.tracks}
    return own | {part.track: Label.FAKE for part in decision.parts}


def _changed(score: Score, change: Change) -> Score:
    """The score as it is after a change, if its face was looked at again."""
    return replace(score, p_fake=score.changed.get(change, score.p_fake))


def _decide_once(
    scores: Sequence[Score],
    times: dict[int, float],
    calibration: Calibration,
    min_frames: int,
    faces_found: int,
    part_calibration: Calibration | None,
) -> Decision:
    tracks = tracks_of(scores, times, calibration)
    judged = [track for track in tracks if track.faces >= min_frames]
    if not judged:
        reason = Reason.TOO_FEW_FRAMES if tracks else Reason.FACE_TOO_SMALL if faces_found else Reason.NO_FACE
        return Decision(Label.INCONCLUSIVE, reason, None, calibration.thresholds, tracks)
    p_fake, deciding = judged[0].p_fake, calibration
    parts = parts_of(scores, times, part_calibration) if part_calibration else ()
    if part_calibration and parts and judge(p_fake, calibration.thresholds) is not Label.FAKE:
        p_fake, deciding = parts[0].p_fake, part_calibration
    label = judge(p_fake, deciding.thresholds)
    unsure = Reason.UNCERTAIN if label is Label.INCONCLUSIVE else None
    return Decision(label, unsure, p_fake, deciding.thresholds, tracks, parts)


def judge(p_fake: float, thresholds: Thresholds) -> Label:
    """The answer that a probability stands for.

    Example:

    >>> str(judge(0.5, Thresholds(real_below=0.3, fake_above=0.7)))
    'inconclusive'
    """
    if p_fake >= thresholds.fake_above:
        return Label.FAKE
    return Label.REAL if p_fake < thresholds.real_below else Label.INCONCLUSIVE


def tracks_of(scores: Sequence[Score], times: dict[int, float], calibration: Calibration) -> tuple[Track, ...]:
    """One `Track` for each person, the most suspicious first; arguments as for `decide`."""
    tracks = [
        Track(
            number=number,
            p_fake=calibration.p_fake(mean_logit(own)),
            faces=len(own),
            start_s=times[own[0].face.frame_index],
            end_s=times[own[-1].face.frame_index],
            expert_logits=_mean_experts(own),
        )
        for number, own in _by_track(scores).items()
    ]
    return tuple(sorted(tracks, key=lambda track: (-track.p_fake, track.number)))


def parts_of(scores: Sequence[Score], times: dict[int, float], calibration: Calibration) -> tuple[Part, ...]:
    """The parts through which a person clearly looks fake, the most suspicious first; arguments as for `decide`.

    Windows that pass the threshold and touch are one part, from its first face to its last that looks rather fake.
    """
    parts = []
    for number, own in _by_track(scores).items():
        passed = [
            (p_fake, window)
            for window in windows(own, times)
            if (p_fake := calibration.p_fake(mean_logit(own[window]))) >= calibration.thresholds.fake_above
        ]
        for group in _touching(passed):
            whole = own[group[0][1].start : group[-1][1].stop]
            seen = [one for one in whole if one.p_fake >= 0.5] or whole
            p_fake, window = max(group, key=lambda one: one[0])
            from_s, to_s = (times[one.face.frame_index] for one in (seen[0], seen[-1]))
            parts.append(Part(number, from_s, to_s, p_fake, _mean_experts(own[window])))
    return tuple(sorted(parts, key=lambda part: (-part.p_fake, part.track, part.from_s)))


def windows(scores: Sequence[Score], times: dict[int, float]) -> Iterator[slice]:
    """The shortest parts of one person's time that are judged by themselves.

    Args:
        scores: Of one person, in order of time.
        times: As for `decide`.
    """
    stop = 0
    for start in range(len(scores)):
        begin_s = times[scores[start].face.frame_index]
        stop = max(stop, start + PART_FACES)
        while stop <= len(scores) and times[scores[stop - 1].face.frame_index] - begin_s < PART_S:
            stop += 1
        if stop > len(scores):
            return
        yield slice(start, stop)


def peak_logit(scores: Sequence[Score], times: dict[int, float]) -> float | None:
    """The highest robust mean, over anyone's parts, of the faces' logits; None where nobody is seen for long enough."""
    means = [mean_logit(own[window]) for own in _by_track(scores).values() for window in windows(own, times)]
    return max(means, default=None)


def mean_logit(scores: Sequence[Score]) -> float:
    """The robust mean of the faces' calibrated logits."""
    return trimmed_mean([logit_of(score.p_fake) for score in scores])


def _mean_experts(scores: Sequence[Score]) -> tuple[float, ...]:
    return tuple(map(trimmed_mean, zip(*(score.expert_logits for score in scores), strict=True)))


def _by_track(scores: Sequence[Score]) -> dict[int, list[Score]]:
    """The scores of each person, in order of time."""
    found = defaultdict(list)
    for score in sorted(scores, key=lambda score: score.face.frame_index):
        found[score.face.track or 0].append(score)
    return found


def _touching(passed: Sequence[tuple[float, slice]]) -> list[list[tuple[float, slice]]]:
    """Windows in order of time -> groups of which each overlaps the next."""
    groups: list[list[tuple[float, slice]]] = []
    for one in passed:
        if groups and one[1].start < groups[-1][-1][1].stop:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def trimmed_mean(values: Sequence[float]) -> float:
    """Mean of the middle: the lowest and highest fifth are left out.

    Raises:
        ValueError: If there is no value.

    Example:

    >>> trimmed_mean([0.0, 0.5, 0.5, 0.5, 1.0])
    0.5
    """
    if not values:
        raise ValueError("`values` must hold at least one number. Received none.")
    out = int(len(values) * TRIMMED_SHARE)
    return float(np.mean(sorted(values)[out : len(values) - out]))
