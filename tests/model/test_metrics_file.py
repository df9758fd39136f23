"""metrics.json: what is kept of a bundle's quality, and what is refused."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from deepfake.errors import BundleError
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.model.conditions import Conditions
from deepfake.model.lineage import FaceCalibration
from deepfake.model.measured import AnswerCounts, Answers, Cell, Counts, Measured, Proportion, Ranking, Summary
from deepfake.model.metrics import Metrics, read_metrics, read_training_of, write_metrics
from deepfake.model.stress_tests import Corruption, CorruptionLevel, Robustness
from deepfake.records import Thresholds

ANSWERS = Answers(**{answer: Proportion(0.25, (0.125, 0.5)) for answer in ("real", "fake", "inconclusive")})
SUMMARY = Summary(count=Counts(2, 1), auc=0.75, auc_interval=(0.5, 1.0), real_called=ANSWERS)

CELL = '{"format": 2, "test": {"all": {"count": {"real": 1, "fake": 1}}, "cells": [{"conditions": %s}]}}'


def test_what_is_written_is_read_and_rounded_and_other_sections_stay(tmp_path):
    write_metrics(tmp_path, Metrics(test=Measured(split="test", all=SUMMARY)))
    clips = Measured(all=structs.replace(SUMMARY, auc=0.123456))
    write_metrics(tmp_path, structs.replace(read_metrics(tmp_path), clips=clips))
    found = read_metrics(tmp_path)
    assert found.test == Measured(split="test", all=SUMMARY)
    assert found.clips.all.auc == 0.1235
    assert found.val is None
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert list(written) == ["format", "test", "clips"]
    assert "fake_called" not in written["test"]["all"]


def test_counts_of_faces_that_are_alike_are_read_as_they_were_written_and_may_be_absent(tmp_path):
    cells = (
        Cell(conditions=Conditions(face="small"), real_called=AnswerCounts(3, 2, 1)),
        Cell(conditions=Conditions(), fake_called=AnswerCounts(fake=7)),
    )
    write_metrics(tmp_path, Metrics(test=Measured(all=SUMMARY, cells=cells), clips=Measured(all=SUMMARY)))
    found = read_metrics(tmp_path)
    assert found.test.cells == cells
    assert found.clips.cells == ()
    assert AnswerCounts(3, 2, 1) + AnswerCounts(1, 1, 1) == AnswerCounts(4, 3, 2)
    assert AnswerCounts(3, 2, 1).total == 6


def test_a_bundle_without_metrics_was_not_measured(tmp_path):
    assert read_metrics(tmp_path) == Metrics()
    with pytest.raises(BundleError, match="must say how the network was trained. Export it again"):
        read_training_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "cannot be read"),
        ("[]", "must hold an object. Received: list"),
        ('{"format": 3}', "Its format must be 2. Received: 3"),
        ('{"format": 2, "audit": {}}', "Unknown key audit"),
        ('{"format": 2, "test": {"all": {"count": {"real": 1}}}}', "The key test.all.count.fake is missing"),
        ('{"format": 2, "test": {"all": {"count": {"real": 1, "fake": 1}, "acu": 1}}}', "Unknown key test.all.acu"),
        ('{"format": 2, "test": {"all": {"count": {"real": 1, "fake": 1}, "auc": NaN}}}', "`test.all.auc`: expected"),
        ('{"format": 2, "test": {"all": {"count": {"real": 1, "fake": 1}, "auc": 1.5}}}', "`test.all.auc`: expected"),
        (CELL % '{"face": "tiny"}', "cells.0.conditions.face`: Invalid enum value 'tiny'"),
        (CELL % '{"sharpness": "soft"}', "Unknown key test.cells.0.conditions.sharpness"),
        ('{"robustness": {"corruptions": {}}}', "robustness is not whole"),
    ],
)
def test_what_is_not_known_is_an_error_and_not_a_missing_number(tmp_path, text, message):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(BundleError, match=message):
        read_metrics(tmp_path)


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="`test.all.auc`: expected `float` <= 1.0. Received: 1.5"):
        write_metrics(tmp_path, Metrics(test=Measured(all=structs.replace(SUMMARY, auc=1.5))))
    assert not (tmp_path / "metrics.json").exists()


def test_metrics_of_the_format_before_are_read(tmp_path):
    level = {"auc": 0.9, "auc_interval": [0.8, 1.0]}
    answers = {name: {"share": 0.25, "interval": [0.125, 0.5]} for name in ("real", "fake", "inconclusive")}
    counts = {"real": 2, "fake": 1}
    attacked = level | {"real_called": answers, "fake_called": answers, "fakes_alone": level, "sources": {}}
    old = {
        "calibration": {
            "temperature": 2.0, "logit_shift": -1.0, "thresholds": {"real_below": 0.25, "fake_above": 0.75},
            "count": 3, "ece_before": 0.5, "ece_after": 0.25,
        },
        "robustness": {
            "split": "test", "sources": ["made"], "count": counts,
            "corruptions": {"blur": {"level_means": "pixels", "levels": [
                {"level": None, "flip_rate": 0.0, **level}, {"level": 2, "flip_rate": 0.5, **level},
            ]}},
        },
        "attack": {
            "split": "test", "seed": 0, "steps": 2, "count": counts, "sources": {"made": counts}, "left_out": [],
            "clean": attacked, "attacks": {"pgd": [{"eps": 2.0, **attacked}]},
        },
        "audit": {"split": "test", "count": counts, "traits": {}},
        "rounds": {"rounds": [
            {"name": "1", "changed": "a", "expected": "b", "said": "c", "val": {}, "clips": {"all": {"count": counts, **level}}},
        ]},
    }  # fmt: skip
    (tmp_path / "metrics.json").write_text(json.dumps(old))
    found = read_metrics(tmp_path)
    assert found.calibration == FaceCalibration(
        temperature=2.0, shift=-1.0, thresholds=Thresholds(0.25, 0.75), count=3,
        false_alarms=0.05, misses=0.05, ece_before=0.5, ece_after=0.25,
    )  # fmt: skip
    ranking = Ranking(auc=0.9, auc_interval=(0.8, 1.0))
    blur = Corruption("pixels", (CorruptionLevel(level=2, auc=0.9, auc_interval=(0.8, 1.0), flip_rate=0.5),))
    assert found.robustness == Robustness(
        split="test", sources=("made",), count=Counts(2, 1), clean=ranking, corruptions={"blur": blur}
    )
    assert (found.adversarial.attacks["pgd"][0].eps, found.adversarial.clean.real_called) == (2.0, ANSWERS)
    assert found.fairness.count == Counts(2, 1)
    assert [own.clips["all"].auc for own in found.rounds] == [0.9]
    assert write_metrics(tmp_path, found) == found
    assert read_metrics(tmp_path) == found
    assert json.loads((tmp_path / "metrics.json").read_text())["format"] == 2


def test_the_shipped_model_says_how_it_came_about_and_how_good_it_is():
    found = read_metrics(DEFAULT_MODEL)
    assert all(getattr(found, section) is not None for section in ("training", "calibration", "export", "test"))
