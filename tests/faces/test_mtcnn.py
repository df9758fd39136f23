from __future__ import annotations

import tracemalloc
from fractions import Fraction

import cv2
import numpy as np
import pytest

from deepfake.faces.mtcnn import FaceFinder, FaceSettings, nms
from deepfake.faces.pyramid import pyramid, pyramid_scales
from deepfake.faces.tracks import box_overlap
from deepfake.model.bundle import load_detector
from deepfake.records import Frame


def frame(image, index=0):
    return Frame(np.ascontiguousarray(image), index, Fraction(0))


def nearest(faces, box):
    """The face that overlaps most with a box, after how much."""
    return max(((box_overlap(face.box_xyxy, box), face) for face in faces), key=lambda pair: pair[0])


def test_the_portrait_has_one_face_where_it_is(portrait_face):
    left, top, right, bottom = portrait_face.box_xyxy
    assert 165 < left < 190
    assert 45 < top < 75
    assert 255 < right < 285
    assert 155 < bottom < 190
    right_eye, left_eye, nose, right_mouth, left_mouth = portrait_face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < right_mouth[1]
    assert right_mouth[0] < left_mouth[0]
    assert portrait_face.detector_score > 0.99


@pytest.mark.parametrize("image", [
    np.zeros((1, 1, 3), np.uint8), np.zeros((11, 400, 3), np.uint8), np.full((300, 300, 3), 255, np.uint8),
])  # fmt: skip
def test_nothing_is_found_where_there_is_nothing(finder, image):
    assert finder.find([frame(image)]) == [[]]


def test_a_batch_finds_what_single_frames_find(finder, portrait):
    pictures = [portrait.image, portrait.image[:300, 80:380], np.zeros((90, 90, 3), np.uint8), portrait.image[:, ::-1]]
    together = finder.find([frame(image, index) for index, image in enumerate(pictures)])
    for index, (image, faces) in enumerate(zip(pictures, together, strict=True)):
        (alone,) = finder.find([frame(image, index)])
        assert len(alone) == len(faces)
        for one, other in zip(alone, faces, strict=True):
            assert other.frame_index == index
            np.testing.assert_allclose(one.box_xyxy, other.box_xyxy, atol=0.05)
            np.testing.assert_allclose(one.landmarks, other.landmarks, atol=0.05)


def test_boxes_move_with_the_picture(finder, portrait, portrait_face):
    shifted = np.roll(portrait.image[:400], (16, 32), axis=(0, 1))
    moved = finder.find([frame(shifted)])[0][0]
    assert box_overlap(moved.box_xyxy, tuple(np.add(portrait_face.box_xyxy, (32, 16, 32, 16)))) > 0.85


def test_the_largest_face_comes_first(finder, portrait):
    head = portrait.image[20:220, 120:320]
    scene = np.full((420, 640, 3), 128, np.uint8)
    scene[:400, :400] = cv2.resize(head, (400, 400), interpolation=cv2.INTER_CUBIC)
    scene[100:220, 480:600] = cv2.resize(head, (120, 120), interpolation=cv2.INTER_AREA)
    sizes = [face.size for face in finder.find([frame(scene)])[0]]
    assert len(sizes) == 2
    assert sizes[0] > 2 * sizes[1]


def test_the_smallest_face_is_a_setting(portrait):
    networks = load_detector()
    size = 110 / 512
    assert FaceFinder(networks, FaceSettings(min_face_share=0.5 * size)).find([portrait])[0]
    assert not FaceFinder(networks, FaceSettings(min_face_share=3 * size)).find([portrait])[0]


def test_the_pyramid_reaches_from_the_smallest_face_to_the_whole_picture():
    scales = pyramid_scales(720, 1280, 0.1)
    assert scales[0] == pytest.approx(12 / 72)
    assert 12 <= 720 * scales[-1] < 12 / 0.709
    assert pyramid_scales(10, 10, 0.5) == []
    assert pyramid_scales(720, 1280, 0.001)[0] == pytest.approx(12 / 20)


@pytest.mark.parametrize(("height", "width"), [(300, 400), (720, 1280), (1080, 1921)])
def test_a_level_of_the_pyramid_is_the_average_over_areas_of_the_full_picture(portrait, height, width):
    picture = cv2.resize(portrait.image, (width, height), interpolation=cv2.INTER_CUBIC)
    for scale, level in pyramid(picture, 0.06):
        size = int(width * scale), int(height * scale)
        exact = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        np.testing.assert_allclose(np.abs(level - exact).mean(), 0, atol=1.5)


