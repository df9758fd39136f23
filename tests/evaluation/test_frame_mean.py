from __future__ import annotations

import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from deepfake.cli.main import main
from deepfake.evaluation.evaluate import Sample
from deepfake.evaluation.frame_mean import frame_means
from deepfake.model.measured import Counts
from deepfake.model.metrics import read_metrics


def slow_video_auc(frames):
    """As DeepfakeBench computes it: sums over a dict of videos."""
    sums = {}
    for frame in frames:
        total, label, count = sums.get(frame.clip, (0.0, 0, 0))
        sums[frame.clip] = (total + frame.p_fake, label + (frame.label == "fake"), count + 1)
    return roc_auc_score([label // count for _, label, count in sums.values()], [t / n for t, _, n in sums.values()])


def drawn_frames(source="x", videos=12):
    rng = np.random.default_rng(4)
    return [
        Sample(label, source, "", float(rng.beta(2 + (label == "fake"), 2)), f"{label}{video}")
        for video in range(videos)
        for label in ("real", "fake")
        for _ in range(1 + video % 4)
    ]


def test_the_measures_are_those_of_a_slow_count():
    frames = drawn_frames()
    found = frame_means([*frames, *drawn_frames("y"), Sample("fake", "x", "", None, "fake0")])
    assert set(found) == {"x", "y"}
    assert (found["x"].frames, found["x"].videos) == (Counts(30, 30), Counts(12, 12))
    assert found["x"].frame.auc == pytest.approx(
        roc_auc_score([frame.label == "fake" for frame in frames], [frame.p_fake for frame in frames])
    )
    assert found["x"].video.auc == pytest.approx(slow_video_auc(frames))
    assert found["x"].video.auc != found["x"].frame.auc
    assert found["x"].video.auc_interval[0] <= found["x"].video.auc <= found["x"].video.auc_interval[1]


def test_pictures_and_one_class_have_no_such_measures():
    assert frame_means([Sample(label, "x", "", 0.5, label) for label in ("real", "fake")]) == {}
    assert frame_means([frame for frame in drawn_frames() if frame.label == "real"]) == {}


def test_evaluate_prints_them_and_keeps_them_only_if_it_shall(drawn, made_crops, tmp_path):
    bundle, index = shutil.copytree(drawn.bundle, tmp_path / "drawn-1"), made_crops(24)
    lines = index.read_text().splitlines()
    clips = [line.replace("real3,", "real7,").replace("fake3,", "fake7,") for line in lines]
    index.write_text("\n".join(clips))
    before = {path.name: path.read_bytes() for path in bundle.iterdir() if path.is_file()}
    call = CliRunner().invoke(
        main, ["evaluate", "--model", str(bundle), "--index", str(index), "--print-only"], catch_exceptions=False
    )
    assert "| made | 6 + 6 | " in call.stdout
    assert "As DeepfakeBench measures" in call.stdout
    assert {path.name: path.read_bytes() for path in bundle.iterdir() if path.is_file()} == before
    assert not (bundle / "plots").exists()
    CliRunner().invoke(main, ["evaluate", "--model", str(bundle), "--index", str(index)], catch_exceptions=False)
    (kept,) = read_metrics(bundle).test.frame_means.values()
    assert (kept.frames, kept.videos) == (Counts(6, 6), Counts(5, 5))
