"""Labels and logits -> a calibration: temperature, shift and thresholds.

    p_fake = sigmoid(logit / temperature + shift)

Both numbers minimise the cross-entropy with reals and fakes weighing the same, and each source as much as another, or
by how many items it has where that is asked (Platt scaling, with his targets, which keep a small split that is ranked
without a mistake from being taken for certainty; with a shift of 0 it is temperature scaling). The thresholds are
quantiles: `fake_above` is passed by at most `FALSE_ALARMS` of the reals, and at most `MISSES` of the fakes stay under
`real_below`. To call a real person's face fake does more harm than to miss a fake, so the first is the smaller.

Reference:
    Platt, "Probabilistic outputs for support vector machines", 1999; Guo et al., ICML 2017.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from deepfake.evaluation.metrics import Labels, Values, roc_auc
from deepfake.model.calibration import Calibration
from deepfake.records import Thresholds

FALSE_ALARMS = 0.03
"""Share of reals called fake that the thresholds allow on the validation split."""
MISSES = 0.05
"""Share of fakes called real that they allow."""


def fit_calibration(
    labels: Labels, logits: Values, sources: Sequence[str] = (), half_weight: float = 0.0
) -> Calibration:
    """Fits temperature, shift and thresholds.

    Args:
        labels: Shape `(n,)`, 1 for fake and 0 for real. Both must occur.
        logits: Shape `(n,)`, above 0 for fake.
        sources: Where each comes from, `n` names: within a class each source then weighs the same. Empty for one.
        half_weight: As in `balanced_weights`.

    Raises:
        ValueError: If a class is absent, or larger logits do not mean more fake.
    """
    labels, logits = np.asarray(labels), np.asarray(logits, np.float64)
    if roc_auc(labels, logits) <= 0.5:
        raise ValueError("These logits rank no better than chance: there is nothing to calibrate. Train longer.")
    weights = balanced_weights(labels, sources, half_weight)

    # Platt's targets: of n fakes that all rank above the reals, nobody may conclude that the next one surely will.
    fakes, reals = int(labels.sum()), int((1 - labels).sum())
    targets = np.where(labels == 1, (fakes + 1) / (fakes + 2), 1 / (reals + 2))

    def cross_entropy(scale_and_shift: Values) -> float:
        scaled = logits * np.exp(scale_and_shift[0]) + scale_and_shift[1]
        return float(np.average(np.logaddexp(0, scaled) - targets * scaled, weights=weights))

    log_scale, shift = minimize(cross_entropy, np.zeros(2), method="Nelder-Mead").x
    p_fake = expit(logits * np.exp(log_scale) + shift)
    fake_above = threshold_of_reals(p_fake[labels == 0], weights[labels == 0])
    real_below = _quantile(p_fake[labels == 1], MISSES, weights[labels == 1])
    # Where both rates are met with room to spare, nothing was seen between the two: that is inconclusive as well.
    real_below, fake_above = min(real_below, fake_above), max(real_below, fake_above)
    thresholds = Thresholds(real_below=round(real_below, 4), fake_above=fake_above)
    return Calibration(temperature=float(np.exp(-log_scale)), shift=float(shift), thresholds=thresholds)


def threshold_of_reals(p_fake: Values, weights: Values) -> float:
    """The lowest threshold, in steps of 0.0001, that at most `FALSE_ALARMS` of the reals reach.

    Example:

    >>> threshold_of_reals(np.array([0.1, 0.2, 0.3]), np.ones(3))
    0.3001
    """
    highest = _quantile(p_fake, 1 - FALSE_ALARMS, weights)
    return min(math.floor(highest * 10_000 + 1) / 10_000, 1.0)


def balanced_weights(labels: Labels, sources: Sequence[str] = (), half_weight: float = 0.0) -> Values:
    """Weights that make both classes count one half, and within a class each source the same; shape `(n,)`.

    Args:
        labels: Shape `(n,)`, 1 for fake and 0 for real.
        sources: Where each comes from, `n` names. Empty for one.
        half_weight: Of how many items a source weighs half of what an endless one does: three pictures say less of
            their source than three hundred. 0 for all the same.

    Example:

    >>> balanced_weights(np.array([0, 0, 0, 1]), ["a", "a", "b", "a"])
    array([0.125, 0.125, 0.25 , 0.5  ])
    >>> balanced_weights(np.array([0, 0, 0, 1]), ["a", "a", "b", "a"], half_weight=1)
    array([0.14285714, 0.14285714, 0.21428571, 0.5       ])
    """
    labels = np.asarray(labels)
    keys = list(zip(labels.tolist(), sources or [""] * len(labels), strict=True))
    counts = Counter(keys)
    weights = np.array([1 / (counts[key] + half_weight) for key in keys])
    for label in set(labels.tolist()):
        weights[labels == label] *= 0.5 / weights[labels == label].sum()
    return weights


def _quantile(values: Values, share: float, weights: Values) -> float:
    return float(np.quantile(values, share, weights=weights, method="inverted_cdf"))
