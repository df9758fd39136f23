"""Measures a training step on this machine's CPU: Keras' batch normalisation beside the fused one, precisions, memory.

    KERAS_BACKEND=torch python benchmarks/train_step.py [BACKBONE ...]

Prints crops a second of each way, all measured in turn in this one run. Other backends than PyTorch fuse nothing.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time

import keras
import numpy as np

from deepfake.memory import keep_large_blocks, return_large_blocks
from deepfake.nn.losses import WeightedCrossentropy
from deepfake.nn.network import NetworkConfig, build_network, training_network
from deepfake.training.native import native_layers

BATCH = 32
ROUNDS = 4
WAYS = {
    "float32, as Keras has it": ("float32", False, keep_large_blocks),
    "float32, fused": ("float32", True, keep_large_blocks),
    "bfloat16, as Keras has it": ("mixed_bfloat16", False, keep_large_blocks),
    "bfloat16, fused": ("mixed_bfloat16", True, keep_large_blocks),
    "bfloat16, fused, memory given back": ("mixed_bfloat16", True, return_large_blocks),
}


def main() -> None:
    """Prints a table for each backbone."""
    rng = np.random.default_rng(0)
    crops = rng.uniform(0, 255, (BATCH, 224, 224, 3)).astype("float32")
    labels = rng.integers(0, 2, BATCH).astype("float32")
    for backbone in sys.argv[1:] or ["mobilenet_v2", "mobilenet_v3_small"]:
        models = {name: _compiled(backbone, precision) for name, (precision, _, _) in WAYS.items()}
        times: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(ROUNDS + 1):
            for name, (_, fused, treat_memory) in WAYS.items():
                treat_memory()
                with native_layers() if fused else contextlib.nullcontext():
                    started = time.perf_counter()
                    models[name].train_on_batch(crops, {output: labels for output in models[name].output})
                    times[name].append(time.perf_counter() - started)
        # The first step of each builds.
        rates = {name: BATCH / statistics.median(found[1:]) for name, found in times.items()}
        print(f"{backbone} on {keras.backend.backend()}, batches of {BATCH}, median of {ROUNDS} steps")
        first = next(iter(rates.values()))
        for name, rate in rates.items():
            print(f"  {name:35} {rate:6.1f} crops/s {rate / first:5.2f} times")


def _compiled(backbone: str, precision: str) -> keras.Model:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    model = training_network(build_network(NetworkConfig(backbone=backbone)))
    keras.config.set_dtype_policy(before)
    losses = {name: WeightedCrossentropy() for name in model.output}
    model.compile(keras.optimizers.AdamW(1e-4), loss=losses, jit_compile=keras.backend.backend() == "jax")
    return model


if __name__ == "__main__":
    main()
