from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from deepfake.errors import DatasetError
from deepfake.evaluation.card import write_card
from deepfake.model.bundle import load_bundle
from deepfake.nn.network import build_network
from deepfake.records import CropSpec
from deepfake.training.calibrate import calibrate
from deepfake.training.ensemble import join
from deepfake.training.export import export_run
from deepfake.training.fine_tune import _saved_network
from deepfake.training.run import load_run, read_run_config


@pytest.fixture(scope="module")
def two_streams(drawn, tmp_path_factory):
    """A run on the drawn crops, of a network with both streams."""
    folder = shutil.copytree(drawn.run, tmp_path_factory.mktemp("two_streams") / "other")
    _change(folder, "network", backbone="mobilenet_v2", alpha=0.35, streams="both")
    _change(folder, "data", weights={"made": 3})
    build_network(read_run_config(folder).network, 64).save(folder / "best.keras")
    return folder


@pytest.fixture
def other(two_streams, tmp_path):
    """That run, to be changed."""
    return shutil.copytree(two_streams, tmp_path / "other")


def _change(run, section, **values):
    description = json.loads((run / "config.json").read_text())
    description["config"][section].update(values)
    (run / "config.json").write_text(json.dumps(description))


def test_an_ensemble_is_a_run_that_answers_their_mean(drawn, other, tmp_path, rng):
    crops = rng.uniform(0, 255, (4, 64, 64, 3)).astype("float32")
    join([drawn.run, other], tmp_path / "both")
    logits = [load_run(run).predict(crops, verbose=0)["logit"] for run in (drawn.run, other, tmp_path / "both")]
    np.testing.assert_allclose(logits[2], (logits[0] + logits[1]) / 2, atol=1e-5)


@pytest.mark.slow
def test_an_ensemble_becomes_a_bundle(drawn, other, tmp_path):
    join([drawn.run, other], tmp_path / "both")
    calibrate(tmp_path / "both")
    bundle = tmp_path / "both-1"
    export_run(tmp_path / "both", bundle, count=8)
    assert load_bundle(bundle).crop == CropSpec(64)
    assert _saved_network(bundle) == read_run_config(tmp_path / "both").network
    card = write_card(bundle).read_text()
    assert "An ensemble of 2 dual-stream deepfake detectors" in card
    assert (
        "- `run`, 50% of the answer: Fakes are those of the data sets. The visual stream started from random weights."
        in card
    )
    assert "- `other`, 50% of the answer: " in card
    assert "| 1; 3 | drawn for the test |" in card


def test_shares_weigh_the_answers_and_their_evidence(drawn, other, tmp_path, rng):
    crops = rng.uniform(0, 255, (4, 64, 64, 3)).astype("float32")
    join([drawn.run, other], tmp_path / "both", [3, 1])
    one, two, both = (load_run(run).predict(crops, verbose=0) for run in (drawn.run, other, tmp_path / "both"))
    for name in ("logit", "noise_evidence"):
        np.testing.assert_allclose(both[name], one[name] * 0.75 + two[name] * 0.25, atol=1e-5)


def test_the_last_says_how_the_ensemble_answers(drawn, other, tmp_path):
    _change(other, "crop", tta_scales=[1.0, 1.3])
    join([drawn.run, other], tmp_path / "both")
    config = read_run_config(tmp_path / "both")
    assert config.crop.tta_scales == (1.0, 1.3)
    assert [config.network.streams, *(member.streams for member in config.network.beside)] == ["noise", "both"]


def test_what_cannot_be_joined_is_refused(drawn, other, tmp_path):
    out = tmp_path / "both"
    with pytest.raises(DatasetError, match="at least two runs. Received: 1"):
        join([drawn.run], out)
    for shares in ([1.0], [1.0, 0.0]):
        with pytest.raises(DatasetError, match="a share above 0 for each of the 2 runs"):
            join([drawn.run, other], out, shares)
    with pytest.raises(DatasetError, match="holds a run already"):
        join([drawn.run, other], other)
    join([drawn.run, other], tmp_path / "two")
    with pytest.raises(DatasetError, match="is an ensemble already. Join the runs that it was made of"):
        join([tmp_path / "two", drawn.run], out)
    _change(other, "crop", scale=1.3)
    with pytest.raises(DatasetError, match="cuts other crops than"):
        join([drawn.run, other], out)
    _change(other, "crop", scale=CropSpec().scale)
    description = json.loads((other / "config.json").read_text())
    description["data"]["counts"]["elsewhere"] = description["data"]["counts"]["made"]
    (other / "config.json").write_text(json.dumps(description))
    with pytest.raises(DatasetError, match="was trained on elsewhere, and .* was not. Name it last"):
        join([other, drawn.run], out)
    assert not out.exists()
