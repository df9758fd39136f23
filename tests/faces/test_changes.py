from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from deepfake.faces.changes import SHIFT_PX, TINT, changed
from deepfake.faces.crops import cut_crop, shown_part
from deepfake.records import Change, CropSpec
from tests.faces.test_crops import face_at, smooth_picture

SPEC = CropSpec(size=96, tta_scales=(1.0, 1.3))


def crops(image, face, change, spec=SPEC):
    return cut_crop(image, face, spec), cut_crop(*changed(image, face, spec, change), spec)


@pytest.mark.parametrize("place", [(200, 200), (60, 340), (390, 20)])
@pytest.mark.parametrize("degrees", [0, 25, -140])
def test_the_crop_of_the_part_is_the_crop_of_the_picture(rng, place, degrees):
    image, face = smooth_picture(rng), face_at(place[0], place[1], 110, math.radians(degrees))
    part, within, _ = shown_part(image, face, SPEC)
    whole, own = cut_crop(image, face, SPEC), cut_crop(part, within, SPEC)
    assert len(whole.wider) == len(own.wider)
    for one, other in zip((whole, *whole.wider), (own, *own.wider), strict=True):
        # One step: OpenCV rounds places to 1/32 pixel.
        assert np.abs(one.image.astype(int) - other.image).max() <= 1


@pytest.mark.parametrize("change", Change)
def test_a_large_picture_costs_no_more_and_stays_as_it_is(rng, change):
    image = rng.integers(0, 256, (1200, 1600, 3), dtype=np.uint8)
    before = image.copy()
    part, _ = changed(image, face_at(800, 600, 100), SPEC, change)
    assert max(part.shape[:2]) < 150
    np.testing.assert_array_equal(image, before)


def test_a_shift_moves_the_crop_by_two_of_its_own_pixels(rng):
    image = rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)
    spec = CropSpec(size=64, scale=1.0, shift=0.0)
    step = int(SHIFT_PX)
    before, after = crops(image, face_at(200, 200, 64), Change.SHIFT, spec)
    np.testing.assert_array_equal(after.image[:-step, :-step], before.image[step:, step:])
    # A face of twice the size moves twice as far, so that the network sees the same.
    large = cv2.resize(image, (800, 800), interpolation=cv2.INTER_NEAREST)
    _, of_large = crops(large, face_at(400, 400, 128), Change.SHIFT, spec)
    np.testing.assert_array_equal(of_large.image, after.image)


def test_a_smaller_picture_shows_the_same_face(rng):
    image = smooth_picture(rng)
    before, after = crops(image, face_at(190, 210, 160, 0.2), Change.SMALLER)
    assert after.side == pytest.approx(0.75 * before.side, abs=1)
    assert np.abs(before.image.astype(int) - after.image).max() <= 8


def test_a_tint_adds_to_red_what_it_takes_from_blue_and_stops_at_the_ends():
    grey = np.full((200, 200, 3), 100, np.uint8)
    for level, wanted in ((100, [108, 100, 92]), (250, [255, 250, 242]), (3, [11, 3, 0])):
        grey[:] = level
        part, _ = changed(grey, face_at(100, 100, 60), SPEC, Change.TINT)
        assert part.reshape(-1, 3).tolist() == [wanted] * (part.size // 3)
    assert sum(TINT) == 0


def test_a_jpeg_keeps_colours_and_loses_the_finest(rng):
    flat = np.full((200, 200, 3), (180, 90, 40), np.uint8)
    before, after = crops(flat, face_at(100, 100, 60), Change.JPEG)
    assert np.abs(before.image.astype(int) - after.image).max() <= 2
    noisy = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    before, after = crops(noisy, face_at(100, 100, 60), Change.JPEG)
    assert 10 < np.abs(before.image.astype(int) - after.image).mean() < 60
