"""What learned nothing is neither calibrated nor exported; what was trained on is known again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from deepfake.data.fingerprints import read_fingerprints
from deepfake.data.index import Row, read_indexes, write_index
from deepfake.errors import BundleError, DatasetError
from deepfake.evaluation.chance import beats_chance
from deepfake.evaluation.evaluate import evaluate_crops
from deepfake.evaluation.metrics import roc_auc
from deepfake.evaluation.overlap import fingerprints_of, trained_on
from deepfake.model.bundle import DEFAULT_MODEL, FINGERPRINTS, MANIFEST
from deepfake.model.metrics import Metrics
from deepfake.records import CropSpec
from deepfake.report.metrics_tables import comparison_table, quality_tables, trained_on_sentence
from deepfake.system.files import sha256_of, write_json
from deepfake.training import calibrate as calibrate_module
from deepfake.training import fingerprints as fingerprints_module
from deepfake.training.calibrate import calibrate
from deepfake.training.export import export
from deepfake.training.run import CALIBRATION, read_run_config


def test_scores_without_knowledge_seldom_pass(rng):
    labels = np.repeat([0, 1], 20)
    passed = [beats_chance(labels, rng.normal(size=40)) for _ in range(500)]
    assert sum(passed) <= 15
    assert beats_chance(labels, labels + rng.normal(size=40))
    assert not beats_chance(labels, rng.normal(size=40) - labels)


@pytest.fixture
def lucky(monkeypatch):
    """Logits that say nothing, and by luck rank a little better than chance, as a network that learned nothing has."""

    def answer(network, rows, spec, batch_size):
        labels = np.array([row.target for row in rows])
        for seed in range(100):
            logits = 1e-4 * np.random.default_rng(seed).normal(size=len(rows))
            auc = roc_auc(labels, logits)
            if 0.55 < auc < 0.65:
                return logits
        raise AssertionError

    monkeypatch.setattr(calibrate_module, "face_logits", answer)


def test_a_network_at_chance_is_not_calibrated(drawn, lucky):
    before = (drawn.run / CALIBRATION).read_bytes()
    with pytest.raises(DatasetError, match="12 reals and 12 fakes no better than chance could: its AUC is 0"):
        calibrate(drawn.run)
    assert (drawn.run / CALIBRATION).read_bytes() == before


def test_a_network_at_chance_is_not_exported(drawn, tmp_path, rng):
    crops = rng.integers(0, 256, (24, 64, 64, 3)).astype(np.float32)
    with pytest.raises(DatasetError, match="no better than chance could"):
        export(drawn.run, tmp_path / "out", crops, np.repeat([0, 1], 12), CropSpec(64))
    assert not (tmp_path / "out").exists()


@pytest.fixture
def table(tmp_path, save_png, rng):
    """Rows of textures that differ: four to train on, two of which are tested, too, and four others to test."""
    rows = []
    for number in range(8):
        texture = np.kron(rng.integers(40, 216, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        names = [("train", number)] * (number < 4) + [("test", number)] * (number > 1)
        for split, name in names:
            path = save_png(tmp_path / "textures" / f"{split}{name}.png", texture + np.uint8(3 * (split == "test")))
            rows.append(Row(path.name, "fake" if number % 2 else "real", "made", split))
    write_index(tmp_path / "textures" / "index.csv", rows)
    return tmp_path / "textures" / "index.csv"


@pytest.fixture
def bundle(drawn, tmp_path, table):
    """The drawn bundle, as if it had been trained on the textures."""
    copy = tmp_path / "models" / "drawn-1"
    shutil.copytree(drawn.bundle, copy)
    shown = [row for row in read_indexes([table]) if row.split == "train"]
    np.save(copy / FINGERPRINTS, read_fingerprints(shown))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"][FINGERPRINTS] = sha256_of(copy / FINGERPRINTS)
    write_json(copy / MANIFEST, manifest)
    return copy


def test_a_bundle_carries_the_fingerprints_of_what_it_was_trained_on(drawn):
    assert FINGERPRINTS in json.loads((drawn.bundle / MANIFEST).read_text())["files"]
    shown = read_fingerprints([row for row in read_indexes([drawn.index]) if row.split == "train"])
    np.testing.assert_array_equal(fingerprints_of(drawn.bundle), np.unique(shown, axis=0))


def test_evaluation_counts_what_was_trained_on(bundle, table):
    measures = evaluate_crops(bundle, [table], "test").measures
    assert measures.trained_on == 2
    assert trained_on_sentence(measures).startswith("2 of these 6 look like one that it was trained on")
    assert trained_on_sentence(measures) in quality_tables(Metrics(test=measures))
    assert "look like" not in quality_tables(Metrics(test=replace(measures, trained_on=0)))
    lines = comparison_table(measures.all, measures.all).splitlines()
    assert len({len(line) for line in lines}) == 1, "columns line up"
    assert [cell.strip() for cell in lines[2].split("|")] == ["", "real + fake", "3 + 3", "3 + 3", ""]


def test_damaged_fingerprints_are_refused(bundle):
    (bundle / FINGERPRINTS).write_bytes(b"no array")
    with pytest.raises(BundleError, match="does not match its checksum"):
        fingerprints_of(bundle)


def test_where_a_bundle_does_not_say_the_training_rows_of_the_table_stand_for_it(table, tmp_path):
    silent = tmp_path / "silent"
    shutil.copytree(DEFAULT_MODEL, silent)
    manifest = json.loads((silent / MANIFEST).read_text())
    del manifest["files"][FINGERPRINTS]
    write_json(silent / MANIFEST, manifest)
    assert fingerprints_of(silent) is None
    rows = read_indexes([table])
    assert trained_on(silent, rows, "test") == 2
    assert trained_on(silent, [row for row in rows if row.split == "test"], "test") is None
    Path(rows[0].path).unlink()
    assert trained_on(silent, rows, "test") == 2, "who only measures need not have what was trained on"


def test_too_many_fingerprints_do_not_travel(drawn, tmp_path, monkeypatch):
    config = read_run_config(drawn.run)
    monkeypatch.setattr(fingerprints_module, "MOST", 3)
    assert fingerprints_module.write_fingerprints(config, tmp_path / "out") == ()
    assert not list((tmp_path / "out").iterdir())
