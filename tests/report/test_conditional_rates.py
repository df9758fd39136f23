"""How often the model errs on files like this one: which samples are quoted, and that they are counted rightly."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from msgspec import structs

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.model.conditions import Conditions, conditions_of_verdict
from deepfake.model.measured import AnswerCounts, Answers, Cell, Counts, Measured, Proportion, Summary
from deepfake.model.metrics import Metrics, read_metrics
from deepfake.records import Label, Reason
from deepfake.report.catalogue import LANGUAGES, catalogue
from deepfake.report.conditional_rates import conditional_rates
from deepfake.report.error_rates import error_sentences
from deepfake.report.files import to_json

WHOLE = Answers(real=Proportion(0.7, (0, 1)), fake=Proportion(0.1, (0, 1)), inconclusive=Proportion(0.2, (0, 1)))
SUMMARY = Summary(count=Counts(1000, 500), real_called=WHOLE, fake_called=WHOLE)
MANY, FEW = AnswerCounts(20, 6, 14), AnswerCounts(29, 0, 0)
ALL = Conditions(face="medium", blur="soft", compression="light")


def cell(real, fake, **like):
    return Cell(conditions=Conditions(**like), real_called=real, fake_called=fake)


def metrics(*cells):
    return Metrics(test=Measured(all=SUMMARY, cells=cells), clips=Measured(all=SUMMARY, cells=cells))


def rates(verdict, *cells):
    return conditional_rates(verdict, metrics(*cells))


@pytest.fixture(scope="module")
def real(detector, examples):
    verdict = detector.detect(examples / "portrait.jpg")
    (score,) = verdict.scores
    soft = replace(score, quality=replace(score.quality, blur=0.6))
    verdict = replace(verdict, label=Label.REAL, reason=None, scores=(soft,))
    assert conditions_of_verdict(verdict) == ALL
    return verdict


@pytest.fixture
def fake(real):
    return replace(real, label=Label.FAKE)


@pytest.fixture
def unsure(real):
    return replace(real, label=Label.INCONCLUSIVE, reason=Reason.UNCERTAIN)


def test_samples_that_are_alike_in_everything_are_quoted_first(fake):
    found = rates(fake, cell(MANY, MANY, **ALL.known), cell(MANY, MANY, face="medium"))
    assert (found.like, found.reals, found.fakes) == (ALL, MANY, MANY)


def test_where_too_few_are_alike_in_everything_less_is_asked_and_more_are_counted(fake):
    other = cell(MANY, FEW, face="medium", blur="sharp", compression="light")
    found = rates(fake, cell(FEW, FEW, **ALL.known), other, cell(MANY, MANY, face="small"))
    assert found.like == Conditions(face="medium", compression="light")
    assert (found.reals, found.fakes) == (MANY + FEW, FEW + FEW)


def test_a_fake_asks_for_reals_and_a_real_for_fakes_and_an_open_answer_for_both(real, fake, unsure):
    only_reals = (cell(MANY, FEW, **ALL.known), cell(FEW, AnswerCounts(1, 0, 0), compression="light"))
    assert rates(fake, *only_reals).like == ALL
    assert rates(fake, *only_reals).fakes is None
    fakes_enough = Conditions(compression="light")
    assert rates(real, *only_reals).like == fakes_enough
    assert rates(unsure, *only_reals).like == fakes_enough


def test_without_enough_samples_that_are_alike_the_whole_test_is_counted(fake):
    for cells in ((), (cell(FEW, MANY, **ALL.known),)):
        found = rates(fake, *cells)
        assert found.like == Conditions()
        assert found.reals == AnswerCounts(700, 100, 200)
        assert found.fakes == AnswerCounts(350, 50, 100)


def test_what_was_not_measured_or_judged_has_no_rates(fake):
    assert conditional_rates(fake, Metrics()) is None
    assert rates(replace(fake, p_fake=None)) is None


def test_a_video_is_beside_clips(fake):
    alike = Conditions(face="medium", blur="soft")
    video = replace(fake, kind="video", source=None)
    measured = Metrics(clips=Measured(all=SUMMARY, cells=(cell(MANY, MANY, **alike.known),)))
    assert conditional_rates(video, measured).like == alike


@pytest.fixture
def known(monkeypatch):
    """Lets the shipped model have these counts."""

    def tell(*cells):
        shipped = read_metrics(DEFAULT_MODEL)
        changed = structs.replace(shipped, test=structs.replace(shipped.test, cells=cells), robustness=None)
        monkeypatch.setattr("deepfake.report.error_rates.read_metrics", lambda model: changed)

    return tell


def test_both_rates_are_said_with_their_counts_and_intervals(fake, known):
    known(cell(AnswerCounts(180, 6, 28), AnswerCounts(20, 60, 20), **ALL.known))
    assert error_sentences(fake, DEFAULT_MODEL) == [
        "How often it errs on faces like this one (face of 80 to 160 pixels, somewhat soft, light compression): "
        "of 214 real ones in its test, 6 were called fake, 3% (95% interval 1% to 6%); "
        "of 100 fakes, 20 were called real, 20% (13% to 29%)."
    ]


def test_an_open_answer_says_how_often_it_is_open(unsure, known):
    known(cell(AnswerCounts(40, 10, 50), AnswerCounts(20, 60, 20), **ALL.known))
    assert error_sentences(unsure, DEFAULT_MODEL)[0].endswith(
        "; of 200 in all, it could not tell 70, 35% (29% to 42%)."
    )


def test_of_too_few_fakes_nothing_is_said(fake, known):
    known(cell(MANY, FEW, **ALL.known))
    (said,) = error_sentences(fake, DEFAULT_MODEL)
    assert "of 40 real ones" in said
    assert "fakes" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_numbers(unsure, known, language):
    known(cell(AnswerCounts(40, 10, 50), AnswerCounts(20, 60, 20), **ALL.known))
    (said,) = error_sentences(unsure, DEFAULT_MODEL, catalogue(language))
    numbers = {"100", "10", "10%", "20", "20%", "200", "70", "35%", "29%", "42%", "80", "160"}
    assert numbers <= set(re.findall(r"\d+%?", said))
    assert "{" not in said


def test_json_has_the_counts(fake, known):
    known(cell(AnswerCounts(180, 6, 28), FEW, **ALL.known))
    assert json.loads(to_json(fake))["error_rates"] == {
        "like": {"face": "medium", "blur": "soft", "compression": "light"},
        "reals": {
            "count": 214,
            "called_real": 180,
            "called_fake": 6,
            "inconclusive": 28,
            "share_called_fake": 0.028,
            "interval_95": [0.0129, 0.0598],
        },
        "fakes": None,
    }


def test_the_rates_of_another_graph_are_not_its_own(fake, known):
    known(cell(MANY, MANY, **ALL.known))
    other = replace(fake, model=replace(fake.model, sha256="0" * 64))
    assert json.loads(to_json(other))["error_rates"] is None
