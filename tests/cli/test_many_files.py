"""What one file does costs itself alone, and nothing is passed over in silence."""

from __future__ import annotations

import json
import shutil

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.pipeline import Detector


def detect(*words):
    return CliRunner().invoke(main, ["detect", *map(str, words)])


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_clip_of_fewer_frames_than_are_asked_for_is_reported_and_the_next_file_is_judged(
    tmp_path, examples, portrait, write_video
):
    head = portrait.image[:400, :400]
    write_video(tmp_path / "a_short.mp4", [np.roll(head, step, 1) for step in range(5)])
    shutil.copy(examples / "portrait.jpg", tmp_path / "b.jpg")
    done = detect(tmp_path, "--json", "--fps", "300", "--save-dir", tmp_path / "out")
    assert done.exit_code == 0
    short, picture = rows(done)
    assert (short["frames_read"], short["frames_failed"], len(short["faces"])) == (5, 0, 5)
    assert picture["verdict"] == "real"
    assert (tmp_path / "out" / "a_short.mp4.annotated.mp4").stat().st_size


@pytest.mark.parametrize(
    "raised", [ZeroDivisionError("division by zero"), KeyError("x"), MemoryError(), RecursionError()]
)
def test_whatever_a_file_raises_the_next_one_is_judged(tmp_path, examples, monkeypatch, raised):
    judge = Detector.detect

    def fails(self, path, *arguments):
        if path.name == "a.jpg":
            raise raised
        return judge(self, path, *arguments)

    monkeypatch.setattr(Detector, "detect", fails)
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(examples / "no_face.jpg", tmp_path / name)
    done = detect(tmp_path, "--json")
    assert done.exit_code == 3
    assert [row["path"] for row in rows(done)] == [str(tmp_path / "b.jpg")]
    assert f"a.jpg: The program failed on this file ({type(raised).__name__}" in done.stderr


def test_a_still_shown_as_a_video_is_not_many_frames(tmp_path, portrait, write_video):
    (row,) = rows(detect(write_video(tmp_path / "still.mp4", [portrait.image] * 30), "--json"))
    assert (row["verdict"], row["reason"], row["frames_read"]) == ("inconclusive", "too_few_frames", 1)


def test_each_page_is_judged_by_itself_and_reported(tmp_path, examples):
    pages = [PIL.Image.open(examples / name) for name in ("portrait.jpg", "self_blend.jpg")]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    done = detect(tmp_path / "pages.tif", examples / "self_blend.jpg", "--json", "--save-dir", tmp_path / "out")
    both, control = rows(done)
    assert (both["kind"], both["verdict"], both["notes"], len(both["tracks"])) == ("picture", "fake", ["pages"], 2)
    assert both["p_fake"] == pytest.approx(control["p_fake"], abs=0.02)
    assert [face["frame"] for face in both["faces"]] == [0, 1]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"pages.tif.page-1.annotated.jpg", "pages.tif.page-2.annotated.jpg"} < names


def test_what_is_left_out_is_counted_and_what_nothing_fits_is_named(tmp_path, examples):
    shutil.copy(examples / "no_face.jpg", tmp_path / "blob")
    (tmp_path / "notes.txt").write_text("Dear reader")
    done = detect(tmp_path, tmp_path / "z*.jpg")
    assert done.exit_code == 3
    assert done.stdout.startswith("Cannot tell")
    assert "left out: 1 file: 1 .txt; for example notes.txt" in done.stderr
    assert f"nothing fits {tmp_path / 'z*.jpg'}" in done.stderr


def test_an_empty_path_is_a_wrong_call_and_not_this_folder():
    done = detect("")
    assert done.exit_code == 2
    assert "a path must not be empty" in done.stderr
