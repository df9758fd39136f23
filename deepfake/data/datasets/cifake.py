"""CIFAKE."""

from __future__ import annotations

from pathlib import Path

from deepfake.data.datasets.walk import checked, is_video, media_below, without_suffix
from deepfake.data.index import Row

_LAYOUT = "train/REAL, train/FAKE, test/REAL and test/FAKE, with files such as 0001 (2).jpg"


def cifake(root: Path) -> list[Row]:
    """Rows of CIFAKE; its test folder is the test split, the rest has none.

    These are 32x32 pictures of things, not of faces: `extract` must take them whole (`--cropped cifake`).

    Args:
        root: Folder with `train` and `test`, each with `REAL` and `FAKE`.

    Raises:
        DatasetError: If there are no pictures, or two differ in their suffix alone.

    Reference:
        Bird and Lotfi, "CIFAKE: image classification and explainable identification of AI-generated synthetic
        images", IEEE Access 12, 2024.
    """
    rows = []
    for file in media_below(root, _LAYOUT):
        match file.parts:
            case ("train" | "test" as split, "REAL" | "FAKE" as label, _) if not is_video(root / file):
                official = "test" if split == "test" else ""
                method = "stable_diffusion_1.4" if label == "FAKE" else ""
                clip = without_suffix(str(file))
                rows.append(Row(str(file), label.lower(), "cifake", official, method=method, clip=clip))
    return checked(rows, root, _LAYOUT)
