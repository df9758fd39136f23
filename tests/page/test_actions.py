from __future__ import annotations

import csv
import json
import shutil

import gradio as gr
import pypdf
import pytest

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.actions import NO_FILES, NO_PICTURE, NO_VIDEO, Actions, reopened, thumbnails
from deepfake.page.history import MAX_ENTRIES


@pytest.fixture
def actions(jobs, tmp_path, examples):
    return Actions(jobs, DEFAULT_MODEL, tmp_path, tmp_path, examples)


class Click:
    def __init__(self, index):
        self.index = index


def test_a_picture_is_answered_and_remembered(actions, examples):
    said, marked, cards, numbers, verdict, entries = actions.judge_picture(str(examples / "portrait.jpg"), [])
    assert "p_fake" in said
    assert marked.shape == (512, 512, 3)
    assert cards.count("<figure") == 1
    assert numbers == {**verdict.as_dict(), "path": "portrait.jpg"}
    ((thumbnail, caption),) = thumbnails(entries)
    assert thumbnail.shape == (128, 128, 3)
    assert caption.startswith("portrait.jpg: looks")
    assert reopened(entries, Click(0)) == (said, entries[0].picture, cards)


def test_a_video_reports_each_frame_then_answers(actions, examples):
    *steps, last = actions.judge_video(str(examples / "half_fake.mp4"), [])
    assert [f"frame {number} of 24" in step[0] for number, step in enumerate(steps[:-1], 1)] == [True] * 24
    said, plot, slider, frame, cards, gallery, clip, numbers, verdict, folder, entries = last
    assert "p_fake" in said
    assert plot.shape == (320, 900, 3)
    assert slider.maximum == 24
    assert frame.endswith(".jpg")
    assert cards.count("<figure") == len(verdict.tracks)
    assert len(gallery) == 6
    assert clip.endswith("annotated.mp4")
    assert numbers["path"] == "half_fake.mp4"
    assert len(entries) == 1
    assert actions.frame_chosen(5, folder).endswith("frame-0004.jpg")
    number, shown = actions.frame_clicked(verdict, folder, Click((0.86 * 900 - 8, 100)))
    assert number == 24
    assert shown.endswith("frame-0023.jpg")


def test_what_is_kept_is_the_verdict(actions, examples):
    *_, verdict, _ = actions.judge_picture(str(examples / "portrait.jpg"), [])
    pdf, data = actions.keep(verdict)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(pdf.value["path"]).pages)
    assert f"{verdict.p_fake:.2f}" in text
    assert "portrait.jpg" in text
    with open(data.value["path"]) as file:  # noqa: PTH123
        assert json.load(file) == {**verdict.as_dict(), "path": "portrait.jpg"}
    assert not actions.keep(None)[0].interactive


def test_an_unreadable_file_is_a_message_without_the_servers_path(actions, tmp_path):
    path = tmp_path / "letter.jpg"
    path.write_text("no picture")
    said, *rest = actions.judge_picture(str(path), [])
    ((video_said, *_),) = actions.judge_video(str(path), [])
    for found in (said, video_said):
        assert "cannot be read" in found
        assert "letter.jpg is neither" in found
        assert str(tmp_path) not in found
    assert rest == [None, "", None, None, []]


def test_nothing_chosen_is_a_message(actions):
    assert actions.judge_picture(None, [])[0] == NO_PICTURE
    assert next(actions.judge_video(None, []))[0] == NO_VIDEO
    assert next(actions.judge_batch(None))[0] == NO_FILES


def test_a_batch_is_a_table_and_a_sheet(actions, examples, tmp_path):
    bad = tmp_path / "=cmd.jpg"
    bad.write_text("no picture")
    shutil.copy(examples / "no_face.jpg", tmp_path / "empty room.jpg")
    paths = [str(examples / "portrait.jpg"), str(bad), str(tmp_path / "empty room.jpg")]
    *steps, (table, sheet) = actions.judge_batch(paths)
    assert [f"file {number} of 3" in step[0] for number, step in enumerate(steps, 1)] == [True] * 3
    assert table.count("<tr>") == 4
    assert "✖ =cmd.jpg is neither" in table
    with open(sheet.value["path"], newline="") as file:  # noqa: PTH123
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["portrait.jpg", "'=cmd.jpg", "empty room.jpg"]
    assert rows[1]["error"]
    assert not rows[1]["verdict"]
    assert rows[2]["reason"] == "no_face"
    assert "at most 20" in next(actions.judge_batch(paths * 10))[0]


def test_the_history_forgets_the_oldest(actions, examples):
    entries = []
    for _ in range(3):
        *_, entries = actions.judge_picture(str(examples / "no_face.jpg"), entries)
    *_, entries = actions.judge_picture(str(examples / "portrait.jpg"), entries * MAX_ENTRIES)
    assert len(entries) == MAX_ENTRIES
    assert entries[0].caption.startswith("portrait.jpg")


def test_a_deleted_file_gives_no_report(actions, examples, tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(gr, "Warning", warned.append)
    copy = tmp_path / "a.jpg"
    shutil.copy(examples / "portrait.jpg", copy)
    *_, verdict, _ = actions.judge_picture(str(copy), [])
    copy.unlink()
    assert not actions.keep(verdict)[0].interactive
    assert "deleted" in warned[0]
