"""A bundle and labelled data -> metrics.json: what is known about the bundle's quality.

It is the shipped graph that is measured, through the code that answers users, not the network that was trained.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake.bundle import load_bundle
from deepfake.errors import DatasetError
from deepfake.pipeline import Detector
from deepfake.records import Label, Thresholds
from deepfake.scores import Scorer, sigmoid
from deepfake.training.degrade import fit_to
from deepfake.training.index import LABELS, read_index
from deepfake.training.loader import read_crop
from deepfake.training.metrics import (
    average_precision,
    bootstrap_interval,
    equal_error_rate,
    expected_calibration_error,
    roc_auc,
    share_interval,
)
from deepfake.verdict import judge

Progress = Callable[[int], object]


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


def evaluate_crops(model: Path, index: Path, split: str, progress: Progress = lambda done: None) -> dict[str, Any]:
    """Measures a bundle on the crops of one split, altogether and by source.

    Args:
        model: Folder of a bundle.
        index: The crops' index.
        split: `val` or `test`.
        progress: Called with the number of crops done.

    Raises:
        DatasetError: If the split is empty.
    """
    bundle = load_bundle(model)
    rows = [row for row in read_index(index) if row.split == split]
    if not rows:
        raise DatasetError(f"{index} has no row in the split {split!r}.")
    scorer = Scorer(bundle)
    samples = []
    for number, row in enumerate(rows, start=1):
        image = fit_to(read_crop(index.parent / row.path), bundle.crop.size)
        p_fake = sigmoid(scorer.logit(image) / bundle.temperature + bundle.logit_shift)
        samples.append(Sample(row.label, row.source, row.method, p_fake))
        progress(number)
    by_source = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append(sample)
    return {
        "split": split,
        "all": summary(samples, bundle.thresholds),
        "sources": {source: summary(own, bundle.thresholds) for source, own in sorted(by_source.items())},
    }


def evaluate_clips(model: Path, table: Path, progress: Progress = lambda done: None) -> dict[str, Any]:
    """Measures the whole pipeline on labelled videos or pictures: altogether, and each method against all reals.

    Args:
        model: Folder of a bundle.
        table: CSV with the columns `path` (relative to it), `label`, `source` and `method`.
        progress: Called with the number of files done.

    Raises:
        DatasetError: If the table cannot be read.
        MediaError: If a file cannot be read.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            records = list(csv.DictReader(file))
        labels = [record["label"] for record in records]
    except (OSError, KeyError) as error:
        raise DatasetError(f"{table} must be a CSV table with path, label, source and method: {error!r}.") from error
    if not records or not set(labels) <= set(LABELS):
        raise DatasetError(f"{table} must list files labelled real or fake. Received: {sorted(set(labels))}.")
    detector = Detector(model)
    samples = []
    for number, record in enumerate(records, start=1):
        verdict = detector.detect(table.parent / record["path"])
        samples.append(Sample(record["label"], record["source"], record["method"], verdict.p_fake))
        progress(number)
    reals = [sample for sample in samples if sample.label == "real"]
    methods = sorted({sample.method for sample in samples if sample.label == "fake"})
    thresholds = detector.bundle.thresholds
    return {
        "all": summary(samples, thresholds),
        "methods": {
            method: summary(reals + [s for s in samples if s.label == "fake" and s.method == method], thresholds)
            for method in methods
        },
    }


def summary(samples: Sequence[Sample], thresholds: Thresholds) -> dict[str, Any]:
    """Counts and measures of one set of samples; a measure that is not defined for it is absent.

    `auc`, `average_precision`, `equal_error_rate` and `ece` are over the samples with a number; the shares of
    answers are over all, each with its 95% interval.
    """
    counts = {label: sum(s.label == label for s in samples) for label in LABELS}
    found: dict[str, Any] = {"count": counts, "without_number": sum(s.p_fake is None for s in samples)}
    answered = [s for s in samples if s.p_fake is not None]
    labels = np.array([LABELS.index(s.label) for s in answered])
    p_fake = np.array([s.p_fake for s in answered], np.float64)
    if len(set(labels.tolist())) == 2:
        found["auc"] = roc_auc(labels, p_fake)
        found["auc_interval"] = bootstrap_interval(roc_auc, labels, p_fake)
        found["average_precision"] = average_precision(labels, p_fake)
        found["equal_error_rate"] = equal_error_rate(labels, p_fake)
    if len(answered):
        found["ece"] = expected_calibration_error(labels, p_fake)
    for label, count in counts.items():
        own = [_answer(s, thresholds) for s in samples if s.label == label]
        if count:
            found[f"{label}_called"] = {
                str(answer): {"share": own.count(answer) / count, "interval": share_interval(own.count(answer), count)}
                for answer in Label
            }
    return found


def update_metrics(path: Path, section: str, values: dict[str, Any]) -> None:
    """Writes one section of `metrics.json`, keeping the others."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[section] = values
    scratch = path.with_name(f"{path.name}.part")
    scratch.write_text(json.dumps(_rounded(known), indent=2) + "\n", encoding="utf-8")
    scratch.replace(path)


def _answer(sample: Sample, thresholds: Thresholds) -> Label:
    return Label.INCONCLUSIVE if sample.p_fake is None else judge(sample.p_fake, thresholds)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
