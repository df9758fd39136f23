"""Scores -> whether they rank fakes above reals at all."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import mannwhitneyu

from deepfake.evaluation.metrics import Labels, Values

CHANCE = 0.01
"""How often scores without any knowledge may pass. An epoch is chosen as the best of several, so it is low."""


def can_beat_chance(reals: int, fakes: int) -> bool:
    """Whether so few samples could, ranked without a mistake, be told from a lucky order.

    Example:

    >>> can_beat_chance(4, 4), can_beat_chance(5, 5)
    (False, True)
    """
    return 1 / math.comb(reals + fakes, fakes) < CHANCE


def beats_chance(labels: Labels, scores: Values) -> bool:
    """Whether fakes score above reals more clearly than they would by chance (Mann-Whitney, one-sided).

    Args:
        labels: Shape `(n,)`, 1 for fake and 0 for real. Both must occur.
        scores: Shape `(n,)`, larger means more fake. Only the order matters.

    Example:

    >>> labels = np.repeat([0, 1], 5)
    >>> beats_chance(labels, np.arange(10.0)), beats_chance(labels, np.zeros(10))
    (True, False)

    Reference:
        Mann and Whitney, 1947: the AUC is their statistic over the number of pairs.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if np.ptp(scores) == 0:
        return False
    found = mannwhitneyu(scores[labels == 1], scores[labels == 0], alternative="greater")
    return bool(found.pvalue < CHANCE)
