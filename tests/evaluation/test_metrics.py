from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from deepfake.evaluation.metrics import (
    at_threshold,
    bootstrap_interval,
    brier_score,
    chance_calibration_error,
    equal_error_rate,
    expected_calibration_error,
    hit_rate_at,
    reliability,
    roc_auc,
)
from deepfake.evaluation.platt import FALSE_ALARMS, MISSES, balanced_weights, fit_calibration


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


def test_at_even_odds_right_probabilities_have_no_more_error_than_chance_gives_however_common_fakes_are(rng):
    p = rng.uniform(size=4_000)
    labels = (rng.uniform(size=4_000) < p).astype(int)
    few = np.flatnonzero((labels == 1) | (rng.uniform(size=4_000) < 0.2))
    labels, p = labels[few], p[few]
    assert expected_calibration_error(labels, p) > 0.15
    even, chance = (
        expected_calibration_error(labels, p, weights=balanced_weights(labels)),
        chance_calibration_error(labels, p),
    )
    assert even < 1.5 * chance < 0.1
    wrong = expected_calibration_error(labels, p**3, weights=balanced_weights(labels))
    assert wrong > 2 * chance_calibration_error(labels, p**3)


def test_fewer_samples_have_more_error_by_chance(rng):
    p = rng.uniform(0.1, 0.9, size=1_000)
    labels = (rng.uniform(size=1_000) < p).astype(int)
    assert chance_calibration_error(labels[:60], p[:60]) > 3 * chance_calibration_error(labels, p)
    with pytest.raises(ValueError, match="Both classes"):
        chance_calibration_error(np.ones(3, int), np.full(3, 0.5))


def test_hit_rate_of_perfect_scores_is_one_and_of_constant_ones_nothing():
    labels = np.array([0, 0, 0, 1, 1])
    assert hit_rate_at(labels, labels * 1.0, 0.0) == 1
    assert hit_rate_at(labels, 1.0 - labels, 0.99) == 0
    # Of one score, all are called fake or none.
    assert hit_rate_at(labels, np.zeros(5), 0.99) == 0
    assert hit_rate_at(labels, np.zeros(5), 1.0) == 1


def test_hit_rate_is_the_best_of_all_thresholds_that_keep_to_the_false_alarms(scored):
    labels, scores = scored
    scores = scores.round(1)
    for allowed in (0.0, 0.05, 0.3):
        fair = [(scores[labels == 1] >= t).mean() for t in scores if (scores[labels == 0] >= t).mean() <= allowed]
        assert hit_rate_at(labels, scores, allowed) == pytest.approx(max(fair, default=0.0))
        assert hit_rate_at(labels, expit(3 * scores - 1), allowed) == hit_rate_at(labels, scores, allowed)


def test_a_false_alarm_rate_that_is_reached_exactly_is_allowed():
    labels = np.array([0] * 30 + [1] * 2)
    scores = np.array([*range(30), 26.5, 25.5])
    assert hit_rate_at(labels, scores, 0.1) == 0.5
    with pytest.raises(ValueError, match="share in \\[0, 1\\]. Received: 5"):
        hit_rate_at(labels, scores, 5)


def test_brier_score_is_that_of_scikit_learn_and_of_the_undecided_a_quarter(scored):
    labels, scores = scored
    assert brier_score(labels, expit(scores)) == pytest.approx(brier_score_loss(labels, expit(scores)))
    assert brier_score(labels, np.full(len(labels), 0.5)) == 0.25
    assert brier_score(labels, labels) == 0
    assert brier_score(labels, 1 - labels) == 1
    assert brier_score(np.zeros(2, int), np.array([0.1, 0.3])) == pytest.approx(0.05)


def test_f1_is_the_harmonic_mean_of_precision_and_recall(scored):
    labels, p_fake = scored[0], expit(scored[1])
    for threshold in (0.3, 0.5, 0.8):
        found = at_threshold(labels, p_fake, threshold)
        assert found["f1"] == pytest.approx(2 / (1 / found["precision"] + 1 / found["recall"]))
        assert found["f1"] == pytest.approx(f1_score(labels, p_fake >= threshold))
        assert found["accuracy"] == pytest.approx(((p_fake >= threshold) == labels).mean())
        assert found["recall"] == pytest.approx((p_fake[labels == 1] >= threshold).mean())


def test_a_measure_that_is_undefined_is_absent():
    assert at_threshold(np.array([0, 1]), np.array([0.2, 0.3])) == {"accuracy": 0.5, "recall": 0.0}
    assert at_threshold(np.array([0, 0]), np.array([0.2, 0.5])) == {"accuracy": 0.5, "precision": 0.0}
    wrong = at_threshold(np.array([0, 1]), np.array([0.9, 0.1]))
    assert wrong == {"accuracy": 0.0, "precision": 0.0, "recall": 0.0, "f1": 0.0}


@pytest.mark.parametrize("measure", [brier_score, at_threshold, expected_calibration_error])
def test_what_is_no_probability_or_no_label_is_refused(measure):
    for p_fake in ([0.5, np.nan], [0.5, 1.1], [-0.1, 0.5]):
        with pytest.raises(ValueError, match="probabilities in \\[0, 1\\], one at least. Received: 2, outside"):
            measure(np.array([0, 1]), np.array(p_fake))
    with pytest.raises(ValueError, match="Received: 0, outside: \\[\\]"):
        measure(np.array([], int), np.array([]))
    with pytest.raises(ValueError, match="0 for real or 1 for fake. Received: \\[-1, 1\\]"):
        measure(np.array([-1, 1]), np.array([0.2, 0.3]))
    with pytest.raises(ValueError, match="must have one shape"):
        measure(np.array([0, 1]), np.array([0.2]))


