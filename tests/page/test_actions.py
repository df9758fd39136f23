from __future__ import annotations

import csv
import json
import pickle
import shutil
from dataclasses import fields

import gradio as gr
import numpy as np
import pypdf
import pytest

from deepfake.media import read_picture
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.actions import DELETED, NO_FILES, NO_PICTURE, NO_VIDEO, Actions, HistoryActions, thumbnails
from deepfake.page.history import MAX_ENTRIES, History
from deepfake.page.widgets import HistoryWidgets, PictureWidgets, VideoWidgets


def named(widgets):
    """Widgets that are but their names."""
    return widgets(*(field.name for field in fields(widgets)))


PICTURE, VIDEO, HISTORY = named(PictureWidgets), named(VideoWidgets), named(HistoryWidgets)


@pytest.fixture
def actions(jobs, tmp_path, examples):
    return Actions(jobs, DEFAULT_MODEL, tmp_path, tmp_path, examples)


class Click:
    def __init__(self, index):
        self.index = index


def test_a_picture_is_answered_and_remembered(actions, examples):
    shown = actions.judge_picture(PICTURE, str(examples / "portrait.jpg"), [])
    assert set(shown) == set(PICTURE.all())
    assert "p_fake" in shown["said"]
    assert shown["marked"].shape == (512, 512, 3)
    assert shown["cards"].count("<figure") == 1
    assert shown["numbers"] == {**shown["verdict"].as_dict(), "path": "portrait.jpg"}
    ((thumbnail, caption),) = thumbnails(shown["entries"])
    assert read_picture(thumbnail).image.shape == (128, 128, 3)
    assert caption.startswith("portrait.jpg: looks")
    history, (entry,) = HistoryActions(HISTORY, actions.history), shown["entries"]
    again = history.reopened([entry], Click(0))
    assert again == {"said": shown["said"], "picture": str(entry.picture), "cards": shown["cards"]}
    assert set(history.forgotten([entry])) == set(HISTORY.all())
    assert not entry.folder.exists()
    assert history.reopened([entry], Click(0))["said"] == DELETED
    assert thumbnails([entry]) == []


def test_a_video_reports_each_frame_then_answers(actions, examples):
    *steps, shown = actions.judge_video(VIDEO, str(examples / "half_fake.mp4"), [])
    assert [f"frame {number} of 24" in step["said"] for number, step in enumerate(steps[:-1], 1)] == [True] * 24
    assert {"number", "entries"} == set(VIDEO.all()) - set(steps[0])
    assert set(shown) == set(VIDEO.all())
    verdict, folder = shown["verdict"], shown["folder"]
    assert "p_fake" in shown["said"]
    assert shown["plot"].shape == (320, 900, 3)
    assert shown["number"].maximum == 24
    assert shown["frame"].endswith(".jpg")
    assert shown["cards"].count("<figure") == len(verdict.tracks)
    assert len(shown["gallery"]) == 6
    assert shown["gallery"][0][0] == shown["frame"]
    assert shown["clip"].endswith("annotated.mp4")
    assert shown["numbers"]["path"] == "half_fake.mp4"
    assert len(shown["entries"]) == 1
    assert actions.frame_chosen(5, folder).endswith("frame-0004.jpg")
    number, frame = actions.frame_clicked(verdict, folder, Click((0.86 * 900 - 8, 100)))
    assert number == 24
    assert frame.endswith("frame-0023.jpg")


def test_what_is_kept_is_the_verdict(actions, examples):
    verdict = actions.judge_picture(PICTURE, str(examples / "portrait.jpg"), [])["verdict"]
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
    shown = actions.judge_picture(PICTURE, str(path), [])
    (video_shown,) = actions.judge_video(VIDEO, str(path), [])
    for found in (shown["said"], video_shown["said"]):
        assert "cannot be read" in found
        assert "letter.jpg is neither" in found
        assert str(tmp_path) not in found
    assert {name: value for name, value in shown.items() if name != "said"} == {
        "marked": None, "cards": "", "numbers": None, "verdict": None
    }  # fmt: skip


def test_nothing_chosen_is_a_message(actions):
    assert actions.judge_picture(PICTURE, None, [])["said"] == NO_PICTURE
    assert next(actions.judge_video(VIDEO, None, []))["said"] == NO_VIDEO
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


@pytest.fixture
def remembered(detector, examples, tmp_path):
    """Remembers an answer so many times; a large picture each time."""
    history = History(tmp_path / "history")
    verdict = detector.detect(examples / "portrait.jpg")
    large = np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), np.uint8)

    def remember(entries, times):
        for _ in range(times):
            entries = history.remember(entries, verdict, image=large, picture=large, answer="real", cards="<figure>")
        return entries

    return remember


def folders(tmp_path):
    return set((tmp_path / "history").iterdir())


def test_a_session_forgets_its_oldest_on_the_disk_as_well(remembered, tmp_path):
    first = remembered([], 2)
    entries = remembered(first, MAX_ENTRIES - 1)
    assert len(entries) == MAX_ENTRIES
    assert entries[-1] == first[0]
    assert folders(tmp_path) == {entry.folder for entry in entries}


def test_all_sessions_together_are_bounded(remembered, tmp_path, monkeypatch):
    monkeypatch.setattr("deepfake.page.history.MAX_KEPT", 3)
    ann, bob = remembered([], 2), remembered([], 2)
    assert folders(tmp_path) == {ann[0].folder, bob[0].folder, bob[1].folder}


def test_an_entry_is_small_whatever_was_sent(remembered):
    (entry,) = remembered([], 1)
    assert sum(file.stat().st_size for file in entry.folder.iterdir()) < 2_000_000
    assert read_picture(entry.picture).image.shape == (960, 1280, 3)
    assert len(pickle.dumps(entry)) < 1000


def test_a_deleted_file_gives_no_report(actions, examples, tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(gr, "Warning", warned.append)
    copy = tmp_path / "a.jpg"
    shutil.copy(examples / "portrait.jpg", copy)
    verdict = actions.judge_picture(PICTURE, str(copy), [])["verdict"]
    copy.unlink()
    assert not actions.keep(verdict)[0].interactive
    assert "deleted" in warned[0]


def event_of(page, name):
    """The event of a page that calls a function of this name."""
    events = [event for event in page.fns.values() if event.fn]
    return next(event for event in events if getattr(event.fn, "func", event.fn).__name__ == name)


def test_the_page_puts_each_value_in_its_widget(actions, examples):
    from deepfake.page.endpoints import Endpoints
    from deepfake.page.layout import build

    page = build(actions, Endpoints(actions.jobs, examples))
    for name, file in (("judge_picture", "portrait.jpg"), ("judge_video", "half_fake.mp4")):
        event = event_of(page, name)
        widgets = event.fn.args[0]
        assert event.outputs == widgets.all()
        found = event.fn(str(examples / file), [])
        shown = found if isinstance(found, dict) else list(found)[-1]
        assert set(shown) == set(event.outputs)
        assert shown[widgets.verdict].label in shown[widgets.numbers]["verdict"]
    event = event_of(page, "forgotten")
    assert set(event.fn([])) == set(event.outputs)
