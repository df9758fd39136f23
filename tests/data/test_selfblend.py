"""Blends and twins: what a fake made from a real differs in, and what it does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from deepfake.data.augment import compress
from deepfake.data.selfblend import MASKS, blend, face_mask, self_blend
from deepfake.data.twin import patches, twin_pair
from deepfake.evaluation.metrics import roc_auc


@pytest.fixture(scope="module")
def points(portrait, portrait_face):
    from deepfake.faces.mesh import FaceMesh
    from deepfake.model.bundle import load_face_mesh

    return FaceMesh(load_face_mesh()).points(portrait.image, portrait_face)


def changed(real, fake):
    return (real != fake).any(axis=2)


def test_a_blend_with_an_empty_mask_is_the_input_and_with_a_full_one_the_other(portrait):
    other = 255 - portrait.image
    empty = np.zeros(portrait.image.shape[:2], np.float32)
    np.testing.assert_array_equal(blend(other, portrait.image, empty), portrait.image)
    np.testing.assert_array_equal(blend(other, portrait.image, empty + 1), other)


@pytest.mark.parametrize("name", MASKS)
def test_each_kind_of_mask_lies_on_the_face(points, name):
    outline = MASKS[name][1](points)
    nose, height = points[4], np.hypot(*(points[10] - points[152]))
    assert cv2.contourArea(outline.astype(np.float32)) > 0.02 * height**2
    assert np.hypot(*(outline - nose).T).max() < 1.3 * height


def test_a_mask_is_soft_and_away_from_the_edges(points):
    for seed in range(20):
        mask = face_mask(512, 512, points, np.random.default_rng(seed))
        assert mask.min() >= 0
        assert mask.max() <= 1
        assert ((mask > 0.05) & (mask < 0.95)).sum() > 50
        edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert edge.max() < 0.01


def test_on_a_tight_crop_only_masks_are_taken_that_lie_inside(points):
    low, high = points.min(axis=0), points.max(axis=0)
    size = int(np.ceil((high - low).max() * 0.9))
    corner = (low + high) / 2 - size / 2
    for seed in range(20):
        mask = face_mask(size, size, points - corner, np.random.default_rng(seed))
        edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert (edge > 0.5).mean() < 0.05


def test_a_real_and_its_blend_are_equal_away_from_the_mask(portrait, points):
    seen = set()
    for seed in range(20):
        real, fake = self_blend(portrait.image, points, np.random.default_rng(seed))
        assert real.shape == fake.shape == portrait.image.shape
        assert changed(real, fake).any()
        far = np.ones(real.shape[:2], bool)
        left, top = np.maximum(points.min(axis=0) - 60, 0).astype(int)
        right, bottom = (points.max(axis=0) + 60).astype(int)
        far[top:bottom, left:right] = False
        assert not changed(real, fake)[far].any()
        seen.add(bool((real == portrait.image).all()))
    assert seen == {True, False}


STATISTICS = {
    "red": lambda pixels: pixels[:, 0].mean(),
    "saturation": lambda pixels: np.ptp(pixels, axis=1).mean(),
    "brightness": lambda pixels: pixels.mean(),
    "contrast": lambda pixels: pixels.std(),
    "sharpness": lambda pixels: np.abs(np.diff(pixels[:, 1])).mean(),
}


@pytest.fixture(scope="module")
def outside(portrait, points):
    """Each statistic of the pixels beside the face, of 500 reals and of their blends."""
    found = {name: ([], []) for name in STATISTICS}
    around = np.ones(portrait.image.shape[:2], bool)
    left, top = np.maximum(points.min(axis=0) - 40, 0).astype(int)
    right, bottom = (points.max(axis=0) + 40).astype(int)
    around[top:bottom, left:right] = False
    for seed in range(500):
        rng = np.random.default_rng(seed)
        start = compress(portrait.image, int(rng.integers(40, 96)))[::2, ::2]
        for label, image in enumerate(self_blend(start, points / 2, rng)):
            pixels = image[around[::2, ::2]].astype(float)
            for name, statistic in STATISTICS.items():
                found[name][label].append(statistic(pixels))
    return found


@pytest.mark.parametrize("name", STATISTICS)
def test_no_statistic_outside_the_mask_tells_a_real_from_its_blend(outside, name):
    reals, blends = outside[name]
    labels = np.repeat([0, 1], [len(reals), len(blends)])
    assert roc_auc(labels, np.array([*reals, *blends])) == pytest.approx(0.5, abs=0.03)


def test_a_twin_pair_differs_in_the_twin_alone(portrait, points):
    twin = 255 - portrait.image
    shares = []
    for seed in range(40):
        real, fake = twin_pair(portrait.image, twin, points, np.random.default_rng(seed))
        assert real.shape == fake.shape
        shares.append(float(np.abs(fake.astype(int) - real).mean() / np.abs(twin.astype(int) - portrait.image).mean()))
    assert max(shares) > 0.9
    assert min(shares) < 0.2
    same = [twin_pair(portrait.image, portrait.image, points, np.random.default_rng(seed)) for seed in range(10)]
    assert all((real == fake).all() for real, fake in same)


def test_patches_reach_one_and_lie_on_the_face(points):
    for seed in range(20):
        mask = patches(512, 512, points, np.random.default_rng(seed))
        assert mask.max() == pytest.approx(1)
        weight = mask / mask.sum()
        centre = np.array([(weight * axis).sum() for axis in np.mgrid[:512, :512][::-1]])
        assert (centre > points.min(axis=0) - 20).all()
        assert (centre < points.max(axis=0) + 20).all()
