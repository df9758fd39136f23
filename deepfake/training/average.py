"""Finished runs of one network -> a run whose weights are their mean.

Where one run goes on from another with other data, the mean of both often keeps what the first knew beside what the
second learned. The moving statistics of batch normalisation are averaged like any weight, which holds for runs that are
close to each other, as those are; runs from different beginnings are not, and their mean is worthless: measure it.

Reference:
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, and "Model soups", ICML 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from deepfake.errors import DatasetError
from deepfake.training.run import CONFIG, load_run, read_training, write_made


def average(runs: Sequence[Path], out: Path) -> Path:
    """Writes a run with the mean of the weights of others.

    Args:
        runs: Folders of finished runs. The configuration of the last is that of the mean.
        out: Folder for the mean; made if absent.

    Returns:
        The path of its `best.keras`.

    Raises:
        DatasetError: If there are fewer than two, one is not finished, their networks differ, or `out` holds a run.
    """
    if len(runs) < 2:
        raise DatasetError(f"A mean needs at least two runs. Received: {len(runs)}.")
    if (out / CONFIG).exists():
        raise DatasetError(f"{out} holds a run already. Choose another folder.")
    networks = [load_run(run) for run in runs]
    weights = [network.get_weights() for network in networks]
    shapes = [[weight.shape for weight in own] for own in weights]
    for run, own in zip(runs, shapes, strict=True):
        if own != shapes[0]:
            raise DatasetError(f"{run} is of another network than {runs[0]}. Average runs of one network.")
    network = networks[-1]
    network.set_weights([np.mean(same, axis=0) for same in zip(*weights, strict=True)])
    return write_made(out, replace(read_training(runs[-1]), averaged=tuple(run.name for run in runs)), network)
