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


def hit_rate_at(labels: Labels, scores: Values, false_alarm_rate: float) -> float:
    """Largest share of fakes found by a threshold that calls at most a given share of reals fake.

    Args:
        labels: As `roc_auc`.
        scores: As `roc_auc`. Nothing is interpolated: samples of one score are called fake together or not at all.
        false_alarm_rate: Share of reals in [0, 1] that may be called fake.

    Returns:
        In [0, 1]: 1 is perfect, about `false_alarm_rate` is chance.

    Raises:
        ValueError: As `roc_auc`, or if `false_alarm_rate` is not a share.

    Example:

    >>> hit_rate_at(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.9]), false_alarm_rate=0.1)
    0.5
    """
    if not 0 <= false_alarm_rate <= 1:
        raise ValueError(f"`false_alarm_rate` is a share in [0, 1]. Received: {false_alarm_rate}.")
    labels, scores = _checked(labels, scores)
    alarms, hits, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    return float(hits[alarms <= false_alarm_rate].max())


def at_threshold(labels: Labels, p_fake: Values, threshold: float = 0.5) -> dict[str, float]:
    """What two answers are worth: a `p_fake` of `threshold` or more is called fake, the rest real.

    Args:
        labels: As `roc_auc`; one class suffices.
        p_fake: Shape `(n,)`, probabilities in [0, 1].
        threshold: Where fake begins.

    Returns:
        `accuracy`; `precision`, absent where nothing is called fake; `recall`, absent where nothing is fake; `f1`,
        their harmonic mean, absent where one of them is. All in [0, 1], 1 is perfect.

    Raises:
        ValueError: As `brier_score`.

    Example:

    >>> at_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.9]))
    {'accuracy': 0.75, 'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666}
    >>> at_threshold(np.array([0, 0]), np.array([0.1, 0.2]))
    {'accuracy': 1.0}
    """
    labels, p_fake = _checked_probabilities(labels, p_fake)
    called = p_fake >= threshold
    hits, calls, fakes = (int(found.sum()) for found in (called & (labels == 1), called, labels == 1))
    values = {"accuracy": float((called == labels).mean())}
    if calls:
        values["precision"] = hits / calls
    if fakes:
        values["recall"] = hits / fakes
    if calls and fakes:
        values["f1"] = 2 * hits / (calls + fakes)
    return values


def brier_score(labels: Labels, p_fake: Values) -> float:
    """Mean squared distance between the probability stated and what was true.

    Args:
        labels: As `roc_auc`; one class suffices.
        p_fake: Shape `(n,)`, probabilities in [0, 1].

    Returns:
        In [0, 1]; 0 is perfect, 0.25 is 0.5 said of everything.

    Raises:
        ValueError: If the shapes differ, a label is neither 0 nor 1, or a probability is outside [0, 1].

    Example:

    >>> brier_score(np.array([0, 1]), np.array([0.5, 0.5]))
    0.25

    Reference:
        Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950.
    """
    labels, p_fake = _checked_probabilities(labels, p_fake)
    return float(np.mean((p_fake - labels) ** 2))


