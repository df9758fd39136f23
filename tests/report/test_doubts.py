"""What lowers certainty, measured on files that were made worse on purpose."""

from __future__ import annotations

import dataclasses
import re

import cv2
import msgspec
import numpy as np
import PIL.Image
import pytest

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.model.measured import Answers, Counts, Proportion, Ranking
from deepfake.model.metrics import read_metrics
from deepfake.model.stress_tests import Corruption, CorruptionLevel, Robustness
from deepfake.records import Label
from deepfake.report.doubts import doubts
from deepfake.report.error_rates import error_sentences
from deepfake.report.words import ENGLISH


@pytest.fixture
def keys(detector, tmp_path, portrait):
    """The keys of what lowers certainty in the portrait, four times as large, after a change."""
    large = cv2.resize(portrait.image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)

    def found(change=lambda image: image, name="a.png", **options):
        path = tmp_path / name
        PIL.Image.fromarray(change(large if options.pop("enlarge", True) else portrait.image)).save(path, **options)
        verdict = detector.detect(path)
        assert verdict.scores
        return {doubt.key: doubt(ENGLISH) for doubt in doubts(verdict)}

    return found


def test_a_large_clean_portrait_gives_no_doubt_but_its_own_softness(keys):
    assert set(keys()) <= {"blurred"}


def test_a_small_face_is_named_with_its_width(keys):
    assert keys(enlarge=False)["small"].startswith("The face is only 8")


def test_blur_is_seen(keys):
    assert "blurred" in keys(lambda image: cv2.GaussianBlur(image, (0, 0), 8))


def test_black_and_white_is_seen(keys):
    grey = keys(lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
    assert "grey" in grey


def test_darkness_is_seen(keys):
    assert "dark" in keys(lambda image: (image * 0.25).astype(np.uint8))


def test_heavy_compression_is_named_with_its_quality(keys):
    assert "quality about 30" in keys(name="a.jpg", quality=30)["compressed"]
    assert "compressed" not in keys(name="a.jpg", quality=90)


def test_no_face_gives_no_doubt(detector, examples):
    assert doubts(detector.detect(examples / "no_face.jpg")) == []


def test_a_file_is_beside_the_corruption_that_it_is_like(detector, examples, monkeypatch):
    verdict = detector.detect(examples / "portrait.jpg")
    levels = tuple(
        CorruptionLevel(level=level, flip_rate=flips, auc=0.9, auc_interval=(0.8, 1.0))
        for level, flips in ((0.5, 0.24), (0.25, 0.38))
    )
    robustness = Robustness(
        split="test",
        sources=("drawn",),
        count=Counts(1, 1),
        clean=Ranking(auc=0.9, auc_interval=(0.8, 1.0)),
        corruptions={"scale": Corruption("share of the size", levels)},
    )
    measured = msgspec.structs.replace(read_metrics(DEFAULT_MODEL), robustness=robustness)
    monkeypatch.setattr("deepfake.report.error_rates.read_metrics", lambda model: measured)
    first, under = error_sentences(verdict, DEFAULT_MODEL)
    assert "in its test" in first
    # The face is 85 of 224 pixels wide: nearer to a half than to a quarter.
    assert "(shrunk as far), 24 of 100" in under


def test_the_measures_of_another_graph_are_not_its_own(detector, examples):
    verdict = detector.detect(examples / "portrait.jpg")
    other = dataclasses.replace(verdict, model=dataclasses.replace(verdict.model, sha256="0" * 64))
    assert error_sentences(other, DEFAULT_MODEL) == [ENGLISH("errs.not_measured")]


def called(*, fake, inconclusive, of):
    counts = {"real": of - fake - inconclusive, "fake": fake, "inconclusive": inconclusive}
    return Answers(**{name: Proportion(count / of, (0.0, 1.0)) for name, count in counts.items()})


@pytest.mark.parametrize(("label", "told"), [("fake", [19, 0]), ("real", [40, 4, 17]), ("inconclusive", [23, 59])])
def test_of_clips_it_is_said_how_many_were_tested_for_they_are_few(detector, examples, monkeypatch, label, told):
    verdict = dataclasses.replace(detector.detect(examples / "portrait.jpg"), kind="video", label=Label(label))
    metrics = read_metrics(DEFAULT_MODEL)
    clips = msgspec.structs.replace(
        metrics.clips,
        all=msgspec.structs.replace(
            metrics.clips.all,
            count=Counts(19, 40),
            real_called=called(fake=0, inconclusive=6, of=19),
            fake_called=called(fake=19, inconclusive=17, of=40),
        ),
    )
    measured = msgspec.structs.replace(metrics, clips=clips)
    monkeypatch.setattr("deepfake.report.error_rates.read_metrics", lambda model: measured)
    numbers = [int(number) for number in re.findall(r"\d+", error_sentences(verdict, DEFAULT_MODEL)[0])]
    assert numbers == told
