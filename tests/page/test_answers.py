from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.about import about
from deepfake.page.answers import (
    answer,
    face_cards,
    heat_caption,
    moment_buttons,
    notice,
    palette_css,
    picture_data,
    progress,
    scale_html,
)
from deepfake.page.evidence import Moment
from deepfake.page.history import History, refused_entry, table
from deepfake.page.serve import STYLE
from deepfake.records import Frame, Label, Step, Thresholds
from deepfake.report.catalogue import LANGUAGES, catalogue
from deepfake.report.words import ENGLISH

THRESHOLDS = Thresholds(real_below=0.25, fake_above=0.75)


@pytest.fixture(scope="module")
def verdict(detector, examples):
    return detector.detect(examples / "portrait.jpg")


def test_the_answer_is_in_words_with_its_numbers_one_click_deeper(verdict):
    for label, words in ((Label.REAL, "No clear traces found"), (Label.FAKE, "ikely manipulated: ")):
        said = answer(replace(verdict, label=label, reason=None), DEFAULT_MODEL)
        shown, folded = said.split("<details>")
        assert words in shown
        assert "How often it errs" in shown
        assert "What lowers certainty in this file" in shown
        assert not re.search("p_fake|[Gg]ate|logit", shown)
        assert f"p_fake {verdict.p_fake:.2f}" in folded
        assert f'class="answer {label}"' in said


def test_no_face_has_no_scale_and_says_so(detector, examples):
    said = answer(detector.detect(examples / "no_face.jpg"), DEFAULT_MODEL)
    assert "Cannot tell: no face found" in said
    assert "No face was found" in said
    assert 'class="scale"' not in said
    assert "p_fake" not in said
    assert "How often" not in said


def test_an_answer_says_how_many_frames_failed(verdict):
    assert "3 frames could not be decoded" in answer(replace(verdict, frames_failed=3), DEFAULT_MODEL)


def test_the_scale_shows_the_number_and_the_band():
    bar = scale_html(0.625, THRESHOLDS)
    assert "left:62.5%" in bar
    assert "#1e6ec855 0 25.0%, #c88c0055 25.0% 75.0%, #d6282855 75.0% 100%" in bar
    assert "p_fake 0.62" in bar
    assert "Real below 0.25, fake from 0.75" in bar


def test_the_style_sheet_has_the_colours_that_pictures_have():
    assert palette_css() == ":root { --fake: #d62828; --real: #1e6ec8; --inconclusive: #c88c00; }"
    assert set(re.findall(r"var\(--([a-z]+)\)", STYLE.read_text())) == {*Label, "heat"}


def test_text_from_a_file_is_escaped(verdict, tmp_path):
    hostile = "<script>alert(1).jpg"
    entry = History(tmp_path).written(replace(verdict, path=hostile), ENGLISH, picture=None, answer="", cards="")
    lines = table([entry, refused_entry(hostile, hostile)])
    for made in (notice("a", hostile), *(str(line) for line in lines)):
        assert "<script" not in made
        assert "&lt;" in made


def test_a_card_for_each_face_shows_crop_heat_map_and_noise(verdict, portrait):
    (score,) = verdict.scores
    cards = face_cards([(portrait.image, score, None), (portrait.image, score, 1.0)], verdict)
    assert cards.count("<figure") == 2
    images = [
        cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)
        for text in re.findall(r"base64,([^\"]+)", cards)
    ]
    assert [image.shape for image in images[:3]] == [(224, 224, 3), (224, 224, 4), (224, 224, 3)]
    assert images[1][..., 3].max() > 20
    assert cards.count("<small>Grad-CAM heat map</small>") == 2
    for name in re.findall(r'class="([a-z]+)[ "]', cards):
        assert f".{name} " in STYLE.read_text()
    assert len(re.findall(r'<img [^>]*alt="[^"]+"', cards)) == 6
    assert "Face 1 at 1.00 s" in cards
    assert f"visual stream {score.visual:.0%}" in cards
    assert f"Gate: visual {score.gate[0]:.2f}, noise {score.gate[1]:.2f}" in cards


def test_faces_stand_in_the_order_of_their_numbers(verdict, portrait):
    (score,) = verdict.scores
    numbered = [replace(score, face=replace(score.face, track=number)) for number in (2, 0, 1)]
    cards = face_cards([(portrait.image, one, None) for one in numbered], verdict)
    assert re.findall(r'data-face="(\d)"', cards) == ["1", "2", "3"]


def test_the_heat_map_is_named_and_leads_to_why_it_adds_up(verdict):
    told = heat_caption(verdict)
    assert "Grad-CAM heat map" in told
    assert "exact" in told
    (anchor,) = re.findall(r'href="#([^"]+)"', told)
    assert f'id="{anchor}"' in about(DEFAULT_MODEL)
    assert heat_caption(replace(verdict, scores=())) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_heat_maps_caption_has_no_number_that_the_page_does_not_show(verdict, language):
    say = catalogue(language)
    for kind, scale in (("picture", "heat.own_scale"), ("video", "heat.shared_scale")):
        told = heat_caption(replace(verdict, kind=kind), say)
        assert say(scale) in told
        assert not re.search(r"\d", re.sub("<[^>]+>", "", told))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_score_of_the_headline_is_explained_beside_it(verdict, language):
    say = catalogue(language)
    fake = replace(verdict, label=Label.FAKE, reason=None, p_fake=0.934)
    said = html.unescape(answer(fake, DEFAULT_MODEL, say))
    headed, rest = said.split("</h2>")
    assert "93" in headed
    told = re.match(r'<details class="meaning"><summary>(.+?)</summary><p>(.+?)</p></details>', rest)
    assert told.groups() == (say("answer.score_title", score=93), say("answer.score_means", score=93))
    of_video = html.unescape(answer(replace(fake, kind="video"), DEFAULT_MODEL, say))
    assert say("answer.score_of_video") in of_video
    assert "meaning" not in answer(replace(verdict, label=Label.REAL), DEFAULT_MODEL, say), "its headline has no score"


def test_a_moment_is_a_button_that_carries_its_time(portrait):
    assert 'data-time="2.125"' in moment_buttons([Moment(portrait.image, 2.125, 0.98)], 0.5)
    assert moment_buttons([], 0.0) == ""


def test_many_faces_are_cut_off_and_it_is_said(verdict, portrait):
    cards = face_cards([(portrait.image, verdict.scores[0], None)] * 15, verdict)
    assert cards.count("<figure") == 12
    assert "3 more faces" in cards


def test_progress_is_no_answer(portrait):
    said = progress(Step(6, 24, Frame(portrait.image, 5, Fraction(3, 2)), ()), 0.91)
    assert "Looking at frame 6 of 24" in said
    assert "no answer yet" in said
    assert 'aria-valuenow="25"' in said
    assert "no face yet" in progress(Step(1, 24, Frame(portrait.image, 0, Fraction(0)), ()), None)


def test_a_picture_survives_its_address():
    image = np.zeros((8, 8, 4), np.uint8)
    image[..., 0], image[..., 3] = 200, 90
    content = base64.b64decode(picture_data(image).split(",")[1])
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cv2.cvtColor(found, cv2.COLOR_BGRA2RGBA), image)
