from __future__ import annotations

import numpy as np
import pytest

from deepfake.errors import MediaError
from deepfake.records import Thresholds


@pytest.fixture(scope="module")
def page(detector):
    import app

    return app.build(detector)


@pytest.fixture(scope="module")
def calls(page):
    return {block.api_name: block.fn for block in page.fns.values()}


def test_a_picture_is_answered(calls, examples):
    answer, annotated, faces, found = calls["detect_image"](str(examples / "portrait.jpg"))
    assert "p_fake" in answer
    assert 'role="status"' in answer
    assert annotated.shape == (512, 512, 3)
    assert len(faces) == 2
    assert found["path"] == "portrait.jpg"


def test_a_video_is_answered(calls, examples):
    answer, plot, clip, frames, found = calls["detect_video"](str(examples / "half_fake.mp4"))
    assert "p_fake" in answer
    assert plot.endswith(".png")
    assert clip.endswith(".mp4")
    assert len(frames) == 6
    assert found["frames_read"] == 24


def test_no_face_has_no_scale_and_says_so(calls, examples):
    answer, _, faces, found = calls["detect_image"](str(examples / "no_face.jpg"))
    assert "No face was found" in answer
    assert 'class="scale"' not in answer
    assert faces is None
    assert found["p_fake"] is None


def test_an_unreadable_file_is_a_message_without_the_servers_path(calls, tmp_path):
    path = tmp_path / "letter.jpg"
    path.write_text("no picture")
    for name in ("detect_image", "detect_video"):
        answer, *rest = calls[name](str(path))
        assert "cannot be read" in answer
        assert "letter.jpg is neither" in answer
        assert str(tmp_path) not in answer
        assert rest == [None] * len(rest)


def test_nothing_chosen_is_a_message(calls):
    assert "No picture yet" in calls["detect_image"](None)[0]
    assert "No video yet" in calls["detect_video"](None)[0]


def test_a_file_reaches_the_detector_as_it_was_sent():
    import gradio as gr
    from gradio.data_classes import ImageData

    import app

    widget = app.as_sent(gr.Image(type="filepath"))
    assert widget.preprocess(ImageData(path="/upload/a.jpg", orig_name="a.jpg")) == "/upload/a.jpg"
    assert widget.preprocess(None) is None


def test_the_scale_shows_the_number_and_the_band():
    import app

    bar = app.scale_html(0.625, Thresholds(real_below=0.25, fake_above=0.75))
    assert "left:62.5%" in bar
    assert "25.0% 75.0%" in bar
    assert "p_fake 0.62; real below 0.25, fake from 0.75" in bar


def test_text_from_a_file_is_escaped():
    import app

    assert "<script>" not in app.notice("a", "<script>alert(1)</script>")
    assert app.without_path(MediaError("/tmp/x/a.jpg is empty"), "/tmp/x/a.jpg") == "a.jpg is empty"


def test_a_missing_bundle_is_an_error_not_a_traceback(tmp_path):
    from click.testing import CliRunner

    import app

    done = CliRunner().invoke(app.main, ["--model", str(tmp_path)])
    assert done.exit_code == 1
    assert "Error: No bundle.json in" in done.stderr


def test_old_files_are_deleted_and_new_ones_kept(tmp_path):
    import os

    import app

    for name, age_s in (("old", 700), ("new", 10)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "clip.mp4").touch()
        then = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (then, then))
    app.prune(tmp_path, 600)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_requests_are_served_one_at_a_time(page):
    limits = {
        block.concurrency_id: block.concurrency_limit
        for block in page.fns.values()
        if block.api_name.startswith("detect")
    }
    assert limits == {"detector": 1}
    assert np.all([block.queue for block in page.fns.values() if block.api_name.startswith("detect")])
