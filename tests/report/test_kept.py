"""What is kept while a file is judged."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from deepfake.media import open_media
from deepfake.records import Frame, Sampling
from deepfake.report.kept import FACE_SIDE, Keeper, keep_again


@pytest.fixture(scope="module")
def clip(detector, examples):
    """The verdict on a clip, and what was kept of it."""
    kept, analysis = Keeper("video"), detector.analyse(examples / "half_fake.mp4", Sampling(frames=4))
    for step in analysis:
        kept.keep(step.frame, step.scores)
    return analysis.verdict, kept


def test_of_a_video_all_small_frames_are_kept_and_the_worst_face_of_each_person(clip, examples):
    verdict, kept = clip
    assert [own.frame.index for own in kept.frames] == [0, 1, 2, 3]
    assert list(kept.faces) == [track.number for track in verdict.tracks]
    crop, score, time_s = kept.faces[0]
    assert crop.shape == (FACE_SIDE, FACE_SIDE, 3)
    assert score.p_fake == max(own.p_fake for own in verdict.scores)
    assert time_s == verdict.times[score.face.frame_index]


def test_scores_lie_on_the_small_frame_where_they_lay_on_the_large_one(clip, examples):
    frame = next(iter(open_media(examples / "half_fake.mp4")))
    (score,) = [own for own in clip[0].scores if own.face.frame_index == 0]
    wide = np.repeat(np.repeat(frame.image, 4, axis=0), 4, axis=1)
    kept = Keeper("video")
    kept.keep(Frame(wide, 0, Fraction(0)), [replace(score, to_frame=score.to_frame * 4)])
    (own,) = kept.frames
    assert max(own.frame.image.shape) == 1280
    factor = own.frame.image.shape[1] / wide.shape[1]
    np.testing.assert_allclose(own.scores[0].to_frame, score.to_frame * 4 * factor, rtol=1e-3)
    assert own.scores[0].face.box_xyxy[2] == pytest.approx(score.face.box_xyxy[2] * factor, rel=1e-3)


def test_of_pages_the_one_with_the_worst_face_is_kept(clip):
    scores = sorted(clip[0].scores, key=lambda score: score.p_fake)
    kept = Keeper("picture")
    for index, own in enumerate(([], scores[:1], scores[-1:], scores[:2])):
        kept.keep(Frame(np.zeros((9, 9, 3), np.uint8), index, Fraction(0)), own)
    assert kept.worst_page.frame.index == 2
    assert len(kept.frames) == 1


def test_a_file_that_was_not_kept_is_read_again_for_its_worst_frames(clip):
    verdict, kept = clip
    again = keep_again(verdict, open_media, 2)
    assert len(again.frames) == 2
    for own in again.frames:
        assert np.array_equal(own.frame.image, kept.frames[own.frame.index].frame.image)
    assert again.faces[0][1].p_fake == kept.faces[0][1].p_fake
