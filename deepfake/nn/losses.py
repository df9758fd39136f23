"""Losses on logits."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="deepfake")
class WeightedCrossentropy(keras.losses.Loss):
    """Binary cross-entropy of logits, with a weight for each class.

    Keras refuses `class_weight` for a model with several outputs; here the weight is part of the loss.

    Args:
        real_weight: Weight of the samples labelled 0, not negative.
        fake_weight: Weight of the samples labelled 1, not negative.
        label_smoothing: Share in [0, 1) of each label that is moved halfway to 0.5.

    Call arguments:
        y_true: Shape `(batch,)` or `(batch, 1)`, 0 for real and 1 for fake.
        y_pred: Logits of the same number of elements.

    Raises:
        ValueError: If a weight is negative or the smoothing is outside [0, 1).

    Example:

    >>> float(WeightedCrossentropy()(np.array([1.0, 0.0]), np.array([0.0, 0.0])))  # doctest: +ELLIPSIS
    0.693...
    """

    def __init__(
        self,
        real_weight: float = 1.0,
        fake_weight: float = 1.0,
        *,
        label_smoothing: float = 0.0,
        name: str = "weighted_crossentropy",
        reduction: str = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        if min(real_weight, fake_weight) < 0:
            raise ValueError(f"Class weights must not be negative. Received: {real_weight}, {fake_weight}.")
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"`label_smoothing` is a share in [0, 1). Received: {label_smoothing}.")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.real_weight = real_weight
        self.fake_weight = fake_weight
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        label = ops.reshape(ops.cast(y_true, y_pred.dtype), (-1,))
        logit = ops.reshape(y_pred, (-1,))
        weight = label * self.fake_weight + (1 - label) * self.real_weight
        target = label * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return weight * ops.binary_crossentropy(target, logit, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        config = {
            "real_weight": self.real_weight,
            "fake_weight": self.fake_weight,
            "label_smoothing": self.label_smoothing,
        }
        return {**super().get_config(), **config}
