"""A scan on a Ray cluster of several processes on this machine."""

from __future__ import annotations

import subprocess
import sys
import threading

import psutil
import pyarrow.parquet
import pytest

from deepfake.errors import StoreError
from deepfake.scan.cluster import fetched, list_files, rows_done, scan_cluster
from deepfake.scan.files import sha256_of


def rows_of(folder):
    return {row["path"]: row for row in pyarrow.parquet.read_table(folder).to_pylist()}


def test_addresses_are_listed_and_fetched_as_files_are(photos):
    folder = photos(2)
    (folder / "notes.txt").write_text("no picture")
    plain, addressed = list(list_files([str(folder)])), list(list_files([f"file://{folder}"]))
    assert [f"file://{path}" for path in plain] == addressed
    for name in (plain[0], addressed[0]):
        with fetched(name) as (path, sha256, size):
            assert path.suffix == ".png"
            assert (sha256, size) == (sha256_of(folder / "0000.png"), (folder / "0000.png").stat().st_size)


def test_half_a_file_of_rows_is_deleted_and_another_table_refused(tmp_path):
    import pyarrow as pa

    from deepfake.scan.store import row_of
    from deepfake.scan.table import table_of
    from deepfake.scan.worker import Answer

    assert rows_done(str(tmp_path / "none")) == set()
    pyarrow.parquet.write_table(table_of([row_of("/a", 1, "aa", Answer(), "m")]), tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "half.parquet").write_bytes(content[: len(content) // 2])
    assert rows_done(str(tmp_path)) == {"/a"}
    assert [path.name for path in tmp_path.iterdir()] == ["whole.parquet"]
    pyarrow.parquet.write_table(pa.table({"b": [1]}), tmp_path / "other.parquet")
    with pytest.raises(StoreError, match="holds no rows of a scan"):
        rows_done(str(tmp_path))


@pytest.mark.slow
def test_a_cluster_gives_the_rows_of_one_machine_though_a_worker_is_killed_and_goes_on(
    photos, settings, detector, tmp_path
):
    folder = photos(150)
    (folder / "empty.png").write_bytes(b"")
    done, killed = threading.Event(), []

    def kill_an_actor():
        while not done.wait(0.2) and not killed:
            for process in psutil.Process().children(recursive=True):
                if "MapWorker" in " ".join(process.cmdline()) and process.cpu_times().user > 3:
                    process.kill()
                    killed.append(process.pid)
                    break

    thread = threading.Thread(target=kill_an_actor)
    thread.start()
    try:
        judged = scan_cluster([str(folder)], str(tmp_path / "out"), "local", settings, workers=2)
    finally:
        done.set()
        thread.join()
    rows = rows_of(tmp_path / "out")
    assert killed
    assert judged == len(rows) == 151
    assert rows[str(folder / "empty.png")]["failure"] == "unreadable"
    expected = detector.detect(folder / "0007.png")
    assert rows[str(folder / "0007.png")]["p_fake"] == pytest.approx(expected.p_fake, abs=1e-4)

    photos(170)
    command = [sys.executable, "-m", "deepfake", "scan", str(folder), "--ray", "local", "--out", str(tmp_path / "out")]
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "20 files judged" in again.stdout
    assert len(rows_of(tmp_path / "out")) == 171
