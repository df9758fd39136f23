from __future__ import annotations

import numpy as np
import pytest

from deepfake.data.datasets.folder import folder
from deepfake.data.demo import write_demo
from deepfake.data.index import count_labels
from deepfake.errors import DatasetError
from deepfake.media import read_picture


def test_a_demo_is_a_folder_of_pairs_that_differ(tmp_path, finder):
    data = write_demo(tmp_path / "demo", finder, count=3)
    rows = folder(data)
    assert count_labels(rows) == {"real": 3, "fake": 3}
    assert {row.method for row in rows} == {"", "blended"}
    for number in range(3):
        real, fake = (read_picture(data / place / f"{number:02d}.png").image for place in ("real", "fake/blended"))
        assert 0 < np.abs(real.astype(int) - fake).mean() < 60


def test_a_demo_needs_a_face(tmp_path, finder, examples):
    with pytest.raises(DatasetError, match="needs a photograph with a face"):
        write_demo(tmp_path / "demo", finder, photograph=examples / "no_face.jpg")
