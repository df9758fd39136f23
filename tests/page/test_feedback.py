from __future__ import annotations

import json
import shutil

import pytest

from deepfake.data.datasets.folder import folder
from deepfake.page.feedback import CONSENT, TRUTHS, Feedback
from deepfake.records import Label
from deepfake.report.words import ENGLISH


@pytest.fixture
def verdict(detector, examples, tmp_path):
    path = tmp_path / "sent" / "my photo.JPG"
    path.parent.mkdir()
    shutil.copy(examples / "portrait.jpg", path)
    return detector.detect(path)


def test_what_is_kept_is_a_data_set_that_training_and_measuring_read(verdict, tmp_path):
    feedback = Feedback(tmp_path / "wrong")
    copy = feedback.keep(verdict, Label.FAKE)
    (row,) = folder(tmp_path / "wrong")
    assert row.label == "fake"
    assert copy.read_bytes() == (tmp_path / "sent" / "my photo.JPG").read_bytes()
    answer = json.loads(copy.with_suffix(".json").read_text())
    assert answer["p_fake"] == pytest.approx(verdict.p_fake, abs=1e-4)
    assert answer["path"] == "my photo.JPG"
    assert "photo" not in copy.name


def test_a_file_is_kept_once_by_the_last_truth(verdict, tmp_path):
    feedback = Feedback(tmp_path / "wrong")
    for truth in (Label.FAKE, Label.REAL):
        feedback.keep(verdict, truth)
    assert [row.label for row in folder(tmp_path / "wrong")] == ["real"]


def test_nothing_is_kept_without_consent_or_truth(verdict, tmp_path):
    feedback = Feedback(tmp_path / "wrong")
    for given in (
        (verdict, "fake", []),
        (verdict, None, [CONSENT]),
        (None, "fake", [CONSENT]),
        (verdict, "other", [CONSENT]),
    ):
        assert feedback.told(*given)[0] == ENGLISH("feedback.need")
    assert not (tmp_path / "wrong").exists()
    assert feedback.told(verdict, "fake", [CONSENT]) == (ENGLISH("feedback.saved"), [])
    assert len(list((tmp_path / "wrong" / "fake").iterdir())) == 2


def test_a_file_that_is_gone_is_said_to_be(verdict, tmp_path):
    (tmp_path / "sent" / "my photo.JPG").unlink()
    assert Feedback(tmp_path / "wrong").told(verdict, "fake", [CONSENT]) == (ENGLISH("page.deleted"), [])


def test_only_the_two_truths_are_taken(verdict, tmp_path):
    with pytest.raises(ValueError, match="`truth` must be real or fake. Received: inconclusive"):
        Feedback(tmp_path).keep(verdict, Label.INCONCLUSIVE)
    assert set(TRUTHS) == set(Label) - {Label.INCONCLUSIVE}
