from __future__ import annotations

import numpy as np
import pytest

from deepfake.faces.crops import cut_crop, face_of_crop
from deepfake.records import CropSpec, Score
from deepfake.report.regions import Region, masks_of, region_of

SPEC = CropSpec(scale=1.3, shift=0.0)


def score_of(evidence):
    """A score of a face that looks straight ahead."""
    face = face_of_crop(224, SPEC)
    crop = cut_crop(np.zeros((224, 224, 3), np.uint8), face, SPEC)
    return Score(face, 0.9, (1, 1), 1.0, 0.0, np.asarray(evidence, np.float32), crop.to_frame)


@pytest.mark.parametrize("region", [Region.EYES, Region.NOSE, Region.MOUTH, Region.OUTLINE])
def test_evidence_in_one_part_names_that_part(region):
    mask = masks_of(score_of(np.zeros((28, 28))))[region]
    assert 0 < mask.mean() < 0.5
    assert region_of([score_of(np.where(mask, 5.0, 0.1))]) is region


def test_even_evidence_lies_all_over_the_face():
    assert region_of([score_of(np.full((14, 14), 3.0))]) is Region.WHOLE


def test_evidence_for_real_names_no_part():
    mask = masks_of(score_of(np.zeros((14, 14))))[Region.MOUTH]
    assert region_of([score_of(np.where(mask, -5.0, -0.1))]) is Region.WHOLE


def test_eyes_lie_above_the_mouth():
    masks = masks_of(score_of(np.zeros((28, 28))))
    rows = {region: np.argwhere(mask)[:, 0].mean() for region, mask in masks.items()}
    assert rows[Region.EYES] < rows[Region.NOSE] < rows[Region.MOUTH]
