"""What broken and hostile files once did, each a fault of its own that must not come back."""

from __future__ import annotations

import io
import json
import os
import shutil
from fractions import Fraction

import av
import numpy as np
import PIL.Image
import pytest
from av.stream import Disposition
from click.testing import CliRunner
from corpus import odd_cases
from corpus.pictures import many_scans
from corpus.sound import muxed, picture, video
from corpus.videos import pictures_in_a_row

from deepfake.cli.main import main
from deepfake.errors import MediaError
from deepfake.faces.mtcnn import MAX_KEPT_PIXELS, FaceFinder
from deepfake.faces.pyramid import MAX_LEVEL_PIXELS, pyramid_scales
from deepfake.media import VideoReader, kind_of, open_media, read_picture, video_stream
from deepfake.media.isolated import Limits, open_isolated
from deepfake.media.picture import MAX_FILE_BYTES
from deepfake.records import MAX_SAMPLES, Frame, Sampling
from deepfake.report.files import to_json, write_report


@pytest.fixture(scope="module")
def odd():
    """Writes a case of the corpus by its title."""
    made = {case.title: case for case in odd_cases()}
    return lambda folder, title: made[title].write(folder)


@pytest.mark.parametrize("title", ["title-in-another-code.mp4", "title-in-another-code.mkv"])
def test_a_title_that_is_no_utf_8_harms_no_video(tmp_path, odd, title):
    reader = VideoReader(odd(tmp_path, title), Sampling(frames=3))
    assert list(reader)
    assert not reader.frames_failed


def test_a_video_in_an_unknown_code_is_refused_with_the_remedy(tmp_path, odd):
    with pytest.raises(MediaError, match="is in a code that is not known here. Re-encode it .* ffmpeg -i"):
        VideoReader(odd(tmp_path, "coding-unknown.mp4"))


def test_a_cover_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with muxed("mp4") as (target, out):
        stream = target.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 160
        stream.pix_fmt, stream.disposition = "yuvj420p", Disposition.attached_pic
        packet = av.Packet(picture("JPEG"))
        packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1), 0, 0
        target.mux(packet)
    path.write_bytes(out)
    with pytest.raises(MediaError, match="No video stream"):
        VideoReader(path)


def test_frames_larger_than_the_header_said_are_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(video_stream, "_OPTIONS", {"max_pixels": "40000"})
    sides = [160] * 6 + [320] * 6
    path = tmp_path / "growing.mkv"
    path.write_bytes(pictures_in_a_row("matroska", [jpeg_of(side) for side in sides]))
    reader = VideoReader(path, Sampling(frames=12))
    assert {frame.image.shape for frame in reader} == {(160, 160, 3)}
    assert reader.frames_failed >= 3


def jpeg_of(side):
    out = io.BytesIO()
    PIL.Image.new("RGB", (side, side)).save(out, "JPEG")
    return out.getvalue()


def test_a_video_that_claims_to_last_for_ever_is_refused_before_its_times_are_made(tmp_path):
    path = tmp_path / "clip.mkv"
    path.write_bytes(video("matroska", "libx264", times=[*range(11), 2**40]))
    with pytest.raises(MediaError, match=f"too long. At most {MAX_SAMPLES} frames .* Choose a smaller --fps"):
        VideoReader(path, Sampling(fps=10))
    assert len(VideoReader(path, Sampling(fps=10, end_s=1.0))) == 10


def test_a_picture_drawn_again_and_again_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "scans.jpg"
    path.write_bytes(many_scans(64, 64, scans=200))
    with pytest.raises(MediaError, match="draws its picture in 2.. scans; at most 100 are read"):
        read_picture(path)
    path.write_bytes(many_scans(64, 64, scans=20))
    assert read_picture(path).image.shape == (64, 64, 3)


