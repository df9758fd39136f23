"""The lists of benchmarks, written as their own tools write them."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.data.datasets import rows_of
from deepfake.data.datasets.deepfakebench import FRAMES, deepfakebench
from deepfake.data.datasets.forensichub import forensichub
from deepfake.data.index import Row
from deepfake.data.split import check_disjoint
from deepfake.errors import DatasetError


def frames(folder, count, separator="/"):
    """Paths of so many frames, in the order of a folder: none."""
    names = [f"{number:03d}.png" for number in range(count)]
    return [separator.join([*folder.split("/"), name]) for name in sorted(names, key=lambda name: name[::-1])]


def forensics(separator="/", base="FaceForensics++"):
    """A list with two splits, two compressions, and masks beside the frames of fakes."""

    def videos(label, folder, *names, **more):
        return {
            level: {
                name: {"label": label, "frames": frames(f"{base}/{folder}/{level}/frames/{name}", 2, separator), **more}
                for name in names
            }
            for level in ("c23", "c40")
        }

    real, fake = "original_sequences/youtube", "manipulated_sequences/Deepfakes"
    return {
        "FaceForensics++": {
            "FF-real": {"train": videos("FF-real", real, "033"), "val": {}, "test": videos("FF-real", real, "000")},
            "FF-DF": {"train": {"c23": {}, "c40": {}}, "val": {}, "test": videos("FF-DF", fake, "000_003", masks=[])},
        }
    }


@pytest.fixture
def write(tmp_path):
    def make(values, name="list.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(values))
        return tmp_path / name

    return make


def test_deepfakebench(write):
    rows = deepfakebench(write(forensics()))
    fake = "FaceForensics++/manipulated_sequences/Deepfakes/c23/frames/000_003/000.png"
    assert rows[0] == Row(fake, "fake", "FaceForensics++_c23", "test", "000+003", "FF-DF", "FF-DF/000_003")
    assert {(row.label, row.split, row.source, row.clip) for row in rows} == {
        (label, split, f"FaceForensics++_{level}", clip)
        for label, split, clip in (
            ("fake", "test", "FF-DF/000_003"),
            ("real", "test", "FF-real/000"),
            ("real", "train", "FF-real/033"),
        )
        for level in ("c23", "c40")
    }
    assert len(rows) == 12
    check_disjoint(rows)
    assert deepfakebench(write(forensics("\\"))) == rows


@pytest.mark.parametrize(
    ("label", "expected"),
    [("CelebDFv2_real", "real"), ("DFDCP_Real", "real"), ("UADFV_Fake", "fake"), ("FF-FH", "fake")],
)
def test_deepfakebench_names_the_label_by_how_it_ends(write, label, expected):
    values = {"X": {label: {"test": {"a": {"label": label, "frames": ["X/frames/a/0.png"]}}}}}
    assert deepfakebench(write(values)) == [
        Row("X/frames/a/0.png", expected, "X", "test", "", "" if expected == "real" else label, f"{label}/a")
    ]


def test_a_video_in_several_splits_of_deepfakebench_is_tested_on_alone(write):
    video = {"label": "UADFV_Real", "frames": ["a/0.png"]}
    other = {"label": "UADFV_Real", "frames": ["b/0.png"]}
    values = {
        "UADFV": {
            "UADFV_Real": {"train": {"a": video, "b": other}, "val": {"a": video, "b": other}, "test": {"a": video}}
        }
    }
    assert {row.path: row.split for row in deepfakebench(write(values))} == {"a/0.png": "test", "b/0.png": "val"}


def test_deepfakebench_tests_on_frames_spread_over_the_video(write):
    values = {"X": {"X_real": {"test": {"a": {"label": "X_real", "frames": frames("a", 3 * FRAMES)}}}}}
    assert [row.path for row in deepfakebench(write(values))] == [f"a/{3 * number:03d}.png" for number in range(FRAMES)]


def test_the_list_of_dfdc_with_a_video_in_the_place_of_its_validation_split_is_read(write):
    video = {"label": "DFDC_Real", "frames": ["DFDC/test/frames/abc/0.png"]}
    values = {"DFDC": {"DFDC_Real": {"train": {}, "test": {"abc": video}, "val": video}}}
    assert [(row.split, row.clip) for row in deepfakebench(write(values))] == [("test", "DFDC_Real/abc")]
    del values["DFDC"]["DFDC_Real"]["test"]
    assert [(row.split, row.clip) for row in deepfakebench(write(values))] == [("val", "DFDC_Real/abc")]


@pytest.mark.parametrize(
    "values",
    [
        [{"path": "a.png", "label": 0}],
        {"X": ["a.png"]},
        {"X": {"X_real": {"test": ["a.png"]}}},
        {"X": {"X_real": {"test": {"a": {"label": "X_real", "frames": "a.png"}}}}},
        {"X": {"X_real": {"test": {"a": {"frames": ["a.png"]}}}}},
    ],
)
def test_what_is_no_list_of_deepfakebench_is_refused(write, values):
    with pytest.raises(DatasetError, match=r"A (list|video of a list) of DeepfakeBench .* Received: .*list\.json"):
        deepfakebench(write(values))


def test_forensichub(write):
    samples = [{"path": "real\\b.png", "label": 0}, {"path": "./adm/a.png", "label": 1, "mask": None}]
    assert forensichub(write(samples, "faces/test.json")) == [
        Row("adm/a.png", "fake", "faces", "test", clip="adm/a"),
        Row("real/b.png", "real", "faces", "test", clip="real/b"),
    ]
    assert {(row.source, row.split) for row in forensichub(write(samples, "faces/progan.json"))} == {("progan", "")}
    for wrong in ({"path": "a.png", "label": 0}, [["a.png", "Negative"]], [{"path": "a.png", "label": 2}]):
        with pytest.raises(DatasetError, match="A list of ForensicHub is built as"):
            forensichub(write(wrong))
    with pytest.raises(DatasetError, match=r"Received: a\.png as both"):
        forensichub(write([{"path": "a.png", "label": 0}, {"path": "a.png", "label": 1}]))


@pytest.mark.parametrize("base", ["FaceForensics++", "/somewhere/else/FaceForensics++", ".\\datasets\\FaceForensics++"])
def test_a_list_that_was_written_elsewhere_finds_its_files_below_a_folder(write, tmp_path, base):
    written = write(forensics(base=base))
    with pytest.raises(DatasetError, match=r"must lie below .*rgb\. Received: none of 12 is there.*as --root"):
        rows_of("deepfakebench", written, tmp_path, root=tmp_path / "rgb")
    here = tmp_path / "rgb/FaceForensics++/original_sequences/youtube/c40/frames/000"
    here.mkdir(parents=True)
    (here / "001.png").touch()
    rows, absent = rows_of("deepfakebench", written, tmp_path / "tables", root=tmp_path / "rgb")
    assert [row.path for row in rows] == ["../rgb/FaceForensics++/original_sequences/youtube/c40/frames/000/001.png"]
    assert str(absent).startswith("11 files: 11 .png; for example 000.png")


def test_what_only_has_the_same_name_is_no_file_of_a_list(write, tmp_path):
    (tmp_path / "000.png").touch()
    with pytest.raises(DatasetError, match="none of 12 is there"):
        rows_of("deepfakebench", write(forensics()), tmp_path)
    with pytest.raises(DatasetError, match="must name pictures or videos"):
        rows_of("forensichub", write([]), tmp_path)


def test_a_list_becomes_a_table_on_the_command_line(write, tmp_path):
    for name in ("a.png", "b.png", "unlisted.png"):
        (tmp_path / name).touch()
    written = write([{"path": "a.png", "label": 1}, {"path": "b.png", "label": 0}, {"path": "c.png", "label": 0}])
    out = tmp_path / "out" / "table.csv"
    call = CliRunner().invoke(main, ["index", "forensichub", str(written), "--out", str(out), "--split", "test"])
    assert call.stdout.splitlines()[-1] == "test: {'real': 1, 'fake': 1}"
    assert call.stderr == "left out: 1 file: 1 .png; for example c.png\n"
    with out.open() as file:
        assert [(row["path"], row["label"]) for row in csv.DictReader(file)] == [
            ("../a.png", "fake"),
            ("../b.png", "real"),
        ]
