from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest

from deepfake.data.cut import LARGEST_FACE_PX, surroundings
from deepfake.data.cutter import ExtractSettings
from deepfake.data.extract import Summary, extract
from deepfake.data.index import Row, read_index, read_indexes, write_index
from deepfake.data.loader import read_crop
from deepfake.data.stored import read_stored
from deepfake.errors import DatasetError
from deepfake.faces import search
from deepfake.faces.crops import cut_crop
from deepfake.faces.mtcnn import FaceFinder
from deepfake.records import CropSpec, Face

SPEC = CropSpec(size=96)


@pytest.fixture
def photographs(tmp_path, examples):
    (tmp_path / "photos").mkdir()
    for name in ("portrait.jpg", "self_blend.jpg", "no_face.jpg"):
        shutil.copy(examples / name, tmp_path / "photos" / name)
    (tmp_path / "photos" / "letter.jpg").write_text("no picture")
    names = ["portrait.jpg", "self_blend.jpg", "no_face.jpg", "letter.jpg"]
    return [Row(name, "fake" if "blend" in name else "real", "photos", "train", name) for name in names]


def test_a_picture_gives_the_pixels_that_detect_sees(photographs, tmp_path, finder, portrait, portrait_face):
    summary = extract(photographs, tmp_path / "photos", tmp_path / "out", finder)
    assert summary == Summary(4, 2, 0, 0, {"no_face": 1, "unreadable": 1})
    row, other = read_indexes([tmp_path / "out" / "index.csv"])
    assert (row.label, row.identity, row.clip) == ("real", "portrait.jpg", "portrait")
    assert other.label == "fake"
    expected = cut_crop(portrait.image, portrait_face, SPEC).image.astype(int)
    assert np.abs(read_crop(row, SPEC).image - expected).max() <= 1
    wide = CropSpec(size=96, scale=1.4)
    assert (
        np.abs(read_crop(row, wide).image - cut_crop(portrait.image, portrait_face, wide).image.astype(int)).max() <= 1
    )
    skipped = (tmp_path / "out" / "skipped.csv").read_text()
    assert "no_face.jpg,no_face," in skipped
    assert 'letter.jpg,unreadable,"letter.jpg is neither a picture' in skipped
    assert str(tmp_path) not in skipped


def test_a_large_face_is_shrunk_and_its_geometry_with_it(portrait, portrait_face):
    scale = 3 * LARGEST_FACE_PX / portrait_face.size
    face = replace(
        portrait_face,
        box_xyxy=tuple(edge * scale for edge in portrait_face.box_xyxy),
        landmarks=portrait_face.landmarks * np.float32(scale),
    )
    large = np.zeros([round(side * scale) for side in portrait.image.shape[:2]] + [3], np.uint8)
    picture, box, landmarks = surroundings(large, face, 2.0)
    assert max(box[2] - box[0], box[3] - box[1]) == pytest.approx(LARGEST_FACE_PX, rel=0.01)
    centred = (landmarks - np.array([box[0], box[1]])) / LARGEST_FACE_PX
    expected = (face.landmarks - np.array(face.box_xyxy[:2])) / face.size
    np.testing.assert_allclose(centred, expected, atol=0.01)
    assert max(picture.shape[:2]) <= 2 * LARGEST_FACE_PX + 2


def test_a_video_gives_the_largest_person_evenly_in_time(examples, tmp_path, finder):
    rows = [Row("half_fake.mp4", "fake", "clips", "test", "x", "swap")]
    summary = extract(rows, examples, tmp_path / "out", finder, ExtractSettings(frames=5))
    assert (summary.files, summary.pictures) == (1, 5)
    found = read_index(tmp_path / "out" / "index.csv")
    assert [row.path for row in found] == [f"clips/half_fake/{n:03d}.png" for n in range(5)]
    assert {(row.clip, row.method, row.split) for row in found} == {("half_fake", "swap", "test")}


class FakeFinder(FaceFinder):
    """Finds a face in the middle of every frame, and counts the pixels of frames that are in memory meanwhile."""

    def __init__(self):
        self.held = self.most = 0

    def find(self, frames, *, min_face_share=None):
        for frame in frames:
            owner = frame.image
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            weakref.finalize(owner, self.free, frame.image[..., 0].size)
            self.held += frame.image[..., 0].size
        self.most = max(self.most, self.held)
        points = np.full((5, 2), 100, np.float32)
        return [[Face((80.0, 80.0, 120.0, 120.0), points, 1.0, frame.index)] for frame in frames]

    def free(self, pixels):
        self.held -= pixels


@pytest.mark.parametrize("aligned", [None, SPEC])
def test_a_few_large_frames_are_held_and_of_the_others_their_faces(
    tmp_path, save_png, write_video, monkeypatch, rng, aligned
):
    monkeypatch.setattr(search, "HELD_PIXELS", 2 * 240 * 320)
    images = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(16)]
    write_video(tmp_path / "clip.mp4", images)
    for number, image in enumerate(images):
        save_png(tmp_path / f"{number}.png", image)
    for names in (["clip.mp4"], [f"{number}.png" for number in range(16)]):
        counting = FakeFinder()
        rows = [Row(name, "fake", "made") for name in names]
        summary = extract(rows, tmp_path, tmp_path / names[0][:1], counting, ExtractSettings(16, aligned=aligned))
        # The clip's last frame is short, so two of the times that are sampled show one frame.
        assert summary.pictures == (15 if names == ["clip.mp4"] else 16)
        assert 2 * 240 * 320 < counting.most <= 5 * 240 * 320
    if not aligned:
        np.testing.assert_array_equal(read_stored(tmp_path / "0" / "made" / "7.png"), images[7][60:141, 60:141])


