"""Several devices that share each batch: `tf.distribute.MirroredStrategy`, or Keras' data parallelism on JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras

from deepfake.errors import DatasetError


@contextlib.contextmanager
def sharing(count: int) -> Iterator[int]:
    """Networks that are built and fitted in this context are copied to several devices, which share each batch.

    Args:
        count: Number of devices; 0 for all GPUs, or the CPU where there is none.

    Yields:
        The number of devices in use. A batch must be a multiple of it.

    Raises:
        DatasetError: If there are not so many, or the backend cannot share.
    """
    backend = keras.backend.backend()
    kinds = _devices(backend)
    count = count or max(1, len(kinds["gpu"]))
    chosen = (kinds["gpu"] or kinds["cpu"])[:count]
    if count == 1:
        yield 1
        return
    if backend not in ("tensorflow", "jax"):
        raise DatasetError(f"`devices` above 1 needs the backend tensorflow or jax. Received: {count} on {backend}.")
    if len(chosen) < count:
        raise DatasetError(f"`devices` asks for {count}, but {backend} sees {len(chosen)}: {', '.join(chosen)}.")
    if backend == "tensorflow":
        import tensorflow

        with tensorflow.distribute.MirroredStrategy(chosen).scope():
            yield count
        return
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=chosen, auto_shard_dataset=False))
    try:
        yield count
    finally:
        keras.distribution.set_distribution(before)


def has_gpu() -> bool:
    """Whether the backend sees a GPU."""
    return bool(_devices(keras.backend.backend())["gpu"])


def _devices(backend: str) -> dict[str, list[str]]:
    """Names of the devices that the backend sees, by kind."""
    if backend == "torch":
        import torch

        return {"gpu": [f"cuda:{n}" for n in range(torch.cuda.device_count())], "cpu": ["cpu"]}
    names = [name.lower() for name in keras.distribution.list_devices()]
    return {kind: [name for name in names if name.startswith(kind)] for kind in ("gpu", "cpu")}
