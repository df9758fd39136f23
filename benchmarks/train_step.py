"""Measures a training step on this machine's CPU: Keras' layers beside PyTorch's own, two precisions, freed memory.

    KERAS_BACKEND=torch python benchmarks/train_step.py [BACKBONE ...]

Prints crops a second of each way, each in a process of its own, one after the other. Other backends than PyTorch have
one kind of layers.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from typing import cast

import keras
import numpy as np

from deepfake.nn.config import Backbone, NetworkConfig
from deepfake.nn.losses import WeightedCrossentropy
from deepfake.nn.network import build_network, training_network
from deepfake.nn.torch_layers import native_layers
from deepfake.system.memory import keep_large_blocks, return_large_blocks

BATCH = 32
STEPS = 6
WAYS = {
    "float32": ("float32", False, keep_large_blocks),
    "float32, freed memory given back": ("float32", False, return_large_blocks),
    "float32, native": ("float32", True, keep_large_blocks),
    "bfloat16": ("mixed_bfloat16", False, keep_large_blocks),
    "bfloat16, native": ("mixed_bfloat16", True, keep_large_blocks),
    "bfloat16, native, freed memory given back": ("mixed_bfloat16", True, return_large_blocks),
}


def main() -> None:
    """Prints a table for each backbone."""
    for backbone in sys.argv[1:] or ["mobilenet_v2", "mobilenet_v3_small"]:
        print(f"{backbone} on {keras.backend.backend()}, batches of {BATCH}, median of {STEPS} steps", flush=True)
        first = 0.0
        for name, (_, native, _) in WAYS.items():
            if native and keras.backend.backend() != "torch":
                continue
            command = [sys.executable, __file__, "--way", name, backbone]
            rate = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            first = first or rate
            print(f"  {name:42} {rate:6.1f} crops/s {rate / first:5.2f} times", flush=True)


def measure(name: str, backbone: Backbone) -> float:
    """Crops a second of one way."""
    precision, native, treat_memory = WAYS[name]
    treat_memory()
    keras.config.set_dtype_policy(precision)
    model = training_network(build_network(NetworkConfig(backbone=backbone)))
    losses = {output: WeightedCrossentropy() for output in model.output}
    model.compile(keras.optimizers.AdamW(1e-4), loss=losses, jit_compile=keras.backend.backend() == "jax")
    rng = np.random.default_rng(0)
    crops = rng.uniform(0, 255, (BATCH, 224, 224, 3)).astype("float32")
    labels = dict.fromkeys(model.output, rng.integers(0, 2, BATCH).astype("float32"))
    times = []
    with native_layers() if native else contextlib.nullcontext():
        for _ in range(STEPS + 2):
            started = time.perf_counter()
            model.train_on_batch(crops, labels)
            times.append(time.perf_counter() - started)
    # The first steps build, and fill the caches.
    return BATCH / statistics.median(times[2:])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        print(measure(sys.argv[2], cast(Backbone, sys.argv[3])))
    else:
        main()
