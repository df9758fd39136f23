"""A bundle and labelled data -> what is known about the bundle's quality.

It is the shipped graph that is measured, through the code that answers users, not the network that was trained.
Quality is stated at three levels: `frame` (one face in one picture), `track` (one person over a clip), `clip`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from deepfake.data.config import Fakes
from deepfake.data.index import LABELS, Row, read_indexes
from deepfake.data.loader import read_crop
from deepfake.data.rows import with_self_blends
from deepfake.errors import DatasetError
from deepfake.evaluation.conditions import Judged, cells_of, conditions_of_row
from deepfake.evaluation.metrics import (
    Labels,
    Values,
    at_threshold,
    average_precision,
    bootstrap_interval,
    brier_score,
    chance_calibration_error,
    equal_error_rate,
    expected_calibration_error,
    hit_rate_at,
    roc_auc,
)
from deepfake.evaluation.overlap import trained_on
from deepfake.evaluation.people import OverTime, calibrations_by_fold, clip_key
from deepfake.evaluation.platt import balanced_weights
from deepfake.model.bundle import load_bundle
from deepfake.model.conditions import conditions_of_verdict
from deepfake.model.intervals import share_interval
from deepfake.model.measured import Answers, Counts, Measured, Proportion, Ranking, Summary
from deepfake.model.metrics import read_metrics
from deepfake.model.scorer import Scorer
from deepfake.pipeline import Detector, Progress
from deepfake.records import Label, Thresholds
from deepfake.verdict import decide, judge, trimmed_mean


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled item and what the bundle said."""

    label: str
    """`real` or `fake`."""
    source: str
    """Its data set."""
    method: str
    """How it was faked; empty for real."""
    p_fake: float | None
    """None where the bundle gave no number: no face, too few frames."""
    clip: str = ""
    """The video or picture that it is of."""
    path: str = ""
    """Its file."""
    answer: Label | None = None
    """The answer, where other thresholds than the bundle's decided; None for theirs."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured."""

    measures: Measured
    """The measures of its levels, sources and methods."""
    samples: tuple[Sample, ...]
    """The items of the finest level: faces."""


def evaluate_crops(
    model: Path,
    indexes: Sequence[Path],
    split: str,
    *,
    fakes: Fakes = "given",
    progress: Progress = lambda done, total: None,
) -> Evaluation:
    """Measures a bundle on the crops of one split: all, each source, and each method against its source's reals.

    Args:
        model: Folder of a bundle.
        indexes: Crops' indexes.
        split: `val` or `test`.
        fakes: Which fakes: those of the index, those made from its reals, or both.
        progress: Called after each crop.

    Raises:
        DatasetError: If the split is empty.
    """
    bundle = load_bundle(model)
    listed = read_indexes(indexes)
    rows = with_self_blends((row for row in listed if row.split == split), fakes)
    if not rows:
        raise DatasetError(f"{', '.join(map(str, indexes))} has no row in the split {split!r}.")
    scorer, samples, judged = Scorer(bundle), [], []
    thresholds = bundle.calibration.face.thresholds
    for number, row in enumerate(rows, start=1):
        crop = read_crop(row, bundle.crop)
        (score,) = scorer.score([crop])
        clip = f"{row.source}/{row.clip_name}"
        samples.append(Sample(row.label, row.source, row.method, score.p_fake, clip, row.path))
        judged.append(Judged(clip, row.label, judge(score.p_fake, thresholds), conditions_of_row(row, crop)))
        progress(number, len(rows))
    levels = {"frame": samples}
    if len({sample.clip for sample in samples}) < len(samples):
        levels["clip"] = _joined(samples)
    measures = measured(levels, thresholds)
    seen = trained_on(model, listed, split)
    return Evaluation(replace(measures, split=split, trained_on=seen, cells=cells_of(judged)), tuple(samples))


def evaluate_clips(model: Path, table: Path, *, progress: Progress = lambda done, total: None) -> Evaluation:
    """Measures the whole pipeline on labelled videos or pictures: all, each source, each method against all reals.

    A clip that the bundle was calibrated on is judged by a calibration that has not seen its people.

    Args:
        model: Folder of a bundle.
        table: CSV with the columns `path` (relative to it) and `label`, and if known `source` and `method`.
        progress: Called after each file.

    Raises:
        DatasetError: If the table cannot be read.
        MediaError: If a file cannot be read.
    """
    rows = read_indexes([table])
    if not rows:
        raise DatasetError(f"{table} lists no file.")
    detector = Detector(model)
    by_fold = _calibrations_by_fold(model)
    own = detector.bundle.calibration
    faces, tracks, clips, videos, blind = [], [], [], [], 0
    for number, row in enumerate(rows, start=1):
        verdict = detector.detect(row.path)
        in_video = verdict.kind == "video"
        least = detector.bundle.min_frames if in_video else 1
        fitted = by_fold.get((row.source, clip_key(row)))
        judging = fitted or OverTime(own.of_person(in_video=in_video), own.part)
        blind += fitted is not None

        def sample(p_fake: float | None, answer: Label, row: Row = row) -> Sample:
            return Sample(row.label, row.source, row.method, p_fake, row.path, row.path, answer)

        faces += [sample(score.p_fake, judge(score.p_fake, own.face.thresholds)) for score in verdict.scores]
        found = len(verdict.scores)
        decision = decide(
            verdict.scores, verdict.times, judging.track, least, found, judging.part if in_video else None
        )
        people = [track.p_fake for track in decision.tracks if track.faces >= least]
        tracks += [sample(p_fake, judge(p_fake, judging.track.thresholds)) for p_fake in people]
        clips.append(sample(decision.p_fake, decision.label))
        # Pictures among the files are left out: only about a video these counts are quoted.
        if in_video and (like := conditions_of_verdict(verdict)):
            videos.append(Judged(row.path, row.label, decision.label, like))
        progress(number, len(rows))
    levels = {"frame": faces, "track": tracks, "clip": clips}
    measures = measured(levels, own.track.thresholds, across_sources=True)
    return Evaluation(replace(measures, by_folds=blind, cells=cells_of(videos)), tuple(faces))


