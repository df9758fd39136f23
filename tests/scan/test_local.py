from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from deepfake.scan.files import find_files
from deepfake.scan.local import scan
from deepfake.scan.pool import Workers
from deepfake.scan.row import Failure
from deepfake.scan.store import Store
from deepfake.system.files import sha256_of


def workers_of(process):
    """The processes that judge: those that the fork server started."""
    return [child for server in process.children() for child in server.children()]


def run(folder, store, settings, **options):
    return scan(find_files([str(folder)]), store, settings, **options)


def test_rows_are_what_detect_says_and_come_once(photos, examples, settings, identity, detector, tmp_path):
    folder = photos(3)
    shutil.copy(examples / "half_fake.mp4", folder / "clip.mp4")
    shutil.copy(folder / "0001.png", folder / "same.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (folder / "empty.png").write_bytes(b"")
    with Store(tmp_path / "s.sqlite", identity) as store:
        seen = []
        tally = run(folder, store, settings, progress=lambda tally: seen.append(tally.done))
        rows = {Path(row["path"]).name: row for row in store.rows()}
        again = run(folder, store, settings)
    assert seen == list(range(1, 8))
    assert (tally.done, tally.errors, tally.identical, tally.resumed) == (7, 2, 1, 0)
    assert (again.done, again.resumed, again.errors) == (7, 7, 0)
    for name in ("0000.png", "0001.png", "same.png", "clip.mp4"):
        verdict = detector.detect(folder / name)
        assert (rows[name]["verdict"], rows[name]["reason"]) == (verdict.label, verdict.reason)
        assert rows[name]["p_fake"] == pytest.approx(verdict.p_fake, abs=1e-4)
        assert len(rows[name]["faces"]) == len(rows[name]["times"]) == len(verdict.scores)
    assert rows["broken.jpg"]["failure"] == rows["empty.png"]["failure"] == "unreadable"
    assert rows["empty.png"]["error"] == "The file is empty (0 bytes). Copy it again."


def test_a_changed_file_is_judged_again_and_an_error_only_if_asked(photos, settings, identity, tmp_path):
    folder = photos(1)
    broken = folder / "0000.png"
    good = broken.read_bytes()
    broken.write_bytes(good[:100])
    with Store(tmp_path / "s.sqlite", identity) as store:
        assert run(folder, store, settings).errors == 1
        assert run(folder, store, settings).resumed == 1
        assert run(folder, store, settings, retry_errors=True).errors == 1
        broken.write_bytes(good)
        assert run(folder, store, settings).errors == 0
        assert [row["failure"] for row in store.rows()] == [None]


def test_a_worker_that_is_killed_costs_nothing_and_one_that_hangs_its_file(
    photos, settings, identity, tmp_path, monkeypatch
):
    monkeypatch.setattr("deepfake.system.process.START_S", 10.0)
    folder = photos(8)
    done = threading.Event()

    def corruption():
        killed = set()
        while not done.wait(0.01):
            for worker in workers_of(psutil.Process()):
                if not killed:
                    worker.kill()
                elif len(killed) == 1 and worker.pid not in killed:
                    worker.suspend()
                killed.add(worker.pid)

    thread = threading.Thread(target=corruption)
    with Store(tmp_path / "s.sqlite", identity) as store:
        thread.start()
        try:
            tally = run(folder, store, settings, limit_s=10.0)
        finally:
            done.set()
            thread.join()
        failures = store.count("failure")
        errors = [row["error"] for row in store.rows() if row["failure"]]
    assert tally.done == 8
    assert failures.get(None, 0) >= 7
    assert set(failures) <= {None, "timeout"}
    assert all("took more than 10 s" in error for error in errors)


def test_a_file_that_kills_every_worker_gets_its_row(photos, settings):
    (photo,) = photos(1).iterdir()
    done = threading.Event()

    def kill():
        while not done.wait(0.01):
            # One may end by itself between being listed and being killed.
            with contextlib.suppress(psutil.NoSuchProcess):
                for worker in workers_of(psutil.Process()):
                    worker.kill()

    thread = threading.Thread(target=kill)
    with Workers(settings) as workers:
        thread.start()
        try:
            answer = workers.judge(photo)
        finally:
            done.set()
            thread.join()
        assert answer.failure is Failure.CRASH
        assert "died 2 times" in answer.error
        assert workers.judge(photo).verdict


def test_files_without_an_end_get_their_rows_and_cost_the_others_nothing(
    photos, settings, identity, tmp_path, monkeypatch
):
    # The photograph may need longer than that.
    monkeypatch.setattr("deepfake.scan.local.sha256_of", lambda path, limit_s: sha256_of(path, limit_s / 500))
    folder = photos(1)
    os.mkfifo(folder / "pipe.jpg")
    heads = {"sparse.jpg": b"\xff\xd8\xff", "sparse.mkv": b"\x1a\x45\xdf\xa3", "zeros.jpg": b"\0\0\0\0"}
    for name, head in heads.items():
        with (folder / name).open("wb") as file:
            file.write(head)
            file.truncate(4 * 2**40)
    with Store(tmp_path / "s.sqlite", identity) as store:
        for _ in range(2):
            tally = scan([*sorted(folder.iterdir()), Path("/dev/zero")], store, settings)
        found = {Path(row["path"]).name: (row["failure"], row["bytes"]) for row in store.rows()}
    assert found.pop("0000.png")[0] is None
    assert {name: failure for name, (failure, _) in found.items()} == {
        "pipe.jpg": "unreadable",
        "sparse.jpg": "timeout",
        "sparse.mkv": "timeout",
        "zero": "unreadable",
        "zeros.jpg": "unreadable",
    }
    assert tally.resumed == 6


def test_closing_does_not_wait_for_a_file_that_hangs(photos, settings, monkeypatch):
    monkeypatch.setattr("deepfake.scan.pool._work", hangs)
    started = time.monotonic()
    with Workers(settings, limit_s=60.0) as workers:
        sent = workers.send("any.jpg")
        while not workers._busy:
            time.sleep(0.01)
    assert sent.result().failure
    assert time.monotonic() - started < 30


def hangs(line, settings):
    time.sleep(60)


def fails(line, settings):
    line.heard()
    raise ZeroDivisionError


def test_a_file_that_the_program_fails_on_gets_its_row(settings, monkeypatch):
    monkeypatch.setattr("deepfake.scan.pool._work", fails)
    with Workers(settings) as workers:
        answer = workers.judge("any.jpg")
    assert answer.failure is Failure.BUG
    assert "Please report it" in answer.error


def test_a_file_that_needs_too_much_memory_gets_its_row(settings, tmp_path):
    import dataclasses

    import PIL.Image

    PIL.Image.new("RGB", (7000, 7000)).save(tmp_path / "large.png", compress_level=1)
    with Workers(dataclasses.replace(settings, memory_bytes=int(0.9 * 2**30))) as workers:
        assert workers.judge(tmp_path / "large.png").failure in (Failure.MEMORY, Failure.UNREADABLE)


def test_ctrl_c_ends_a_scan_at_once_and_says_that_it_can_go_on(photos, tmp_path, root):
    command = [sys.executable, "-m", "deepfake", "scan", str(photos(2000)), "--out", str(tmp_path / "s.sqlite")]
    # A shell that runs this in the background has told its children to ignore Ctrl+C.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True, start_new_session=True)
    signal.signal(signal.SIGINT, heard)
    try:
        while not answered(tmp_path / "s.sqlite"):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert "Stopped. What is done stays done: call again to go on." in said
    assert "Traceback" not in said


def answered(store):
    """How many files a scan has answered so far."""
    if not store.exists():
        return 0
    with (
        contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as base,
        contextlib.suppress(sqlite3.Error),
    ):
        return base.execute("SELECT COUNT(*) FROM row").fetchone()[0]
    return 0


def kill_again_and_again(folder, out, kills, root):
    """Runs the command and kills it, `kills` times, then lets it end; its processes must go, too."""
    command = [sys.executable, "-m", "deepfake", "scan", str(folder), "--out", str(out), "--workers", "2"]
    killed = 0
    while True:
        process = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            if killed == kills:
                return process.communicate(timeout=600)[0]
            process.wait(timeout=3.0 + killed % 5 * 0.7)
            return process.communicate()[0]
        except subprocess.TimeoutExpired:
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGKILL)
            killed += 1
            _, alive = psutil.wait_procs(children, timeout=20)
            assert not alive
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_scan_that_is_killed_loses_and_doubles_nothing(photos, identity, tmp_path, root, kills):
    number = 15 * kills
    folder = photos(number)
    said = kill_again_and_again(folder, tmp_path / "s.sqlite", kills, root)
    assert f"{number} files" in said
    with Store(tmp_path / "s.sqlite") as store:
        rows = list(store.rows())
    assert [Path(row["path"]).name for row in rows] == [f"{index:04d}.png" for index in range(number)]
    assert all(row["verdict"] for row in rows)
