"""How much each source counts in the calibration of faces: what was asked, what was done, and what the card says of it."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from deepfake.cli.main import main
from deepfake.data.index import read_indexes, write_index
from deepfake.evaluation.card import card_text
from deepfake.model.bundle import read_manifest
from deepfake.model.metrics import read_metrics
from deepfake.training import calibrate as calibrate_module


@pytest.fixture
def uneven(drawn, tmp_path, monkeypatch):
    """A run whose validation split has a large source, and a small one in which everything looks more fake."""
    run = tmp_path / "run"
    shutil.copytree(drawn.run, run)
    rows = read_indexes([drawn.index])
    held_out = [row for row in rows if row.split == "val"]
    small = {row.path for label in ("real", "fake") for row in [one for one in held_out if one.label == label][:2]}
    told = [dataclasses.replace(row, source="small") if row.path in small else row for row in rows]
    write_index(tmp_path / "index.csv", told)
    config = json.loads((run / "config.json").read_text())
    config["config"]["data"]["index"] = str(tmp_path / "index.csv")
    (run / "config.json").write_text(json.dumps(config))

    def logits(network, rows, spec, batch_size):
        noise = np.random.default_rng(0).normal(size=len(rows))
        return np.array([2.0 * row.target - 1 + (3.0 if row.source == "small" else 0.0) for row in rows]) + noise

    monkeypatch.setattr(calibrate_module, "face_logits", logits)
    return run


def test_a_source_of_few_pictures_counts_less_unless_it_is_asked_to_count_the_same(uneven):
    def calibrated(*options):
        done = CliRunner().invoke(main, ["calibrate", str(uneven), *options])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    less, same = calibrated(), calibrated("--half-weight", "0")
    assert (less["half_weight"], same["half_weight"]) == (50, 0)
    # The small source pulls every answer towards real, and less so the less it counts.
    assert same["shift"] < less["shift"] - 0.1
    assert CliRunner().invoke(main, ["calibrate", str(uneven), "--half-weight", "-1"]).exit_code == 2


def test_the_card_says_how_much_each_source_counted(drawn):
    manifest, metrics = read_manifest(drawn.bundle), read_metrics(drawn.bundle)
    assert "a source\nof n pictures by n / (n + 50)." in card_text(manifest, metrics)
    before = replace(metrics, calibration=replace(metrics.calibration, half_weight=0.0))
    assert "each source as much as another." in card_text(manifest, before)
