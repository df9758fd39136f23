from __future__ import annotations

import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.scan.row import Answer, ScoredFace
from deepfake.scan.store import Store


def call(*words):
    return CliRunner().invoke(main, ["scan", *map(str, words)])


@pytest.fixture
def store(tmp_path, identity, examples):
    path = tmp_path / "s.sqlite"
    face = ScoredFace((180.0, 63.0, 265.0, 171.0), p_fake=0.9, track=0)
    with Store(path, identity) as opened:
        opened.add(
            examples / "portrait.jpg", 7, 1, "aa", Answer("picture", "fake", p_fake=0.9, faces=(face,), times=(0.0,))
        )
    return path


def test_paths_are_scanned_without_a_command_and_the_end_is_a_line(photos, tmp_path):
    folder = photos(2)
    (folder / "names.txt").write_text("0000.png\n0001.png\n")
    told = call("--list", folder / "names.txt", "--out", tmp_path / "s.sqlite", "--workers", 1)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("2 files: ")
    assert "0 errors" in told.stdout
    again = call("run", folder, "--out", tmp_path / "s.sqlite", "--workers", 1)
    assert "2 done before" in again.stdout
    other = call(folder, "--out", tmp_path / "s.sqlite", "--workers", 1, "--frames", 3)
    assert other.exit_code == 1
    assert "holds answers with another sampling" in other.stderr


def test_what_was_found_is_summed_up_exported_and_drawn(store, tmp_path):
    assert "fake 1 (100.0%)" in call("summary", store).stdout
    names = [tmp_path / f"s.{kind}" for kind in ("csv", "parquet", "html")]
    assert call("export", store, "--csv", names[0], "--parquet", names[1], "--html", names[2]).exit_code == 0
    assert all(name.stat().st_size for name in names)
    drawn = call("worst", store, 3, "--out", tmp_path / "w.jpg")
    assert drawn.stdout.startswith("0.900  ")
    assert (tmp_path / "w.jpg").read_bytes()[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "s.sqlite"], "Nothing to scan"),
        (["nothing*.jpg", "--out", "s.sqlite"], "No picture or video in nothing*.jpg"),
        (["summary", __file__], "no store of a scan"),
        (["export", __file__], "Say what to write"),
        (["photos"], "Missing option '--out'"),
    ],
)
def test_a_wrong_call_says_what_to_do(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = call(*words)
    assert told.exit_code in (1, 2)
    assert said in told.stderr
    assert "Traceback" not in told.output
