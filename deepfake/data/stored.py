"""Pictures that `extract` wrote, read again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from deepfake.errors import DatasetError
from deepfake.records import Image


def read_stored(path: Path) -> Image:
    """Reads one picture that `extract` wrote, RGB uint8.

    Raises:
        DatasetError: If it is missing or damaged; no other picture takes its place.
    """
    content = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if content.size else None
    if image is None:
        raise DatasetError(f"The crop {path} is missing or damaged. Run extract again.")
    return np.asarray(image)
