"""PyTorch's own operations where Keras takes a longer way: a training step on a CPU takes half the time.

`benchmarks/train_step.py` compares. Other backends than PyTorch are left as they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import layers


@contextlib.contextmanager
def native_layers() -> Iterator[None]:
    """Networks that run in this context normalise batches and convolve as PyTorch does it best.

    Keras spells batch normalisation out in a dozen operations, and copies what a convolution is given. The outputs and
    gradients are Keras' own up to rounding. The moving variance is divided by one less than the number of pixels, as is
    usual in PyTorch.
    """
    if keras.backend.backend() != "torch":
        yield
        return
    replaced = {
        layers.BatchNormalization: _normalising(layers.BatchNormalization.call),
        layers.Conv2D: _convolving(layers.Conv2D.call),
        layers.DepthwiseConv2D: _convolving(layers.DepthwiseConv2D.call),
    }
    before = {kind: kind.call for kind in replaced}
    for kind, call in replaced.items():
        kind.call = call
    try:
        yield
    finally:
        for kind, call in before.items():
            kind.call = call


@contextlib.contextmanager
def fast_inference() -> Iterator[None]:
    """Networks that are built and run in this context compute as fast as the backend can, and keep no gradients.

    On PyTorch that is in bfloat16; other backends are left as they are.
    """
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with native_layers(), torch.no_grad():
            yield
    finally:
        keras.config.set_dtype_policy(before)


def _normalising(spelled_out: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        fits = training and self.trainable and mask is None and self.axis in (-1, 3) and len(inputs.shape) == 4
        if not fits or not (self.scale and self.center) or getattr(self, "renorm", False):
            return spelled_out(self, inputs, training=training, mask=mask)
        return _normalised(self, inputs)

    return call


def _convolving(spelled_out: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, inputs: Any) -> Any:
        fits = self.data_format == "channels_last" and self.dilation_rate == (1, 1)
        return _convolved(self, inputs) if fits else spelled_out(self, inputs)

    return call


def _normalised(layer: Any, inputs: Any) -> Any:
    from torch.nn.functional import batch_norm

    normal = batch_norm(
        inputs.permute(0, 3, 1, 2),
        layer.moving_mean.value,
        layer.moving_variance.value,
        layer.gamma.value,
        layer.beta.value,
        training=True,
        momentum=1 - layer.momentum,
        eps=layer.epsilon,
    )
    return normal.permute(0, 2, 3, 1)


def _convolved(layer: Any, inputs: Any) -> Any:
    from torch.nn.functional import conv2d, pad

    pixels, bias = inputs.permute(0, 3, 1, 2), layer.bias.value if layer.use_bias else None
    by_depth = isinstance(layer, layers.DepthwiseConv2D)
    height, width, channels, filters = layer.kernel.shape
    if by_depth:
        kernel = layer.kernel.value.permute(2, 3, 0, 1).reshape(channels * filters, 1, height, width)
    else:
        kernel = layer.kernel.value.permute(3, 2, 0, 1)
    before = (0, 0)
    if layer.padding == "same":
        zeros = [_padding(*axis) for axis in zip(pixels.shape[2:], (height, width), layer.strides, strict=True)]
        before = (zeros[0][0], zeros[1][0])
        # What the convolution puts on either side costs no copy; the odd row and column do.
        odd = [0, zeros[1][1] - before[1], 0, zeros[0][1] - before[0]]
        pixels = pad(pixels, odd) if any(odd) else pixels
    kind, groups = pixels.dtype, channels if by_depth else layer.groups
    if by_depth and max(layer.strides) > 1 and pixels.device.type == "cpu":
        # By depth and with a stride, oneDNN has no fast way in half precision.
        pixels, kernel, bias = pixels.float(), kernel.float(), None if bias is None else bias.float()
    answer = conv2d(pixels, kernel, bias, layer.strides, before, groups=groups).to(kind).permute(0, 2, 3, 1)
    return answer if layer.activation is None else layer.activation(answer)


def _padding(size: int, taps: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis for the padding `same`, the odd one after.

    Example:

    >>> _padding(224, 3, 2), _padding(224, 3, 1)
    ((0, 1), (1, 1))
    """
    missing = max((-(-size // stride) - 1) * stride + taps - size, 0)
    return missing // 2, missing - missing // 2
