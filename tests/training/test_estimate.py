"""The time that fine-tuning takes grows with what is to be done, and with how slow the machine is."""

from __future__ import annotations

import pytest

from deepfake.model.bundle import load_bundle
from deepfake.training import estimate
from deepfake.training.estimate import fine_tune_s, look_s


@pytest.fixture
def fast(monkeypatch):
    """A machine that looks at a crop in a hundredth of a second."""
    monkeypatch.setattr(estimate, "look_s", lambda bundle: 0.01)


def test_each_part_adds_to_the_time(fast):
    bundle = load_bundle()
    faces = {"train": 100, "val": 30, "test": 30}
    whole = fine_tune_s(bundle, faces, 10)
    for more in ({**faces, "train": 101}, {**faces, "val": 31}, {**faces, "test": 31}):
        assert fine_tune_s(bundle, more, 10) > whole
    an_epoch = fine_tune_s(bundle, faces, 11) - whole
    assert an_epoch == pytest.approx(fine_tune_s(bundle, faces, 12) - whole - an_epoch)
    assert an_epoch == pytest.approx(0.01 * (350 + 7 * 100 + 3 * 30))


def test_a_slower_machine_takes_longer_in_proportion(monkeypatch):
    bundle, faces = load_bundle(), {"train": 10, "val": 5, "test": 5}
    monkeypatch.setattr(estimate, "look_s", lambda bundle: 0.01)
    fast = fine_tune_s(bundle, faces, 1)
    monkeypatch.setattr(estimate, "look_s", lambda bundle: 0.03)
    assert fine_tune_s(bundle, faces, 1) == pytest.approx(3 * fast)


def test_a_look_is_measured():
    assert 0 < look_s(load_bundle()) < 10
