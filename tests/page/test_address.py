"""Files that visitors have fetched: what is asked, how often, and what is shown meanwhile."""

from __future__ import annotations

import shutil

import pytest

from deepfake.errors import FetchError, LimitError
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page import fetching as fetching_module
from deepfake.page.actions import Actions
from deepfake.page.address import AddressActions
from deepfake.page.fetching import AT_ONCE, FETCHES, Fetching
from deepfake.page.judging import PictureActions
from deepfake.page.widgets import Asked
from deepfake.report.words import ENGLISH, headline
from tests.page.test_actions import PICTURE


@pytest.fixture
def fetching(tmp_path, site, monkeypatch):
    monkeypatch.setattr(fetching_module, "PORTS", (site.port,))
    return Fetching(tmp_path / "uploads")


@pytest.fixture
def tab(jobs, fetching, tmp_path):
    own = PictureActions(Actions(jobs, DEFAULT_MODEL, tmp_path, tmp_path / "uploads"), PICTURE)
    return AddressActions(own, "chosen", fetching)


def left(fetching):
    return list(fetching._folder.iterdir())


def test_a_file_is_fetched_into_a_folder_of_its_own(fetching, site):
    one, two = (fetching.fetched(f" {site.address}/a.jpg ", "picture") for _ in range(2))
    assert one.read_bytes() == two.read_bytes() == site.page.content
    assert one.parent != two.parent
    assert len(left(fetching)) == 2


def test_what_is_refused_leaves_nothing(fetching, site, monkeypatch):
    for address, message in (
        (f"{site.address}/gone", "answers 404"),
        (f"{site.address}/moved", "must be on a port of the web"),
        ("http://site.test:25/", "Received: 25"),
        ("no address", "is no address of the web"),
    ):
        with pytest.raises(FetchError, match=message):
            fetching.fetched(address, "picture")
    monkeypatch.setattr(fetching_module, "MAX_BYTES", {"picture": 1000, "video": 10**6})
    with pytest.raises(FetchError, match="has more than"):
        fetching.fetched(f"{site.address}/a.jpg", "picture")
    assert left(fetching) == []
    assert fetching.fetched(f"{site.address}/a.jpg", "video").exists()


def test_a_visitor_asks_other_sites_a_few_times_an_hour_and_leaves_room_for_others(fetching, site, monkeypatch):
    monkeypatch.setattr(fetching_module, "fetch", lambda address, folder, **_: folder / "a")
    for _ in range(FETCHES.amount):
        fetching.fetched(site.address, "picture", "ann")
    with pytest.raises(LimitError, match="files an hour") as caught:
        fetching.fetched(site.address, "picture", "ann")
    assert caught.value.status == LimitError.TOO_MANY
    assert fetching.fetched(site.address, "picture", "bob")
    for _ in range(AT_ONCE):
        assert fetching._places.acquire(blocking=False)
    with pytest.raises(LimitError, match="right now"):
        fetching.fetched(site.address, "picture", "bob")


def test_a_full_disk_is_said(fetching, site, monkeypatch):
    usage = shutil.disk_usage(".")._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(LimitError, match="disk is full"):
        fetching.fetched(f"{site.address}/a.jpg", "picture")


def test_the_answer_is_that_about_the_file_which_then_stands_where_uploads_do(tab, site):
    begun, looking, shown, chosen = tab.judge_address(f"{site.address}/a.jpg", [], Asked())
    assert ENGLISH("fetch.busy") in begun["said"]
    assert [step["chosen"] for step in (begun, looking, shown)] == [None] * 3, "never left as it is"
    assert chosen["chosen"].endswith("a.jpg")
    assert ENGLISH("answer.busy") in looking["said"]
    assert headline(shown["verdict"]) in shown["said"]
    assert shown["verdict"].path == chosen["chosen"]


def test_an_address_that_cannot_be_had_is_a_message(tab, site):
    _, shown = tab.judge_address("http://<b>.test:25/", [], Asked())
    assert shown["chosen"] is None
    assert ENGLISH("fetch.refused") in shown["said"]
    assert "<b>" not in shown["said"]
    *_, shown = tab.judge_address("http://10.0.0.1/", [], Asked())
    assert "must be on a port" in shown["said"]


def test_a_file_that_comes_when_another_is_asked_about_is_dropped(tab, site):
    asked = Asked()
    steps = tab.judge_address(f"{site.address}/a.jpg", [], asked)
    next(steps)
    asked.about = "another"
    assert list(steps) == []
