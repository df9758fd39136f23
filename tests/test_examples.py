"""The examples that are programs do what they say."""

from __future__ import annotations

import runpy

import pytest


def test_the_detector_for_deepsafe_bench_answers_as_detect_does(examples, detector):
    predict = runpy.run_path(str(examples / "deepsafe_detector.py"))["predict"]
    for name in ("portrait.jpg", "self_blend.jpg"):
        assert predict(examples / name) == predict(str(examples / name)) == detector.detect(examples / name).p_fake
    with pytest.raises(ValueError, match=r"no_face\.jpg, where the answer is no_face"):
        predict(examples / "no_face.jpg")
