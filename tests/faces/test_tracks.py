from __future__ import annotations

import numpy as np
import pytest

from deepfake.faces.tracks import Tracker, affinity, box_overlap, colour_histogram, is_cut
from deepfake.records import Face

GREY = np.full((90, 160, 3), 128, np.uint8)


def face(x, y, size=40.0):
    return Face((x, y, x + size, y + size), np.zeros((5, 2), np.float32), 1.0)


def numbers(tracker, *faces, image=GREY):
    return [found.track for found in tracker.follow(image, faces)]


def test_two_people_who_move_keep_their_numbers_in_any_order():
    tracker = Tracker()
    assert numbers(tracker, face(0, 0), face(100, 0)) == [0, 1]
    assert numbers(tracker, face(90, 5), face(10, 5)) == [1, 0]
    assert numbers(tracker, face(20, 10), face(80, 10)) == [0, 1]


def test_a_face_that_is_missed_for_a_while_is_the_same_person():
    tracker = Tracker()
    assert numbers(tracker, face(0, 0)) == [0]
    assert numbers(tracker) == []
    assert numbers(tracker) == []
    assert numbers(tracker, face(5, 0)) == [0]


def test_a_face_that_is_missed_for_long_is_a_new_person():
    tracker = Tracker()
    numbers(tracker, face(0, 0))
    for _ in range(4):
        numbers(tracker)
    assert numbers(tracker, face(0, 0)) == [1]


def test_a_face_elsewhere_or_of_another_size_is_another_person():
    tracker = Tracker()
    numbers(tracker, face(0, 0))
    assert numbers(tracker, face(200, 200)) == [1]
    tracker = Tracker()
    numbers(tracker, face(0, 0, 40))
    assert numbers(tracker, face(0, 0, 100)) == [1]


def test_a_cut_ends_every_track():
    tracker = Tracker()
    numbers(tracker, face(0, 0))
    other = GREY.copy()
    other[:, :80], other[:, 80:] = (250, 10, 10), (10, 10, 250)
    assert numbers(tracker, face(0, 0), image=other) == [1]


def test_a_change_of_light_is_no_cut(portrait):
    brighter = np.clip(portrait.image.astype(int) + 12, 0, 255).astype(np.uint8)
    moved = np.roll(portrait.image, 40, axis=1)
    before = colour_histogram(portrait.image)
    assert not is_cut(before, colour_histogram(brighter))
    assert not is_cut(before, colour_histogram(moved))
    assert is_cut(before, colour_histogram(255 - portrait.image))


def test_affinity_is_symmetric_and_prefers_overlap():
    assert affinity(face(0, 0), face(10, 0)) == affinity(face(10, 0), face(0, 0)) > 1
    assert 0 < affinity(face(0, 0), face(45, 0)) < 1
    assert affinity(face(0, 0), face(80, 0)) == 0


def test_overlap_is_that_of_counted_pixels(rng):
    for _ in range(20):
        a, b = (np.sort(rng.integers(0, 30, (2, 2)), axis=0) for _ in range(2))
        grid = np.zeros((2, 30, 30), bool)
        for layer, (low, high) in enumerate((a, b)):
            grid[layer, low[1] : high[1], low[0] : high[0]] = True
        union = (grid[0] | grid[1]).sum()
        if union:
            expected = (grid[0] & grid[1]).sum() / union
            assert box_overlap(tuple(a.ravel()), tuple(b.ravel())) == pytest.approx(expected)
