from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress

import cv2
import numpy as np
import PIL.Image
import psutil
import pytest

from deepfake import Detector, MediaError, detect
from deepfake.records import Label, Reason, Sampling
from deepfake.report.words import ENGLISH, sentences
from deepfake.scan.row import Answer
from deepfake.verdict import judge

GOLDEN = {
    "portrait.jpg": (Label.REAL, 0.041),
    "self_blend.jpg": (Label.FAKE, 0.949),
    "half_fake.mp4": (Label.FAKE, 0.852),
}
"""Answers of the shipped model on the bundled examples; in the clip, the face is real at first and fake then."""


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_verdicts(detector, examples, name):
    verdict = detector.detect(examples / name)
    label, p_fake = GOLDEN[name]
    assert (verdict.label, verdict.p_fake) == (label, pytest.approx(p_fake, abs=0.03))


def test_a_clip_that_is_fake_in_part_says_from_when_to_when(detector, examples):
    verdict = detector.detect(examples / "half_fake.mp4")
    assert verdict.decisive_part is verdict.parts[0]
    assert (verdict.decisive_part.from_s, verdict.decisive_part.to_s) == pytest.approx((2.0, 4.0), abs=0.2)
    assert judge(verdict.tracks[0].p_fake, verdict.thresholds) is Label.INCONCLUSIVE


def test_of_several_pages_the_one_that_decides_is_named(detector, examples, tmp_path):
    pages = [PIL.Image.open(examples / name) for name in ("no_face.jpg", "portrait.jpg", "self_blend.jpg")]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    verdict = detector.detect(tmp_path / "pages.tif")
    assert (verdict.label, verdict.page, verdict.as_dict()["page"]) == (Label.FAKE, 3, 3)
    assert ENGLISH("sentence.page", page=3) in sentences(verdict)
    row = Answer.of(verdict)
    assert (row.page, row.notes, [face.frame for face in row.faces]) == (3, ("pages",), [1, 2])
    assert detector.detect(examples / "self_blend.jpg").page is None


def test_a_picture_without_a_face_is_inconclusive(detector, examples):
    verdict = detector.detect(examples / "no_face.jpg")
    assert (verdict.label, verdict.reason, verdict.p_fake) == (Label.INCONCLUSIVE, Reason.NO_FACE, None)
    assert (verdict.frames_read, verdict.scores) == (1, ())


def test_the_smallest_face_can_be_said_for_one_file(detector, portrait, save_png, tmp_path):
    scene = np.full((700, 1100, 3), 120, np.uint8)
    scene[:512, :512] = portrait.image
    scene[100:400, 700:1000] = cv2.resize(portrait.image, (300, 300), interpolation=cv2.INTER_AREA)
    path = save_png(tmp_path / "two.png", scene)

    def faces(share=None):
        analysis = detector.analyse(path, min_face_share=share)
        return sum(len(step.scores) for step in analysis)

    assert (faces(), faces(0.06), faces(0.2)) == (2, 2, 1)
    with pytest.raises(ValueError, match=r"`min_face_share` is a share in \(0, 1\]\. Received: 0"):
        detector.analyse(path, min_face_share=0)


def test_a_face_of_few_pixels_is_inconclusive(detector, portrait, save_png, tmp_path):
    small = cv2.resize(portrait.image, (150, 150), interpolation=cv2.INTER_AREA)
    verdict = detector.detect(save_png(tmp_path / "small.png", small))
    assert (verdict.label, verdict.reason) == (Label.INCONCLUSIVE, Reason.FACE_TOO_SMALL)


def test_a_person_in_too_few_frames_is_inconclusive(detector, portrait, write_video, tmp_path):
    empty = np.full((400, 400, 3), 128, np.uint8)
    path = write_video(tmp_path / "brief.mp4", [portrait.image[:400, :400]] * 2 + [empty] * 18)
    verdict = detector.detect(path, Sampling(frames=10))
    assert (verdict.label, verdict.reason) == (Label.INCONCLUSIVE, Reason.TOO_FEW_FRAMES)
    assert verdict.tracks[0].faces < 3


