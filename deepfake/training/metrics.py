"""Numbers of quality: how well scores rank, how well probabilities are calibrated, and how sure we are of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn import metrics

Labels = npt.NDArray[Any]
"""0 for real, 1 for fake."""
Values = npt.NDArray[Any]
"""Scores or probabilities, as floats."""


def roc_auc(labels: Labels, scores: Values) -> float:
    """Probability that a fake scores above a real, ties counted half.

    Args:
        labels: Shape `(n,)`, 1 for fake and 0 for real. Both must occur.
        scores: Shape `(n,)`, larger means more fake. Only the order matters.

    Returns:
        In [0, 1]: 1 is perfect, 0.5 is chance.

    Raises:
        ValueError: If the shapes differ, or one class is absent (the area is undefined, so no number is made up).

    Example:

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.9]))
    0.75
    """
    labels, scores = _checked(labels, scores)
    fakes = int(labels.sum())
    ranks = stats.rankdata(scores)
    return float((ranks[labels == 1].sum() - fakes * (fakes + 1) / 2) / (fakes * (len(labels) - fakes)))


def average_precision(labels: Labels, scores: Values) -> float:
    """Area under the precision-recall curve for fakes, in [0, 1]; arguments as `roc_auc`."""
    labels, scores = _checked(labels, scores)
    return float(metrics.average_precision_score(labels, scores))


def equal_error_rate(labels: Labels, scores: Values) -> float:
    """Error rate at the threshold where misses and false alarms are equally common.

    Args:
        labels: As `roc_auc`.
        scores: As `roc_auc`.

    Returns:
        A fraction in [0, 1]: 0 is perfect, 0.5 is chance, 1 is perfectly wrong.

    Raises:
        ValueError: As `roc_auc`.

    Example:

    >>> equal_error_rate(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.9]))
    0.5
    """
    labels, scores = _checked(labels, scores)
    alarms, hits, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    misses = 1 - hits
    place = int(np.argmin(np.abs(misses - alarms)))
    return float((misses[place] + alarms[place]) / 2)


def expected_calibration_error(labels: Labels, p_fake: Values, bins: int = 15) -> float:
    """Mean distance between the probability stated and the share of fakes found, over bins of equal width.

    Args:
        labels: As `roc_auc`; one class suffices.
        p_fake: Shape `(n,)`, probabilities in [0, 1].
        bins: Their number.

    Returns:
        In [0, 1]; 0 is perfect.

    Raises:
        ValueError: If a probability is outside [0, 1].

    Example:

    >>> expected_calibration_error(np.array([0, 1]), np.array([0.5, 0.5]))
    0.0

    Reference:
        Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    labels, p_fake = np.asarray(labels), np.asarray(p_fake, np.float64)
    if p_fake.size == 0 or p_fake.min() < 0 or p_fake.max() > 1:
        raise ValueError("`p_fake` must hold probabilities in [0, 1].")
    place = np.minimum((p_fake * bins).astype(int), bins - 1)
    gaps = [abs(labels[place == b].sum() - p_fake[place == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(labels))


def bootstrap_interval(
    measure: Callable[[Labels, Values], float], labels: Labels, scores: Values, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95% percentile interval of a measure, reals and fakes resampled each by themselves.

    Returns:
        Its lower and upper end.

    Reference:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    values = []
    for _ in range(rounds):
        drawn = np.concatenate([rng.choice(places, len(places)) for places in classes])
        values.append(measure(labels[drawn], scores[drawn]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def share_interval(hits: int, count: int) -> tuple[float, float]:
    """95% Wilson interval of a share.

    Raises:
        ValueError: If `count` is not positive.

    Example:

    >>> [round(end, 3) for end in share_interval(0, 100)]
    [0.0, 0.037]
    """
    if count < 1:
        raise ValueError(f"`count` must be positive. Received: {count}.")
    interval = stats.binomtest(hits, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _checked(labels: Labels, scores: Values) -> tuple[Labels, Values]:
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise ValueError(f"Labels and scores must have one shape (n,). Received: {labels.shape}, {scores.shape}.")
    if set(np.unique(labels)) != {0, 1}:
        raise ValueError(f"Both classes must occur, 0 and 1. Received: {sorted(set(labels.tolist()))}.")
    return labels, scores
