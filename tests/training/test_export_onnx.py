from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.errors import BundleError
from deepfake.model.bundle import DEFAULT_MODEL, EXPERT_LOGITS, OUTPUTS, read_manifest
from deepfake.training import export_onnx as module
from deepfake.training.export_onnx import example_crops, export_onnx
from deepfake.training.run import load_run

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")


def answers(path, crops):
    """Every output of an ONNX file, by its name."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"crop": crops}), strict=True))


def test_a_bundle_as_onnx_answers_as_its_network_does_for_any_number_of_crops(drawn, tmp_path, rng):
    crops = rng.uniform(0, 255, (5, 64, 64, 3)).astype(np.float32)
    found = export_onnx(drawn.bundle, tmp_path / "new" / "drawn.onnx", crops)
    expected = load_run(drawn.run).predict(crops, verbose=0)
    together = answers(tmp_path / "new" / "drawn.onnx", crops)
    assert set(together) == set(OUTPUTS) == set(found.max_difference)
    assert found.crops == 5
    for name, values in together.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-4)
        alone = np.concatenate([answers(tmp_path / "new" / "drawn.onnx", crop[None])[name] for crop in crops])
        np.testing.assert_allclose(values, alone, atol=1e-5)
    # p_fake can be computed from the file alone.
    told = onnxruntime.InferenceSession(tmp_path / "new" / "drawn.onnx").get_modelmeta().custom_metadata_map
    face = read_manifest(drawn.bundle).calibration.face
    assert told["name"] == "drawn-1"
    assert json.loads(told["crop"])["size"] == 64
    assert json.loads(told["calibration"])["face"]["temperature"] == face.temperature


def test_a_network_that_is_not_the_same_is_not_written(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", 0.0)
    with pytest.raises(BundleError, match=r"lost\.onnx must answer as Keras does\. Received: a difference of 0\.0000"):
        export_onnx(drawn.bundle, tmp_path / "lost.onnx", np.full((1, 64, 64, 3), 90, np.float32))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_refused_with_the_remedy(tmp_path, monkeypatch):
    call = CliRunner().invoke(main, ["export", str(DEFAULT_MODEL)])
    assert (call.exit_code, "Give --out, --onnx or both" in call.output) == (2, True)
    call = CliRunner().invoke(main, ["export", str(tmp_path), "--onnx", str(tmp_path / "a.onnx")])
    assert call.exit_code == 1
    assert "No bundle.json in" in call.output
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    call = CliRunner().invoke(main, ["export", "light-5", "--onnx", str(tmp_path / "a.onnx")])
    assert call.output == "Error: ONNX needs tf2onnx: pip install 'deepfake[train,onnx]'\n"


@pytest.mark.slow
def test_the_shipped_model_as_onnx_answers_as_keras_does_on_faces(tmp_path):
    path = tmp_path / "shipped.onnx"
    call = CliRunner().invoke(main, ["export", str(DEFAULT_MODEL), "--onnx", str(path)], catch_exceptions=False)
    assert set(json.loads(call.stdout)["max_difference"]) == {*OUTPUTS, EXPERT_LOGITS}
    crops = example_crops(read_manifest(DEFAULT_MODEL).crop)
    assert len(crops) == 8
    from deepfake.nn.saved import load_network

    expected = load_network(DEFAULT_MODEL).predict(crops, verbose=0)
    for name, values in answers(path, crops).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-4)
