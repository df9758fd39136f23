"""A scan on a Ray cluster of several processes on this machine."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import psutil
import pyarrow.parquet
import pytest

from deepfake.errors import StoreError
from deepfake.scan.cluster import fetched, list_files, rows_done
from deepfake.system.files import sha256_of


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

    from deepfake.scan.row import Answer, Row
    from deepfake.scan.table import table_of

    assert rows_done(str(tmp_path / "none")) == set()
    pyarrow.parquet.write_table(table_of([Row("/a", "aa", 1, Answer(), "m").as_dict()]), tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "half.parquet").write_bytes(content[: len(content) // 2])
    assert rows_done(str(tmp_path)) == {"/a"}
    assert [path.name for path in tmp_path.iterdir()] == ["whole.parquet"]
    pyarrow.parquet.write_table(pa.table({"b": [1]}), tmp_path / "other.parquet")
    with pytest.raises(StoreError, match="holds no rows of a scan"):
        rows_done(str(tmp_path))


def started(root, folder, out):
    command = [sys.executable, "-m", "deepfake", "scan", folder, "--ray", "local", "--workers", "2", "--out", out]
    return subprocess.Popen(
        list(map(str, command)), cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def kill_a_worker(process):
    """Kills one of the cluster's workers once it is at work; says whether it did before the scan ended."""
    while process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "MapWorker" in " ".join(child.cmdline()) and child.children(recursive=True):
                    time.sleep(1.0)
                    child.kill()
                    return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_a_cluster_gives_the_rows_of_one_machine_though_a_worker_is_killed_and_goes_on(
    photos, detector, tmp_path, root
):
    folder, out = photos(300), tmp_path / "out"
    (folder / "empty.png").write_bytes(b"")
    process = started(root, folder, out)
    try:
        assert kill_a_worker(process)
        said = process.communicate(timeout=300)[0]
    finally:
        process.kill()
        process.wait()
    assert "301 files judged" in said
    rows = rows_of(out)
    assert len(rows) == len(pyarrow.parquet.read_table(out)) == 301
    assert rows[str(folder / "empty.png")]["failure"] == "unreadable"
    expected = detector.detect(folder / "0007.png")
    assert rows[str(folder / "0007.png")]["p_fake"] == pytest.approx(expected.p_fake, abs=1e-4)

    photos(320)
    again = started(root, folder, out)
    try:
        assert "20 files judged" in again.communicate(timeout=300)[0]
    finally:
        again.kill()
        again.wait()
    assert len(rows_of(out)) == len(pyarrow.parquet.read_table(out)) == 321
