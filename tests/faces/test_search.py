from __future__ import annotations

import weakref
from fractions import Fraction

import numpy as np
import pytest

from deepfake.faces.search import BATCH, HELD_PIXELS, find_faces
from deepfake.records import Face, Frame


class Held:
    """Counts the pixels of its frames that are in memory, and the most that ever were."""

    def __init__(self):
        self.now = self.most = 0

    def frames(self, number, side):
        for index in range(number):
            yield Frame(self.image(side), index, Fraction(index))

    def image(self, side):
        image = np.empty((side, side, 3), np.uint8)
        self.now += side * side
        self.most = max(self.most, self.now)
        weakref.finalize(image, self.free, side * side)
        return image

    def free(self, pixels):
        self.now -= pixels


def find(batch):
    return [[Face((0.0, 0.0, 9.0, 9.0), np.zeros((5, 2), np.float32), 1.0, frame.index)] for frame in batch]


@pytest.mark.parametrize("number", [0, 1, BATCH, 20])
def test_each_frame_comes_back_in_order_with_its_own_faces(number):
    found = [(frame.index, face.frame_index) for frame, (face,) in find_faces(Held().frames(number, 10), find)]
    assert found == [(index, index) for index in range(number)]


@pytest.mark.parametrize(("side", "most"), [(100, BATCH), (2000, 7), (4000, 2), (7000, 1)])
def test_large_frames_are_searched_a_few_at_a_time(side, most):
    batches = []

    def counted(batch):
        batches.append(len(batch))
        return find(batch)

    assert len(list(find_faces(Held().frames(16, side), counted))) == 16
    assert max(batches) == most


@pytest.mark.parametrize("side", [1000, 4000, 7000])
def test_no_more_pixels_are_held_than_a_batch_and_what_the_caller_keeps(side):
    held = Held()
    for _, faces in find_faces(held.frames(16, side), find):
        assert faces
    assert held.most <= HELD_PIXELS + 2 * side * side
    assert held.now <= side * side