def test_a_broken_picture_among_others_takes_nobody_s_place(photographs, tmp_path, finder):
    rows = [photographs[number] for number in (3, 0, 2, 1)]
    extract(rows, tmp_path / "photos", tmp_path / "out", finder)
    assert [row.path for row in read_index(tmp_path / "out" / "index.csv")] == [
        "photos/portrait.png", "photos/self_blend.png"
    ]  # fmt: skip
    lines = (tmp_path / "out" / "skipped.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["letter.jpg", "unreadable"], ["no_face.jpg", "no_face"]]


def test_finished_crops_are_written_for_other_tools(photographs, tmp_path, finder, portrait, portrait_face):
    extract(photographs[:1], tmp_path / "photos", tmp_path / "out", finder, ExtractSettings(aligned=SPEC))
    (row,) = read_indexes([tmp_path / "out" / "index.csv"])
    assert not row.box
    expected = cut_crop(portrait.image, portrait_face, SPEC).image
    np.testing.assert_array_equal(read_stored(tmp_path / "out" / "photos" / "portrait.png"), expected)
    np.testing.assert_array_equal(read_crop(row, SPEC).image, expected)


def test_crops_that_are_crops_already_are_copied_and_reals_get_landmarks(photographs, tmp_path, finder):
    settings = ExtractSettings(cropped_sources=("photos",))
    extract(photographs[:3], tmp_path / "photos", tmp_path / "out", finder, settings)
    found = read_index(tmp_path / "out" / "index.csv")
    for row in found:
        name = row.path.removeprefix("photos/")
        assert (tmp_path / "out" / row.path).read_bytes() == (tmp_path / "photos" / name).read_bytes()
        assert not row.box
    assert [bool(row.landmarks) for row in found] == [True, False, False]


def test_files_outside_the_table_s_folder_stay_inside_the_output(photographs, tmp_path, finder):
    (tmp_path / "tables").mkdir()
    rows = [replace(row, path=f"../photos/{row.path}") for row in photographs[:2]]
    extract(rows, tmp_path / "tables", tmp_path / "out", finder)
    assert [row.path for row in read_index(tmp_path / "out" / "index.csv")] == [
        "photos/portrait.png", "photos/self_blend.png"
    ]  # fmt: skip


def test_a_killed_extraction_goes_on_with_nothing_lost_and_nothing_doubled(photographs, tmp_path, finder, root):
    rows = [replace(photographs[n % 2], path=f"{n}.jpg", identity=str(n)) for n in range(40)]
    for n, row in enumerate(rows):
        shutil.copy(tmp_path / "photos" / photographs[n % 2].path, tmp_path / "photos" / row.path)
    write_index(tmp_path / "photos" / "index.csv", rows)
    extract(rows, tmp_path / "photos", tmp_path / "whole", finder)

    command = [sys.executable, "-m", "deepfake", "extract", str(tmp_path / "photos" / "index.csv"), "--out"]
    journal = tmp_path / "killed" / "journal.jsonl"
    process = subprocess.Popen([*command, str(tmp_path / "killed")], cwd=root, stdout=subprocess.DEVNULL)
    while not journal.exists() or journal.read_text().count("\n") < 10:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = journal.read_text().count("\n") - 1
    assert 0 < done < 40
    with journal.open("a") as file:
        file.write('{"path": "39.jpg", "rea')  # As if the power had failed in the middle of a line.
    answer = subprocess.run([*command, str(tmp_path / "killed")], cwd=root, capture_output=True, check=True).stdout
    assert json.loads(answer)["resumed"] == done
    for name in ("index.csv", "skipped.csv", "photos/0.png", "photos/39.png"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert journal.read_text().count("\n") == 41


def test_other_settings_are_refused(photographs, tmp_path, finder):
    extract(photographs, tmp_path / "photos", tmp_path / "out", finder)
    with pytest.raises(DatasetError, match="holds an extraction with other settings.*Choose another folder"):
        extract(photographs, tmp_path / "photos", tmp_path / "out", finder, ExtractSettings(frames=3))


def test_nothing_extracted_and_a_file_twice_are_errors(photographs, tmp_path, finder):
    with pytest.raises(DatasetError, match="None of 1 files gave a face: {'no_face': 1}.*says why"):
        extract(photographs[2:3], tmp_path / "photos", tmp_path / "out", finder)
    with pytest.raises(DatasetError, match="Each file may be listed once.*portrait.jpg"):
        extract([photographs[0]] * 2, tmp_path / "photos", tmp_path / "twice", finder)
    with pytest.raises(ValueError, match="at least 1. Received: frames=0"):
        ExtractSettings(frames=0)


def test_files_that_would_overwrite_each_other_are_refused(photographs, tmp_path, finder):
    rows = [photographs[0], replace(photographs[0], path="portrait.png")]
    with pytest.raises(DatasetError, match="portrait.jpg and portrait.png would give pictures of one name. Rename"):
        extract(rows, tmp_path / "photos", tmp_path / "out", finder)
