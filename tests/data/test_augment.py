"""What augmentation does to a picture."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from deepfake.data.augment import (
    apply_gamma,
    augment,
    compress,
    compress_video,
    compress_webp,
    moved,
    reduce_colours,
    rescale,
    saturate,
    sharpen,
    shift_channels,
    to_grey,
)
from deepfake.data.config import AugmentConfig
from deepfake.faces.crops import cut_crop, face_of_crop
from deepfake.records import CropSpec

CHANCES = ("halve", "rescale", "sharpen", "blur", "noise", "jpeg", "webp", "h264", "palette", "erase")
COLOURS = ("tint", "hue", "gamma", "grey")
NOTHING = AugmentConfig(rotation_deg=0, min_zoom=1, max_zoom=1, move=0, colour=0, **dict.fromkeys(CHANCES, 0.0))


@pytest.fixture
def picture(portrait):
    return np.ascontiguousarray(portrait.image[20:244, 110:334])


def test_no_degradation_leaves_the_picture_or_its_mirror_image(picture):
    seen = set()
    for seed in range(8):
        found = augment(picture, NOTHING, np.random.default_rng(seed))
        same, mirrored = (found == picture).all(), (found == picture[:, ::-1]).all()
        assert same or mirrored
        seen.add(bool(same))
    assert seen == {True, False}


def test_chance_comes_from_the_generator_alone(picture):
    config = replace(NOTHING, **dict.fromkeys(CHANCES, 1.0))
    one, two, other = (augment(picture, config, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == picture.shape
    assert (one != other).any()


@pytest.mark.parametrize("name", CHANCES)
def test_each_degradation_changes_the_picture_a_little(picture, name):
    found = augment(picture, replace(NOTHING, **{name: 1.0}), np.random.default_rng(0)).astype(int)
    distance = min(np.abs(found - picture).mean(), np.abs(found - picture[:, ::-1]).mean())
    assert 0.3 < distance < 15


def test_bars_lie_at_edges_and_leave_the_rest(picture):
    for seed in range(10):
        found = augment(picture, replace(NOTHING, border=1.0), np.random.default_rng(seed))
        whole = min((picture, picture[:, ::-1]), key=lambda image: (found != image).mean())
        assert (found == whole)[34:-34, 34:-34].all()
        assert (found != whole).any()


def test_a_clean_share_of_the_crops_is_spared(picture):
    config = replace(NOTHING, clean=0.5, **dict.fromkeys(CHANCES[:-1], 1.0))
    found = [augment(picture, config, np.random.default_rng(seed)) for seed in range(30)]
    spared = sum((image == picture).all() or (image == picture[:, ::-1]).all() for image in found)
    assert 8 <= spared <= 22


def test_a_shrunk_crop_is_compressed_while_it_is_small(picture, monkeypatch):
    sides = []

    def compress(image, quality):
        sides.append(len(image))
        return image

    monkeypatch.setattr("deepfake.data.augment.compress", compress)
    for seed in range(10):
        config = replace(NOTHING, rescale=1.0, jpeg=1.0)
        assert augment(picture, config, np.random.default_rng(seed)).shape == picture.shape
    assert 0.34 * 224 < min(sides) < max(sides) < 0.91 * 224


def test_erasing_paints_one_rectangle_of_its_share(picture):
    for seed in range(10):
        found = augment(picture, replace(NOTHING, erase=1.0), np.random.default_rng(seed))
        whole = min((picture, picture[:, ::-1]), key=lambda image: (found != image).mean())
        rows, columns = np.nonzero((found != whole).any(axis=2))
        rectangle = found[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert len(np.unique(rectangle.reshape(-1, 3), axis=0)) <= 30
        assert 0.015 < rectangle.size / picture.size < 0.16


@pytest.mark.parametrize("size", [(224, 224), (63, 97)])
def test_video_compression_keeps_the_shape_and_loses_more_with_a_higher_factor(picture, size):
    picture = np.ascontiguousarray(picture[: size[0], : size[1]])
    errors = []
    for crf in (5, 23, 45):
        found = compress_video(picture, crf)
        assert found.shape == picture.shape
        errors.append(np.abs(found.astype(int) - picture).mean())
    assert errors == sorted(errors)
    assert errors[0] < 5 < 6 < errors[2] < 25


def test_without_move_a_crop_is_cut_where_it_is_served(portrait_face, rng):
    face, spec = moved(portrait_face, CropSpec(), NOTHING, rng, has_surroundings=True)
    assert face.box_xyxy == portrait_face.box_xyxy
    np.testing.assert_allclose(face.landmarks, portrait_face.landmarks, atol=1e-3)
    assert spec == CropSpec()


def test_a_zoomed_crop_keeps_its_centre_and_a_turned_one_its_angle(portrait, portrait_face):
    served = cut_crop(portrait.image, portrait_face, CropSpec())
    middle = served.to_frame @ [0.5, 0.5, 1]
    for seed in range(5):
        zoomed, rng = replace(NOTHING, min_zoom=0.6, max_zoom=1.6), np.random.default_rng(seed)
        face, spec = moved(portrait_face, CropSpec(), zoomed, rng, has_surroundings=True)
        crop = cut_crop(portrait.image, face, spec)
        np.testing.assert_allclose(crop.to_frame @ [0.5, 0.5, 1], middle, atol=0.01)
        assert 0.6 <= crop.side / served.side <= 1.6
    angles = []
    for seed in range(40):
        turned, rng = replace(NOTHING, rotation_deg=15), np.random.default_rng(seed)
        face, spec = moved(portrait_face, CropSpec(), turned, rng, has_surroundings=True)
        axis = cut_crop(portrait.image, face, spec).to_frame[:, 0]
        angles.append(np.degrees(np.arctan2(*axis[::-1]) - np.arctan2(*served.to_frame[::-1, 0])))
    assert 8 < np.abs(angles).max() <= 15.01
    assert min(np.abs(angles)) < 0.01


def test_a_crop_without_surroundings_stays_within_itself():
    whole = face_of_crop(224, CropSpec())
    config = replace(NOTHING, min_zoom=0.5, max_zoom=2, move=0.4)
    sides = []
    for seed in range(30):
        face, spec = moved(whole, CropSpec(), config, np.random.default_rng(seed), has_surroundings=False)
        corners = cut_crop(np.zeros((224, 224, 3), np.uint8), face, spec).to_frame @ [[0, 1], [0, 1], [1, 1]]
        assert corners.min() > -0.01
        assert corners.max() < 224.01
        sides.append(corners[0, 1] - corners[0, 0])
    assert min(sides) < 150
    assert max(sides) == pytest.approx(224)


def test_a_crop_is_the_crop_of_its_own_face(picture):
    for spec in (CropSpec(), CropSpec(scale=1.3, shift=0.02)):
        np.testing.assert_array_equal(cut_crop(picture, face_of_crop(224, spec), spec).image, picture)


def test_colour_jitter_stays_in_its_range(picture):
    config = replace(NOTHING, colour=0.15)
    means = [augment(picture, config, np.random.default_rng(seed)).mean() for seed in range(20)]
    assert max(means) / picture.mean() < 1.2
    assert min(means) / picture.mean() > 0.8
    assert np.ptp(means) > 5


def test_scaling_and_compression_keep_the_shape_and_lose_detail(picture, rng):
    def sharpness(image):
        return np.abs(np.diff(image.astype(int), axis=0)).mean()

    assert rescale(picture, 0.4, rng).shape == picture.shape
    assert sharpness(rescale(picture, 0.4, rng)) < sharpness(picture)
    errors = [np.abs(compress(picture, quality).astype(int) - picture).mean() for quality in (95, 50, 10)]
    assert errors == sorted(errors)


def test_wrong_probabilities_are_refused():
    with pytest.raises(ValueError, match="`jpeg`: expected `float` <= 1.0. Received: 1.5"):
        AugmentConfig(jpeg=1.5)
    with pytest.raises(ValueError, match="`min_zoom`: expected `float` > 0.0. Received: 0"):
        AugmentConfig(min_zoom=0)
    with pytest.raises(ValueError, match="0 < min_zoom <= max_zoom. Received: 2.0, 1.0"):
        AugmentConfig(min_zoom=2)


@pytest.mark.parametrize("name", COLOURS)
def test_each_change_of_colour_is_one_map_of_colours_whatever_the_place(picture, name):
    found = augment(picture, replace(NOTHING, **{name: 1.0}), np.random.default_rng(3))
    whole = min((picture, picture[:, ::-1]), key=lambda image: np.abs(found.astype(int) - image).mean())
    assert (found != whole).any()
    colours, places = np.unique(whole.reshape(-1, 3), axis=0, return_inverse=True)
    changed = found.reshape(-1, 3)
    for number in np.random.default_rng(0).integers(len(colours), size=50):
        assert len(np.unique(changed[places.ravel() == number], axis=0)) == 1


def test_grey_has_no_colour_and_a_tint_of_nothing_is_the_picture(picture):
    assert np.ptp(to_grey(picture), axis=2).max() == 0
    np.testing.assert_array_equal(shift_channels(picture, np.zeros(3)), picture)
    np.testing.assert_array_equal(apply_gamma(picture, 1.0), picture)
    np.testing.assert_array_equal(saturate(picture, 1.0), picture)
    assert np.abs(saturate(picture, 0.0).astype(int) - picture.mean(axis=2, keepdims=True)).max() <= 1
    np.testing.assert_allclose((shift_channels(picture, np.full(3, 7)).astype(int) - picture)[picture < 240], 7)


def test_sharpening_adds_contrast_at_edges_and_leaves_a_flat_picture(picture):
    assert (sharpen(np.full((9, 9, 3), 80, np.uint8), 1.0) == 80).all()
    edges = [np.abs(np.diff(image.astype(int), axis=0)).mean() for image in (picture, sharpen(picture, 1.0))]
    assert edges[0] < edges[1]


def test_fewer_colours_are_further_from_the_picture_and_dithering_keeps_its_tones(picture):
    reduced = [reduce_colours(picture, colours, dithered=False).astype(int) for colours in (256, 64, 8)]
    errors = [np.abs(image - picture).mean() for image in reduced]
    assert errors == sorted(errors)
    assert len(np.unique(reduced[1].reshape(-1, 3), axis=0)) <= 64
    ramp = np.repeat(np.linspace(0, 255, 128).astype(np.uint8)[None, :, None], 128, axis=0).repeat(3, axis=2)
    bands, dots = (reduce_colours(ramp, 4, dithered=dithered) for dithered in (False, True))
    assert len(np.unique(bands)) == len(np.unique(dots)) == 4
    middle = np.s_[:, 40:88]
    off = [np.abs(image[middle].mean(axis=0) - ramp[middle].mean(axis=0)).mean() for image in (bands, dots)]
    assert off[1] < off[0] / 2


def test_a_lossier_webp_is_further_from_the_picture(picture):
    errors = [np.abs(compress_webp(picture, quality).astype(int) - picture).mean() for quality in (95, 50, 5)]
    assert errors == sorted(errors)
