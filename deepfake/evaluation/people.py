"""People over the time of clips, on which answers about videos are calibrated and measured.

There are few clips, so the same ones calibrate and measure, but never a clip by a calibration that has seen its people:
they are divided into folds, and each fold is judged by what was fitted to the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs

from deepfake.data.index import Row
from deepfake.data.split import linked_groups
from deepfake.evaluation.platt import balanced_weights, fit_calibration, threshold_of_reals
from deepfake.model.calibration import Calibration
from deepfake.model.lineage import TrackSample
from deepfake.records import Verdict
from deepfake.verdict import peak_logit

FOLDS = 5


@dataclass(frozen=True, slots=True)
class OverTime:
    """What turns the logits of a person over time into answers."""

    track: Calibration
    """As `Calibrations.track`."""
    part: Calibration | None = None
    """As `Calibrations.part`."""


def clip_key(row: Row) -> str:
    """Name of a file that holds on any machine: its folder and its name, without the suffix."""
    return "/".join(Path(row.path).with_suffix("").parts[-2:])


def person_sample(verdict: Verdict, row: Row, calibration: Calibration, least: int) -> TrackSample | None:
    """The most suspicious person of a video; None where nobody was judged.

    Args:
        verdict: About the file of `row`.
        row: Its label, source and people.
        calibration: By which people over time were judged.
        least: Scored faces that a person needs to be judged.
    """
    judged = [track for track in verdict.tracks if track.faces >= least]
    if not judged:
        return None
    peak = peak_logit(verdict.scores, verdict.times) if verdict.kind == "video" else None
    logit = calibration.raw(max(track.p_fake for track in judged))
    return TrackSample(clip_key(row), row.label, row.source, row.identity, logit, peak)


def fit_over_time(samples: Sequence[TrackSample]) -> OverTime:
    """Fits what turns robust means over the whole time of a person, and over parts of it, into answers.

    A part has the probability that a whole person of its logit would have, but its own threshold: no more of the real
    clips may have a part that reaches it than may be called fake.

    Raises:
        ValueError: As `fit_calibration`.
    """
    labels, logits = np.array([one.target for one in samples]), np.array([one.logit for one in samples])
    track = fit_calibration(labels, logits, [one.source for one in samples])
    reals = [(one.source, one.peak) for one in samples if one.label == "real" and one.peak is not None]
    if not reals:
        return OverTime(track)
    sources, peaks = zip(*reals, strict=True)
    weights = balanced_weights(np.zeros(len(reals), int), sources)
    highest = threshold_of_reals(np.array([track.p_fake(peak) for peak in peaks]), weights)
    thresholds = structs.replace(track.thresholds, fake_above=max(highest, track.thresholds.fake_above))
    return OverTime(track, structs.replace(track, thresholds=thresholds))


def calibrations_by_fold(samples: Sequence[TrackSample]) -> dict[tuple[str, str], OverTime]:
    """For each clip, by source and name, calibrations that were fitted to clips of other people alone.

    Args:
        samples: All clips that a calibration was fitted to.

    Raises:
        ValueError: If the clips of the other folds cannot be calibrated.
    """
    # People are known by one number in all compressions of one data set: sources are not told apart.
    rows = [
        Row(one.clip, one.label, "", "", "+".join(re.split(r"[+_]", one.identity)), "", one.clip) for one in samples
    ]
    groups = linked_groups(rows)
    order = sorted(set(groups))
    places = dict(zip(np.random.default_rng(0).permutation(order).tolist(), range(len(order)), strict=True))
    folds = [places[group] % FOLDS for group in groups]
    found: dict[tuple[str, str], OverTime] = {}
    for fold in range(FOLDS):
        others = [one for one, own in zip(samples, folds, strict=True) if own != fold]
        fitted = fit_over_time(others)
        found |= {(one.source, one.clip): fitted for one, own in zip(samples, folds, strict=True) if own == fold}
    return found
