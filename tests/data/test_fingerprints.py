"""Copies are known again however they were saved, and other pictures are not taken for copies."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from deepfake.data import fingerprints
from deepfake.data.fingerprints import ALIKE_BITS, fingerprint, nearest, overlap_of, read_fingerprints
from deepfake.data.index import Row


def bits(one, other):
    return int(np.bitwise_count(fingerprint(one) ^ fingerprint(other)).sum())


@pytest.fixture(scope="module")
def face(portrait):
    return np.ascontiguousarray(portrait.image[20:220, 120:320])


def saved_again(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def test_a_copy_is_alike_however_it_was_saved(face):
    height, width = face.shape[:2]
    for copy in (
        saved_again(face, 40),
        cv2.resize(face, (width // 2, height // 2), interpolation=cv2.INTER_AREA),
        cv2.resize(face, (2 * width, 2 * height)),
        cv2.convertScaleAbs(face, alpha=0.9, beta=8),
    ):
        assert bits(face, copy) <= ALIKE_BITS


def test_other_pictures_are_not_alike(portrait, face):
    assert bits(face, face[:, ::-1]) > 3 * ALIKE_BITS
    assert bits(face, np.ascontiguousarray(portrait.image[40:240, 100:300])) > ALIKE_BITS


def test_only_the_order_of_neighbours_counts(face):
    once = cv2.resize(face, (fingerprints.CELLS + 1,) * 2, interpolation=cv2.INTER_AREA)
    assert bits(once, 40 + once // 2) <= ALIKE_BITS
    assert bits(once, 255 - once) > 100


def test_nearest_is_what_comparing_each_pair_gives(rng, monkeypatch):
    monkeypatch.setattr(fingerprints, "_AT_ONCE", 7)
    own, others = rng.integers(0, 256, (20, 16), np.uint8), rng.integers(0, 256, (30, 16), np.uint8)
    own[3] = others[11]
    own[4] = others[12] ^ np.array([0b111] + [0] * 15, np.uint8)
    own[5] = others[13] ^ np.array([0b1111111] + [0] * 15, np.uint8)
    places, alike = nearest(own, others)
    distances = np.unpackbits(own[:, None] ^ others[None], axis=-1).sum(-1)
    assert places.tolist() == distances.argmin(1).tolist()
    assert np.flatnonzero(alike).tolist() == [3, 4]
    assert not nearest(own, others[:0])[1].any()


def test_pictures_of_nearly_one_colour_are_like_nothing(rng):
    flat = np.array([fingerprint(128 + rng.integers(-3, 4, (64, 64, 3)).astype(np.uint8)) for _ in range(4)])
    assert not nearest(flat, flat)[1].any()


def test_copies_across_splits_are_counted(tmp_path, save_png, face, portrait):
    save_png(tmp_path / "train.png", face)
    shutil.copy(tmp_path / "train.png", tmp_path / "copy.png")
    save_png(tmp_path / "again.png", saved_again(face, 80))
    save_png(tmp_path / "other.png", portrait.image[::-1])
    rows = [
        Row(str(tmp_path / f"{name}.png"), "real", "x", split)
        for name, split in (("train", "train"), ("copy", "test"), ("again", "val"), ("other", "test"))
    ]
    found = overlap_of(rows)
    own = str(tmp_path / "train.png")
    assert found.held_out == 3
    assert set(found.alike) == {(str(tmp_path / "copy.png"), own), (str(tmp_path / "again.png"), own)}
    assert found.copies == ((str(tmp_path / "copy.png"), own),)
    assert str(found).startswith("2 of 3 pictures kept for validation and tests look like one that is trained on, 1 of")
    assert not overlap_of([rows[0], rows[3]]).alike
    assert read_fingerprints([]).shape == (0, 16)
