from __future__ import annotations

import shutil

import numpy as np
import pytest

from deepfake.errors import DatasetError
from deepfake.training.average import average
from deepfake.training.run import load_run, read_run_config


@pytest.fixture
def moved(drawn, tmp_path):
    """The drawn run, with every weight one larger."""
    folder = tmp_path / "moved"
    shutil.copytree(drawn.run, folder)
    network = load_run(folder)
    network.set_weights([weight + 1 for weight in network.get_weights()])
    network.save(folder / "best.keras")
    return folder


def test_the_mean_lies_between_and_is_a_run(drawn, moved, tmp_path):
    average([drawn.run, moved], tmp_path / "mean")
    for one, mean in zip(load_run(drawn.run).get_weights(), load_run(tmp_path / "mean").get_weights(), strict=True):
        np.testing.assert_allclose(mean, one + 0.5, atol=1e-6)
    assert read_run_config(tmp_path / "mean") == read_run_config(moved)


def test_the_mean_of_a_run_and_itself_is_the_run(drawn, tmp_path):
    average([drawn.run, drawn.run], tmp_path / "mean")
    for one, mean in zip(load_run(drawn.run).get_weights(), load_run(tmp_path / "mean").get_weights(), strict=True):
        np.testing.assert_array_equal(mean, one)


def test_what_cannot_be_averaged_is_refused(drawn, moved, tmp_path):
    from deepfake.nn.config import NetworkConfig
    from deepfake.nn.network import build_network

    with pytest.raises(DatasetError, match="at least two runs. Received: 1"):
        average([drawn.run], tmp_path / "mean")
    with pytest.raises(DatasetError, match="holds a run already"):
        average([drawn.run, moved], moved)
    build_network(NetworkConfig(streams="noise"), 64).save(moved / "best.keras")
    with pytest.raises(DatasetError, match="is of another network"):
        average([drawn.run, moved], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
