"""degrade and selfblend."""

from __future__ import annotations

import numpy as np
import pytest

from deepfake.training.config import DegradeConfig
from deepfake.training.degrade import compress, degrade, fit_to, rescale
from deepfake.training.selfblend import blend, face_mask, self_blend

NOTHING = DegradeConfig(rotation_deg=0, min_scale=1, colour=0, rescale=0, blur=0, noise=0, jpeg=0)


@pytest.fixture
def picture(portrait):
    return np.ascontiguousarray(portrait.image[20:244, 110:334])


def test_no_degradation_leaves_the_picture_or_its_mirror_image(picture):
    seen = set()
    for seed in range(8):
        found = degrade(picture, 224, NOTHING, np.random.default_rng(seed))
        same, mirrored = (found == picture).all(), (found == picture[:, ::-1]).all()
        assert same or mirrored
        seen.add(bool(same))
    assert seen == {True, False}


def test_chance_comes_from_the_generator_alone(picture):
    config = DegradeConfig(rescale=1, blur=1, noise=1, jpeg=1)
    one, two, other = (degrade(picture, 160, config, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (160, 160, 3)
    assert (one != other).any()


@pytest.mark.parametrize("name", ["rescale", "blur", "noise", "jpeg"])
def test_each_degradation_changes_the_picture_a_little(picture, name):
    chance = dict.fromkeys(("rescale", "blur", "noise", "jpeg"), 0.0) | {name: 1.0}
    config = DegradeConfig(rotation_deg=0, min_scale=1, colour=0, **chance)
    found = degrade(picture, 224, config, np.random.default_rng(0)).astype(int)
    distance = min(np.abs(found - picture).mean(), np.abs(found - picture[:, ::-1]).mean())
    assert 0.3 < distance < 15


def test_colour_jitter_stays_in_its_range(picture):
    config = DegradeConfig(rotation_deg=0, min_scale=1, colour=0.15, rescale=0, blur=0, noise=0, jpeg=0)
    means = [degrade(picture, 224, config, np.random.default_rng(seed)).mean() for seed in range(20)]
    assert max(means) / picture.mean() < 1.2
    assert min(means) / picture.mean() > 0.8
    assert np.ptp(means) > 5


def test_a_crop_of_the_right_size_is_not_touched(picture):
    assert fit_to(picture, 224) is picture
    small = fit_to(picture, 112)
    means = picture.reshape(112, 2, 112, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 1


def test_scaling_and_compression_keep_the_shape_and_lose_detail(picture, rng):
    def sharpness(image):
        return np.abs(np.diff(image.astype(int), axis=0)).mean()

    assert rescale(picture, 0.4, rng).shape == picture.shape
    assert sharpness(rescale(picture, 0.4, rng)) < sharpness(picture)
    errors = [np.abs(compress(picture, quality).astype(int) - picture).mean() for quality in (95, 50, 10)]
    assert errors == sorted(errors)


def test_wrong_probabilities_are_refused():
    with pytest.raises(ValueError, match="`jpeg` is a probability in \\[0, 1\\]. Received: 1.5"):
        DegradeConfig(jpeg=1.5)
    with pytest.raises(ValueError, match="`min_scale` is a share"):
        DegradeConfig(min_scale=0)


def test_a_blend_with_an_empty_mask_is_the_input_and_with_a_full_one_the_other(picture):
    other = 255 - picture
    empty = np.zeros(picture.shape[:2], np.float32)
    np.testing.assert_array_equal(blend(other, picture, empty), picture)
    np.testing.assert_array_equal(blend(other, picture, empty + 1), other)


def test_the_mask_covers_the_face_and_nothing_far_from_it(portrait, portrait_face):
    for seed in range(10):
        mask = face_mask(512, 512, portrait_face.landmarks, np.random.default_rng(seed))
        assert mask.min() >= 0
        assert 0.5 <= mask.max() <= 1
        assert mask[300:].max() == 0
        assert mask[:, 380:].max() == 0
        nose = portrait_face.landmarks[2].round().astype(int)
        assert mask[nose[1], nose[0]] > 0.3
        edge = mask[(mask > 0.02) & (mask < 0.98 * mask.max())]
        assert edge.size > 100


def test_a_self_blend_changes_one_side_of_the_seam_only(portrait, portrait_face):
    inside = outside = 0
    for seed in range(12):
        fake = self_blend(portrait.image, portrait_face.landmarks, np.random.default_rng(seed)).astype(int)
        assert fake.shape == portrait.image.shape
        assert np.abs(fake - portrait.image).max() > 0
        if (fake[320:] == portrait.image[320:]).all():
            inside += 1
        else:
            outside += 1
    assert inside > 0
    assert outside > 0
