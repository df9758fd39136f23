"""A bundle and labelled clips -> the calibration of its answer about a person over time.

A mean over time is spread less than what it is of, so thresholds of single faces would leave nearly every clip
inconclusive. The samples are people in whole clips, and in frames of clips that an index has in its validation split.
They are kept in the metrics: whoever measures the bundle on the same clips must judge each by a calibration that has
not seen its people (see `deepfake.evaluation.evaluate`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from deepfake.data.index import Row, read_indexes
from deepfake.data.loader import read_crop
from deepfake.errors import DatasetError
from deepfake.evaluation.people import fit_over_time, person_sample
from deepfake.model.bundle import MANIFEST, load_bundle, read_manifest
from deepfake.model.calibration import Calibrations, logit_of
from deepfake.model.lineage import TrackCalibration, TrackSample
from deepfake.model.metrics import read_metrics, write_metrics
from deepfake.model.scorer import Scorer
from deepfake.pipeline import Detector, Progress
from deepfake.system.files import write_json
from deepfake.training.calibrate import check_beats_chance
from deepfake.verdict import trimmed_mean

LEAST = 5
"""Clips of either class, without which nothing is fitted."""


def calibrate_tracks(
    model: Path, clips: Path | None, indexes: Sequence[Path], *, progress: Progress = lambda done, total: None
) -> Calibrations:
    """Fits the calibration of a bundle's answers about people in videos, and writes it into its manifest.

    Args:
        model: Folder of a bundle.
        clips: CSV table of labelled videos that nothing was trained on; None for none.
        indexes: Crops' indexes, of whose validation split the frames of one clip are joined.
        progress: Called after each clip.

    Returns:
        The bundle's calibrations, the new one among them.

    Raises:
        DatasetError: If there are too few clips of either class, or they are ranked no better than chance.
        MediaError: If a video cannot be read.
    """
    rows = read_indexes([clips]) if clips else []
    samples = _of_frames(model, [row for row in read_indexes(indexes) if row.split == "val"])
    detector = Detector(model, trust=True)
    for number, row in enumerate(rows, start=1):
        verdict = detector.detect(row.path)
        in_video = verdict.kind == "video"
        used = detector.bundle.calibration.of_person(in_video=in_video)
        least = detector.bundle.min_frames if in_video else 1
        sample = person_sample(verdict, row, used, least)
        samples += [sample] if sample else []
        progress(number, len(rows))
    labels = np.array([sample.target for sample in samples])
    fakes = int(labels.sum())
    if min(fakes, len(labels) - fakes) < LEAST:
        raise DatasetError(
            f"At least {LEAST} real and {LEAST} fake clips are needed. Found {len(labels) - fakes} and {fakes}."
        )
    check_beats_chance(model, labels, np.array([sample.logit for sample in samples]))
    try:
        fitted = fit_over_time(samples)
    except ValueError as error:
        raise DatasetError(f"{model} cannot be calibrated on these clips: {error}") from error
    manifest = read_manifest(model)
    calibrations = replace(manifest.calibration, track=fitted.track, part=fitted.part)
    write_json(model / MANIFEST, msgspec.to_builtins(replace(manifest, calibration=calibrations)))
    found = TrackCalibration(fitted.track, tuple(samples), fitted.part)
    write_metrics(model, replace(read_metrics(model), track_calibration=found))
    return calibrations


def _of_frames(model: Path, rows: Sequence[Row]) -> list[TrackSample]:
    """One sample for each clip of an index that has as many frames as an answer needs."""
    bundle = load_bundle(model, trust=True)
    scorer, clips = Scorer(bundle), defaultdict(list)
    for row in rows:
        clips[row.source, row.clip_name].append(row)
    found = []
    for (source, clip), own in clips.items():
        if len(own) < bundle.min_frames:
            continue
        scores = scorer.score([read_crop(row, bundle.crop) for row in own])
        logit = trimmed_mean([logit_of(score.p_fake) for score in scores])
        found.append(TrackSample(clip, own[0].label, source, own[0].identity, logit))
    return found
