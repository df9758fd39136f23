from __future__ import annotations

import cv2
import numpy as np
import pytest

from deepfake.faces.quality import blur_effect, turn_of
from deepfake.records import Face


def test_blur_grows_with_blur(portrait):
    found = [blur_effect(cv2.GaussianBlur(portrait.image, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert found == sorted(found)
    assert blur_effect(portrait.image) < found[0]


def test_noise_is_sharp(rng):
    assert blur_effect(rng.integers(0, 256, (64, 64, 3), np.uint8)) < 0.2


def face_with(nose_x, eyes=(-20.0, 20.0)):
    points = np.array([[eyes[0], 0], [eyes[1], 0], [nose_x, 20], [-15, 40], [15, 40]], np.float32)
    return Face((-50, -50, 50, 50), points, 1.0)


def test_turn_is_the_way_of_the_nose_from_the_middle_of_the_eyes():
    assert turn_of(face_with(0)) == 0
    assert turn_of(face_with(10)) == turn_of(face_with(-10)) == pytest.approx(0.5)
    assert turn_of(face_with(40)) == 1
    assert turn_of(face_with(0, (3.0, 3.0))) == 1
