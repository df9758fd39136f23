from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
import PIL.Image
import pytest
from av.stream import Disposition

from deepfake.errors import MediaError
from deepfake.media import VideoReader, kind_of, read_picture
from deepfake.records import Note, Sampling


def corner_picture():
    """Red, green, blue and white in the corners, so that a turn or a swap of channels shows."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, :30], image[:20, 30:] = (255, 0, 0), (0, 255, 0)
    image[20:, :30], image[20:, 30:] = (0, 0, 255), (255, 255, 255)
    return image


def png_header(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "jpg"])
def test_every_format_gives_the_same_pixels(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    PIL.Image.fromarray(corner_picture()).save(path, **options)
    assert kind_of(path) == "picture"
    image = read_picture(path).image
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - corner_picture()).max() <= (3 if suffix == "jpg" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_orientation_is_undone(tmp_path, orientation, suffix):
    upright = corner_picture()
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1), 7: upright[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    PIL.Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, **options)
    assert np.abs(read_picture(path).image.astype(int) - upright).max() <= 3


def test_grey_palette_alpha_and_sixteen_bit_become_rgb(tmp_path):
    ramp = np.tile(np.arange(0, 250, 10, dtype=np.uint8), (25, 1))
    grey = np.repeat(ramp[..., None], 3, axis=2)
    PIL.Image.fromarray(ramp).save(tmp_path / "grey.png")
    PIL.Image.fromarray(grey).quantize(64).save(tmp_path / "palette.png")
    PIL.Image.fromarray(np.dstack([grey, np.full_like(ramp, 255)])).save(tmp_path / "opaque.png")
    cv2.imwrite(str(tmp_path / "grey16.png"), ramp.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "rgb16.png"), grey.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "rgb16.tiff"), grey.astype(np.uint16) * 257)
    for name in ("grey.png", "palette.png", "opaque.png", "grey16.png", "rgb16.png", "rgb16.tiff"):
        found = read_picture(tmp_path / name).image
        assert np.abs(found.astype(int) - grey).max() <= 1, name


def test_what_is_transparent_becomes_white(tmp_path):
    PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png").image == 255).all()


def test_the_size_is_checked_before_the_pixels_are_decoded(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(40_000, 11_000))
    with pytest.raises(MediaError, match="at most 400 megapixels. Received: 40000 x 11000 \\(440 megapixels\\)"):
        read_picture(path)
    path.write_bytes(png_header(65_535, 65_535))
    with pytest.raises(MediaError, match="megapixels"):
        read_picture(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff"])
def test_a_truncated_picture_is_refused_not_guessed(tmp_path, suffix, rng):
    path = tmp_path / f"cut.{suffix}"
    PIL.Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match="damaged"):
        read_picture(path)


def test_a_text_named_jpg_is_refused(tmp_path):
    path = tmp_path / "letter.jpg"
    path.write_text("Dear reader, this is no picture at all.")
    with pytest.raises(MediaError, match="neither a picture .* nor a video .*, whatever its name says"):
        kind_of(path)


def test_an_empty_file_an_absent_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(MediaError, match="is empty \\(0 bytes\\)"):
        read_picture(tmp_path / "empty.png")
    with pytest.raises(MediaError, match="cannot be opened: No such file"):
        read_picture(tmp_path / "absent.png")
    with pytest.raises(MediaError, match="cannot be opened: Is a directory"):
        read_picture(tmp_path)


def test_the_content_decides_not_the_name(tmp_path, write_video, grey_ramp):
    path = tmp_path / "clip.jpg"
    write_video(tmp_path / "clip.mp4", grey_ramp).rename(path)
    assert kind_of(path) == "video"
    with pytest.raises(MediaError, match="is a video, not a picture"):
        read_picture(path)


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"),
                                               ("avi", "mpeg4"), ("webm", "libvpx-vp9")])  # fmt: skip
def test_frames_are_the_ones_shown_at_the_sampled_times(tmp_path, write_video, grey_ramp, suffix, codec):
    path = write_video(tmp_path / f"clip.{suffix}", grey_ramp, codec=codec, options={})
    reader = VideoReader(path, Sampling(frames=4))
    frames = list(reader)
    assert 1.9 <= reader.duration <= 2
    assert [round(frame.image.mean() / 10) - 2 for frame in frames] == [int(time * 10) for time in reader.times]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]


def test_times_are_exact_fractions_with_a_variable_frame_rate(tmp_path, write_video, grey_ramp):
    times = [0, 3, 50, 51, 120]
    path = write_video(tmp_path / "variable.mp4", grey_ramp[:5], times)
    reader = VideoReader(path, Sampling(fps=100, end_s=1.0))
    assert {frame.time for frame in reader} == {Fraction(time, 100) for time in times[:4]}


def test_start_end_and_fps_choose_the_frames(tmp_path, write_video, grey_ramp):
    path = write_video(tmp_path / "clip.mp4", grey_ramp)
    reader = VideoReader(path, Sampling(fps=5, start_s=0.5, end_s=1.5))
    assert [frame.time_s for frame in reader] == [0.5, 0.7, 0.9, 1.1, 1.3]
    with pytest.raises(MediaError, match="no frame after 9.0 s. Choose an earlier --start"):
        VideoReader(path, Sampling(start_s=9.0))


def test_seeking_gives_the_frames_that_decoding_everything_gives(tmp_path, write_video, rng):
    images = [np.full((64, 64, 3), value, np.uint8) for value in rng.integers(0, 256, 120)]
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4, options={"g": "6", "crf": "5"})
        stream.width = stream.height = 64
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    frames = list(VideoReader(path, Sampling(frames=5)))
    for frame in frames:
        assert abs(frame.image.mean() - images[int(frame.time * 4)].mean()) < 4


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libvpx-vp9"])
@pytest.mark.parametrize("sampling", [Sampling(frames=7), Sampling(frames=3, start_s=4.9), Sampling(fps=3.3), Sampling(fps=50)],
                         ids=["few", "late", "some", "all"])  # fmt: skip
def test_passing_over_frames_changes_no_pixel_of_the_others(tmp_path, rng, codec, sampling):
    path = tmp_path / "moving.mkv"
    texture = cv2.GaussianBlur(rng.integers(0, 256, (96, 216), dtype=np.uint8), (5, 5), 0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=20, options={"g": "60", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        for left in range(120):
            image = np.dstack([texture[:, left : left + 96]] * 3)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        every = [(frame.pts, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        base = container.streams.video[0].time_base
    reader = VideoReader(path, sampling)
    frames = list(reader)
    assert not reader.frames_failed
    assert len({frame.time for frame in frames}) == len(frames)
    for frame in frames:
        time = reader.times[frame.index]
        pts, expected = max((shown for shown in every if (shown[0] - every[0][0]) * base <= time), key=lambda s: s[0])
        assert frame.time == (pts - every[0][0]) * base
        np.testing.assert_array_equal(frame.image, expected)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_metadata_is_undone(tmp_path, turn):
    upright = np.repeat(np.repeat(corner_picture(), 4, 0), 4, 1)
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "5"})
        stored = np.ascontiguousarray(np.rot90(upright, -turn // 90))
        stream.height, stream.width = stored.shape[:2]
        frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
        for number in range(3):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    rewrite_matrix(path, turn)
    frame = next(iter(VideoReader(path, Sampling(frames=1))))
    assert frame.image.shape == upright.shape
    assert np.abs(frame.image.astype(int) - upright).mean() < 12


def rewrite_matrix(path, turn):
    """Writes a display matrix into the track header that turns the shown frame anticlockwise by `turn` degrees."""
    content = bytearray(path.read_bytes())
    one, minus = 0x10000, 0xFFFF0000
    a, b, c, d = {90: (0, minus, one, 0), 180: (minus, 0, 0, minus), 270: (0, one, minus, 0)}[turn]
    place = content.index(b"tkhd") + 4 + 40
    content[place : place + 36] = struct.pack(">9I", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)


def test_a_truncated_video_is_refused(tmp_path, write_video, grey_ramp):
    path = write_video(tmp_path / "cut.mp4", grey_ramp)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match="cannot be opened as a video .* damaged or cut short"):
        VideoReader(path)


def test_frames_that_are_lost_are_counted(tmp_path, write_video, rng):
    images = [np.repeat(np.repeat(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), 16, 0), 16, 1) for _ in range(40)]
    path = write_video(tmp_path / "cut.mp4", images, options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reader = VideoReader(path, Sampling(frames=10))
    found = len(list(reader))
    assert 0 < found < 10
    assert reader.frames_failed == 10 - found


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 44100), np.float32), format="fltp", layout="stereo")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="No video stream in .* \\(1 audio stream\\(s\\) found\\)"):
        VideoReader(path)


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"fps": 0.0}, {"start_s": -1.0}, {"start_s": 2.0, "end_s": 1.0}])
def test_a_wrong_sampling_is_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        Sampling(**wrong)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "flv", "mpg", "mp4", "webm"])
@pytest.mark.parametrize("start", [0, 10_000], ids=["from zero", "from 100 s"])
def test_a_clip_is_sampled_over_its_own_time_wherever_it_starts(tmp_path, write_video, grey_ramp, suffix, start):
    codec = {"mpg": "mpeg2video", "webm": "libvpx-vp9", "flv": "libx264"}.get(suffix, "libx264")
    path = tmp_path / f"clip.{suffix}"
    with av.open(str(path), "w", format={"ts": "mpegts"}.get(suffix)) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(grey_ramp[number * 2 // 5], format="rgb24")
            frame.pts, frame.time_base = number + start // 4, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    reader = VideoReader(path, Sampling(frames=4))
    frames = list(reader)
    assert (len(frames), reader.frames_failed) == (4, 0)
    assert 1.8 <= reader.duration <= 2.1
    assert [round(frame.image.mean() / 10) - 2 for frame in frames] == [2, 7, 12, 17]


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_a_clip_ends_with_its_pictures_not_with_its_sound(tmp_path, grey_ramp, suffix):
    path = tmp_path / f"clip.{suffix}"
    with av.open(str(path), "w", format={"ts": "mpegts"}.get(suffix)) as container:
        stream, sound = container.add_stream("libx264", rate=10), container.add_stream("aac", rate=44100)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for image in grey_ramp:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
        quiet = av.AudioFrame.from_ndarray(np.zeros((2, 44100 * 20), np.float32), format="fltp", layout="stereo")
        quiet.sample_rate = 44100
        container.mux(sound.encode(quiet))
        container.mux(sound.encode(None))
    reader = VideoReader(path, Sampling(frames=10))
    assert len(list(reader)) == 10
    assert 1.8 <= reader.duration <= 2.1


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_of_several_videos_the_one_that_players_show_is_read_and_that_is_said(tmp_path, write_video, suffix):
    path = tmp_path / f"two.{suffix}"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=10) for _ in range(2)]
        for stream, disposition in zip(streams, (Disposition(0), Disposition.default), strict=True):
            stream.height = stream.width = 64
            stream.pix_fmt, stream.disposition = "yuv420p", disposition
        for stream, shade in zip(streams, (50, 200), strict=True):
            for _ in range(5):
                container.mux(
                    stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade, np.uint8), format="rgb24"))
                )
            container.mux(stream.encode(None))
    reader = VideoReader(path, Sampling(frames=2))
    assert {round(frame.image.mean() / 10) for frame in reader} == {20}
    assert reader.notes == (Note.SEVERAL_VIDEOS,)
    assert VideoReader(write_video(tmp_path / "one.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3)).notes == ()


def test_a_frame_is_given_once_however_often_it_is_asked_for(tmp_path, write_video, grey_ramp):
    reader = VideoReader(write_video(tmp_path / "short.mp4", grey_ramp[:5]), Sampling(frames=24))
    frames = list(reader)
    assert [round(frame.image.mean() / 10) - 2 for frame in frames] == [0, 1, 2, 3, 4]
    assert reader.frames_failed == 0
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})


def test_a_still_that_is_shown_for_long_is_one_frame(tmp_path, write_video, grey_ramp):
    reader = VideoReader(write_video(tmp_path / "still.mp4", grey_ramp[:1] * 30), Sampling(frames=10))
    assert len(list(reader)) == 1
    assert reader.frames_failed == 0


def test_an_encrypted_video_is_not_called_damaged(tmp_path, grey_ramp):
    path = tmp_path / "bought.mp4"
    key = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "0" * 32,
    }
    with av.open(str(path), "w", options=key) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for image in grey_ramp:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"bought.mp4 is encrypted \(DRM\)"):
        list(VideoReader(path))


@pytest.mark.parametrize(("suffix", "muxer", "codec"), [
    ("3gp", "3gp", "libx264"), ("qt", "mov", "libx264"), ("m2ts", "mpegts", "libx264"), ("mpg", "mpeg", "mpeg2video"), ("m2v", "mpeg2video", "mpeg2video"),
    ("flv", "flv", "libx264"), ("wmv", "asf", "wmv2"), ("ogv", "ogg", "libvpx"), ("vob", "vob", "mpeg2video"),
])  # fmt: skip
def test_the_videos_that_people_have_are_read_whatever_their_name(tmp_path, grey_ramp, suffix, muxer, codec):
    path = tmp_path / f"clip.{suffix}"
    with av.open(str(path), "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey_ramp[number * 2 // 5], format="rgb24")))
        container.mux(stream.encode(None))
    path = path.rename(tmp_path / "blob")
    reader = VideoReader(path, Sampling(frames=4))
    frames = list(reader)
    assert (len(frames), reader.frames_failed) == (4, 0)
    assert 1.7 <= reader.duration <= 2.2
    assert np.abs(np.array([frame.image.mean() for frame in frames]) - [42.5, 92.5, 142.5, 192.5]).max() <= 12


@pytest.mark.parametrize(("content", "command"), [
    (b"\0\0\0\x0cJXL \r\n\x87\n", "djxl photo converted.png"),
    (b"8BPS\0\1", r"magick photo\[0\] converted.png"),
    (b".RMF\0\0", "ffmpeg -i photo -c:v libx264 converted.mp4"),
    (b"\0\0\0\x18ftypcrx ", "darktable-cli photo converted.jpg"),
    (b"%PDF-1.7", "pdftoppm -png photo page"),
])  # fmt: skip
def test_what_is_known_and_not_read_is_refused_with_the_command_that_converts_it(tmp_path, content, command):
    (tmp_path / "photo").write_bytes(content)
    with pytest.raises(MediaError, match=f"which is not read here. Convert it: {command}"):
        kind_of(tmp_path / "photo")
