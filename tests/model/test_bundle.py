from __future__ import annotations

import json
import shutil

import pytest

from deepfake.errors import BundleError
from deepfake.model.bundle import DEFAULT_MODEL, GRAPHS, load_bundle, load_detector, write_manifest


@pytest.fixture
def copy(tmp_path):
    target = tmp_path / "light"
    shutil.copytree(DEFAULT_MODEL, target)
    return target


def change(path, **values):
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, **values}))


def calibration(temperature=1.0, real_below=0.1, fake_above=0.9):
    face = {"temperature": temperature, "thresholds": {"real_below": real_below, "fake_above": fake_above}}
    return {"face": face, "track": face}


def test_every_shipped_graph_matches_its_checksum():
    for graph in GRAPHS:
        assert len(load_bundle(graph=graph).graph) > 500_000
    assert set(load_detector()) == {"pnet.tflite", "rnet.tflite", "onet.tflite"}


def test_a_changed_graph_is_refused_unless_trusted(copy):
    graph = copy / "model.tflite"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match="does not match its checksum in bundle.json. Fetch .* or pass --trust"):
        load_bundle(copy)
    assert load_bundle(copy, trust=True).graph.endswith(b"x")


def test_a_missing_folder_graph_or_setting_is_refused(copy, tmp_path):
    with pytest.raises(BundleError, match="No bundle.json in .*nowhere. Pass the folder of a bundle"):
        load_bundle(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="`graph` must be one of model.tflite"):
        load_bundle(copy, graph="other.tflite")
    (copy / "model_float16.tflite").unlink()
    with pytest.raises(BundleError, match="cannot be read \\(No such file"):
        load_bundle(copy, graph="model_float16.tflite")
    change(copy / "bundle.json", crop={"sides": 3})
    with pytest.raises(BundleError, match="cannot be used: Unknown key crop.sides. Fetch the bundle again"):
        load_bundle(copy)


@pytest.mark.parametrize("values", [{"format": 1}, {"kind": "face_detector"}])
def test_a_bundle_of_another_kind_or_version_is_refused(copy, values):
    change(copy / "bundle.json", **values)
    with pytest.raises(BundleError, match="must describe a bundle of kind 'detector', format 2. Received"):
        load_bundle(copy)


def test_thresholds_that_cross_are_refused(copy):
    change(copy / "bundle.json", calibration=calibration(real_below=0.9, fake_above=0.1))
    with pytest.raises(BundleError, match="real_below <= fake_above"):
        load_bundle(copy)


def test_a_manifest_that_is_no_json_is_refused(copy):
    (copy / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(copy)


def test_what_is_written_is_read_back(tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"abc")
    manifest = json.loads(write_manifest(tmp_path, "detector", {"min_frames": 3}, ["a.tflite"]).read_text())
    assert manifest["files"]["a.tflite"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (manifest["kind"], manifest["min_frames"], manifest["name"]) == ("detector", 3, tmp_path.name)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"calibration": calibration(temperature=-1.0)}, "`calibration.face.temperature`: expected `float` > 0"),
        ({"calibration": calibration(temperature=float("nan"))}, "calibration.face.temperature"),
        ({"crop": {"tta_scales": [1.0] * 3000}}, "`crop.tta_scales`: expected `array` of length <= 16"),
        ({"files": None}, "must list the checksum of model.tflite in `files`. Received: None"),
        ({"min_frames": float("inf")}, "`min_frames`: expected `int`"),
        ({"min_frames": 0}, "`min_frames`: expected `int` >= 1. Received: 0"),
        ({"surprise": 1}, "Unknown key surprise"),
    ],
)
def test_settings_that_no_model_can_have_are_refused_in_one_line(copy, values, message):
    change(copy / "bundle.json", **values)
    with pytest.raises(BundleError) as caught:
        load_bundle(copy)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
