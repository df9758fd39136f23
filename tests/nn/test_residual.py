from __future__ import annotations

import keras
import numpy as np
import pytest

from deepfake.model.srm import SRM_KERNELS, residual
from deepfake.nn.residual import BayarConv2D, ResidualBank

FLAT = [0.0, 1.0, 127.3, 254.9, 255.0]


def inner(tensor, border=2):
    return keras.ops.convert_to_numpy(tensor)[:, border:-border, border:-border]


def test_the_bank_has_full_rank_and_its_kernels_sum_to_zero():
    assert SRM_KERNELS.dtype.kind == "i"
    assert (SRM_KERNELS.sum(axis=(1, 2)) == 0).all()
    assert np.linalg.matrix_rank(SRM_KERNELS.reshape(len(SRM_KERNELS), -1)) == len(SRM_KERNELS)


@pytest.mark.parametrize("layer", [ResidualBank(), BayarConv2D(4)])
@pytest.mark.parametrize("value", FLAT)
def test_residual_of_a_flat_picture_is_zero(layer, value):
    np.testing.assert_allclose(inner(layer(np.full((1, 12, 12, 3), value, "float32"))), 0, atol=2e-3)


@pytest.mark.parametrize("layer", [ResidualBank(), BayarConv2D(4)])
def test_residual_does_not_see_the_brightness(layer, rng):
    picture = rng.uniform(100, 110, (1, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(inner(layer(picture)), inner(layer(picture + 90)), atol=2e-3)


def test_residual_of_a_ramp_is_zero(rng):
    ramp = np.tile(np.arange(16, dtype="float32")[:, None, None] * 3, (1, 1, 16, 3))
    np.testing.assert_allclose(inner(ResidualBank()(ramp)), 0, atol=1e-4)


def test_the_bank_equals_a_plain_loop(rng):
    picture = rng.uniform(0, 255, (1, 9, 9, 2)).astype("float32")
    found = keras.ops.convert_to_numpy(ResidualBank(limit=1e6)(picture))
    scales = [1 / 2] * 4 + [1 / 12]
    for channel in range(2):
        for number, kernel in enumerate(SRM_KERNELS):
            expected = (picture[0, 2:7, 1:6, channel] * kernel).sum() * scales[number]
            assert found[0, 4, 3, 5 * channel + number] == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_what_people_are_shown_is_what_the_bank_computes(portrait):
    crop = np.ascontiguousarray(portrait.image[100:164, 180:244])
    bank = keras.ops.convert_to_numpy(ResidualBank(limit=1e6)(crop[None].astype("float32")))[0, 2:-2, 2:-2]
    np.testing.assert_allclose(residual(crop)[2:-2, 2:-2], bank[..., 4::5], atol=1e-3)


@pytest.mark.parametrize("layer", [ResidualBank(limit=2.0), BayarConv2D(4, limit=2.0)])
def test_residuals_are_clipped(layer, rng):
    answer = keras.ops.convert_to_numpy(layer(rng.choice([0.0, 255.0], (1, 16, 16, 3)).astype("float32")))
    assert np.abs(answer).max() == 2.0


def test_bayar_kernels_sum_to_zero_whatever_was_learned(rng):
    layer = BayarConv2D(6)
    layer.build((None, 16, 16, 3))
    layer.neighbour_weights.assign(rng.normal(0, 10, layer.neighbour_weights.shape))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    assert kernel.shape == (5, 5, 3, 6)
    np.testing.assert_allclose(kernel.sum(axis=(0, 1)), 0, atol=1e-4)
    rest = keras.ops.convert_to_numpy(layer.neighbour_weights)
    np.testing.assert_allclose(kernel[2, 2], -rest.sum(axis=0), rtol=1e-5)


def test_filters_run_in_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layers: list[keras.layers.Layer] = [ResidualBank(), BayarConv2D(2)]
    finally:
        keras.config.set_dtype_policy("float32")
    for layer in layers:
        assert layer.compute_dtype == "float32"
        np.testing.assert_allclose(inner(layer(np.full((1, 12, 12, 3), 255.0))), 0, atol=2e-3)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: ResidualBank(limit=0), "`limit` is a clipping bound and must be positive. Received: limit=0"),
    (lambda: BayarConv2D(0), "`filters` counts output channels"),
    (lambda: BayarConv2D(2, kernel_size=4), "`kernel_size` must be odd and above 1. Received: kernel_size=4"),
    (lambda: BayarConv2D(2, limit=-1), "`limit` is a clipping bound"),
])  # fmt: skip
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
