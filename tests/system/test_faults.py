"""What the world does to a program that writes: no room, no rights, a clock that jumps."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from deepfake.scan.pool import Workers
from deepfake.scan.worker import ScanSettings

resource = pytest.importorskip("resource", reason="limits the size of files, as a full disk does")


@pytest.fixture
def full(root):
    """Runs a command that can write files of at most that many bytes."""

    def run(largest, *words):
        return subprocess.run(
            [sys.executable, "-m", "deepfake", *map(str, words)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)),
        )

    return run


def test_a_report_for_which_there_is_no_room_is_an_error_and_leaves_no_half_file(full, tmp_path):
    done = full(20_000, "detect", "examples/portrait.jpg", "--save-dir", tmp_path)
    assert done.returncode == 1
    assert "Check the path, its rights and the disk." in done.stderr
    assert "Traceback" not in done.stderr
    # The JSON was small enough, and is whole; the picture was not.
    assert [path.name for path in tmp_path.iterdir()] == ["portrait.jpg.json"]


def test_a_store_for_which_there_is_no_room_is_an_error_and_goes_on_when_there_is(full, tmp_path, root):
    for number in range(40):
        (tmp_path / f"{number:02d}.jpg").write_bytes(b"no picture %d" % number)
    call = ["scan", tmp_path, "--out", tmp_path / "s.sqlite", "--workers", 1]
    done = full(60_000, *call)
    assert done.returncode == 1
    assert "Check the disk's free space" in done.stderr
    assert "Traceback" not in done.stderr
    again = full(10_000_000, *call)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("40 files")


@pytest.mark.parametrize(
    "words",
    [
        ["detect", "examples/portrait.jpg", "--save-dir", "/proc/deepfake"],
        ["scan", "examples", "--out", "/proc/scan.sqlite"],
    ],
)
def test_a_place_where_nothing_can_be_written_is_an_error(full, words):
    done = full(10_000_000, *words)
    assert done.returncode == 1
    assert "Check the" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_clock_that_jumps_ends_no_worker(examples, monkeypatch):
    settings = ScanSettings()
    with Workers(settings, limit_s=60.0) as workers:
        sent = workers.send(examples / "half_fake.mp4")
        monkeypatch.setattr(time, "time", lambda: 1e10)
        assert sent.result().verdict
