from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from deepfake.records import Face, Score
from deepfake.report.drawing import FAKE_COLOUR, REAL_COLOUR
from deepfake.report.heatmap import heat_map, overlay_crop, overlay_frame, span_of, span_of_all, timeline

GREY = np.full((64, 64, 3), 128, np.uint8)


def score(evidence, to_frame):
    face = Face((0, 0, 9, 9), np.zeros((5, 2), np.float32), 1.0, 0, 0)
    return Score(face, 0.5, (1, 1), 0.0, 0.0, np.asarray(evidence, np.float32), np.asarray(to_frame, np.float32))


def test_no_evidence_changes_no_pixel():
    np.testing.assert_array_equal(overlay_crop(GREY, np.zeros((7, 7), np.float32)), GREY)
    np.testing.assert_array_equal(overlay_frame(GREY, []), GREY)


def test_full_evidence_at_full_opacity_is_the_plain_colour():
    full = np.full((7, 7), 4.0, np.float32)
    assert (overlay_crop(GREY, full, 1.0) == FAKE_COLOUR).all()
    assert (overlay_crop(GREY, -full, 1.0) == REAL_COLOUR).all()


def test_heat_keeps_the_sign_and_the_place():
    evidence = np.zeros((7, 7), np.float32)
    evidence[1, 5] = 4.0
    fine = heat_map(evidence, 70)
    assert np.unravel_index(fine.argmax(), fine.shape)[0] // 10 == 1
    assert np.unravel_index(fine.argmax(), fine.shape)[1] // 10 == 5
    np.testing.assert_allclose(heat_map(-evidence, 70), -fine, atol=1e-6)


def test_a_map_that_speaks_for_fake_everywhere_shows_where_it_does_most():
    evidence = np.full((7, 7), 3.0, np.float32)
    evidence[2, 2] = 9.0
    fine = heat_map(evidence, 70)
    assert fine.max() == pytest.approx(1, abs=0.02)
    assert np.abs(fine[40:, 40:]).max() < 0.05
    np.testing.assert_allclose(heat_map(10 * evidence, 70), fine, atol=1e-5)


def test_maps_on_one_scale_can_be_compared():
    weak, strong = (score(np.full((7, 7), value), [[40, 0, 0], [0, 40, 0]]) for value in (1.0, -4.0))
    span = span_of_all([weak, strong])
    assert span == (0.0, 4.0)
    np.testing.assert_allclose(heat_map(weak.evidence, 28, span), 0.25, atol=1e-6)
    np.testing.assert_allclose(heat_map(strong.evidence, 28, span), -1.0, atol=1e-6)
    assert span_of(weak.evidence) == (1.0, 1.0)


def test_a_line_bounds_the_stronger_half():
    evidence = np.zeros((7, 7), np.float32)
    evidence[3, 3] = 4.0
    black = np.zeros((70, 70, 3), np.uint8)
    heat = heat_map(evidence, 70)
    white = (overlay_crop(black, evidence, 0.0) > 128).all(axis=2)
    assert white.any()
    assert heat[white].min() > 0.3
    assert heat[white].max() < 0.75


def test_heat_lies_on_the_frame_where_the_face_was_cut():
    full = np.full((7, 7), 4.0, np.float32)
    painted = overlay_frame(np.full((100, 200, 3), 128, np.uint8), [score(full, [[40, 0, 120], [0, 40, 30]])], 1.0)
    changed = np.argwhere((painted != 128).any(axis=2))
    assert changed.min(axis=0).tolist() == pytest.approx([30, 120], abs=1)
    assert changed.max(axis=0).tolist() == pytest.approx([69, 159], abs=1)
    assert painted[50, 140].tolist() == list(FAKE_COLOUR)


def test_heat_beyond_the_frame_paints_nothing():
    full = np.full((7, 7), 4.0, np.float32)
    for corner in ((-90, 10), (10, -90), (300, 10), (10, 300)):
        beyond = score(full, [[40, 0, corner[0]], [0, 40, corner[1]]])
        np.testing.assert_array_equal(overlay_frame(GREY, [beyond], 1.0), GREY)


def test_opacity_is_a_share():
    with pytest.raises(ValueError, match="`opacity` is a share in \\[0, 1\\]. Received: 2"):
        overlay_crop(GREY, np.zeros((7, 7), np.float32), 2)


def test_the_timeline_is_a_picture_and_needs_a_face(detector, examples):
    verdict = detector.detect(examples / "half_fake.mp4")
    picture = PIL.Image.open(io.BytesIO(timeline(verdict, 600, 300)))
    assert picture.size == (600, 300)
    assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
    with pytest.raises(ValueError, match="at least one scored face"):
        timeline(detector.detect(examples / "no_face.jpg"))