def test_the_bins_hold_every_sample_once_and_keep_the_means(rng):
    p = np.append(rng.uniform(0, 0.5, 500), 1.0)
    labels = rng.integers(0, 2, 501)
    stated, found, counts = reliability(labels, p, bins=10)
    assert counts.sum() == 501
    assert counts[9] == 1
    assert stated[9] == 1
    assert np.isnan(stated[5:9]).all()
    assert np.isnan(found[5:9]).all()
    assert np.nansum(stated * counts) == pytest.approx(p.sum())
    assert np.nansum(found * counts) == labels.sum()
    assert ((stated[:5] * 10).astype(int) == np.arange(5)).all()


def test_a_bootstrap_interval_holds_the_value_and_shrinks_with_the_count(rng):
    widths = []
    for count in (100, 1600):
        labels = np.arange(count) % 2
        scores = rng.normal(labels * 1.2, 1.0)
        low, high = bootstrap_interval(roc_auc, labels, scores, rounds=200)
        assert low < roc_auc(labels, scores) < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.5)


def test_calibration_finds_the_scale_that_was_hidden(rng):
    true_logit = rng.normal(0, 2, 40_000)
    labels = (rng.uniform(size=40_000) < expit(true_logit)).astype(int)
    found = fit_calibration(labels, 3 * true_logit + 1.5)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.shift == pytest.approx(-0.5, abs=0.05)
    assert expected_calibration_error(labels, np.array([found.p_fake(3 * one + 1.5) for one in true_logit])) < 0.02


def test_thresholds_allow_their_shares_of_errors(rng):
    labels = np.arange(20_000) % 2
    logits = rng.normal(labels * 2.0, 1.0)
    found = fit_calibration(labels, logits)
    p_fake = np.array([found.p_fake(one) for one in logits])
    assert (p_fake[labels == 0] >= found.thresholds.fake_above).mean() == pytest.approx(FALSE_ALARMS, abs=0.003)
    assert (p_fake[labels == 1] < found.thresholds.real_below).mean() == pytest.approx(MISSES, abs=0.003)


def test_where_nothing_was_seen_is_inconclusive(rng):
    labels = np.arange(200) % 2
    logits = rng.normal(labels * 6.0 - 3, 0.5)
    found = fit_calibration(labels, logits)
    p_fake = np.array([found.p_fake(one) for one in logits])
    assert found.thresholds.real_below == pytest.approx(np.quantile(p_fake[labels == 0], 1 - FALSE_ALARMS), abs=1e-3)
    assert found.thresholds.fake_above == pytest.approx(np.quantile(p_fake[labels == 1], MISSES), abs=1e-3)
    assert found.thresholds.real_below < 0.3 < 0.7 < found.thresholds.fake_above


def test_a_few_samples_ranked_without_a_mistake_are_not_certainty():
    labels = np.arange(10) % 2
    logits = labels * 2.0 - 1
    found = fit_calibration(labels, logits)
    p_fake = np.array([found.p_fake(one) for one in logits])
    np.testing.assert_allclose(p_fake[labels == 1], 6 / 7, atol=0.01)
    np.testing.assert_allclose(p_fake[labels == 0], 1 / 7, atol=0.01)


def test_each_source_weighs_the_same(rng):
    labels, sources = np.array([0, 1] * 1000 + [0, 1] * 50), ["large"] * 2000 + ["small"] * 100
    weights = balanced_weights(labels, sources)
    assert weights.sum() == pytest.approx(1)
    assert weights[np.array(sources) == "small"].sum() == pytest.approx(0.5)
    logits = rng.normal(labels * 2.0 - 1, 1.0) + np.where(np.array(sources) == "small", 4.0, 0.0)
    assert fit_calibration(labels, logits, sources).shift < fit_calibration(labels, logits).shift - 0.5


def test_a_small_source_says_less_of_itself_than_a_large_one(rng):
    labels, sources = np.array([0, 1] * 500 + [0, 1] * 5), ["large"] * 1000 + ["small"] * 10
    weights, small = balanced_weights(labels, sources, half_weight=45), np.array(sources) == "small"
    assert weights.sum() == pytest.approx(1)
    assert weights[labels == 0].sum() == pytest.approx(0.5)
    assert weights[small].sum() / weights[~small].sum() == pytest.approx((5 / 50) / (500 / 545))
    logits = rng.normal(labels * 2.0 - 1, 1.0) + np.where(small, 4.0, 0.0)
    even, less, alone = (
        fit_calibration(labels, logits, sources).shift,
        fit_calibration(labels, logits, sources, half_weight=45).shift,
        fit_calibration(labels, logits).shift,
    )
    assert even < less - 0.2 < alone - 0.2


def test_logits_worse_than_chance_are_not_calibrated():
    with pytest.raises(ValueError, match="no better than chance"):
        fit_calibration(np.array([0, 0, 1, 1]), np.array([3.0, 2.0, 1.0, 0.0]))


def test_the_prior_of_the_labels_does_not_shift_the_probabilities(rng):
    labels = (rng.uniform(size=60_000) < 0.2).astype(int)
    logits = rng.normal(labels * 2.0 - 1.0, 1.0)
    assert fit_calibration(labels, logits).shift == pytest.approx(0, abs=0.1)
