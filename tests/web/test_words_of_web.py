"""The page of web/ says nothing of its own: its words are the catalogue's, its colours those of every picture."""

from __future__ import annotations

import json
import re

import pytest

from deepfake.report.catalogue import LANGUAGES, catalogue
from deepfake.report.drawing import LABEL_COLOURS, hex_of


@pytest.fixture(scope="module")
def web(root):
    return root / "web"


def test_every_key_that_the_page_names_exists(web):
    code = "\n".join(file.read_text() for file in (web / "src").glob("*.ts"))
    named = set(re.findall(r'(?:say|Refused)\(\s*"([a-z]+\.[a-z_0-9]+)"', code))
    named |= set(re.findall(r'data-say="([^"]+)"', (web / "static" / "index.html").read_text()))
    assert len(named) > 40
    assert named <= catalogue().words.keys()


def test_every_word_that_is_written_for_this_page_is_used(web):
    text = "\n".join(file.read_text() for folder in ("src", "static") for file in (web / folder).iterdir())
    own = {key for key in catalogue().words if key.startswith("try.")}
    assert {key for key in own if f'"{key}"' not in text} == set()


def test_the_page_is_sent_the_sections_that_it_names(web):
    script = (web / "build.mjs").read_text()
    sections = set(re.findall('"([a-z]+)"', re.search(r"^const SECTIONS = \[(.*?)\];", script, re.M | re.S)[1]))
    code = "\n".join(file.read_text() for file in (web / "src").glob("*.ts"))
    named = set(re.findall(r'say\(\s*["`]([a-z]+)\.', code))
    assert named <= sections


def test_answers_have_the_colours_that_they_have_everywhere(web):
    style = (web / "static" / "style.css").read_text()
    found = dict(re.findall(r"^  --(real|fake|inconclusive): (#[0-9a-f]{6});$", style, re.MULTILINE))
    assert found == {str(label): hex_of(colour) for label, colour in LABEL_COLOURS.items()}


def test_nothing_of_the_page_asks_another_host(web):
    for file in [*(web / "src").iterdir(), *(web / "static").iterdir()]:
        addresses = set(re.findall(r"https?://[^\s\"'<>]+", file.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file.name


def test_packages_are_locked_and_come_from_the_public_registry(web):
    lock = json.loads((web / "package-lock.json").read_text())
    wanted = json.loads((web / "package.json").read_text())
    asked = {**wanted["dependencies"], **wanted["devDependencies"]}
    locked = {name.removeprefix("node_modules/"): entry for name, entry in lock["packages"].items() if name}
    assert all(locked[name]["version"] == version for name, version in asked.items())
    assert all(entry.get("integrity", "").startswith("sha512-") for entry in locked.values())
    hosts = {re.match(r"https://([^/]+)/", entry["resolved"])[1] for entry in locked.values() if "resolved" in entry}
    assert hosts <= {"registry.npmjs.org"}


def test_every_language_of_the_catalogue_is_there_to_be_sent():
    assert all(catalogue(language).words["try.introduction"] for language in LANGUAGES)
