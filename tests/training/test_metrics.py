from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from deepfake.training.calibrate import fit_calibration
from deepfake.training.metrics import (
    bootstrap_interval,
    equal_error_rate,
    expected_calibration_error,
    roc_auc,
    share_interval,
)


@pytest.fixture
def scored(rng):
    labels = rng.integers(0, 2, 400)
    return labels, rng.normal(labels * 1.2, 1.0)


def test_auc_is_that_of_scikit_learn_with_ties_too(scored):
    labels, scores = scored
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert roc_auc(labels, scores.round()) == pytest.approx(roc_auc_score(labels, scores.round()))


def test_auc_and_error_rate_are_unchanged_by_a_monotone_map(scored):
    labels, scores = scored
    for measure in (roc_auc, equal_error_rate):
        assert measure(labels, scores) == pytest.approx(measure(labels, expit(3 * scores - 1)))
        assert measure(labels, scores) == pytest.approx(1 - measure(labels, -scores), abs=0.01)


def test_perfect_and_constant_scores():
    labels = np.array([0, 0, 1, 1])
    assert roc_auc(labels, labels * 1.0) == 1
    assert equal_error_rate(labels, labels * 1.0) == 0
    assert roc_auc(labels, np.zeros(4)) == 0.5


@pytest.mark.parametrize("measure", [roc_auc, equal_error_rate])
def test_one_class_has_no_number(measure):
    with pytest.raises(ValueError, match="Both classes must occur, 0 and 1. Received: \\[1\\]"):
        measure(np.ones(3, int), np.arange(3.0))
    with pytest.raises(ValueError, match="must have one shape"):
        measure(np.array([0, 1]), np.arange(3.0))


def test_calibration_error_of_true_probabilities_is_small_and_of_overconfident_ones_large(rng):
    p = rng.uniform(size=20_000)
    labels = (rng.uniform(size=20_000) < p).astype(int)
    assert expected_calibration_error(labels, p) < 0.02
    assert expected_calibration_error(labels, (p > 0.5) * 1.0) == pytest.approx(0.25, abs=0.02)
    with pytest.raises(ValueError, match="probabilities in \\[0, 1\\]"):
        expected_calibration_error(labels, p * 2)


def test_a_bootstrap_interval_holds_the_value_and_shrinks_with_the_count(rng):
    widths = []
    for count in (100, 1600):
        labels = np.arange(count) % 2
        scores = rng.normal(labels * 1.2, 1.0)
        low, high = bootstrap_interval(roc_auc, labels, scores, rounds=200)
        assert low < roc_auc(labels, scores) < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.5)


def test_a_share_has_an_interval_even_when_nothing_was_seen():
    low, high = share_interval(0, 20)
    assert low == pytest.approx(0, abs=1e-12)
    assert 0.1 < high < 0.25
    with pytest.raises(ValueError, match="must be positive"):
        share_interval(0, 0)


def test_calibration_finds_the_scale_that_was_hidden(rng):
    true_logit = rng.normal(0, 2, 40_000)
    labels = (rng.uniform(size=40_000) < expit(true_logit)).astype(int)
    found = fit_calibration(labels, 3 * true_logit + 1.5)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.logit_shift == pytest.approx(-0.5, abs=0.05)
    assert expected_calibration_error(labels, found.p_fake(3 * true_logit + 1.5)) < 0.02


def test_thresholds_allow_five_percent_on_either_side(rng):
    labels = np.arange(20_000) % 2
    logits = rng.normal(labels * 2.0, 1.0)
    found = fit_calibration(labels, logits)
    p_fake = found.p_fake(logits)
    assert (p_fake[labels == 0] >= found.thresholds.fake_above).mean() == pytest.approx(0.05, abs=0.003)
    assert (p_fake[labels == 1] < found.thresholds.real_below).mean() == pytest.approx(0.05, abs=0.003)


def test_a_clean_separation_leaves_no_band(rng):
    labels = np.arange(200) % 2
    found = fit_calibration(labels, rng.normal(labels * 20.0 - 10, 1.0))
    assert found.thresholds.real_below == found.thresholds.fake_above


def test_logits_worse_than_chance_are_not_calibrated():
    with pytest.raises(ValueError, match="no better than chance"):
        fit_calibration(np.array([0, 0, 1, 1]), np.array([3.0, 2.0, 1.0, 0.0]))


def test_the_prior_of_the_labels_does_not_shift_the_probabilities(rng):
    labels = (rng.uniform(size=60_000) < 0.2).astype(int)
    logits = rng.normal(labels * 2.0 - 1.0, 1.0)
    assert fit_calibration(labels, logits).logit_shift == pytest.approx(0, abs=0.1)
