"""A bundle and a number of faces -> how long fine-tuning takes on this machine, before it begins."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from deepfake.model.bundle import Bundle
from deepfake.model.scorer import Scorer

TRIES = 5
"""How often the machine is measured, after once to warm up."""
# What each part costs was measured with light-5 in processor time, over that of one look of the shipped graph.
ALWAYS_LOOKS = 10_000
"""However few the faces are: to load the network, to build what trains it, twice, and to export it."""
EPOCH_LOOKS = 350
"""To start the epoch's loaders."""
FACE_LOOKS = 6
"""To find and to cut a face."""
STEP_LOOKS = 7
"""To train on a crop."""
WATCH_LOOKS = 3
"""To watch a crop of the validation split after an epoch."""
MEASURE_LOOKS = 2
"""To measure a view of a face."""
COMPARED = 500
"""Most crops on which the exported graphs are compared, four of them."""


def fine_tune_s(bundle: Bundle, faces: dict[str, int], epochs: int) -> float:
    """Seconds that fine-tuning takes on this machine's processor; a graphics card takes less.

    Args:
        bundle: The bundle to start from.
        faces: How many `train`, `val` and `test` have.
        epochs: Epochs that are needed.
    """
    train, val, test = (faces[split] for split in ("train", "val", "test"))
    an_epoch = EPOCH_LOOKS + STEP_LOOKS * train + WATCH_LOOKS * val
    # The old and the new bundle are measured on the test split, and the new one is calibrated.
    measured = len(bundle.crop.tta_scales) * (2 * test + val) + 4 * min(val + test, COMPARED)
    looks = ALWAYS_LOOKS + FACE_LOOKS * (train + val + test) + epochs * an_epoch + MEASURE_LOOKS * measured
    return look_s(bundle) * looks


def look_s(bundle: Bundle) -> float:
    """Seconds that a bundle's graph takes for one crop on this machine."""
    scorer, crop = Scorer(bundle), np.zeros((bundle.crop.size, bundle.crop.size, 3), np.float32)
    times = []
    for _ in range(1 + TRIES):
        started = time.perf_counter()
        scorer.logit(crop)
        times.append(time.perf_counter() - started)
    return median(times[1:])
