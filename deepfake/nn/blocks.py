"""The building blocks of the noise stream, and the one place where batch normalisation is set up."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

BATCH_NORM_MOMENTUM = 0.95
"""Keras' MobileNets carry 0.999: after a short fine-tuning their moving statistics lag far behind the weights."""


def normalise(x: Any, name: str) -> Any:
    """Batch normalisation followed by ReLU; shape unchanged."""
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def separable_block(x: Any, filters: int, name: str, stride: int = 2) -> Any:
    """Depthwise 3 x 3, then pointwise convolution; `(B, H, W, C)` to `(B, H / stride, W / stride, filters)`."""
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_depthwise_bn")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
    return normalise(x, name)


def noise_stream(residual: Any, width: int) -> Any:
    """Residuals `(B, H, W, C)` to features `(B, H / 32, W / 32, 4 * width)`: one convolution, then five blocks."""
    x = layers.Conv2D(width // 2, 3, strides=2, padding="same", use_bias=False, name="noise_stem")(residual)
    x = normalise(x, "noise_stem")
    x = separable_block(x, width, "noise_1")
    x = separable_block(x, 2 * width, "noise_2")
    x = separable_block(x, 4 * width, "noise_3")
    x = layers.Add(name="noise_4_add")([x, separable_block(x, 4 * width, "noise_4", stride=1)])
    return separable_block(x, 4 * width, "noise_5")


def set_batch_norm_momentum(model: keras.Model, momentum: float) -> None:
    """Sets the momentum of every batch normalisation in `model`, nested models included."""
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = momentum
