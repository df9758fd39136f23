"""A bundle and the faces that it is measured on -> how many of them look like one that it was trained on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepfake.data.fingerprints import Fingerprints, nearest, read_fingerprints
from deepfake.data.index import Row
from deepfake.errors import BundleError
from deepfake.model.bundle import FINGERPRINTS, read_files, read_manifest


def trained_on(model: Path, rows: Sequence[Row], split: str) -> int | None:
    """How many faces of a split look like one that a bundle was trained on, or that the same table keeps for training.

    Args:
        model: Folder of a bundle. Where it carries no fingerprints, the training rows stand for what it has seen.
        rows: All rows of the index, their paths absolute.
        split: Which are measured.

    Returns:
        Their number; None where neither says what was trained on.

    Raises:
        BundleError: If the bundle's fingerprints are damaged.
        DatasetError: If a measured picture is missing or damaged.
    """
    known = fingerprints_of(model)
    if known is None:
        # Who only measures need not have what was trained on.
        train = [row for row in rows if row.split == "train" and Path(row.path).is_file()]
        if not train:
            return None
        known = read_fingerprints(train)
    measured = read_fingerprints([row for row in rows if row.split == split])
    return int(nearest(measured, known)[1].sum())


def fingerprints_of(model: Path) -> Fingerprints | None:
    """The fingerprints of what a bundle was trained on; None where it carries none.

    Raises:
        BundleError: If they are damaged.
    """
    if FINGERPRINTS not in read_manifest(model).files:
        return None
    content = read_files(model, [FINGERPRINTS], "detector")[1][FINGERPRINTS]
    try:
        found = np.load(io.BytesIO(content))
    except ValueError as error:
        raise BundleError(f"{model / FINGERPRINTS} is no array ({error}). Fetch the bundle again.") from error
    return np.ascontiguousarray(found)
