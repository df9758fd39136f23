"""Scores -> a verdict: face -> person -> clip.

A person's p_fake is that of the mean over time of the faces' logits, without the lowest and highest fifth (one bad
frame decides nothing), calibrated as such: a mean over time is spread less than what it is of. A clip is as fake as its
most suspicious person. In a video, a person seen in too few frames is left out, for a mean over too few frames is not
robust.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepfake.model.calibration import Calibration, logit_of
from deepfake.records import Label, Reason, Score, Thresholds, Track

TRIMMED_SHARE = 0.2
"""Share of a person's scores that is left out at either end."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, before it is joined with where it comes from."""

    label: Label
    """`real`, `fake` or `inconclusive`."""
    reason: Reason | None
    """Why it is inconclusive."""
    p_fake: float | None
    """Of the most suspicious person; None without one."""
    tracks: tuple[Track, ...]
    """Everyone who was scored, the most suspicious first."""


def decide(
    scores: Sequence[Score], times: dict[int, float], calibration: Calibration, min_frames: int, faces_found: int
) -> Decision:
    """Joins the scores of one file into one answer.

    Args:
        scores: Every scored face, in any order; each with a track.
        times: Time in seconds of each frame, by its index.
        calibration: Of a person's robust mean, see `Calibrations.of_person`.
        min_frames: Scored faces that a person needs; 1 for a picture.
        faces_found: Faces that were found, whether scored or too small.
    """
    tracks = tracks_of(scores, times, calibration)
    judged = [track for track in tracks if track.faces >= min_frames]
    if not judged:
        reason = Reason.TOO_FEW_FRAMES if tracks else Reason.FACE_TOO_SMALL if faces_found else Reason.NO_FACE
        return Decision(Label.INCONCLUSIVE, reason, None, tracks)
    p_fake = judged[0].p_fake
    label = judge(p_fake, calibration.thresholds)
    return Decision(label, Reason.UNCERTAIN if label is Label.INCONCLUSIVE else None, p_fake, tracks)


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
    by_track = defaultdict(list)
    for score in scores:
        by_track[score.face.track or 0].append(score)
    tracks = [
        Track(
            number=number,
            p_fake=calibration.p_fake(trimmed_mean([logit_of(score.p_fake) for score in own])),
            faces=len(own),
            start_s=min(times[score.face.frame_index] for score in own),
            end_s=max(times[score.face.frame_index] for score in own),
            expert_logits=tuple(map(trimmed_mean, zip(*(score.expert_logits for score in own), strict=True))),
        )
        for number, own in by_track.items()
    ]
    return tuple(sorted(tracks, key=lambda track: (-track.p_fake, track.number)))


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
