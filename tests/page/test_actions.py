from __future__ import annotations

import csv
import json
import pickle
import shutil
import zipfile
from dataclasses import fields
from pathlib import Path

import gradio as gr
import numpy as np
import pypdf
import pytest

from deepfake.media import read_picture
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.actions import Actions
from deepfake.page.batch import BatchActions, OpenedActions
from deepfake.page.compare import PairActions
from deepfake.page.examples import EXAMPLES, PICTURES, VIDEOS
from deepfake.page.history import MAX_ENTRIES, PICTURE_FILE, History, table
from deepfake.page.judging import PictureActions, VideoActions, face_at
from deepfake.page.live import Camera
from deepfake.page.widgets import Asked, OpenedWidgets, PairWidgets, PictureWidgets, VideoWidgets
from deepfake.report.files import as_values
from deepfake.report.words import ENGLISH, headline


def named(widgets):
    """Widgets that are but their names."""
    return widgets(**{field.name: field.name for field in fields(widgets)})


PICTURE, VIDEO, OPENED, PAIR = map(named, (PictureWidgets, VideoWidgets, OpenedWidgets, PairWidgets))


@pytest.fixture
def actions(jobs, tmp_path, examples):
    return Actions(jobs, DEFAULT_MODEL, tmp_path, tmp_path, examples)


@pytest.fixture
def pictures(actions):
    return PictureActions(actions, PICTURE)


@pytest.fixture
def videos(actions):
    return VideoActions(actions, VIDEO)


class Click:
    """What Gradio tells of a click: where, or on which line."""

    def __init__(self, index=None, row_value=None):
        self.index = index
        self.row_value = row_value


def last(steps):
    return list(steps)[-1]


def test_a_picture_is_answered_and_remembered(pictures, actions, examples):
    begun, shown = pictures.judge(str(examples / "portrait.jpg"), [], Asked())
    assert "Looking at the picture" in begun["said"]
    assert set(shown) == set(PICTURE.all())
    verdict = shown["verdict"]
    assert headline(verdict) in shown["said"]
    assert shown["slider"].visible
    assert shown["cards"].count("<figure") == 1
    assert shown["numbers"] == as_values(verdict, "portrait.jpg")
    ((number, name, answer, score, faces, _),) = table(shown["entries"])
    assert (number, name, faces) == (1, "portrait.jpg", 1)
    assert headline(verdict) in str(answer)
    assert score == round(100 * verdict.p_fake)
    own, entries = OpenedActions(actions, OPENED), shown["entries"]
    actions.keep(verdict, entries)
    again = own.opened(entries, Click(row_value=[1]))
    assert again["said"] == shown["said"]
    assert again["cards"] == shown["cards"]
    assert again["pdf"].value["path"].endswith(".pdf")
    assert set(own.closed()) == set(OPENED.all())
    assert own.forgotten(entries) == ([], [])
    assert not entries[0].folder.exists()
    assert "was deleted" in own.opened(entries, Click(row_value=[1]))["said"]


def test_another_picture_clears_the_answer(pictures, examples):
    asked, path = Asked(), str(examples / "portrait.jpg")
    last(pictures.judge(path, [], asked))
    assert pictures.changed(path, asked) == {"said": gr.skip()}, "the answer is about this very file"
    cleared = pictures.changed(str(examples / "no_face.jpg"), asked)
    assert set(cleared) == set(PICTURE.all()) - {"entries"}
    assert "No picture yet" in cleared["said"]
    assert cleared["verdict"] is cleared["numbers"] is None
    assert set(pictures.changed(None, asked)) == set(cleared)


def test_a_size_or_a_page_that_is_told_of_late_leaves_the_answer(actions, pictures):
    pair = PairActions(actions, PAIR)
    for own in (pictures, pair):
        assert "No " in own.arrived(Asked())["said" if own is pictures else "first_said"]
    assert pictures.arrived(Asked("a.jpg")) == {"said": gr.skip()}
    assert pair.arrived(Asked(("a.jpg", "b.jpg"))) == {"first_said": gr.skip()}
    asked = Asked("a.jpg", 6.0)
    assert pictures.resized(6.0, asked) == {"said": gr.skip()}
    assert "No picture yet" in pictures.resized(3.0, asked)["said"]
    assert asked.about is None


def test_what_is_told_of_files_late_leaves_their_answers_and_clears_those_of_others(actions, examples):
    one, two = (str(examples / name) for name in ("portrait.jpg", "no_face.jpg"))
    pair, batch, asked = PairActions(actions, PAIR), BatchActions(actions), (Asked(), Asked())
    assert "No clear traces" in last(pair.judge_pair(one, two, asked[0]))["first_said"]
    for changed, path in ((pair.changed_first, one), (pair.changed_second, two)):
        assert changed(path, asked[0]) == {"first_said": gr.skip()}
    for other in (one, None):
        assert "No pair yet" in pair.changed_second(other, asked[0])["first_said"]
    *_, (_, lines, *_) = batch.judge_batch([one, two], [], asked[1])
    assert len(lines) == 2
    assert batch.changed([one, two], asked[1]) == (gr.skip(),) * 5
    for others in ([one], None):
        assert batch.changed(others, asked[1])[:3] == ("", [], [])


