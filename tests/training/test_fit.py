"""config, fit, devices."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from deepfake.data.config import FitConfig, read_config
from deepfake.data.index import Row
from deepfake.data.rows import class_weights, training_rows
from deepfake.errors import DatasetError
from deepfake.nn.config import NetworkConfig
from deepfake.nn.network import backbones, build_network, training_network
from deepfake.training import fit as fit_module
from deepfake.training.devices import sharing
from deepfake.training.fit import fit
from deepfake.training.run import load_run, read_run_config


def log(run):
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_config_is_read_and_its_paths_are_resolved(write_config, tmp_path):
    config = read_config(write_config())
    assert config.data.index == (str(tmp_path / "crops/index.csv"),)
    assert config.fit.learning_rate == 0.02
    assert config.augment.jpeg == 0
    assert config.network.streams == "noise"
    assert FitConfig().backbone_weights == config.fit.backbone_weights == ""


@pytest.mark.parametrize(("text", "message"), [
    ("[fit]\nepochs = 3\n", "The key data is missing"),
    ("[data]\nindex = 'x'\n[fit]\nepoch = 3\n", "Unknown key fit.epoch"),
    ("[data]\nindex = 'x'\n[augment]\njpeg = 3\n", "`augment.jpeg`: expected `float` <= 1.0. Received: 3"),
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


def test_a_run_learns_a_known_truth(drawn):
    assert max(float(row["val_logit_auc"]) for row in log(drawn.run)) > 0.95
    assert (drawn.run / "history.png").read_bytes()[:4] == b"\x89PNG"
    description = json.loads((drawn.run / "config.json").read_text())
    assert description["data"]["counts"]["made"] == {
        "train": {"real": 24, "fake": 24}, "val": {"real": 12, "fake": 12}
    }  # fmt: skip
    assert len(description["data"]["sha256"]) == 64
    assert read_run_config(drawn.run).network.noise_width == 8


def test_a_killed_run_goes_on_to_the_same_end(made_crops, write_config, tmp_path, root):
    made_crops(24)
    config = write_config(epochs=4, workers=2)
    fit(read_config(config), tmp_path / "whole")
    code = (
        "import os, signal, sys, keras\n"
        "from pathlib import Path\n"
        "from deepfake.training import fit as module\n"
        "from deepfake.data.config import read_config\n"
        "class Killing(module.BestWeights):\n"
        "    def on_train_batch_end(self, batch, logs=None):\n"
        "        if self.model.optimizer.iterations.numpy() == 8: os.kill(os.getpid(), signal.SIGKILL)\n"
        "module.BestWeights = Killing\n"
        "module.fit(read_config(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(root)}
    arguments = [sys.executable, "-c", code, str(config), str(tmp_path / "killed")]
    assert subprocess.run(arguments, env=environment, capture_output=True, check=False).returncode == -9
    assert len(log(tmp_path / "killed")) == 2
    fit(read_config(config), tmp_path / "killed")
    whole, resumed = log(tmp_path / "whole"), log(tmp_path / "killed")
    assert [row["epoch"] for row in resumed] == [row["epoch"] for row in whole] == ["0", "1", "2", "3"]
    for one, other in zip(whole, resumed, strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-3)


def test_a_finished_run_is_kept_and_another_configuration_refused(made_crops, write_config, tmp_path):
    made_crops(8)
    best = fit(read_config(write_config(epochs=1)), tmp_path / "run")
    written = best.stat().st_mtime_ns
    assert fit(read_config(write_config(epochs=1)), tmp_path / "run") == best
    assert best.stat().st_mtime_ns == written
    # An earlier version did not know every key of today.
    description = json.loads((tmp_path / "run" / "config.json").read_text())
    del description["config"]["network"]["beside"]
    (tmp_path / "run" / "config.json").write_text(json.dumps(description))
    assert fit(read_config(write_config(epochs=1)), tmp_path / "run") == best
    with pytest.raises(DatasetError, match="holds a run of another configuration, in config.json"):
        fit(read_config(write_config(epochs=2)), tmp_path / "run")
    description["config"]["network"]["known_later"] = 1
    (tmp_path / "run" / "config.json").write_text(json.dumps(description))
    with pytest.raises(DatasetError, match="holds a run of another configuration, in config.json"):
        fit(read_config(write_config(epochs=1)), tmp_path / "run")


def test_missing_weights_are_refused_before_training(made_crops, write_config, tmp_path):
    made_crops(8)
    path = write_config()
    path.write_text(path.read_text() + 'initial_weights = "absent.weights.h5"\n')
    with pytest.raises(DatasetError, match="absent.weights.h5 are missing. Correct the path"):
        fit(read_config(path), tmp_path / "run")


def test_a_start_that_failed_before_its_first_step_blocks_no_folder(made_crops, write_config, tmp_path):
    made_crops(8)
    path = write_config(epochs=1)
    right = path.read_text()
    path.write_text(right + 'initial_weights = "absent.weights.h5"\n')
    with pytest.raises(DatasetError, match="absent.weights.h5 are missing"):
        fit(read_config(path), tmp_path / "run")
    assert (tmp_path / "run" / "config.json").exists()
    path.write_text(right)
    said = []
    assert fit(read_config(path), tmp_path / "run", follow=said.append).exists()
    assert [(one.epoch, one.epochs, one.step, one.steps) for one in said] == [(1, 1, 1, 1), (1, 1, 1, 1)]
    assert said[0].auc is None
    assert said[1].auc == float(log(tmp_path / "run")[0]["val_logit_auc"])


def test_pictures_that_are_trained_on_and_kept_back_are_said(made_crops, write_config, tmp_path):
    made_crops(8)
    said = []
    fit(read_config(write_config(epochs=1)), tmp_path / "run", say=said.append)
    assert not said
    crops = tmp_path / "crops"
    (crops / "real" / "2.png").write_bytes((crops / "real" / "0.png").read_bytes())
    fit(read_config(write_config(epochs=1)), tmp_path / "again", say=said.append)
    (line,) = said
    assert line.startswith("1 of 8 pictures kept for validation and tests look like one that is trained on, 1 of them")


def test_a_leaking_index_is_refused_before_training(made_crops, write_config, tmp_path):
    index = made_crops(8)
    text = index.read_text().replace("real/0.png,real,made,train", "real/0.png,real,made,test")
    index.write_text(text)
    with pytest.raises(DatasetError, match="so a test would see what training saw"):
        fit(read_config(write_config()), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_other_data_are_refused(made_crops, write_config, tmp_path, save_png):
    made_crops(8)
    fit(read_config(write_config(epochs=1)), tmp_path / "run")
    save_png(tmp_path / "crops" / "real" / "0.png", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(DatasetError, match="holds a run of another data, in config.json"):
        fit(read_config(write_config(epochs=1)), tmp_path / "run")
    (tmp_path / "crops" / "real" / "0.png").unlink()
    with pytest.raises(DatasetError, match="real/0.png is missing. Run extract again"):
        fit(read_config(write_config(epochs=1)), tmp_path / "run")


@pytest.mark.parametrize("beside", [(), (NetworkConfig("mobilenet_v2", 0.35),)], ids=["one", "ensemble"])
def test_a_frozen_backbone_has_nothing_to_train_and_the_rest_has_all(beside):
    network = training_network(build_network(NetworkConfig("mobilenet_v2", 0.35, beside=beside), 64))
    whole = len(network.trainable_variables)
    inner = sum(len(backbone.trainable_variables) for backbone in backbones(network))
    losses = {name: keras.losses.BinaryCrossentropy() for name in network.output}
    for frozen, left in ((True, whole - inner), (False, whole)):
        fit_module._compile(network, keras.optimizers.SGD(), losses, FitConfig(), frozen=frozen)
        assert len(network.trainable_variables) == left


@pytest.mark.slow
def test_the_backbone_changes_after_the_frozen_epochs_alone(made_crops, write_config, tmp_path, monkeypatch):
    made_crops(12)
    seen = []
    compile_network = fit_module._compile

    def watching(model, *arguments, frozen):
        (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
        seen.append((frozen, backbone, backbone.get_weights()))
        compile_network(model, *arguments, frozen=frozen)

    monkeypatch.setattr(fit_module, "_compile", watching)
    options = 'frozen_epochs = 1\nschedule = "plateau"\nbalance = "batches"'
    fit(read_config(write_config(streams="both", epochs=2, fit=options)), tmp_path / "run")
    (first, backbone, at_first), (second, _, after_frozen) = seen
    assert (first, second) == (True, False)
    for before, after in zip(at_first, after_frozen, strict=True):
        np.testing.assert_array_equal(before, after)
    assert any((a != b).any() for a, b in zip(at_first, backbone.get_weights(), strict=True))


def test_mixed_precision_learns_and_what_is_kept_is_float32(made_crops, write_config, tmp_path):
    made_crops(24)
    fit(
        read_config(write_config(epochs=3, fit='precision = "mixed_float16"\ntensorboard = true')),
        tmp_path / "run",
    )
    first, *_, last = (float(row["loss"]) for row in log(tmp_path / "run"))
    assert last < first
    assert list((tmp_path / "run" / "tensorboard").rglob("events.*"))
    assert {layer.compute_dtype for layer in load_run(tmp_path / "run").layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_run_goes_on_from_the_network_of_a_bundle(drawn, made_crops, write_config, tmp_path):
    made_crops(12)
    start = f'initial_weights = "{drawn.bundle / "model.keras"}"'
    path = write_config(epochs=1, fit=start)
    path.write_text(path.read_text().replace("learning_rate = 0.02", "learning_rate = 1e-9"))
    fit(read_config(path), tmp_path / "run")
    assert float(log(tmp_path / "run")[0]["val_logit_auc"]) > 0.95


def test_a_run_goes_on_from_one_network_of_several(tmp_path):
    single, smaller = NetworkConfig("mobilenet_v2", 0.5), NetworkConfig(streams="noise")
    both = build_network(NetworkConfig("mobilenet_v2", 0.5, beside=(smaller,)), 64)
    both.save(tmp_path / "both.keras")
    for member, config in enumerate((single, smaller)):
        network = build_network(config, 64)
        fit_module._begin_with(network, tmp_path / "both.keras", member)
        own = both.get_layer(f"member_{member}").get_weights()
        assert all(np.array_equal(*pair) for pair in zip(network.get_weights(), own, strict=True))
    with pytest.raises(DatasetError, match=r"both.keras has no network 2 .* Correct `initial_member` or `network`"):
        fit_module._begin_with(network, tmp_path / "both.keras", 2)
    other = build_network(NetworkConfig("mobilenet_v2", 0.35), 64)
    with pytest.raises(DatasetError, match=r"has no network 0 that is made as `network` says"):
        fit_module._begin_with(other, tmp_path / "both.keras", 0)


def test_several_tables_are_one_data_set_and_a_source_of_weight_zero_is_only_watched(
    made_crops, tmp_path, write_config
):
    made_crops(8)
    (tmp_path / "more").mkdir()
    table = (tmp_path / "crops" / "index.csv").read_text().replace("made", "other").replace("real/", "../crops/real/")
    (tmp_path / "more" / "index.csv").write_text(table.replace("fake/", "../crops/fake/").replace("g", "h"))
    path = write_config(data="weights = { other = 0 }")
    path.write_text(
        path.read_text().replace('index = "crops/index.csv"', 'index = ["crops/index.csv", "more/index.csv"]')
    )
    train, val = training_rows(read_config(path))
    assert {row.source for row in train} == {"made"}
    assert {row.source for row in val} == {"made", "other"}
    assert len(val) == 8


def test_reals_alone_train_a_detector_of_self_blends(made_crops, write_config, tmp_path):
    index = made_crops(12)
    index.write_text("".join(line for line in index.read_text().splitlines(True) if ",fake," not in line))
    with pytest.raises(DatasetError, match="needs real and fake crops. Found: {'real': 6, 'fake': 0}"):
        training_rows(read_config(write_config()))
    config = read_config(write_config(epochs=1, data='fakes = "self-blend"'))
    _, val = training_rows(config)
    assert [row.method for row in val] == ["", "self_blend"] * 3
    fit(config, tmp_path / "run")
    assert 0 <= float(log(tmp_path / "run")[0]["val_logit_auc"]) <= 1


def test_more_devices_than_there_are_are_refused():
    if keras.backend.backend() == "torch":
        pytest.skip("one device at a time on PyTorch")
    with pytest.raises(DatasetError, match="`devices` asks for 64, but .* sees"), sharing(64):
        pass


SHARED_RUN = (
    "import sys, csv, json, keras\n"
    "if keras.backend.backend() == 'tensorflow':\n"
    "    import tensorflow as tf\n"
    "    two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
    "    tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], two)\n"
    "from pathlib import Path\n"
    "from deepfake.data.config import read_config\n"
    "from deepfake.training.fit import fit\n"
    "fit(read_config(sys.argv[1]), Path(sys.argv[2]))\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_share_a_batch_and_learn_what_one_learns(made_crops, write_config, tmp_path, root, backend):
    pytest.importorskip(backend)
    made_crops(24)
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(root)}
    if backend == "jax":
        environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    ends = []
    for devices in (1, 2):
        config = write_config(epochs=2, fit=f"devices = {devices}")
        command = [sys.executable, "-c", SHARED_RUN, str(config), str(tmp_path / str(devices))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        ends.append([float(row["loss"]) for row in log(tmp_path / str(devices))])
    # Batch normalisation sees half a batch on each of two devices, so the losses are close, not equal.
    np.testing.assert_allclose(ends[0][0], ends[1][0], rtol=0.1)
    assert all(second < first for first, second in ends)
