from __future__ import annotations

import json

import av
import cv2
import numpy as np
import pytest

from deepfake.report.files import annotate, face_pictures, suspicious_frames, to_json, write_report

KEYS = [
    "path",
    "kind",
    "verdict",
    "reason",
    "p_fake",
    "trace",
    "from_s",
    "to_s",
    "page",
    "thresholds",
    "stability",
    "unstable_under",
    "faces",
    "tracks",
    "parts",
    "whole_picture",
    "source",
    "frames_read",
    "frames_failed",
    "notes",
    "credentials",
    "origin",
    "model",
    "elapsed_s",
    "error_rates",
]


def test_json_is_one_line_with_the_promised_keys(video):
    text = to_json(video)
    assert "\n" not in text
    found = json.loads(text)
    assert list(found) == KEYS
    assert list(found["faces"][0])[:7] == ["track", "frame", "time_s", "box_xyxy", "p_fake", "visual", "noise"]
    assert found["model"]["sha256"] == video.model.sha256
    assert len(found["faces"]) == len(video.scores) == 24


def test_a_report_of_a_picture(picture, tmp_path):
    names = [path.name for path in write_report(picture, tmp_path / "new" / "folder")]
    assert names == ["portrait.jpg.json", "portrait.jpg.annotated.jpg"]
    drawn = cv2.imread(str(tmp_path / "new" / "folder" / names[1]))
    assert drawn.shape == (512, 512, 3)


def test_a_report_of_a_video_is_h264_and_as_long_as_what_was_searched(video, tmp_path):
    names = [path.name for path in write_report(video, tmp_path)]
    assert names == ["half_fake.mp4.json", "half_fake.mp4.annotated.mp4", "half_fake.mp4.timeline.png"]
    with av.open(str(tmp_path / names[1])) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 24
    assert times == pytest.approx([video.times[index] - video.times[0] for index in range(24)], abs=0.1)


def test_a_second_report_does_not_overwrite_the_first(picture, tmp_path):
    first, second = write_report(picture, tmp_path), write_report(picture, tmp_path)
    assert not set(first) & set(second)
    assert not list(tmp_path.glob("part-*"))


def test_a_box_and_its_label_are_drawn_and_nothing_far_away(picture, portrait):
    drawn = annotate(portrait.image, picture.scores, picture)
    left, top, _, bottom = (round(edge) for edge in picture.scores[0].face.box_xyxy)
    assert (drawn[top:bottom, left] != portrait.image[top:bottom, left]).any()
    np.testing.assert_array_equal(drawn[bottom + 40 :], portrait.image[bottom + 40 :])


def test_face_pictures_show_the_widest_that_the_network_saw(picture, portrait, portrait_face, detector):
    from deepfake.faces.crops import cut_crop

    ((plain, painted),) = face_pictures(portrait.image, picture.scores, detector.bundle.crop.size)
    crop = cut_crop(portrait.image, portrait_face, detector.bundle.crop)
    np.testing.assert_array_equal(plain, (crop, *crop.wider)[-1].image)
    assert painted.shape == plain.shape


def test_suspicious_frames_are_sorted(video):
    chosen = suspicious_frames(video, 5)
    p_fake = {score.face.frame_index: score.p_fake for score in video.scores}
    assert [p_fake[index] for index in chosen] == sorted(p_fake.values(), reverse=True)[:5]
