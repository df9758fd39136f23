"""What is true of a stored picture, and the answers about faces that are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from deepfake.data.index import Row
from deepfake.data.loader import read_crop
from deepfake.evaluation.card_sections import conditions_table
from deepfake.evaluation.conditions import Judged, cells_of, conditions_of_row
from deepfake.model.conditions import Conditions
from deepfake.model.measured import AnswerCounts, Cell, Counts, Measured, Summary
from deepfake.model.metrics import Metrics
from deepfake.records import CropSpec, Label

SMALL, LARGE = Conditions(face="small"), Conditions(face="large")
SUMMARY = Summary(count=Counts(1, 1))


@pytest.fixture
def row(tmp_path, rng):
    """The row of a face of 100 by 120 pixels in a noisy picture, which was written with a quality of 40."""
    image = PIL.Image.fromarray(rng.integers(0, 256, (200, 200, 3), np.uint8).astype(np.uint8))
    image.save(tmp_path / "a.jpg", quality=40)
    image.save(tmp_path / "a.png")
    points = "70 80 130 80 100 110 80 135 120 135"
    return Row(str(tmp_path / "a.jpg"), "real", box="50 40 150 160", landmarks=points)


def measured(row):
    return conditions_of_row(row, read_crop(row, CropSpec(size=64)))


def test_the_size_of_a_face_and_the_quality_of_its_file_are_known(row):
    assert measured(row) == Conditions(face="medium", blur="sharp", compression="strong")


def test_of_a_crop_the_size_of_the_face_is_not_known(row):
    assert measured(replace(row, box="", landmarks="")).face is None


def test_how_a_picture_was_compressed_before_it_became_a_png_is_not_known(row):
    assert measured(replace(row, path=row.path.replace(".jpg", ".png"))).compression is None


def test_a_fake_that_is_made_while_it_is_loaded_has_no_file(row):
    crop = read_crop(row, CropSpec(size=64))
    assert conditions_of_row(replace(row, made="blend"), crop).compression is None


def test_a_flat_face_is_blurred(row):
    crop = read_crop(row, CropSpec(size=64))
    assert conditions_of_row(row, replace(crop, image=np.full_like(crop.image, 90))).blur == "blurred"


def test_cells_hold_every_answer_once_in_the_class_that_it_is_about():
    judged = [Judged(f"a{number}", "real", Label.FAKE, SMALL) for number in range(3)]
    judged += [Judged(f"a{number}", "fake", Label.REAL, SMALL) for number in range(2)]
    judged += [Judged("b", "real", Label.INCONCLUSIVE, LARGE)]
    assert cells_of(judged) == (
        Cell(conditions=LARGE, real_called=AnswerCounts(inconclusive=1)),
        Cell(conditions=SMALL, real_called=AnswerCounts(fake=3), fake_called=AnswerCounts(real=2)),
    )


def test_a_clip_counts_once_as_its_middle_frame():
    clip = [Judged("a", "real", answer, like) for answer, like in zip(Label, (SMALL, LARGE, SMALL), strict=True)]
    assert cells_of(clip) == (Cell(conditions=LARGE, real_called=AnswerCounts(fake=1)),)


def test_the_card_lists_what_may_be_quoted_and_nothing_of_too_few():
    cells = (
        Cell(conditions=SMALL, real_called=AnswerCounts(38, 2, 0), fake_called=AnswerCounts(1, 28, 0)),
        Cell(conditions=LARGE, real_called=AnswerCounts(29, 0, 0), fake_called=AnswerCounts(6, 30, 4)),
    )
    table = conditions_table(Metrics(test=Measured(all=SUMMARY, cells=cells)))
    lines = [line for line in table.splitlines() if line.startswith("| face |")]
    assert lines == [
        "| face | face under 80 pixels | 40 | 5.0% (1.4%-16.5%) | 0.0% (0.0%-8.8%) |  |  |  |",
        "| face | face of 160 pixels or more |  |  |  | 40 | 15.0% (7.1%-29.1%) | 10.0% (4.0%-23.1%) |",
    ]
    assert conditions_table(Metrics(test=Measured(all=SUMMARY))) == ""
