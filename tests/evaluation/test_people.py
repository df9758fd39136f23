"""People over the time of clips: who calibrates, and who is judged by what."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from msgspec import structs

from deepfake.data.index import Row, write_index
from deepfake.errors import DatasetError
from deepfake.evaluation import people
from deepfake.evaluation.evaluate import evaluate_clips
from deepfake.evaluation.people import calibrations_by_fold, clip_key, fit_over_time, person_sample
from deepfake.model.bundle import DEFAULT_MODEL, load_bundle
from deepfake.model.lineage import TrackSample
from deepfake.model.metrics import read_metrics
from deepfake.records import Sampling
from deepfake.training.calibrate_tracks import calibrate_tracks


@pytest.fixture
def samples(rng):
    found = []
    for number in range(40):
        fake = number % 2
        identity = f"{number}_{number + 1}" if fake else str(number)
        found.append(TrackSample(f"c/{number}", ("real", "fake")[fake], "x", identity, float(rng.normal(3 * fake, 1))))
    # Each fake shows the person of the real before it, and gives its face to the one after it: chains of people.
    return [one for number, one in enumerate(found) if number % 10 not in (8, 9)]


def test_no_clip_is_judged_by_a_calibration_that_has_seen_its_people(samples, monkeypatch):
    seen = []
    monkeypatch.setattr(people, "fit_over_time", lambda own: seen.append({one.logit for one in own}))
    found = calibrations_by_fold(samples)
    assert set(found) == {("x", one.clip) for one in samples}
    assert len(seen) == people.FOLDS
    for fitted in seen:
        kept = {person for one in samples if one.logit in fitted for person in one.identity.split("_")}
        judged = {person for one in samples if one.logit not in fitted for person in one.identity.split("_")}
        assert not kept & judged


def test_no_more_reals_have_a_part_that_is_called_fake_than_may(samples, rng):
    samples = [structs.replace(one, peak=one.logit + float(rng.uniform(0, 3))) for one in samples]
    fitted = fit_over_time(samples)
    peaks = [one.peak for one in samples if one.label == "real"]
    assert max(map(fitted.part.p_fake, peaks)) < fitted.part.thresholds.fake_above
    assert fitted.part.thresholds.fake_above >= fitted.track.thresholds.fake_above
    assert (fitted.part.temperature, fitted.part.shift) == (fitted.track.temperature, fitted.track.shift)
    assert fit_over_time([structs.replace(one, peak=None) for one in samples]).part is None


def test_a_clip_has_the_same_name_on_any_machine():
    assert clip_key(Row("/data/clips/Deepfakes/033_097.mp4", "fake")) == "Deepfakes/033_097"


def test_the_person_who_decides_is_known_before_the_calibration_over_time(detector, examples):
    calibration = detector.bundle.calibration.track
    verdict = detector.detect(examples / "half_fake.mp4", Sampling(frames=8))
    sample = person_sample(verdict, Row("a/b.mp4", "fake", "x", identity="1"), calibration, 3)
    assert calibration.p_fake(sample.logit) == pytest.approx(verdict.tracks[0].p_fake)
    assert sample.peak > sample.logit
    assert person_sample(detector.detect(examples / "no_face.jpg"), Row("a/b.jpg", "real"), calibration, 1) is None


def test_clips_calibrate_the_answer_over_time_and_are_then_measured_blind(root, tmp_path, monkeypatch):
    model = shutil.copytree(DEFAULT_MODEL, tmp_path / "model")
    folder = tmp_path / "clips"
    rows = []
    for number in range(12):
        fake = number % 2
        name = ("portrait.jpg", "self_blend.jpg")[fake]
        path = folder / ("real", "fake")[fake] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "examples" / name, path)
        rows.append(Row(str(path), ("real", "fake")[fake], "made", "", f"p{number}", "blend" * fake))
    write_index(tmp_path / "clips.csv", rows)
    write_index(tmp_path / "few.csv", rows[:4])
    write_index(tmp_path / "none.csv", [])
    with pytest.raises(DatasetError, match="At least 5 real and 5 fake clips are needed. Found 2 and 2"):
        calibrate_tracks(model, tmp_path / "few.csv", [tmp_path / "none.csv"])
    before = load_bundle(model)
    found = calibrate_tracks(model, tmp_path / "clips.csv", [tmp_path / "none.csv"])
    after = load_bundle(model)
    assert after.calibration == found
    assert after.calibration.face == before.calibration.face
    assert after.calibration.track != before.calibration.track
    assert len(read_metrics(model).track_calibration.samples) == 12
    measured = evaluate_clips(model, tmp_path / "clips.csv").measures
    assert measured.by_folds == 12
    assert measured.levels["clip"].auc == 1.0
    assert np.isfinite(found.track.shift)
