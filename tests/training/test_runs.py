"""config, fit, calibrate, export, evaluate, card: a whole run at smoke size."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from deepfake.bundle import load_bundle
from deepfake.errors import BundleError, DatasetError
from deepfake.records import Thresholds
from deepfake.training.card import BEGIN, END, write_card
from deepfake.training.config import DegradeConfig, FitConfig, read_config
from deepfake.training.evaluate import Sample, summary, update_metrics
from deepfake.training.fit import class_weights, fit
from deepfake.training.index import Row

CONFIG = """
[data]
index = "crops/index.csv"
terms = {{ made = "drawn for the test" }}
[network]
alpha = 0.35
backbone = "mobilenet_v2"
streams = "{streams}"
noise_width = 8
dropout = 0.0
[degrade]
rescale = 0
blur = 0
noise = 0
jpeg = 0
min_scale = 1
rotation_deg = 0
[fit]
input_size = 64
batch_size = 8
epochs = {epochs}
learning_rate = 0.02
warmup_epochs = 0.2
workers = {workers}
"""


@pytest.fixture
def write_config(tmp_path):
    def write(streams="noise", epochs=6, workers=1):
        path = tmp_path / "run.toml"
        path.write_text(CONFIG.format(streams=streams, epochs=epochs, workers=workers))
        return path

    return write


def log(run):
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_config_is_read_and_its_paths_are_resolved(write_config, tmp_path):
    config = read_config(write_config())
    assert config.data.index == str(tmp_path / "crops/index.csv")
    assert config.fit.learning_rate == 0.02
    assert config.degrade.jpeg == 0
    assert config.network.streams == "noise"
    assert FitConfig().backbone_weights == config.fit.backbone_weights == ""


@pytest.mark.parametrize(("text", "message"), [
    ("[fit]\nepochs = 3\n", "missing 1 required positional argument: 'data'"),
    ("[data]\nindex = 'x'\n[fit]\nepoch = 3\n", "Unknown key fit.epoch. Known: .*epochs"),
    ("[data]\nindex = 'x'\n[degrade]\njpeg = 3\n", "`jpeg` is a probability"),
    ("[data\n", "is no valid training configuration"),
])  # fmt: skip
def test_a_wrong_config_is_refused(tmp_path, text, message):
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_config(tmp_path / "wrong.toml")


def test_class_weights_make_the_classes_count_the_same():
    rows = [Row("a", "real", "x", "train", str(n)) for n in range(30)] + [Row("b", "fake", "x", "train", "f")] * 10
    weights = class_weights(rows)
    assert weights["real"] * 30 == pytest.approx(weights["fake"] * 10) == pytest.approx(20)
    with pytest.raises(DatasetError, match="needs real and fake crops. Found: {'real': 30, 'fake': 0}"):
        class_weights(rows[:30])


def test_a_run_learns_a_known_truth_and_becomes_a_bundle(made_crops, write_config, tmp_path):
    from deepfake.training.calibrate import calibrate
    from deepfake.training.evaluate import evaluate_crops
    from deepfake.training.export import export_run

    index = made_crops(48)
    run, bundle = tmp_path / "run", tmp_path / "models" / "drawn-1"
    fit(read_config(write_config()), run, verbose=0)
    assert max(float(row["val_logit_auc"]) for row in log(run)) > 0.95
    found = json.loads(calibrate(run, index).read_text())
    assert found["count"] == 24
    report = export_run(run, bundle, index, count=40)
    assert report["graphs"]["model.tflite"]["max_difference"] < 0.001
    assert load_bundle(bundle).crop.size == 64
    measured = evaluate_crops(bundle, index, "test")
    assert measured["all"]["count"] == {"real": 12, "fake": 12}
    assert measured["sources"]["made"]["auc"] > 0.95
    update_metrics(bundle / "metrics.json", "test", measured)
    card = write_card(bundle).read_text()
    assert "| made | 24 | 24 | 0 | drawn for the test |" in card
    assert f"| made | 12 + 12 | {measured['all']['auc']:.3f}" in card
    with pytest.raises(DatasetError, match="has no row in the split 'dev'"):
        evaluate_crops(bundle, index, "dev")


def test_a_killed_run_goes_on_to_the_same_end(made_crops, write_config, tmp_path, root):
    made_crops(24)
    config = write_config(epochs=4, workers=2)
    fit(read_config(config), tmp_path / "whole", verbose=0)
    code = (
        "import os, signal, sys, keras\n"
        "from pathlib import Path\n"
        "from deepfake.training import fit as module\n"
        "from deepfake.training.config import read_config\n"
        "class Killing(module.BestWeights):\n"
        "    def on_train_batch_end(self, batch, logs=None):\n"
        "        if self.model.optimizer.iterations.numpy() == 8: os.kill(os.getpid(), signal.SIGKILL)\n"
        "module.BestWeights = Killing\n"
        "module.fit(read_config(sys.argv[1]), Path(sys.argv[2]), verbose=0)\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(root)}
    arguments = [sys.executable, "-c", code, str(config), str(tmp_path / "killed")]
    assert subprocess.run(arguments, env=environment, capture_output=True, check=False).returncode == -9
    assert len(log(tmp_path / "killed")) == 2
    fit(read_config(config), tmp_path / "killed", verbose=0)
    whole, resumed = log(tmp_path / "whole"), log(tmp_path / "killed")
    assert [row["epoch"] for row in resumed] == [row["epoch"] for row in whole] == ["0", "1", "2", "3"]
    for one, other in zip(whole, resumed, strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-3)


def test_a_finished_run_is_kept_and_another_configuration_refused(made_crops, write_config, tmp_path):
    made_crops(8)
    best = fit(read_config(write_config(epochs=1)), tmp_path / "run", verbose=0)
    written = best.stat().st_mtime_ns
    assert fit(read_config(write_config(epochs=1)), tmp_path / "run", verbose=0) == best
    assert best.stat().st_mtime_ns == written
    with pytest.raises(DatasetError, match="holds a run of another configuration, in config.json"):
        fit(read_config(write_config(epochs=2)), tmp_path / "run", verbose=0)


def test_missing_weights_are_refused_before_training(made_crops, write_config, tmp_path):
    made_crops(8)
    path = write_config()
    path.write_text(path.read_text() + 'initial_weights = "absent.weights.h5"\n')
    with pytest.raises(DatasetError, match="absent.weights.h5 are missing. Correct the path"):
        fit(read_config(path), tmp_path / "run", verbose=0)


def test_a_leaking_index_is_refused_before_training(made_crops, write_config, tmp_path):
    index = made_crops(8)
    text = index.read_text().replace("real/0.png,real,made,train", "real/0.png,real,made,test")
    index.write_text(text)
    with pytest.raises(DatasetError, match="so a test would see what training saw"):
        fit(read_config(write_config()), tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def samples():
    rng = np.random.default_rng(0)
    fakes = [Sample("fake", "x", "swap", float(p)) for p in rng.uniform(0.3, 1, 40)]
    reals = [Sample("real", "x", "", float(p)) for p in rng.uniform(0, 0.7, 60)]
    return [*fakes, *reals, Sample("fake", "x", "swap", None)]


def test_a_summary_counts_what_was_not_answered():
    found = summary(samples(), Thresholds(real_below=0.4, fake_above=0.6))
    assert found["count"] == {"real": 60, "fake": 41}
    assert found["without_number"] == 1
    shares = [found["fake_called"][answer]["share"] for answer in ("real", "fake", "inconclusive")]
    assert sum(shares) == pytest.approx(1)
    assert found["auc_interval"][0] < found["auc"] < found["auc_interval"][1]


def test_one_class_alone_has_shares_but_no_auc():
    found = summary([s for s in samples() if s.label == "real"], Thresholds(real_below=0.4, fake_above=0.6))
    assert "auc" not in found
    assert "fake_called" not in found
    assert 0 < found["real_called"]["fake"]["share"] < 0.5


def test_metrics_keep_their_other_sections(tmp_path):
    path = tmp_path / "metrics.json"
    update_metrics(path, "test", {"auc": 0.123456})
    update_metrics(path, "clips", {"n": 3})
    assert json.loads(path.read_text()) == {"test": {"auc": 0.1235}, "clips": {"n": 3}}


def test_the_shipped_card_and_readme_are_in_step_with_the_metrics(root, tmp_path):
    import shutil

    shutil.copytree(root / "models" / "light-1", tmp_path / "light-1")
    shutil.copy(root / "README.md", tmp_path / "README.md")
    write_card(tmp_path / "light-1", tmp_path / "README.md")
    assert (tmp_path / "light-1" / "README.md").read_text() == (root / "models" / "light-1" / "README.md").read_text()
    assert (tmp_path / "README.md").read_text() == (root / "README.md").read_text()


def test_a_readme_without_markers_is_refused(root, tmp_path):
    (tmp_path / "README.md").write_text("# nothing")
    with pytest.raises(BundleError, match=f"must hold the lines {BEGIN} and {END}"):
        write_card_of_a_copy(root, tmp_path)


def write_card_of_a_copy(root, tmp_path):
    import shutil

    shutil.copytree(root / "models" / "light-1", tmp_path / "light-1")
    write_card(tmp_path / "light-1", tmp_path / "README.md")


def test_no_bundle_no_card(tmp_path):
    with pytest.raises(BundleError, match="Run export and evaluate"):
        write_card(tmp_path)


def test_degradations_have_defaults_that_are_on():
    assert DegradeConfig().jpeg > 0
