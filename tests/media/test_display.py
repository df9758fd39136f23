"""A frame looks as a player shows it, whatever it was made for: each kind beside the same picture made plain."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from deepfake.media import VideoReader
from deepfake.media.tone import SCREEN_PEAK, tone_mapped
from deepfake.records import Sampling

COLOUR = (200, 90, 40)
BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
PQ, HLG = 16, 18


def planes(rgb, weights, *, full=False, deep=False):
    """Y, Cb and Cr of a colour whose parts lie in [0, 1]."""
    kr, kb = weights
    red, green, blue = rgb
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    numbers = (
        (255 * luma, 128 + 255 * cb, 128 + 255 * cr) if full else (16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr)
    )
    return [round(number * (4 if deep else 1)) for number in numbers]


def write(
    path, frames, *, pix_fmt="yuv420p", codec="libx264", matrix=None, full=None, transfer=None, shape=None, options=None
):
    """Frames in their own planes, tagged or not."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {"crf": "1"})
        stream.height, stream.width = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
        stream.pix_fmt = pix_fmt
        if shape:
            stream.codec_context.sample_aspect_ratio = shape
        for target in (stream.codec_context,):
            if matrix:
                target.colorspace, target.color_range = matrix, 2 if full else 1
            if transfer:
                target.color_trc, target.color_primaries = transfer, 9
        for number, planar in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(planar, format=pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            if matrix:
                frame.colorspace, frame.color_range = matrix, 2 if full else 1
            if transfer:
                frame.color_trc, frame.color_primaries = transfer, 9
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def flat(numbers, height=240, width=320, dtype=np.uint8):
    planar = np.empty((height * 3 // 2, width), dtype)
    planar[:height], planar[height : height + height // 4], planar[height + height // 4 :] = numbers
    return planar


def grey(image):
    """RGB uint8 as the planes of a grey picture."""
    height, width = image.shape[:2]
    luma = np.round(16 + image[..., 0] * (219 / 255)).astype(np.uint8)
    return np.concatenate([luma, np.full((height // 2, width), 128, np.uint8)])


def only(path, frames=1):
    return next(iter(VideoReader(path, Sampling(frames=frames)))).image


@pytest.mark.parametrize(
    ("matrix", "weights"), [(6, BT601), (5, BT601), (1, BT709), (9, BT2020)], ids=["170m", "470bg", "709", "2020"]
)
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_every_matrix_and_range_gives_the_colour_that_was_meant(tmp_path, matrix, weights, full):
    numbers = planes([part / 255 for part in COLOUR], weights, full=full)
    path = write(tmp_path / "clip.mp4", [flat(numbers)] * 2, matrix=matrix, full=full)
    assert np.abs(only(path)[120, 160].astype(int) - COLOUR).max() <= 3


@pytest.mark.parametrize(
    ("size", "weights"), [((240, 320), BT601), ((576, 720), BT601), ((720, 1280), BT709), ((1280, 720), BT709)]
)
def test_where_nothing_is_said_the_size_tells_the_matrix_as_in_players(tmp_path, size, weights):
    numbers = planes([part / 255 for part in COLOUR], weights)
    path = write(tmp_path / "clip.mkv", [flat(numbers, *size)] * 2)
    assert np.abs(only(path)[100, 100].astype(int) - COLOUR).max() <= 3


@pytest.mark.parametrize(("shape", "size"), [(Fraction(64, 45), (576, 1024)), (Fraction(1, 2), (1152, 720)), (Fraction(1, 1), (576, 720)), (Fraction(1, 200), (576, 720))],
                         ids=["wide", "narrow", "square", "absurd"])  # fmt: skip
def test_pixels_become_square(tmp_path, shape, size):
    image = np.zeros((576, 720, 3), np.uint8)
    cv2.circle(image, (360, 288), 150, (255, 255, 255), -1)
    path = write(tmp_path / "clip.mp4", [grey(image)] * 2, shape=shape)
    found = only(path)
    assert found.shape[:2] == size
    ys, xs = np.nonzero(found[..., 0] > 127)
    assert np.ptp(xs) / np.ptp(ys) == pytest.approx(float(Fraction(size[1] * 576, size[0] * 720)), rel=0.02)


@pytest.fixture
def texture(rng):
    return cv2.GaussianBlur(rng.integers(0, 256, (288, 600), dtype=np.uint8), (0, 0), 3)


def woven(first, second):
    """One frame of two fields."""
    frame = first.copy()
    frame[1::2] = second[1::2]
    return frame


@pytest.mark.parametrize(("codec", "pix_fmt", "options"), [
    ("libx264", "yuv420p", {"crf": "3", "x264-params": "tff=1"}),
    ("mpeg2video", "yuv420p", {"flags": "+ildct+ilme", "top": "1", "b": "20M", "bf": "2"}),
], ids=["h264", "mpeg2"])  # fmt: skip
def test_fields_become_whole_pictures(tmp_path, texture, codec, pix_fmt, options):
    moments = [np.dstack([texture[:, 8 * step : 8 * step + 352]] * 3) for step in range(24)]
    moments = [cv2.normalize(moment, None, 20, 235, cv2.NORM_MINMAX) for moment in moments]
    path = write(
        tmp_path / "fields.mkv",
        [grey(woven(*moments[2 * n : 2 * n + 2])) for n in range(12)],
        codec=codec,
        pix_fmt=pix_fmt,
        options=options,
    )
    with av.open(str(path)) as container:
        combed = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0) if frame.interlaced_frame]
    assert len(combed) == 12
    frames = list(VideoReader(path, Sampling(frames=12)))
    assert len(frames) == 12
    for number, frame in enumerate(frames[2:-2], start=2):
        # Either field is a moment of its own.
        error, combed_error = (
            min(np.abs(image.astype(int) - moment).mean() for moment in moments[2 * number : 2 * number + 2])
            for image in (frame.image, combed[number])
        )
        assert error < combed_error / 3


def test_a_progressive_frame_is_left_as_it_is(tmp_path, texture):
    moments = [grey(np.dstack([texture[:, 8 * step : 8 * step + 352]] * 3)) for step in range(6)]
    path = write(tmp_path / "whole.mkv", moments)
    with av.open(str(path)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for frame in VideoReader(path, Sampling(frames=6)):
        np.testing.assert_array_equal(frame.image, plain[frame.index])


def pq_code(light):
    power = (np.asarray(light) / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg_code(light):
    """The HLG signal of grey light of a display that reaches 1000 cd/m2."""
    scene = (np.asarray(light) / 1000) ** (1 / 1.2)
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    )


@pytest.mark.parametrize(("transfer", "code"), [(PQ, pq_code), (HLG, hlg_code)], ids=["pq", "hlg"])
def test_light_that_a_screen_can_show_stays_and_brighter_light_is_rolled_off(transfer, code):
    light = np.array([0.0, 1, 5, 10, 20, 100, 300, 600, 1000])
    codes = np.round(65535 * code(light)).astype(np.uint16)[None, :, None].repeat(3, axis=2)
    found = tone_mapped(codes, transfer)[0, :, 0].astype(float)
    shown = SCREEN_PEAK * (found / 255) ** 2.4
    np.testing.assert_allclose(shown[:5], light[:5], atol=0.35)
    assert (np.diff(found[:-1]) > 0).all()
    assert found[-1] == 255


@pytest.mark.parametrize(("transfer", "code"), [(PQ, pq_code), (HLG, hlg_code)], ids=["pq", "hlg"])
def test_a_grey_picture_in_hdr_is_the_grey_picture(tmp_path, texture, transfer, code):
    image = cv2.normalize(texture[:, :352], None, 30, 150, cv2.NORM_MINMAX)
    light = SCREEN_PEAK * (image / 255.0) ** 2.4
    luma = np.round(64 + 876 * code(light)).astype(np.uint16)
    planar = np.concatenate([luma, np.full((144, 352), 512, np.uint16)])
    path = write(tmp_path / "hdr.mkv", [planar] * 2, codec="libx265", pix_fmt="yuv420p10le", matrix=9, transfer=transfer,
                 options={"x265-params": "crf=1:log-level=none"})  # fmt: skip
    found = only(path)
    assert np.abs(found.astype(int) - image[..., None]).mean() < 3
    assert np.ptp(found.astype(int), axis=2).max() <= 6
