"""What moves in a format of pictures is a clip."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import PIL.Image
import pytest

from deepfake.errors import MediaError
from deepfake.media import animation, kind_of, open_media
from deepfake.media.isolated import open_isolated
from deepfake.records import Sampling

SUFFIXES = ["gif", "webp", "png", "avif"]


def shades(number=6):
    """Pictures of one grey each, 40, 60, 80, ..."""
    return [PIL.Image.new("RGB", (64, 48), (shade, shade, shade)) for shade in range(40, 40 + 20 * number, 20)]


def moving(path, pictures, duration=100):
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=duration,
        **({"lossless": True} if path.suffix == ".webp" else {}),
    )
    return path


def shown(frames):
    """Which of the shades each frame shows."""
    return [round((frame.image.mean() - 40) / 20) for frame in frames]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("opener", [open_media, open_isolated])
def test_an_animation_is_sampled_over_its_time(tmp_path, suffix, opener):
    path = moving(tmp_path / f"moving.{suffix}", shades())
    assert kind_of(path) == "video"
    reader = opener(path, Sampling(frames=3))
    frames = list(reader)
    assert (reader.kind, reader.duration, reader.frames_failed) == ("video", Fraction(6, 10), 0)
    assert shown(frames) == [1, 3, 5]
    assert [(frame.index, frame.time) for frame in frames] == [
        (0, Fraction(1, 10)),
        (1, Fraction(3, 10)),
        (2, Fraction(5, 10)),
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_frame_is_looked_at_once_however_many_are_asked_for(tmp_path, suffix):
    reader = open_media(moving(tmp_path / f"moving.{suffix}", shades(3)), Sampling(frames=24))
    assert shown(reader) == [0, 1, 2]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_frame_is_a_picture(tmp_path, suffix):
    path = tmp_path / f"still.{suffix}"
    shades(1)[0].save(path)
    reader = open_media(path)
    assert (kind_of(path), reader.kind, len(list(reader))) == ("picture", "picture", 1)


def test_an_animation_of_one_frame_is_a_picture(tmp_path):
    path = moving(tmp_path / "still.gif", shades(2))
    content = path.read_bytes()
    second = content.index(b"\x2c", content.index(b"\x2c") + 1)
    # Cut off before the second frame, and ended.
    path.write_bytes(content[: content.rindex(b"\x21\xf9", 0, second)] + b";")
    assert (kind_of(path), open_media(path).kind) == ("picture", "picture")


def test_frames_last_as_browsers_show_them(tmp_path):
    path = moving(tmp_path / "unequal.gif", shades(4), [300, 0, 10, 500])
    reader = open_media(path, Sampling(fps=100))
    assert [frame.time for frame in reader] == [0, Fraction(3, 10), Fraction(4, 10), Fraction(5, 10)]
    assert reader.duration == 1


def test_what_is_transparent_becomes_white_in_each_frame(tmp_path):
    clear, red = PIL.Image.new("RGBA", (32, 32), (0, 0, 0, 0)), PIL.Image.new("RGBA", (32, 32), (255, 0, 0, 255))
    frames = list(open_media(moving(tmp_path / "clear.webp", [clear, red])))
    assert [tuple(frame.image[0, 0]) for frame in frames] == [(255, 255, 255), (255, 0, 0)]


def test_damage_in_the_middle_is_counted_not_passed_over(tmp_path):
    path = tmp_path / "moving.png"
    noise = [PIL.Image.effect_noise((64, 64), 60).convert("RGB") for _ in range(4)]
    moving(path, noise)
    content = bytearray(path.read_bytes())
    start = content.index(b"fdAT", content.index(b"fdAT") + 4)
    content[start + 8 : start + 40] = bytes(32)
    path.write_bytes(content)
    reader = open_media(path, Sampling(frames=4))
    found = len(list(reader))
    assert 0 < found < 4
    assert reader.frames_failed == 4 - found


def test_too_many_frames_and_pixels_are_refused(tmp_path, monkeypatch):
    path = moving(tmp_path / "moving.gif", shades())
    monkeypatch.setattr(animation, "MAX_FRAMES", 5)
    with pytest.raises(MediaError, match="has 6 frames; at most 5 are read. Convert it: ffmpeg -i moving.gif"):
        open_media(path)
    content = bytearray(path.read_bytes())
    content[6:10] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="megapixels"):
        list(open_media(path))


def test_a_frame_that_makes_a_gif_larger_than_it_says_is_refused_before_it_is_drawn(tmp_path):
    path = moving(tmp_path / "grown.gif", shades())
    content = bytearray(path.read_bytes())
    frame = b"\x2c" + struct.pack("<4H", 0, 0, 64, 48)
    second = content.index(frame, content.index(frame) + 1)
    content[second + 5 : second + 9] = struct.pack("<2H", 12_000, 8_000)
    path.write_bytes(content)
    with pytest.raises(MediaError, match="Received: 12000 x 8000"):
        open_media(path)


def test_a_face_in_an_animation_is_judged_as_in_a_clip(tmp_path, detector, portrait):
    face = PIL.Image.fromarray(portrait.image)
    moved = [face.rotate(0, translate=(step, 0)) for step in range(6)]
    verdict = detector.detect(moving(tmp_path / "face.webp", moved))
    control = detector.detect(moving(tmp_path / "face.png", moved))
    assert (verdict.kind, verdict.frames_read, len(verdict.tracks)) == ("video", 6, 1)
    assert verdict.p_fake == pytest.approx(control.p_fake, abs=0.02)
    assert np.ptp([score.p_fake for score in verdict.scores]) < 0.5
