"""People over the time of clips, on which answers about videos are calibrated and measured.

There are few clips, so the same ones calibrate and measure, but never a clip by a calibration that has seen its people:
they are divided into folds, and each fold is judged by what was fitted to the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepfake.data.index import Row
from deepfake.data.split import linked_groups
from deepfake.evaluation.platt import fit_calibration
from deepfake.model.calibration import Calibration
from deepfake.model.metrics import TrackSample
from deepfake.records import Verdict

FOLDS = 5


def clip_key(row: Row) -> str:
    """Name of a file that holds on any machine: its folder and its name, without the suffix."""
    return "/".join(Path(row.path).with_suffix("").parts[-2:])


def person_sample(verdict: Verdict, row: Row, calibration: Calibration) -> TrackSample | None:
    """The person of a video who decided its answer; None where nobody was judged.

    Args:
        verdict: About the file of `row`.
        row: Its label, source and people.
        calibration: By which people over time were judged.
    """
    if verdict.p_fake is None:
        return None
    return TrackSample(clip_key(row), row.label, row.source, row.identity, calibration.raw(verdict.p_fake))


def calibrations_by_fold(samples: Sequence[TrackSample]) -> dict[tuple[str, str], Calibration]:
    """For each clip, by source and name, a calibration that was fitted to clips of other people alone.

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
    found: dict[tuple[str, str], Calibration] = {}
    for fold in range(FOLDS):
        others = [one for one, own in zip(samples, folds, strict=True) if own != fold]
        labels, logits = np.array([one.target for one in others]), np.array([one.logit for one in others])
        fitted = fit_calibration(labels, logits, [one.source for one in others])
        found |= {(one.source, one.clip): fitted for one, own in zip(samples, folds, strict=True) if own == fold}
    return found
