from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from deepfake.errors import StoreError
from deepfake.scan.row import COLUMNS, Answer, Failure, Row, ScoredFace
from deepfake.scan.store import Store

FACES = (ScoredFace((1.0, 2.0, 3.0, 4.0), 0.9, 0, 1),)
FAKE = Answer("video", "fake", None, 0.9, "blended", 1.5, 3.0, 2, FACES, (0.0,), ("pages", "turned"), origin="ai_made")
BROKEN = Answer(failure=Failure.UNREADABLE, error="The file is empty.")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scan.sqlite"


def test_a_row_comes_back_as_it_went_in(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
        (row,) = store.rows()
    assert tuple(row) == COLUMNS
    assert (row["path"], row["sha256"], row["bytes"]) == ("/a.jpg", "aa", 7)
    assert (row["verdict"], row["p_fake"], row["times"]) == ("fake", 0.9, [0.0])
    assert row["faces"] == [{"box_xyxy": [1.0, 2.0, 3.0, 4.0], "p_fake": 0.9, "track": 0, "frame": 1}]
    assert (row["page"], row["notes"]) == (2, ["pages", "turned"])
    assert row["model"] == identity["model"]["name"]


def test_the_columns_are_those_that_the_guide_names(root):
    text = " ".join((root / "docs" / "scan.md").read_text().split())
    assert f"view `row` has one row a file: `{', '.join(COLUMNS)}`" in text


def test_a_row_of_a_cluster_is_that_of_a_store(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
        (row,) = store.rows()
    assert json.loads(json.dumps(Row("/a.jpg", "aa", 7, FAKE, identity["model"]["name"]).as_dict())) == row


def test_the_tables_are_those_of_stores_of_this_format(path, identity):
    with Store(path, identity) as store:
        made = dict(store._database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    assert " ".join(made["answer"].split()) == (
        "CREATE TABLE answer ( sha256 TEXT PRIMARY KEY, kind TEXT, verdict TEXT, reason TEXT, p_fake REAL, trace TEXT, from_s REAL, to_s REAL, page INTEGER, faces TEXT, "
        "times TEXT, notes TEXT, failure TEXT, error TEXT, origin TEXT, elapsed_s REAL ) WITHOUT ROWID"
    )
    assert " ".join(made["row"].split()) == (
        "CREATE VIEW row AS SELECT path, file.sha256, bytes, kind, verdict, reason, p_fake, trace, from_s, to_s, page, faces, times, notes, "
        "coalesce(answer.failure, file.failure) AS failure, coalesce(answer.error, file.error) AS error, origin, elapsed_s, "
        "(SELECT json_extract(value, '$') FROM about WHERE name = 'model') AS model FROM file LEFT JOIN answer USING (sha256)"
    )


def test_an_answer_survives_being_told():
    for answer in (FAKE, BROKEN, Answer()):
        assert Answer.from_dict(json.loads(json.dumps(answer.as_dict()))) == answer


def test_identical_files_share_one_answer_and_a_file_has_one_row_however_often_it_is_written(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
        store.add(Path("/b.jpg"), 7, 2, "aa")
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
        assert [(row["path"], row["p_fake"]) for row in store.rows()] == [("/a.jpg", 0.9), ("/b.jpg", 0.9)]
        assert store.contents() == 1
        assert store.count("verdict") == {"fake": 2}


def test_a_file_is_done_until_it_changes(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 100, "aa", FAKE)
        assert store.is_done(Path("/a.jpg"), 7, 100)
        assert not store.is_done(Path("/a.jpg"), 8, 100)
        # Whether the clock went on or back.
        assert not store.is_done(Path("/a.jpg"), 7, 101)
        assert not store.is_done(Path("/a.jpg"), 7, 99)


def test_errors_count_as_done_unless_they_are_to_be_tried_again(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 0, 1, "ee", BROKEN)
        assert store.is_done(Path("/a.jpg"), 0, 1)
        assert not store.is_done(Path("/a.jpg"), 0, 1, with_errors=False)
        assert store.has_answer("ee")
        assert not store.has_answer("ee", with_errors=False)
        store.add_unread(Path("/b.jpg"), None, None, Answer(failure=Failure.UNREADABLE, error="Permission denied."))
        assert [(row["failure"], row["error"]) for row in store.rows()] == [
            ("unreadable", "The file is empty."),
            ("unreadable", "Permission denied."),
        ]


def test_a_name_that_is_no_text_is_kept(path, identity):
    with Store(path, identity) as store:
        odd = Path(os.fsdecode(b"/a\xff.jpg"))
        store.add(odd, 7, 1, "aa", FAKE)
        store.add(Path("/a\n🙂.jpg"), 7, 1, "aa")
        assert store.is_done(odd, 7, 1)
        assert sorted(row["path"] for row in store.rows()) == ["/a\n🙂.jpg", "/a\\xff.jpg"]


def test_answers_of_another_model_are_not_mixed_in(path, identity):
    with Store(path, identity):
        pass
    other = identity | {"model": {"name": "other", "sha256": "0"}}
    with pytest.raises(StoreError, match="holds answers with another model. Give another --out"):
        Store(path, other)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_store_is_refused_and_left_alone(path, identity, content):
    path.write_bytes(content)
    if content:
        with pytest.raises(StoreError):
            Store(path, identity)
        assert path.read_bytes() == content
    with pytest.raises(StoreError):
        Store(path)


def test_another_database_is_refused(path, identity):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    with pytest.raises(StoreError, match="no store of a scan"):
        Store(path, identity)


@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE"])
def test_the_database_of_another_program_is_not_touched(path, identity, mode):
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode = {mode}")
    database.execute("CREATE TABLE about (name, value)")
    database.close()
    before = {other: other.read_bytes() for other in path.parent.iterdir()}
    with pytest.raises(StoreError, match="no store of a scan"):
        Store(path, identity)
    assert {other: other.read_bytes() for other in path.parent.iterdir()} == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE answer SET faces = '[{'",
        "UPDATE answer SET faces = '{}'",
        "UPDATE answer SET faces = '[{\"p_fake\": 1}]'",
        "UPDATE answer SET times = x'ff'",
        "UPDATE answer SET p_fake = 'high'",
        "UPDATE answer SET verdict = x'ff'",
        "UPDATE file SET bytes = 'many'",
    ],
)
def test_a_damaged_row_is_said(path, identity, damage, tmp_path):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
        store._database.execute(damage)
    with Store(path) as store, pytest.raises(StoreError, match="is damaged: it holds what no scan wrote"):
        list(store.rows())


@pytest.mark.parametrize("value", ["{", "7", "{}", '{"model": {"name": 7}}'])
def test_a_damaged_description_is_said(path, identity, value):
    with Store(path, identity) as store:
        store._database.execute("UPDATE about SET value = ? WHERE name = 'identity'", [value])
    for way in (None, identity):
        with pytest.raises(StoreError, match="no store of a scan"):
            Store(path, way)


def test_reading_makes_no_file(path):
    with pytest.raises(StoreError, match="No store of a scan at"):
        Store(path)
    assert not path.exists()


def fill(store):
    for number in range(1000):
        store.add(Path(f"/{number}.jpg"), 7, 1, f"{number}", FAKE)


def test_a_full_disk_is_said_and_loses_nothing(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
        pages = store._database.execute("PRAGMA page_count").fetchone()[0]
        store._database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="disk is full.*free space"):
            fill(store)
        kept = {row["path"] for row in store.rows()}
    with Store(path, identity) as store:
        assert {row["path"] for row in store.rows()} == kept >= {"/a.jpg"}
        store.add(Path("/z.jpg"), 7, 1, "zz", FAKE)


def test_a_finished_store_is_one_file_that_can_be_read_where_nothing_can_be_written(path, identity):
    with Store(path, identity) as store:
        store.add(Path("/a.jpg"), 7, 1, "aa", FAKE)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with Store(path) as store, pytest.raises(StoreError, match="readonly"):
        store.add(Path("/b.jpg"), 7, 1, "bb", FAKE)
