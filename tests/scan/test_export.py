from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow.parquet
import pytest

from deepfake.errors import DatasetError
from deepfake.media import read_picture
from deepfake.report.drawing import jpeg
from deepfake.scan.export import draw_worst, summary_of, to_csv, to_html, to_parquet
from deepfake.scan.row import COLUMNS, Answer, Failure, ScoredFace
from deepfake.scan.store import Store

HOSTILE = "/=cmd|' /C calc'!A0,\"<script>\n🙂.jpg"


def answer(p_fake, verdict="fake", kind="picture", box=(10.0, 10.0, 50.0, 50.0)):
    faces = (ScoredFace(box, p_fake, 0),)
    return Answer(kind, verdict, p_fake=p_fake, faces=faces, times=(0.0,), elapsed_s=0.1)


@pytest.fixture
def store(tmp_path, identity):
    with Store(tmp_path / "s.sqlite", identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", answer(0.9))
        store.add(Path("/b.jpg"), 7, 1, "bb", answer(0.2, "real"))
        store.add(Path("/c.jpg"), 7, 1, "aa")
        store.add(Path("/d.jpg"), 0, 1, "ee", Answer(failure=Failure.UNREADABLE, error="The file is empty."))
        store.add(Path(HOSTILE), 9, 1, "hh", answer(0.5, "inconclusive"))
        yield store


def test_csv_holds_every_row_and_no_formula(store, tmp_path):
    with to_csv(store, tmp_path / "s.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert {row["path"] for row in rows} == {"/a.jpg", "/b.jpg", "/c.jpg", "/d.jpg", HOSTILE}
    assert all(not row["path"].startswith("=") for row in rows)
    (first,) = (row for row in rows if row["path"] == "/a.jpg")
    assert json.loads(first["faces"])[0]["p_fake"] == float(first["p_fake"]) == 0.9


def test_no_cell_of_the_csv_is_a_formula(tmp_path, identity):
    with Store(tmp_path / "s.sqlite", identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", Answer(failure=Failure.UNREADABLE, error="=cmd|' /C calc'!A0"))
        store.add_unread(Path("/b.jpg"), None, None, Answer(failure=Failure.UNREADABLE, error="@SUM(1)"))
        with to_csv(store, tmp_path / "s.csv").open(newline="", encoding="utf-8") as file:
            assert all(cell[:1] not in "=+-@" or not cell for row in list(csv.reader(file))[1:] for cell in row)


def test_parquet_holds_the_rows_of_the_store(store, tmp_path):
    table = pyarrow.parquet.read_table(to_parquet(store, tmp_path / "s.parquet"))
    assert table.to_pylist() == list(store.rows())


def test_the_schema_has_the_columns_of_a_row():
    from deepfake.scan.table import SCHEMA

    face = "struct<box_xyxy: list<item: double>, p_fake: double, track: int64, frame: int64>"
    assert [f"{field.name} {field.type}" for field in SCHEMA] == [
        "path string", "sha256 string", "bytes int64", "kind string", "verdict string", "reason string",
        "p_fake double", "trace string", "from_s double", "to_s double", "page int64", f"faces list<item: {face}>", "times list<item: double>", "notes list<item: string>", "failure string", "error string",
        "origin string", "elapsed_s double", "model string",
    ]  # fmt: skip


def test_html_is_one_file_in_which_names_are_text(store, tmp_path):
    page = to_html(store, tmp_path / "s.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.index("/a.jpg") < page.index("&lt;script&gt;") < page.index("/b.jpg")
    assert "4 of 5 files" in page


def test_the_summary_counts_files(store):
    said = summary_of(store)
    assert "files      5, of which 1 repeat another" in said
    assert "fake 2 (40.0%), inconclusive 1 (20.0%), real 1 (20.0%)" in said
    assert "unreadable 1 (20.0%)" in said


def test_a_name_that_is_no_text_is_exported(tmp_path, identity):
    with Store(tmp_path / "s.sqlite", identity) as store:
        store.add(Path("/\udcff.jpg"), 7, 1, "aa", answer(0.9))
        assert "\\xff.jpg" in to_csv(store, tmp_path / "s.csv").read_text(encoding="utf-8")
        assert "\\xff.jpg" in to_html(store, tmp_path / "s.html").read_text(encoding="utf-8")


def test_a_failed_export_leaves_the_old_file(store, tmp_path, monkeypatch):
    path = tmp_path / "s.csv"
    path.write_text("old")

    def broken(where="", values=()):
        yield from list(Store.rows(store))[:2]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "rows", broken)
    with pytest.raises(OSError, match="No space"):
        to_csv(store, path)
    assert path.read_text() == "old"
    assert {entry.name for entry in tmp_path.iterdir() if entry.suffix == ".csv"} == {"s.csv"}


def test_the_contact_sheet_shows_the_worst_first_and_a_lost_file_as_an_empty_tile(tmp_path, identity):
    image = np.zeros((60, 120, 3), np.uint8)
    image[10:50, 70:110] = 200
    (tmp_path / "white.jpg").write_bytes(jpeg(image, 95))
    with Store(tmp_path / "s.sqlite", identity) as store:
        store.add(Path("/gone.jpg"), 7, 1, "aa", answer(0.7))
        store.add(tmp_path / "white.jpg", 7, 1, "bb", answer(0.8, box=(70.0, 10.0, 110.0, 50.0)))
        rows = draw_worst(store, 5, tmp_path / "w.jpg")
    assert [row["p_fake"] for row in rows] == [0.8, 0.7]
    sheet = read_picture(tmp_path / "w.jpg").image
    half = sheet.shape[1] // 2
    assert sheet[100, half // 2].mean() == pytest.approx(200, abs=4)
    assert sheet[100, half + half // 2].mean() == pytest.approx(255, abs=2)


def test_the_contact_sheet_shows_the_page_with_the_face(tmp_path, identity):
    pages = [PIL.Image.new("RGB", (60, 60), (shade, shade, shade)) for shade in (10, 90, 170)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    found = replace(answer(0.8), faces=(ScoredFace((10.0, 10.0, 50.0, 50.0), 0.8, 0, 1),))
    with Store(tmp_path / "s.sqlite", identity) as store:
        store.add(tmp_path / "pages.tif", 7, 1, "aa", found)
        draw_worst(store, 1, tmp_path / "w.jpg")
    assert read_picture(tmp_path / "w.jpg").image[100, 100].mean() == pytest.approx(90, abs=3)


def test_nothing_scored_is_nothing_drawn(tmp_path, identity):
    with Store(tmp_path / "s.sqlite", identity) as store, pytest.raises(DatasetError, match="No face was scored"):
        draw_worst(store, 3, tmp_path / "w.jpg")