def test_answers_about_what_is_no_longer_shown_are_dropped(actions, examples):
    one, two = (str(examples / name) for name in ("portrait.jpg", "no_face.jpg"))
    pair, batch, asked = PairActions(actions, PAIR), BatchActions(actions), (Asked(), Asked())
    of_pair, of_batch = pair.judge_pair(one, two, asked[0]), batch.judge_batch([one, two], [], asked[1])
    next(of_pair)
    next(of_batch)
    pair.changed_first(two, asked[0])
    batch.changed([one], asked[1])
    assert list(of_pair) == []
    assert list(of_batch) == []


def test_an_answer_that_comes_too_late_is_dropped(pictures, videos, examples, tmp_path):
    for own, name in ((pictures, "portrait.jpg"), (videos, "half_fake.mp4")):
        asked = Asked()
        steps = own.judge(str(examples / name), [], asked)
        next(steps)
        own.changed("another file", asked)
        assert list(steps) == []
    assert not (tmp_path / "history").exists(), "nor is anything drawn or kept"


def test_a_video_reports_each_frame_then_answers(videos, examples):
    *steps, shown = videos.judge(str(examples / "half_fake.mp4"), [], Asked())
    begun, *looked, _ = steps
    assert "Looking at the video" in begun["said"], "before it has its turn"
    assert [f"frame {number} of 24" in step["said"] for number, step in enumerate(looked, 1)] == [True] * 24
    assert {"entries"} == set(VIDEO.all()) - set(steps[0])
    assert set(shown) == set(VIDEO.all())
    verdict = shown["verdict"]
    assert headline(verdict) in shown["said"]
    assert shown["plot"].value["type"] == "plotly"
    assert shown["moments"].count("<button") == 6
    assert shown["cards"].count("<figure") == len(verdict.tracks)
    assert str(
        shown["clip"].value["video"]["path"] if "video" in shown["clip"].value else shown["clip"].value["path"]
    ).endswith("annotated.mp4")
    assert shown["numbers"]["path"] == "half_fake.mp4"
    assert len(shown["entries"]) == 1


def test_what_is_kept_is_the_verdict(actions, pictures, examples):
    verdict = last(pictures.judge(str(examples / "portrait.jpg"), [], Asked()))["verdict"]
    pdf, data = actions.keep(verdict, [])
    text = "".join(page.extract_text() for page in pypdf.PdfReader(pdf.value["path"]).pages)
    assert f"{verdict.p_fake:.2f}" in text
    assert "portrait.jpg" in text
    assert json.loads(Path(data.value["path"]).read_text()) == as_values(verdict, "portrait.jpg")
    assert not actions.keep(None, [])[0].interactive


def test_an_unreadable_file_is_a_message_without_the_servers_path(pictures, videos, tmp_path):
    path = tmp_path / "letter.jpg"
    path.write_text("no picture")
    shown = last(pictures.judge(str(path), [], Asked()))
    video_shown = last(videos.judge(str(path), [], Asked()))
    for found in (shown["said"], video_shown["said"]):
        assert "cannot be read" in found
        assert "letter.jpg is neither" in found
        assert str(tmp_path) not in found
    assert shown["verdict"] is None
    assert shown["cards"] == ""
    assert not shown["slider"].visible


def test_nothing_chosen_is_a_message(actions, pictures, videos):
    assert "No picture yet" in next(pictures.judge(None, [], Asked()))["said"]
    assert "No video yet" in next(videos.judge(None, [], Asked()))["said"]
    assert "No files yet" in next(BatchActions(actions).judge_batch(None, [], Asked()))[0]
    assert "No pair yet" in next(PairActions(actions, PAIR).judge_pair(None, None, Asked()))["first_said"]


def test_a_batch_is_a_table_a_sheet_and_an_archive(actions, examples, tmp_path):
    bad = tmp_path / "=cmd.jpg"
    bad.write_text("no picture")
    shutil.copy(examples / "no_face.jpg", tmp_path / "empty room.jpg")
    own = BatchActions(actions)
    paths = [str(examples / "portrait.jpg"), str(bad), str(tmp_path / "empty room.jpg")]
    *steps, (said, lines, batch, entries, sheet, archive) = own.judge_batch(paths, [], Asked())
    assert [f"file {number} of 3" in step[0] for number, step in enumerate(steps, 1)] == [True] * 3
    assert said == ""
    assert [line[1] for line in lines] == ["portrait.jpg", "=cmd.jpg", "empty room.jpg"]
    assert "✖ =cmd.jpg is neither" in lines[1][2]
    assert [entry.name for entry in entries] == [line[1] for line in reversed(lines)], "the history has them, too"
    with Path(sheet.value["path"]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["portrait.jpg", "'=cmd.jpg", "empty room.jpg"]
    assert rows[1]["error"]
    assert not rows[1]["verdict"]
    assert rows[2]["reason"] == "no_face"
    with zipfile.ZipFile(archive.value["path"]) as file:
        names = file.namelist()
    assert names == [
        "deepfake.csv",
        "01/annotated.jpg",
        "01/portrait.jpg.json",
        "01/portrait.jpg.pdf",
        "03/annotated.jpg",
        "03/empty_room.jpg.json",
        "03/empty_room.jpg.pdf",
    ]
    opened = OpenedActions(actions, OPENED)
    assert "=cmd.jpg is neither" in opened.opened(batch, Click(row_value=[2]))["said"]
    assert "No face was found" in opened.opened(batch, Click(row_value=[3]))["said"]
    assert opened.opened(batch, Click(row_value=[3]))["pdf"].interactive
    assert "at most 20" in next(own.judge_batch(paths * 10, [], Asked()))[0]


@pytest.fixture
def remembered(detector, examples, tmp_path):
    """Remembers an answer so many times; a large picture each time."""
    history = History(tmp_path / "history")
    verdict = detector.detect(examples / "portrait.jpg")
    large = np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), np.uint8)

    def remember(entries, times):
        for _ in range(times):
            entry = history.written(verdict, ENGLISH, picture=large, answer="real", cards="<figure>")
            entries = history.remembered(entries, entry)
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
    assert read_picture(entry.file(PICTURE_FILE)).image.shape == (960, 1280, 3)
    assert len(pickle.dumps(entry)) < 1000