def expected_calibration_error(
    labels: Labels, p_fake: Values, bins: int = 15, *, weights: Values | None = None
) -> float:
    """Mean distance between the probability stated and the share of fakes found, over bins of equal width.

    Args:
        labels: As `roc_auc`; one class suffices.
        p_fake: Shape `(n,)`, probabilities in [0, 1].
        bins: Their number.
        weights: Shape `(n,)`, how much each sample counts, above 0; absent: all the same.

    Returns:
        In [0, 1]; 0 is perfect.

    Raises:
        ValueError: As `brier_score`.

    Example:

    >>> expected_calibration_error(np.array([0, 1]), np.array([0.5, 0.5]))
    0.0

    Reference:
        Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    stated, found, sizes = reliability(labels, p_fake, bins, weights=weights)
    return float(np.nansum(np.abs(stated - found) * sizes) / sizes.sum())


def chance_calibration_error(
    labels: Labels, p_fake: Values, bins: int = 15, *, rounds: int = 500, seed: int = 0
) -> float:
    """What `expected_calibration_error` at even odds is on average where every p_fake is exactly right.

    Few samples scatter about the truth: an error no larger than this is no sign of a wrong calibration. Labels are
    drawn by p_fake, corrected for how common fakes are in this sample.

    Args:
        labels: As `roc_auc`. Both must occur.
        p_fake: Shape `(n,)`, probabilities in [0, 1], stated for reals and fakes that are alike common.
        bins: As `expected_calibration_error`.
        rounds: How many samples are drawn.
        seed: Fixes them.

    Raises:
        ValueError: As `roc_auc` and `brier_score`.

    Example:

    >>> labels = np.arange(10_000) % 2
    >>> [round(chance_calibration_error(labels[:count], np.full(count, 0.5)), 2) for count in (10, 10_000)]
    [0.12, 0.0]
    """
    labels, p_fake = _checked_probabilities(*_checked(labels, p_fake))
    # Sorted: what is drawn must not depend on the order of the samples.
    common, p_fake = labels.mean(), np.sort(p_fake)
    here = common * p_fake / (common * p_fake + (1 - common) * (1 - p_fake))
    rng, errors = np.random.default_rng(seed), []
    for _ in range(rounds):
        drawn = (rng.random(len(here)) < here).astype(int)
        weights = np.where(drawn == 1, 0.5 / common, 0.5 / (1 - common))
        errors.append(expected_calibration_error(drawn, p_fake, bins, weights=weights))
    return float(np.mean(errors))


def reliability(
    labels: Labels, p_fake: Values, bins: int = 15, *, weights: Values | None = None
) -> tuple[Values, Values, Values]:
    """The probability stated and the share of fakes found, in each of `bins` bins of equal width.

    Args:
        labels: As `roc_auc`; one class suffices.
        p_fake: Shape `(n,)`, probabilities in [0, 1].
        bins: Their number.
        weights: As `expected_calibration_error`.

    Returns:
        Mean `p_fake`, share of fakes and number of samples, or the sum of their weights, in each bin, all of shape
        `(bins,)`. The first two are NaN in a bin without samples.

    Raises:
        ValueError: As `brier_score`.

    Example:

    >>> stated, found, counts = reliability(np.array([0, 1, 1]), np.array([0.25, 0.75, 0.75]), bins=2)
    >>> stated.tolist(), found.tolist(), counts.tolist()
    ([0.25, 0.75], [0.0, 1.0], [1, 2])
    """
    labels, p_fake = _checked_probabilities(labels, p_fake)
    own = np.ones(len(p_fake), int) if weights is None else weights
    place = np.minimum((p_fake * bins).astype(int), bins - 1)
    sizes = np.bincount(place, None if weights is None else weights, bins)
    filled = np.where(sizes > 0, sizes, np.nan)
    return np.bincount(place, own * p_fake, bins) / filled, np.bincount(place, own * labels, bins) / filled, sizes


def bootstrap_interval(
    measure: Callable[[Labels, Values], float], labels: Labels, scores: Values, *, rounds: int = 1000, seed: int = 0
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


def _checked(labels: Labels, scores: Values) -> tuple[Labels, Values]:
    labels, scores = _paired(labels, scores)
    if set(np.unique(labels)) != {0, 1}:
        raise ValueError(f"Both classes must occur, 0 and 1. Received: {sorted(set(labels.tolist()))}.")
    return labels, scores


def _checked_probabilities(labels: Labels, p_fake: Values) -> tuple[Labels, Values]:
    labels, p_fake = _paired(labels, p_fake)
    if not set(np.unique(labels)) <= {0, 1}:
        raise ValueError(f"Labels must be 0 for real or 1 for fake. Received: {sorted(set(labels.tolist()))}.")
    # Asked this way round so that NaN is refused too.
    if p_fake.size == 0 or not ((p_fake >= 0) & (p_fake <= 1)).all():
        outside = p_fake[~((p_fake >= 0) & (p_fake <= 1))][:3].tolist()
        raise ValueError(
            f"`p_fake` must hold probabilities in [0, 1], one at least. Received: {len(p_fake)}, outside: {outside}."
        )
    return labels, p_fake


def _paired(labels: Labels, scores: Values) -> tuple[Labels, Values]:
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise ValueError(f"Labels and scores must have one shape (n,). Received: {labels.shape}, {scores.shape}.")
    return labels, scores
