"""Faces that are not found at the first look: turned, and small."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from deepfake.faces.mtcnn import FaceFinder
from deepfake.faces.second_look import LEAST_SCORE, SURE_SCORE, SecondLook, turned_back
from deepfake.records import Face, Frame, Label, Note, Reason, Sampling


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_place_turned_back_is_where_it_was(turns):
    image = np.zeros((30, 50, 3), np.uint8)
    image[4:9, 12:20] = 255
    turned = np.rot90(image, turns)
    rows, columns = np.nonzero(turned[..., 0])
    box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    marks = np.array([[box[0], box[1]]] * 5, np.float32)
    found = turned_back(Face(box, marks, 1.0), turns, image.shape)
    assert found.box_xyxy == (12.0, 4.0, 20.0, 9.0)
    assert tuple(found.landmarks[0]) == {0: (12, 4), 1: (20, 4), 2: (20, 9), 3: (12, 9)}[turns]


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("name", ["portrait.jpg", "self_blend.jpg"])
def test_a_turned_picture_is_judged_as_the_upright_one(detector, examples, save_png, tmp_path, turns, name):
    upright = detector.detect(examples / name)
    image = cv2.imread(str(examples / name))[..., ::-1]
    verdict = detector.detect(save_png(tmp_path / "turned.png", np.ascontiguousarray(np.rot90(image, turns))))
    assert verdict.notes == (Note.TURNED,)
    assert upright.notes == ()
    assert (verdict.label, verdict.p_fake) == (upright.label, pytest.approx(upright.p_fake, abs=0.01))
    assert verdict.as_dict()["notes"] == ["turned"]


def test_a_turned_video_is_judged_as_the_upright_one(detector, portrait, write_video, tmp_path):
    frames = [np.roll(portrait.image, 2 * step, axis=1) for step in range(12)]
    upright = detector.detect(write_video(tmp_path / "upright.mp4", frames), Sampling(frames=10))
    turned = detector.detect(
        write_video(tmp_path / "turned.mp4", [np.rot90(frame, 2) for frame in frames]), Sampling(frames=10)
    )
    assert (turned.notes, upright.notes) == ((Note.TURNED,), ())
    assert len(turned.scores) == len(upright.scores) == 10
    assert turned.p_fake == pytest.approx(upright.p_fake, abs=0.05)


def test_small_faces_are_found_when_there_are_no_others(detector, portrait, save_png, tmp_path):
    head = cv2.resize(portrait.image[20:420, 20:420], (100, 100), interpolation=cv2.INTER_AREA)
    for side, reason in ((100, None), (50, Reason.FACE_TOO_SMALL)):
        scene = np.full((1600, 1600, 3), 120, np.uint8)
        scene[700 : 700 + side, 400 : 400 + side] = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
        verdict = detector.detect(save_png(tmp_path / "scene.png", scene))
        assert verdict.notes == (Note.SMALL_FACES,)
        assert verdict.reason in (reason, Reason.FACE_TOO_SMALL) if reason else verdict.reason is not Reason.NO_FACE


def test_where_there_is_no_face_there_is_none_at_any_look(detector, examples, save_png, tmp_path, rng):
    noise = cv2.resize(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8), (800, 600), interpolation=cv2.INTER_CUBIC)
    for path in (examples / "no_face.jpg", save_png(tmp_path / "noise.png", noise)):
        verdict = detector.detect(path)
        assert (verdict.label, verdict.reason, verdict.notes) == (Label.INCONCLUSIVE, Reason.NO_FACE, ())


class Views(FaceFinder):
    """Finds a face of a given score in each view, and counts what it was asked."""

    def __init__(self, scores, small=0.0):
        self.scores, self.small, self.asked = scores, small, []

    def find(self, frames, *, min_face_share=None):
        found = []
        for frame in frames:
            # The mark in the corner tells how the frame is turned.
            turns = [frame.image[0, 0, 0], frame.image[-1, 0, 0], frame.image[-1, -1, 0], frame.image[0, -1, 0]].index(
                255
            )
            score = self.small if min_face_share == 0 else self.scores[turns]
            self.asked.append((turns, min_face_share))
            face = Face((1.0, 1.0, 9.0, 9.0), np.zeros((5, 2), np.float32), score, frame.index)
            found.append([face] if score else [])
        return found


def batch(number=4):
    image = np.zeros((20, 30, 3), np.uint8)
    image[0, 0] = 255
    return [Frame(image, index, Fraction(index)) for index in range(number)]


@pytest.mark.parametrize(("scores", "small", "notes"), [
    ((0.9, 0, 0, 0), 0, ()),
    ((0.9, 0.99, 0, 0), 0, ()),
    ((0.9, SURE_SCORE, 0, 0), 0, (Note.TURNED,)),
    ((SURE_SCORE, 1.0, 0, 0), 0, ()),
    ((0, LEAST_SCORE, 0, 0), 0, (Note.TURNED,)),
    ((0, 0.9, 0, 0), 0.96, (Note.SMALL_FACES,)),
    ((0, 0.9, 0, 0), 0.9, ()),
    ((0.9, 0, 0, 0), 1.0, ()),
])  # fmt: skip
def test_a_weak_face_upright_gives_way_to_a_sure_one_turned_alone(scores, small, notes):
    look = SecondLook(Views(scores, small))
    found = look.find(batch())
    assert look.notes == notes
    assert all(found) == bool(notes or scores[0])


def test_a_smallest_face_of_its_own_holds_for_every_look_but_that_for_smaller_ones():
    views = Views((0, 0, 0, 0))
    look = SecondLook(views, 0.2)
    look.find(batch(1))
    assert views.asked == [(0, 0.2), (1, 0.2), (3, 0.2), (2, 0.2), (0, 0.0)]
    views.asked.clear()
    look.find(batch(1))
    assert views.asked[0] == (0, 0.2)


def test_once_a_view_shows_a_face_the_file_is_seen_in_that_view():
    views = Views((0, 0, 1.0, 0))
    look = SecondLook(views)
    look.find(batch())
    views.asked.clear()
    faces = look.find([replace(frame, index=frame.index + 4) for frame in batch()])
    assert views.asked == [(2, None)] * 4
    assert faces[0][0].box_xyxy == (21.0, 11.0, 29.0, 19.0)


def test_a_large_picture_is_turned_as_a_small_one_and_its_faces_lie_where_they_are(finder, portrait):
    large = cv2.resize(portrait.image, (2400, 2400), interpolation=cv2.INTER_CUBIC)
    (upright,) = SecondLook(finder).find([Frame(large, 0, Fraction(0))])[0]
    look = SecondLook(finder)
    (turned,) = look.find([Frame(np.ascontiguousarray(np.rot90(large, 2)), 0, Fraction(0))])[0]
    assert look.notes == (Note.TURNED,)
    left, top, right, bottom = upright.box_xyxy
    np.testing.assert_allclose(turned.box_xyxy, (2400 - right, 2400 - bottom, 2400 - left, 2400 - top), atol=12)
