"""PyTorch's own layers say what Keras' say."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import keras
import pytest
from keras import layers

from deepfake.nn.torch_layers import native_layers

COMPARED = """
import keras, numpy as np, torch
from deepfake.nn.torch_layers import native_layers

ran = []
for name in ("batch_norm", "conv2d"):
    own = getattr(torch.nn.functional, name)
    setattr(torch.nn.functional, name, lambda *a, own=own, name=name, **k: ran.append(name) or own(*a, **k))


def trained(layer, size, native):
    pixels = np.random.default_rng(size).normal(3, 2, (8, size, size + 1, 4)).astype("float32")
    layer = layer.from_config(layer.get_config())
    layer.build(pixels.shape)
    weights = [np.random.default_rng(n).uniform(0.2, 1, w.shape) for n, w in enumerate(layer.weights)]
    layer.set_weights(weights)
    x = torch.tensor(pixels, requires_grad=True)
    ran.clear()
    y = layer(x, training=True)
    (y.float() * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
    expected = "batch_norm" if isinstance(layer, keras.layers.BatchNormalization) else "conv2d"
    if native:
        assert ran == [expected], ran
    gradients = [w.value.grad for w in layer.trainable_variables]
    after = layer(x, training=False)
    found = [t.detach().float().numpy() for t in (y, x.grad, *gradients, after)] + layer.get_weights()
    return str(y.dtype), found


def compare(layer, size, near):
    kind, spelled = trained(layer, size, False)
    with native_layers():
        own_kind, own = trained(layer, size, True)
    assert kind == own_kind
    for a, b in zip(spelled, own, strict=True):
        assert a.shape == b.shape and np.abs(a - b).max() <= near * np.abs(a).max(), (layer.get_config(), size)


for policy, near in (("float32", 0.001), ("mixed_bfloat16", 0.05)):
    compare(keras.layers.BatchNormalization(momentum=0.9, dtype=policy), 16, near)
    for stride in (1, 2):
        for padding in ("same", "valid"):
            for size in (8, 9):
                told = {"strides": stride, "padding": padding, "activation": "relu", "dtype": policy}
                compare(keras.layers.DepthwiseConv2D(3, depth_multiplier=2, **told), size, near)
                compare(keras.layers.Conv2D(6, 3, groups=2, **told), size, near)
                compare(keras.layers.Conv2D(5, 1, **told), size, near)
compare(keras.layers.DepthwiseConv2D((5, 3), padding="same", use_bias=False), 8, 0.001)
compare(keras.layers.Conv2D(3, (3, 5), padding="same", use_bias=False), 8, 0.001)
print("same")
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_outputs_gradients_and_statistics_are_those_of_keras(root):
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [sys.executable, "-c", COMPARED], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "same\n"


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="other backends than torch are left as they are")
def test_other_backends_are_left_as_they_are():
    before = layers.BatchNormalization.call, layers.Conv2D.call, layers.DepthwiseConv2D.call
    with native_layers():
        assert (layers.BatchNormalization.call, layers.Conv2D.call, layers.DepthwiseConv2D.call) == before
