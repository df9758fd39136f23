"""What a run was trained on -> the fingerprints that travel with its bundle, so that nobody measures it on that."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from deepfake.data.config import TrainingConfig
from deepfake.data.fingerprints import read_fingerprints
from deepfake.data.rows import training_rows
from deepfake.evaluation.overlap import fingerprints_of
from deepfake.model.bundle import FINGERPRINTS, MANIFEST
from deepfake.system.files import write_bytes

MOST = 30_000
"""Fingerprints that a bundle carries at most, 480 kB of them: of a larger training set it carries none."""


def write_fingerprints(config: TrainingConfig, directory: Path) -> tuple[str, ...]:
    """Writes the fingerprints of what a network has seen, in its own training and in that of the bundle it began with.

    Args:
        config: What its run was told.
        directory: The bundle's folder; made if absent.

    Returns:
        The name of the file; nothing where there would be too many.

    Raises:
        DatasetError: If a picture is missing or damaged.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FINGERPRINTS).unlink(missing_ok=True)
    begun_with = Path(config.fit.initial_weights).parent
    is_bundle = config.fit.initial_weights.endswith(".keras") and (begun_with / MANIFEST).exists()
    before = fingerprints_of(begun_with) if is_bundle else None
    rows, _ = training_rows(config)
    if len(rows) + (0 if before is None else len(before)) > MOST:
        return ()
    own = read_fingerprints(rows)
    whole = np.unique(own if before is None else np.concatenate([before, own]), axis=0)
    content = io.BytesIO()
    np.save(content, whole)
    write_bytes(directory / FINGERPRINTS, content.getvalue())
    return (FINGERPRINTS,)
