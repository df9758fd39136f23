"""`stability`, from the picture to what a person reads."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

import deepfake.face_scorer
import deepfake.faces.changes
from deepfake import Detector
from deepfake.cli.main import main
from deepfake.face_scorer import FaceScorer
from deepfake.media import read_picture
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.answers import answer, face_cards
from deepfake.records import Change, Label, Reason, Sampling
from deepfake.report.brief import brief
from deepfake.report.drawing import LABEL_COLOURS
from deepfake.report.error_rates import error_sentences
from deepfake.report.files import annotate
from deepfake.report.pdf import write_pdf
from deepfake.report.words import ENGLISH, sentences, spread

MEANS = {Change.JPEG: 0.951, Change.SMALLER: 0.862, Change.TINT: 0.931, Change.SHIFT: 0.932}


@pytest.fixture(scope="module")
def steady():
    return Detector(stability=True)


@pytest.fixture(scope="module")
def scorer():
    return FaceScorer()


@pytest.fixture
def unlike(monkeypatch, examples):
    """After a tint, every face is that of another picture."""
    fake = read_picture(examples / "self_blend.jpg").image
    real = deepfake.faces.changes.changed

    def other(image, face, spec, change):
        return (fake, face) if change is Change.TINT else real(image, face, spec, change)

    monkeypatch.setattr(deepfake.face_scorer, "changed", other)


@pytest.fixture(scope="module")
def unstable(detector, examples):
    verdict = detector.detect(examples / "portrait.jpg")
    return dataclasses.replace(
        verdict,
        label=Label.INCONCLUSIVE,
        reason=Reason.UNSTABLE,
        stability=MEANS,
        unstable_under=(Change.SMALLER, Change.TINT),
        unstable_tracks=frozenset({0}),
    )


def test_it_is_off_unless_it_is_asked_for(detector, examples):
    verdict = detector.detect(examples / "portrait.jpg")
    assert verdict.stability is None
    values = verdict.as_dict()
    assert (values["stability"], values["unstable_under"], values["faces"][0]["changed"]) == (None, [], None)


def test_an_answer_that_outlasts_the_changes_is_the_same_with_its_spread(steady, detector, examples):
    verdict, plain = steady.detect(examples / "portrait.jpg"), detector.detect(examples / "portrait.jpg")
    assert (verdict.label, verdict.p_fake) == (plain.label, plain.p_fake)
    assert list(verdict.stability) == list(Change)
    assert verdict.scores[0].changed == pytest.approx(verdict.stability)
    assert len({verdict.p_fake, *verdict.stability.values()}) == 5, "no change does nothing"
    values = verdict.as_dict()
    assert values["stability"] == values["faces"][0]["changed"]
    assert verdict.stability == pytest.approx(dict.fromkeys(Change, plain.p_fake), abs=0.05)


def test_a_change_that_flips_the_answer_is_named(steady, examples, unlike):
    verdict = steady.detect(examples / "portrait.jpg")
    assert (verdict.label, verdict.reason) == (Label.INCONCLUSIVE, Reason.UNSTABLE)
    assert verdict.unstable_under == (Change.TINT,)
    assert verdict.as_dict()["unstable_under"] == ["tint"]
    assert verdict.p_fake < verdict.thresholds.real_below
    assert verdict.unstable_tracks == {0}


def test_of_a_video_every_face_is_looked_at_again(steady, examples):
    verdict = steady.detect(examples / "half_fake.mp4", Sampling(frames=4, end_s=1.5))
    assert [len(score.changed) for score in verdict.scores] == [4] * 4
    assert (verdict.label, len(verdict.stability)) == (Label.REAL, 4)


def test_only_a_face_with_an_answer_is_looked_at_again_and_each_has_a_turn(scorer, portrait, portrait_face):
    (real,) = scorer.score(scorer.cut(portrait.image, [portrait_face]))
    unsure = dataclasses.replace(real, p_fake=0.5)
    turns = []

    @contextmanager
    def turn():
        turns.append(1)
        yield

    found = scorer.look_again(portrait.image, [real, unsure], turn, answered_only=True)
    assert [len(score.changed) for score in found] == [4, 0]
    assert len(turns) == 1
    found = scorer.look_again(portrait.image, [unsure])
    assert len(found[0].changed) == 4


def test_a_camera_is_not_kept_waiting(steady, portrait):
    assert [dict(score.changed) for score in steady.score(portrait.image)] == [{}]


def test_the_words_say_which_change_and_how_far(unstable):
    assert sentences(unstable)[:2] == [
        ENGLISH("sentence.unstable"),
        "It would be another after: three quarters of the size, a slight tint.",
    ]
    (told,) = spread(unstable)
    assert "p_fake lies between 0.86 and 0.95 (JPEG of quality 75: 0.95, " in told
    line = brief(unstable)
    assert line.answer == "Cannot tell"
    assert line.detail.endswith("unstable under harmless changes (three quarters of the size, a slight tint)")


def test_an_answer_that_flips_is_not_told_with_the_errors_of_another(unstable, detector, examples):
    plain = detector.detect(examples / "portrait.jpg")
    uncertain = dataclasses.replace(plain, label=Label.INCONCLUSIVE, reason=Reason.UNCERTAIN)
    assert error_sentences(unstable, DEFAULT_MODEL) == error_sentences(uncertain, DEFAULT_MODEL)[1:]
    assert "in all, it could not tell" in error_sentences(uncertain, DEFAULT_MODEL)[0]


def test_the_page_has_the_spread_among_the_numbers(unstable):
    shown, folded = answer(unstable, DEFAULT_MODEL).split("<details>")
    assert "a slight tint" in shown
    assert "p_fake" not in shown
    assert spread(unstable)[0] in folded
    plain = dataclasses.replace(unstable, stability=None)
    assert "harmless changes, p_fake" not in answer(plain, DEFAULT_MODEL)


def test_the_card_and_the_box_of_a_face_say_so_too(unstable, detector, examples, portrait):
    plain = detector.detect(examples / "portrait.jpg")
    faces = [(portrait.image, plain.scores[0], None)]
    told = f"{ENGLISH('answer.inconclusive_face')} ({ENGLISH('reason.unstable')})"
    assert told in face_cards(faces, unstable)
    assert 'class="face inconclusive"' in face_cards(faces, unstable)
    assert told not in face_cards(faces, plain)
    left, _, _, bottom = (round(edge) for edge in plain.scores[0].face.box_xyxy)
    drawn = [annotate(portrait.image, plain.scores, verdict)[bottom, left].tolist() for verdict in (unstable, plain)]
    assert drawn == [list(LABEL_COLOURS[Label.INCONCLUSIVE]), list(LABEL_COLOURS[Label.REAL])]


def test_the_report_has_it_too(unstable, tmp_path):
    reader = PdfReader(write_pdf(unstable, tmp_path / "report.pdf"))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert spread(unstable)[0] in text
    assert "It would be another after: three quarters of the size, a slight tint." in text


def test_detect_takes_the_option(root, monkeypatch, unlike):
    monkeypatch.chdir(root)
    run = CliRunner()
    found = run.invoke(main, ["detect", "--stability", "--json", "examples/portrait.jpg"])
    assert json.loads(found.stdout)["unstable_under"] == ["tint"]
    found = run.invoke(main, ["detect", "--stability", "--explain", "examples/portrait.jpg"])
    assert "unstable under harmless changes (a slight tint)" in found.stdout
    assert "Looked at again after harmless changes, p_fake lies between 0.0" in " ".join(found.stdout.split())
