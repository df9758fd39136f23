"""Fixed and learned high-pass filters: what is left of a picture when its content is predicted away."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from deepfake.model.srm import SRM_KERNELS, SRM_SCALES


@keras.saving.register_keras_serializable(package="deepfake")
class ResidualBank(keras.layers.Layer):
    """Subtracts from each pixel its prediction from its neighbours, channel by channel.

    Image content is mostly smooth, so a high-pass residual keeps sensor noise and
    blending seams and drops the rest. The kernels are fixed: nothing here trains.

        crop (B, H, W, C) --5 kernels per channel--> (B, H, W, 5C) --scale, clip--> residual

    Computed in float32 whatever the precision policy: a residual is a small
    difference of large numbers.

    Args:
        limit: Positive float, in 8-bit steps. Residuals are clipped to [-limit, limit].

    Call arguments:
        inputs: Float tensor `(batch, height, width, channels)` in [0, 255].

    Returns:
        Float tensor `(batch, height, width, 5 * channels)` in [-limit, limit], the five
        residuals of the first channel first. The two outermost pixels see zero padding and
        are not zero-mean.

    Raises:
        ValueError: If `limit` is not positive.

    Example:

    >>> tuple(ResidualBank(limit=3.0)(np.full((1, 8, 8, 3), 128.0)).shape)
    (1, 8, 8, 15)

    Reference:
        Fridrich and Kodovsky, "Rich models for digital image steganalysis", IEEE TIFS 2012.
    """

    def __init__(self, limit: float = 3.0, **kwargs: Any) -> None:
        if limit <= 0:
            raise ValueError(f"`limit` is a clipping bound and must be positive. Received: limit={limit}.")
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.limit = float(limit)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1] or 1
        kernels = np.moveaxis(SRM_KERNELS, 0, -1)[:, :, None, :].astype("float32")
        self._kernel = np.repeat(kernels, channels, axis=2)
        self._scale = np.tile(SRM_SCALES, channels).astype("float32")
        self.built = True

    def call(self, inputs: Any) -> Any:
        residual = ops.depthwise_conv(inputs, ops.convert_to_tensor(self._kernel), padding="same")
        return ops.clip(residual * self._scale, -self.limit, self.limit)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], len(SRM_KERNELS) * (input_shape[-1] or 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "limit": self.limit}


@keras.saving.register_keras_serializable(package="deepfake")
class BayarConv2D(keras.layers.Layer):
    """A convolution that learns to predict each pixel from its neighbours, and returns the error.

    Every kernel's centre is minus the sum of its other weights, so each kernel sums to zero
    and a constant picture gives zero, whatever was learned. The original divides the weights
    by their sum instead, which overflows in half precision when that sum comes near zero.

    Computed in float32 whatever the precision policy, like `ResidualBank`.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Odd integer above 1.
        limit: Positive float, in 8-bit steps. Errors are clipped to [-limit, limit].

    Call arguments:
        inputs: Float tensor `(batch, height, width, channels)` in [0, 255].

    Returns:
        Float tensor `(batch, height, width, filters)` in [-limit, limit]. The outermost
        `kernel_size // 2` pixels see zero padding and are not zero-mean.

    Raises:
        ValueError: If `filters` or `limit` is not positive, or `kernel_size` is even or 1.

    Example:

    >>> tuple(BayarConv2D(filters=4)(np.full((1, 8, 8, 3), 128.0)).shape)
    (1, 8, 8, 4)

    Reference:
        Bayar and Stamm, "Constrained convolutional neural networks", IEEE TIFS 2018.
    """

    def __init__(self, filters: int, kernel_size: int = 5, limit: float = 8.0, **kwargs: Any) -> None:
        if filters < 1:
            raise ValueError(f"`filters` counts output channels and must be positive. Received: filters={filters}.")
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd and above 1. Received: kernel_size={kernel_size}.")
        if limit <= 0:
            raise ValueError(f"`limit` is a clipping bound and must be positive. Received: limit={limit}.")
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.limit = float(limit)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        neighbours, channels = self.kernel_size**2 - 1, input_shape[-1] or 1
        # The neighbours' weights of one kernel add up to about one over the channels: an average to start from.
        mean = 1.0 / (neighbours * channels)
        self.neighbour_weights = self.add_weight(
            name="neighbour_weights",
            shape=(neighbours, channels, self.filters),
            initializer=keras.initializers.RandomNormal(mean=mean, stddev=2 * mean),
        )

    @property
    def kernel(self) -> Any:
        """The whole kernel, `(kernel_size, kernel_size, channels, filters)`; sums to zero over its first two axes."""
        rest = self.neighbour_weights
        half = rest.shape[0] // 2
        centre = -ops.sum(rest, axis=0, keepdims=True)
        flat = ops.concatenate([rest[:half], centre, rest[half:]], axis=0)
        return ops.reshape(flat, (self.kernel_size, self.kernel_size, *rest.shape[1:]))

    def call(self, inputs: Any) -> Any:
        return ops.clip(ops.conv(inputs, self.kernel, padding="same"), -self.limit, self.limit)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        config = {"filters": self.filters, "kernel_size": self.kernel_size, "limit": self.limit}
        return {**super().get_config(), **config}