def test_a_deleted_file_gives_no_report(actions, pictures, examples, tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(gr, "Warning", warned.append)
    copy = tmp_path / "a.jpg"
    shutil.copy(examples / "portrait.jpg", copy)
    verdict = last(pictures.judge(str(copy), [], Asked()))["verdict"]
    copy.unlink()
    assert not actions.keep(verdict, [])[0].interactive
    assert "deleted" in warned[0]


def test_a_click_on_a_face_finds_its_number(actions, examples):
    verdict, _, _ = actions.picture(str(examples / "portrait.jpg"))
    left, top, right, bottom = verdict.scores[0].face.box_xyxy
    x, y = (left + right) / 2, (top + bottom) / 2
    assert face_at(verdict, 512, Click(index=(x, y))) == 1
    assert face_at(verdict, 512, Click(index=(0, 0))) == 0
    assert face_at(None, 512, Click(index=(0, 0))) == 0
    assert face_at(verdict, 128, Click(index=(x / 4, y / 4))) == 1, "the browser shows a smaller one"
    assert face_at(verdict, 128, Click(index=(x, y))) == 0


def test_two_pictures_are_drawn_on_one_scale(actions, examples):
    own = PairActions(actions, PAIR)
    one, two = (str(examples / name) for name in ("portrait.jpg", "self_blend.jpg"))
    shown = last(own.judge_pair(one, two, Asked()))
    assert set(shown) == set(PAIR.all())
    assert shown["cards"].count("<figure") == 2
    assert shown["first_said"] != shown["second_said"]
    swapped = last(own.judge_pair(two, one, Asked()))
    assert (swapped["first_said"], swapped["second_said"]) == (shown["second_said"], shown["first_said"])
    refused = last(own.judge_pair(one, "/elsewhere.jpg", Asked()))
    assert "was not uploaded" in refused["second_said"]
    assert refused["first_said"] == ""


def test_a_cameras_frame_is_answered_by_itself(jobs, portrait):
    camera = Camera(jobs)
    said, seen, times = camera.judge_frame(portrait.image, None)
    said, seen, times = camera.judge_frame(portrait.image, times)
    assert "Face 1" in said
    assert "frames a second" in said
    assert seen.shape == (480, 480, 3)
    assert len(times) == 2
    assert "no face found" in camera.judge_frame(np.zeros((64, 64, 3), np.uint8), times)[0]
    assert "Start the camera" in camera.judge_frame(None, None)[0]


def test_every_example_is_there_and_has_its_truth():
    for examples in (PICTURES, VIDEOS):
        for place, (path, caption) in enumerate(examples.captioned()):
            assert examples.chosen(Click(index=place)) == path
            assert caption
    assert {*PICTURES.names, *VIDEOS.names} == {file.name for file in EXAMPLES.iterdir() if file.suffix != ".py"}


def event_of(page, name):
    """The event of a page that calls a function of this name, or that has it in its interface."""
    events = [event for event in page.fns.values() if event.fn]
    return next(event for event in events if name in (event.fn.__name__, event.api_name))


def test_the_page_puts_each_value_in_its_widget(actions, examples):
    from deepfake.page.endpoints import Endpoints
    from deepfake.page.layout import build

    page = build(actions, Endpoints(actions.jobs, examples))
    for name, file in (("judge_picture", "portrait.jpg"), ("judge_video", "half_fake.mp4")):
        event = event_of(page, name)
        widgets = event.fn.__self__.widgets
        assert event.outputs == widgets.all()
        shown = last(event.fn(str(examples / file), [], Asked()))
        assert set(shown) == set(event.outputs)
        assert shown[widgets.verdict].label in shown[widgets.numbers]["verdict"]
    for name, given in (("closed", ()), ("arrived", (Asked(),))):
        event = event_of(page, name)
        assert set(event.fn(*given)) <= set(event.outputs)
