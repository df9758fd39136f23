from __future__ import annotations

import keras
import numpy as np
import pytest

from deepfake.nn.losses import WeightedCrossentropy

LABELS = np.array([0, 1, 1, 0, 1], "float32")
LOGITS = np.array([-2.0, 0.3, 4.0, 1.0, -1.0], "float32")


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_equal_weights_give_keras_own_loss(smoothing):
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)
    ours = WeightedCrossentropy(label_smoothing=smoothing)
    assert float(ours(LABELS, LOGITS)) == pytest.approx(float(keras_loss(LABELS[:, None], LOGITS[:, None])), rel=1e-5)


def test_a_weight_of_three_counts_a_sample_three_times():
    weighted = WeightedCrossentropy(1.0, 3.0, reduction="sum")
    repeats = np.where(LABELS == 1, 3, 1)
    plain = WeightedCrossentropy(reduction="sum")
    expected = float(plain(np.repeat(LABELS, repeats), np.repeat(LOGITS, repeats)))
    assert float(weighted(LABELS, LOGITS)) == pytest.approx(expected, rel=1e-5)


def test_columns_and_rows_give_the_same():
    loss = WeightedCrossentropy()
    assert float(loss(LABELS[:, None], LOGITS[:, None])) == pytest.approx(float(loss(LABELS, LOGITS)))


@pytest.mark.parametrize("wrong", [{"real_weight": -1.0}, {"label_smoothing": 1.0}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        WeightedCrossentropy(**wrong)
