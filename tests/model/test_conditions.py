"""What a face and its file are like: the same bins for the same measures, wherever they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deepfake.model.conditions import BINS, Conditions, conditions_of, conditions_of_verdict
from deepfake.records import Source

EDGES: dict[str, tuple[str, tuple[Any, Any]]] = {
    "face_px": ("face", (80.0, 160.0)),
    "blur": ("blur", (0.55, 0.75)),
    "jpeg_quality": ("compression", (60, 85)),
    "bits_per_s_and_pixel": ("compression", (1.0, 3.0)),
}


@pytest.mark.parametrize("measure", EDGES)
def test_an_edge_belongs_to_the_bin_above_it(measure):
    condition, edges = EDGES[measure]
    lowest, middle, highest = BINS[condition]
    for edge, below, above in zip(edges, (lowest, middle), (middle, highest), strict=True):
        assert conditions_of(**{measure: edge - 1e-9}).known == {condition: below}
        assert conditions_of(**{measure: edge}).known == {condition: above}


def test_what_was_not_measured_is_in_no_bin():
    assert conditions_of() == Conditions()
    assert Conditions().known == {}


def test_a_face_lies_in_what_states_less_and_not_in_what_states_more():
    small = Conditions(face="small", blur="soft")
    assert small.lies_in(small)
    assert small.lies_in(Conditions(face="small"))
    assert small.lies_in(Conditions())
    assert not Conditions(face="small").lies_in(small)
    assert not small.lies_in(Conditions(face="large"))


def moved(score, *, track, size, blur):
    """The score of a face of another person, size and blur."""
    face = replace(score.face, track=track, box_xyxy=(0.0, 0.0, size / 2, size))
    return replace(score, face=face, quality=replace(score.quality, blur=blur))


def test_the_middle_of_the_person_who_decided_is_told(detector, examples):
    verdict = detector.detect(examples / "portrait.jpg")
    (score,), (track,) = verdict.scores, verdict.tracks
    own = [moved(score, track=1, size=size, blur=blur) for size, blur in ((20, 0.9), (100, 0.6), (200, 0.1))]
    others = [moved(score, track=0, size=300, blur=0.0)] * 5
    changed = replace(
        verdict,
        scores=(*own, *others),
        tracks=(replace(track, number=1), replace(track, number=0, p_fake=0.0)),
        source=Source(10, 20, bits_per_s=500.0),
    )
    assert conditions_of_verdict(changed) == Conditions(face="medium", blur="soft", compression="medium")
    assert conditions_of_verdict(replace(changed, source=None)) == Conditions(face="medium", blur="soft")
    assert conditions_of_verdict(replace(changed, source=Source(0, 0, bits_per_s=500.0))).compression is None


def test_where_nobody_was_judged_there_is_nothing_to_be_like(detector, examples):
    assert conditions_of_verdict(detector.detect(examples / "no_face.jpg")) is None