def slow_suppress(rows, limit, over):
    rows = sorted(rows.tolist(), key=lambda row: -row[4])
    area = [(r[2] - r[0]) * (r[3] - r[1]) for r in rows]
    kept = []
    for j, b in enumerate(rows):
        dropped = False
        for i, a in enumerate(rows[:j]):
            shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            whole = area[i] + area[j] - shared if over == "union" else min(area[i], area[j])
            dropped |= shared > limit * whole
        if not dropped:
            kept.append(b)
    return kept


@pytest.mark.parametrize("over", ["union", "smaller"])
@pytest.mark.parametrize("block", [1, 7, 60, 256])
def test_suppression_equals_its_definition(rng, monkeypatch, over, block):
    monkeypatch.setattr("deepfake.faces.mtcnn.NMS_BLOCK", block)
    corner = rng.uniform(0, 50, (60, 2))
    rows = np.concatenate([corner, corner + rng.uniform(5, 30, (60, 2)), rng.uniform(0, 1, (60, 1))], axis=1)
    np.testing.assert_array_equal(nms(rows, 0.4, over), slow_suppress(rows, 0.4, over))
    assert nms(np.empty((0, 5)), 0.5).shape == (0, 5)


def test_suppression_takes_little_memory_whatever_the_number_of_proposals(rng):
    corner = rng.uniform(0, 4000, (40_000, 2))
    rows = np.concatenate([corner, corner + rng.uniform(12, 400, (40_000, 2)), rng.uniform(0, 1, (40_000, 1))], axis=1)
    tracemalloc.start()
    nms(rows, 0.5)
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    tracemalloc.stop()


def test_wrong_settings_and_missing_networks_are_refused():
    with pytest.raises(ValueError, match="`min_face_share` is a share in \\(0, 1\\]. Received: 0"):
        FaceSettings(min_face_share=0)
    with pytest.raises(ValueError, match="Missing: onet.tflite, rnet.tflite"):
        FaceFinder({"pnet.tflite": b""})


def test_the_cascade_finds_what_the_mtcnn_package_finds(portrait):
    from mtcnn import MTCNN

    ours = FaceFinder(load_detector(), FaceSettings(min_face_share=0.001))
    package = MTCNN()
    wide = cv2.resize(portrait.image[:288], (1280, 720), interpolation=cv2.INTER_CUBIC)
    for image in (portrait.image, wide, np.rot90(portrait.image, -1), portrait.image[::2, ::2]):
        image = np.ascontiguousarray(image)
        theirs = package.detect_faces(image, fit_to_image=False, box_format="xyxy", output_type="numpy")
        faces = ours.find([frame(image)])[0]
        assert len(faces) == len(theirs)
        for row in theirs:
            overlap, face = nearest(faces, tuple(row[1:5]))
            assert overlap >= 0.9
            marks = np.stack([row[6:11], row[11:16]], axis=1)
            assert np.abs(face.landmarks - marks).max() <= 0.03 * face.size


@pytest.mark.slow
@pytest.mark.shared
def test_the_cascade_finds_what_the_package_finds_in_real_pictures_and_clips(root, capsys):
    from mtcnn import MTCNN

    from deepfake.media import VideoReader, read_picture
    from deepfake.records import Sampling

    data = root.parent / "shared" / "data"
    pictures = sorted(data.glob("lfw/test/*/*"))[:60] + sorted(data.glob("diffusion/test/*/*"))[::5]
    images = [read_picture(path).image for path in pictures]
    for path in sorted(data.glob("clips/*/*/*/*.mp4"))[::3]:
        images += [found.image for found in VideoReader(path, Sampling(frames=2))]
    ours, package = FaceFinder(load_detector(), FaceSettings(min_face_share=0.001)), MTCNN()
    overlaps, distances, extra = [], [], 0
    for image in images:
        theirs = package.detect_faces(image, fit_to_image=False, box_format="xyxy", output_type="numpy")
        faces = ours.find([frame(image)])[0]
        extra += max(0, len(faces) - len(theirs))
        for row in theirs:
            overlap, face = nearest(faces, tuple(row[1:5])) if faces else (0.0, None)
            overlaps.append(overlap)
            marks = np.stack([row[6:11], row[11:16]], axis=1)
            distances.append(np.abs(face.landmarks - marks).max() / face.size if face else 1.0)
    shares = np.mean(np.array(overlaps) >= 0.9), np.mean(np.array(distances) <= 0.03)
    with capsys.disabled():
        print(
            f"\n{len(images)} pictures, {len(overlaps)} faces, {extra} more of ours; box {shares[0]:.3f}, landmarks {shares[1]:.3f}"
        )
    assert min(shares) >= 0.95
    assert extra <= 0.05 * len(overlaps)
