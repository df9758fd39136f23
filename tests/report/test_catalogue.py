"""Every language says everything, with the same values, and nothing that a person reads is left untranslated."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import deepfake
from deepfake.report.catalogue import DEFAULT, FOLDER, LANGUAGES, RIGHT_TO_LEFT, best_language, catalogue

ENGLISH = catalogue().words
OTHERS = [language for language in LANGUAGES if language != DEFAULT]


def values_of(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


def test_the_nine_languages_are_there():
    assert set(LANGUAGES) == {"ar", "de", "en", "es", "fr", "hi", "it", "pt", "zh"}
    assert set(LANGUAGES) >= RIGHT_TO_LEFT


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_key_and_no_other(language):
    assert catalogue(language).words.keys() == ENGLISH.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_keeps_every_value(language):
    for key, text in catalogue(language).words.items():
        assert values_of(text) == values_of(ENGLISH[key]), key


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_in_english(language):
    left = [
        key
        for key, text in catalogue(language).words.items()
        # One or two words may be the same, or a name.
        if text == ENGLISH[key] and len(re.findall("[a-z]{3,}", re.sub(r"\{.*?\}|p_fake", "", text))) > 2
    ]
    assert left == []


def test_every_key_that_the_code_names_exists():
    code = "\n".join(file.read_text() for file in Path(deepfake.__file__).parent.rglob("*.py"))
    named = set(re.findall(r'(?:say|label|ENGLISH)\(\s*"([a-z]+\.[a-z_0-9]+)"', code))
    assert len(named) > 80
    assert named <= ENGLISH.keys()


def test_a_value_that_is_missing_is_a_slip_of_the_program():
    with pytest.raises(KeyError):
        catalogue()("answer.progress", done=1)
    with pytest.raises(ValueError, match="`language` must be one of ar, de"):
        catalogue("xx")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.5, zh-Hans-CN", "zh"),
        ("xx", "en"),
        ("*", "en"),
        ("", "en"),
        ("fr;q=0.2, ar;q=0.7", "ar"),
        (";;q=,,\x00", "en"),
    ],
)
def test_the_browsers_wish_is_followed(accepted, language):
    assert best_language(accepted) == language


def test_the_words_are_files_of_the_package():
    assert {file.stem for file in FOLDER.iterdir()} == set(LANGUAGES)
