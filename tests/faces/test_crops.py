from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from deepfake.faces.crops import cut_crop, roll, sample_square
from deepfake.records import CropSpec, Face


def smooth_picture(rng, side=400):
    coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return cv2.GaussianBlur(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), (0, 0), 4)


def face_at(x, y, size, angle=0.0):
    """A face with level eyes, then turned about its box's centre."""
    marks = np.array([[-0.2, -0.15], [0.2, -0.15], [0, 0.05], [-0.15, 0.25], [0.15, 0.25]]) * size
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return Face(
        (x - size / 2, y - size / 2, x + size / 2, y + size / 2), (marks @ turn.T + (x, y)).astype(np.float32), 1.0
    )


@pytest.mark.parametrize("degrees", [-170, -60, -15, 8, 30, 90])
def test_the_crop_of_a_turned_picture_is_the_crop_of_the_picture(rng, degrees):
    image, spec = smooth_picture(rng), CropSpec(size=96)
    plain = cut_crop(image, face_at(210, 195, 120), spec)
    # OpenCV turns anticlockwise as seen, which is a negative angle where y points down; about (200, 200) in corners.
    matrix = cv2.getRotationMatrix2D((199.5, 199.5), -degrees, 1.0)
    turned = cv2.warpAffine(image, matrix, (400, 400), flags=cv2.INTER_CUBIC)
    angle = math.radians(degrees)
    x = 200 + 10 * math.cos(angle) + 5 * math.sin(angle)
    y = 200 + 10 * math.sin(angle) - 5 * math.cos(angle)
    again = cut_crop(turned, face_at(x, y, 120, angle), spec)
    assert np.abs(plain.image.astype(int) - again.image).max() <= 4


def test_the_crop_of_a_larger_picture_is_the_crop_of_the_picture(rng):
    image, spec = smooth_picture(rng), CropSpec(size=64)
    large = cv2.resize(image, (1600, 1600), interpolation=cv2.INTER_CUBIC)
    plain = cut_crop(image, face_at(200, 200, 160), spec)
    again = cut_crop(large, face_at(800, 800, 640), spec)
    assert np.abs(plain.image.astype(int) - again.image).max() <= 4


def test_an_upright_crop_of_its_own_size_is_the_pixels_themselves(rng):
    image = rng.integers(0, 256, (120, 120, 3), dtype=np.uint8)
    crop = cut_crop(image, face_at(60, 60, 64), CropSpec(size=64, scale=1.0, shift=0.0))
    np.testing.assert_array_equal(crop.image, image[28:92, 28:92])
    assert crop.side == 64


def test_shrinking_takes_the_mean_of_the_area(rng):
    image = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    crop = cut_crop(image, face_at(64, 64, 128), CropSpec(size=32, scale=1.0, shift=0.0))
    means = image.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(crop.image - means).max() <= 1


def test_the_geometry_is_the_bundles():
    spec = CropSpec(size=100, scale=0.5, shift=0.1)
    crop = cut_crop(np.zeros((400, 400, 3), np.uint8), face_at(200, 180, 200), spec)
    corners = crop.to_frame @ np.array([[0, 0, 1], [1, 1, 1], [0.5, 0.5, 1]]).T
    np.testing.assert_allclose(corners.T, [[150, 140], [250, 240], [200, 190]], atol=1e-3)


def test_beyond_the_edge_the_edge_is_repeated():
    image = np.full((50, 50, 3), 77, np.uint8)
    assert (cut_crop(image, face_at(0, 0, 60), CropSpec(size=32)).image == 77).all()


def test_a_profile_is_levelled_by_its_mouth():
    face = face_at(100, 100, 80, math.radians(20))
    marks = face.landmarks.copy()
    marks[1] = marks[0]
    profile = Face(
        face.box_xyxy, marks + (face.landmarks[:2].mean(axis=0) - marks[0]) * np.array([[1], [1], [0], [0], [0]]), 1.0
    )
    assert roll(profile) == pytest.approx(math.radians(20), abs=1e-4)
    assert roll(face) == pytest.approx(math.radians(20), abs=1e-4)


def test_a_square_is_sampled_where_it_lies(rng):
    image = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        sample_square(image, np.array([[10, 0, 5], [0, 10, 7]], np.float32), 10), image[7:17, 5:15]
    )


def test_a_wider_view_is_the_crop_of_a_wider_geometry(rng):
    image, face = smooth_picture(rng), face_at(200, 190, 120, math.radians(10))
    crop = cut_crop(image, face, CropSpec(size=64, scale=1.0, tta_scales=(1.0, 1.5)))
    alone = cut_crop(image, face, CropSpec(size=64, scale=1.5))
    (wide,) = crop.wider
    assert (wide.side, wide.to_frame.tolist()) == (alone.side, alone.to_frame.tolist())
    np.testing.assert_array_equal(wide.image, alone.image)


@pytest.mark.parametrize(("x", "inside"), [(200, True), (330, True), (370, False)])
def test_a_wider_view_is_left_out_where_too_much_of_it_lies_beyond_the_picture(x, inside):
    spec = CropSpec(size=32, scale=1.0, shift=0.0, tta_scales=(1.0, 1.5))
    crop = cut_crop(np.zeros((400, 400, 3), np.uint8), face_at(x, 200, 120), spec)
    # 20% of the wide square lie beyond the edge where its centre is 54 pixels from it.
    assert bool(crop.wider) is inside


@pytest.mark.parametrize("tta_scales", [(), (1.3,), (1.0, 1.0), (1.0, 0.8)])
def test_views_begin_with_the_crop_and_grow(tta_scales):
    with pytest.raises(
        ValueError, match="`tta_scales`.*(must be 1, then growing|length >= 1)|`tta_scales.1`: expected `float` >= 1"
    ):
        CropSpec(tta_scales=tta_scales)