def test_several_people_stay_apart(detector, portrait, write_video, tmp_path):
    head = portrait.image[20:220, 120:320]
    frames = []
    for number in range(12):
        scene = np.full((240, 520, 3), 120, np.uint8)
        scene[20:220, 10 + number : 210 + number] = head
        scene[20:220, 300 - number : 500 - number] = head[:, ::-1]
        frames.append(scene)
    verdict = detector.detect(write_video(tmp_path / "two.mp4", frames), Sampling(frames=8))
    assert sorted((track.number, track.faces) for track in verdict.tracks) == [(0, 8), (1, 8)]
    for number in (0, 1):
        edges = [s.face.box_xyxy[0] for s in verdict.scores if s.face.track == number]
        assert max(edges) - min(edges) < 60


def test_one_call_answers_and_equals_the_detector(detector, examples):
    one = detect(examples / "portrait.jpg")
    other = detector.detect(examples / "portrait.jpg")
    assert one.p_fake == other.p_fake
    assert one.model.name == "light-5"


def test_progress_counts_every_frame(detector, examples):
    seen = []
    detector.detect(examples / "half_fake.mp4", Sampling(frames=10), lambda done, total: seen.append((done, total)))
    assert seen == [(done, 10) for done in range(1, 11)]


def test_an_analysis_has_its_verdict_at_its_end_and_keeps_it(detector, examples):
    analysis = detector.analyse(examples / "half_fake.mp4", Sampling(frames=3))
    assert next(analysis).done == 1
    with pytest.raises(ValueError, match="when it has ended"):
        _ = analysis.verdict
    assert [step.done for step in analysis] == [2, 3]
    verdict = analysis.verdict
    assert list(analysis) == []
    assert analysis.verdict is verdict
    assert len(verdict.scores) == 3


def test_an_analysis_that_is_closed_has_no_verdict(detector, examples):
    analysis = detector.analyse(examples / "half_fake.mp4", Sampling(frames=3))
    next(analysis)
    analysis.close()
    assert list(analysis) == []
    with pytest.raises(ValueError, match="Iterate over it to its end"):
        _ = analysis.verdict


def test_memory_of_frames_does_not_grow_with_their_number(detector, examples):
    verdict = detector.detect(examples / "half_fake.mp4", Sampling(fps=12))
    assert 40 < verdict.frames_read <= 48
    held = sum(score.evidence.nbytes + score.to_frame.nbytes + score.face.landmarks.nbytes for score in verdict.scores)
    assert held < verdict.frames_read * 1000


def test_many_files_leave_nothing_open_and_nothing_behind(detector, portrait, rng, examples, tmp_path, monkeypatch):
    def ask(number):
        side = int(rng.integers(80, 200))
        path = tmp_path / f"{number}.{('jpg', 'png', 'webp', 'tiff')[number % 4]}"
        cv2.imwrite(str(path), portrait.image[40 : 40 + side, 130 : 130 + side])
        if number % 5 == 0:
            path.write_bytes(path.read_bytes()[:300])
        if number % 15 == 0:
            detector.detect(examples / "half_fake.mp4", Sampling(frames=2))
        with suppress(MediaError):
            detector.detect(path)

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    process = psutil.Process()
    for number in range(5):
        ask(number)
    before = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    for number in range(60):
        ask(number)
    assert (process.num_fds() if hasattr(process, "num_fds") else process.num_handles()) == before
    assert not list(scratch.iterdir())


def test_a_broken_file_raises(detector, tmp_path):
    (tmp_path / "letter.jpg").write_text("not a picture")
    with pytest.raises(MediaError, match="neither a picture"):
        detector.detect(tmp_path / "letter.jpg")


def test_the_bundle_can_be_chosen(tmp_path):
    from deepfake.errors import BundleError

    with pytest.raises(BundleError, match="No bundle.json"):
        Detector(tmp_path)


def test_a_crowd_is_scored_a_few_faces_a_turn(detector, portrait, save_png, tmp_path, monkeypatch):
    path = save_png(tmp_path / "three.png", np.hstack([portrait.image] * 3))
    turns = []

    @contextmanager
    def turn():
        turns.append(1)
        yield

    def judged():
        turns.clear()
        analysis = detector.analyse(path, turn=turn)
        list(analysis)
        return [score.p_fake for score in analysis.verdict.scores], len(turns)

    together, few = judged()
    monkeypatch.setattr("deepfake.pipeline.CROPS_A_TURN", 1)
    one_by_one, many = judged()
    assert one_by_one == together
    assert (few, many) == (2, 4)