def _calibrations_by_fold(model: Path) -> dict[tuple[str, str], OverTime]:
    """For each clip that the bundle was calibrated on, a calibration that has not seen its people."""
    calibrated = read_metrics(model).track_calibration
    return calibrations_by_fold(calibrated.samples) if calibrated else {}


def summary(samples: Sequence[Sample], thresholds: Thresholds) -> Summary:
    """Counts and measures of one set of samples; a measure that is not defined for it is None."""
    labels, p_fake = answered(samples)
    count = counts_of(samples)
    found: dict[str, Any] = {}
    if len(set(labels.tolist())) == 2:
        found["auc"] = roc_auc(labels, p_fake)
        found["auc_interval"] = bootstrap_interval(roc_auc, labels, p_fake)
        found["average_precision"] = average_precision(labels, p_fake)
        found["equal_error_rate"] = equal_error_rate(labels, p_fake)
        found["tpr_at_1_percent_fpr"] = hit_rate_at(labels, p_fake, 0.01)
        found["tpr_at_5_percent_fpr"] = hit_rate_at(labels, p_fake, 0.05)
        found["ece_even"] = expected_calibration_error(labels, p_fake, weights=balanced_weights(labels))
        found["ece_even_chance"] = chance_calibration_error(labels, p_fake)
    if len(labels):
        found |= at_threshold(labels, p_fake)
        found["brier"] = brier_score(labels, p_fake)
        found["ece"] = expected_calibration_error(labels, p_fake)
    return Summary(
        count=count,
        without_number=sum(s.p_fake is None for s in samples),
        real_called=answers_about("real", samples, thresholds) if count.real else None,
        fake_called=answers_about("fake", samples, thresholds) if count.fake else None,
        **found,
    )


def counts_of(items: Iterable[Row | Sample]) -> Counts:
    """How many of the items are of either class."""
    counts = Counter(item.label for item in items)
    return Counts(counts["real"], counts["fake"])


def answers_about(label: str, samples: Sequence[Sample], thresholds: Thresholds) -> Answers:
    """How often each of the three answers is given about the samples of one class, which must occur."""
    own = [_answer(s, thresholds) for s in samples if s.label == label]

    def proportion(answer: Label) -> Proportion:
        hits = own.count(answer)
        return Proportion(hits / len(own), share_interval(hits, len(own)))

    return Answers(**{answer.value: proportion(answer) for answer in Label})


def ranking(labels: Labels, p_fake: Values, *, rounds: int = 1000) -> Ranking:
    """The AUC of samples of both classes, with an interval from so many bootstrap rounds."""
    return Ranking(auc=roc_auc(labels, p_fake), auc_interval=bootstrap_interval(roc_auc, labels, p_fake, rounds=rounds))


def measured(levels: dict[str, list[Sample]], thresholds: Thresholds, *, across_sources: bool = False) -> Measured:
    """The coarsest level in detail, and every level as a whole.

    Args:
        levels: The samples of each, from the finest to the coarsest.
        thresholds: What answers are given by, where a sample has none.
        across_sources: Whether the fakes of a method meet all reals, or those of their source.
    """
    summaries = {name: summary(own, thresholds) for name, own in levels.items()}
    coarsest, samples = list(levels.items())[-1]
    by_method = _by_method(samples, across_sources=across_sources)
    return Measured(
        all=summaries[coarsest],
        sources={
            source: summary([s for s in samples if s.source == source], thresholds)
            for source in sorted({s.source for s in samples})
        },
        methods={name: summary(own, thresholds) for name, own in sorted(by_method.items())},
        levels=summaries,
    )


def _by_method(samples: Iterable[Sample], *, across_sources: bool) -> dict[str, list[Sample]]:
    """The fakes of each method, with the reals of their source, or with all reals."""
    samples = list(samples)
    found: dict[str, list[Sample]] = {}
    for source, method in sorted({(s.source, s.method) for s in samples if s.label == "fake" and s.method}):
        fakes = [
            s for s in samples if s.label == "fake" and s.method == method and (across_sources or s.source == source)
        ]
        found[method] = fakes + [s for s in samples if s.label == "real" and (across_sources or s.source == source)]
    return found


def _joined(samples: Iterable[Sample]) -> list[Sample]:
    """One sample a clip: the robust mean of its frames, as in a verdict."""
    clips = defaultdict(list)
    for sample in samples:
        clips[sample.clip].append(sample)
    return [
        Sample(own[0].label, own[0].source, own[0].method, trimmed_mean([s.p_fake or 0.0 for s in own]), clip)
        for clip, own in clips.items()
    ]


def answered(samples: Iterable[Sample]) -> tuple[Any, Any]:
    """Labels, 1 for fake, and p_fake of the samples that have a number, shapes `(n,)`."""
    own = [s for s in samples if s.p_fake is not None]
    return np.array([LABELS.index(s.label) for s in own]), np.array([s.p_fake for s in own], np.float64)


def _answer(sample: Sample, thresholds: Thresholds) -> Label:
    if sample.answer is not None:
        return sample.answer
    return Label.INCONCLUSIVE if sample.p_fake is None else judge(sample.p_fake, thresholds)
