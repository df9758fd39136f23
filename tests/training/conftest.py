from __future__ import annotations

import numpy as np
import pytest

from deepfake.training.index import Row, write_index


@pytest.fixture
def made_crops(tmp_path, save_png):
    """Crops with a known truth: fakes carry a fine chequered pattern, reals do not."""

    def make(count=24, size=64, folder="crops"):
        rng = np.random.default_rng(5)
        chequer = ((np.indices((size, size)).sum(axis=0) % 2) * 24 - 12)[..., None]
        rows = []
        for number in range(count):
            split = ("train", "train", "val", "test")[number % 4]
            smooth = np.full((size, size, 3), rng.integers(60, 200), np.int64) + rng.integers(-4, 5, (size, size, 3))
            for label in ("real", "fake"):
                image = np.clip(smooth + (chequer if label == "fake" else 0), 0, 255).astype(np.uint8)
                row = Row(
                    f"{label}/{number}.png", label, "made", split, f"g{number}", "chequer" if label == "fake" else ""
                )
                save_png(tmp_path / folder / row.path, image)
                rows.append(row)
        write_index(tmp_path / folder / "index.csv", rows)
        return tmp_path / folder / "index.csv"

    return make
