"""The same code trains on every backend of Keras that is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

STEPS = """
import keras, numpy as np
from deepfake.nn.losses import WeightedCrossentropy
from deepfake.nn.config import NetworkConfig
from deepfake.nn.network import build_network, training_network
keras.utils.set_random_seed(0)
model = training_network(build_network(NetworkConfig(), 64))
losses = {name: WeightedCrossentropy() for name in model.output}
backend = keras.backend.backend()
# Two steps are over long before TensorFlow has made a graph of one.
own = {"jit_compile": backend == "jax", "run_eagerly": backend == "tensorflow"}
model.compile(keras.optimizers.AdamW(1e-3), loss=losses, **own)
rng = np.random.default_rng(0)
crops, labels = rng.uniform(0, 255, (4, 64, 64, 3)).astype("float32"), np.array([0, 1, 0, 1], "float32")
before = [np.array(weight) for weight in model.get_weights()]
found = [float(model.train_on_batch(crops, {name: labels for name in losses})[0]) for _ in range(2)]
moved = sum(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
assert np.isfinite(found).all(), found
assert moved == len(before), (moved, len(before))
print(backend, len(before))
"""


@pytest.mark.parametrize(("backend", "module"), [("tensorflow", "tensorflow"), ("torch", "torch"), ("jax", "jax")])
def test_two_steps_move_every_weight(root, backend, module):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", STEPS], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(backend)