@pytest.mark.parametrize("end", [b"", b"\0", b"\xd0", b"\xff\xda"])
def test_bytes_that_fill_a_jpeg_cost_no_time(tmp_path, end):
    path = tmp_path / "filled.jpg"
    path.write_bytes(b"\xff\xd8" + b"\xff" * 4_000_000 + end)
    # In quadratic time that would be hours.
    with pytest.raises(MediaError, match="damaged or cut short"):
        list(open_isolated(path, limits=Limits(processor_s=10)))


def test_scans_are_not_hidden_by_the_end_of_a_thumbnail(tmp_path):
    path = tmp_path / "scans.jpg"
    content = many_scans(64, 64, scans=200)
    path.write_bytes(content[:2] + b"\xff\xe1\0\x08\xff\xd8\xff\xd9ab" + content[2:])
    with pytest.raises(MediaError, match="scans"):
        read_picture(path)


@pytest.mark.parametrize("title", ["wide-elsewhere.tiff", "wide-twice.tiff", "wide-by-text.tiff"])
def test_a_tiff_that_hides_its_size_is_refused(tmp_path, odd, title):
    with pytest.raises(MediaError, match="its TIFF header has no size, or several"):
        read_picture(odd(tmp_path, title))


def test_a_file_too_large_for_a_picture_is_not_read(tmp_path):
    path = tmp_path / "large.tiff"
    path.write_bytes(b"II*\0")
    os.truncate(path, MAX_FILE_BYTES + 1)
    with pytest.raises(MediaError, match="far too large for a picture \\(2.0 GB\\)"):
        read_picture(path)


def test_a_pipe_is_refused_not_waited_for(tmp_path):
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    with pytest.raises(MediaError, match="is a pipe or a device, not a file"):
        kind_of(path)


@pytest.mark.parametrize("name", ["a\0b.jpg", "\ud800.jpg", "n" * 300 + ".jpg"])
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(MediaError, match="cannot be opened"):
        open_media(name)


def test_no_level_of_a_ribbon_is_large_and_none_stays_in_memory(detector):
    for height, width in ((490, 100_000), (100_000, 490), (7000, 7000), (1080, 1920)):
        for share in (0.001, 0.06):
            scales = pyramid_scales(height, width, share)
            assert height * width * scales[0] ** 2 <= MAX_LEVEL_PIXELS * 1.001
    assert pyramid_scales(1080, 1920, 0.06)[0] == pytest.approx(12 / (0.06 * 1080))
    finder: FaceFinder = detector._finder
    finder.find([Frame(np.zeros((60, 100_000, 3), np.uint8), 0, Fraction(0))])
    assert finder._pnet._ready
    assert all(shape[1] * shape[2] <= MAX_KEPT_PIXELS for shape in finder._pnet._ready)


@pytest.mark.parametrize("stem", [os.fsdecode(b"\xff\xfe"), "n" * 250, "\U00020000" * 62, "a\n\x1b[31m\u202eb"])
def test_reports_are_written_whatever_the_name(tmp_path, detector, examples, stem):
    path = tmp_path / f"{stem}.jpg"
    shutil.copy(examples / "portrait.jpg", path)
    verdict = detector.detect(path)
    assert os.fsencode(json.loads(to_json(verdict))["path"]) == os.fsencode(path)
    for _ in range(2):
        written = write_report(verdict, tmp_path / "out")
        assert [file.exists() for file in written] == [True, True]
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_a_name_is_printed_on_one_line_and_steers_no_terminal(tmp_path, examples):
    for name in ("a\nfake p_fake 1.000.jpg", "\x1b[2Jb.jpg"):
        shutil.copy(examples / "no_face.jpg", tmp_path / name)
    (tmp_path / "\x1b[2Jc.jpg").write_bytes(b"")
    done = CliRunner().invoke(main, ["detect", str(tmp_path)], color=True)
    assert done.exit_code == 3
    assert len(done.stdout.splitlines()) == 2
    assert "\x1b" not in done.output
