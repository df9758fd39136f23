"""A pool of workers on a Ray cluster -> Parquet: the rows of one machine, from local, S3 or GCS paths.

Ray Data hands out the list of files in blocks, holds back what the workers cannot take yet, starts a worker anew that
died, and writes a Parquet file a block. Parquet keeps its index at its end, so half a file is never taken for a whole
one: it is deleted, and its block is done again. Files that have a row are left out, so a scan that was killed goes on.

Each node needs this package, and the bundle at the same place. An actor judges in a process of its own, as on one
machine, so that a file which kills or stalls it gets its row, too. Identical files are not looked for.

Source: Ray Data, https://docs.ray.io/en/latest/data/transforming-data.html (stateful transforms).
"""

from __future__ import annotations

import hashlib
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import ray
import ray.data

from deepfake.errors import MediaError, StoreError
from deepfake.media.formats import HEAD_BYTES, PICTURE_SUFFIXES, VIDEO_SUFFIXES, format_of, sniffed
from deepfake.scan.files import find_files
from deepfake.scan.pool import LIMIT_S, Workers
from deepfake.scan.row import Answer, Row
from deepfake.scan.table import SCHEMA, table_of
from deepfake.scan.worker import ScanSettings
from deepfake.system.files import sha256_of

BLOCK = 64
"""Files whose rows are written together: what is lost at most when all is killed, times the number of workers."""
_CHUNK = 2**20


def scan_cluster(
    names: Sequence[str],
    out: str,
    address: str,
    settings: ScanSettings,
    workers: int = 1,
    limit_s: float = LIMIT_S,
) -> int:
    """Judges files on a Ray cluster and writes their rows as Parquet; called again it does what is missing.

    Args:
        names: Files, folders, globs (local ones), or `s3://` and `gs://` addresses of files and folders.
        out: Folder for the Parquet files, local or an address.
        address: Of the cluster, as for `ray.init`; `local` starts one on this machine.
        settings: How to judge.
        workers: Processes that judge, at most.
        limit_s: Longest time for one file in seconds.

    Returns:
        How many files were judged by this call.

    Raises:
        StoreError: If the list of files or the Parquet files cannot be read or written.
        BundleError: If the bundle cannot be used.
    """
    model = settings.identity["model"]["name"]
    with _explained(out):
        done = rows_done(out)
        todo = [name for name in list_files(names) if name not in done]
    if not todo:
        return 0
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(None if address == "local" else address, log_to_driver=False, include_dashboard=False)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = sys.stderr.isatty()
        blocks = math.ceil(len(todo) / BLOCK)
        ray.data.from_items([{"path": name} for name in todo], override_num_blocks=blocks).map_batches(
            Judge,
            fn_constructor_args=[settings, model, limit_s],
            batch_size=BLOCK,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers),
            num_cpus=settings.threads,
        ).write_parquet(out)
    finally:
        ray.shutdown()
    return len(todo)


class Judge:
    """What each worker of the cluster does: paths -> rows.

    Args:
        settings: How to judge.
        model: Name of the bundle.
        limit_s: Longest time for one file in seconds.
    """

    def __init__(self, settings: ScanSettings, model: str, limit_s: float = LIMIT_S) -> None:
        self._workers = Workers(settings, 1, limit_s)
        self._limit_s = limit_s
        self._model = model

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The rows of a batch, as a table of `SCHEMA`."""
        return table_of([self._row(name) for name in batch.column("path").to_pylist()])

    def _row(self, name: str) -> dict[str, Any]:
        try:
            with fetched(name, self._limit_s) as (path, sha256, size):
                return Row(name, sha256, size, self._workers.judge(path), self._model).as_dict()
        except TimeoutError:
            answer = Answer.timeout(self._limit_s)
        except (MediaError, OSError) as error:
            answer = Answer.unreadable(error, name)
        return Row(name, None, None, answer, self._model).as_dict()


def list_files(names: Sequence[str]) -> Iterator[str]:
    """The pictures and videos in folders, globs and addresses: absolute paths and whole addresses.

    Raises:
        OSError: If an address cannot be listed.
    """
    for name in names:
        if "://" not in name:
            yield from (os.path.abspath(path) for path in find_files([name]))  # noqa: PTH100
            continue
        system, root = pyarrow.fs.FileSystem.from_uri(name)
        scheme = name.split("://", 1)[0]
        found = system.get_file_info([root])[0]
        if found.type == pyarrow.fs.FileType.Directory:
            selected = system.get_file_info(pyarrow.fs.FileSelector(root, recursive=True))
            paths = sorted(info.path for info in selected if info.type == pyarrow.fs.FileType.File)
            yield from (f"{scheme}://{path}" for path in paths if _is_media(system, path))
        else:
            yield f"{scheme}://{root}"


def _is_media(system: pyarrow.fs.FileSystem, path: str) -> bool:
    """As `deepfake.media.is_media`; only what is not named like a picture or a video is opened."""
    if PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
        return True
    with system.open_input_stream(path) as stream:
        return sniffed(stream.read(HEAD_BYTES)) is not None


def rows_done(out: str) -> set[str]:
    """The paths that have a row in a folder of Parquet files; files that were not finished are deleted.

    Raises:
        OSError: If the folder cannot be read.
        StoreError: If its files hold something else.
    """
    system, root = pyarrow.fs.FileSystem.from_uri(out if "://" in out else os.path.abspath(out))  # noqa: PTH100
    done: set[str] = set()
    for info in system.get_file_info(pyarrow.fs.FileSelector(root, allow_not_found=True)):
        if not info.path.endswith(".parquet"):
            continue
        try:
            with system.open_input_file(info.path) as file:
                table = pyarrow.parquet.ParquetFile(file)
                if not set(SCHEMA.names) <= set(table.schema_arrow.names):
                    raise StoreError(f"{info.path} holds no rows of a scan. Give another --out.")
                done.update(table.read(columns=["path"]).column("path").to_pylist())
        except pa.ArrowInvalid:
            system.delete_file(info.path)
    return done


@contextmanager
def fetched(name: str, limit_s: float = LIMIT_S) -> Iterator[tuple[Path, str, int]]:
    """A local copy of a file, while the context is open, with its checksum and size; a local file is its own.

    Args:
        name: A path or an address.
        limit_s: Longest time in seconds for reading it.

    Raises:
        MediaError: If it is a local file of no known format.
        TimeoutError: If it takes longer.
        OSError: If it cannot be read.
    """
    if "://" not in name:
        format_of(Path(name))
        yield Path(name), sha256_of(Path(name), limit_s), Path(name).stat().st_size
        return
    end = time.monotonic() + limit_s
    system, root = pyarrow.fs.FileSystem.from_uri(name)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(prefix="deepfake-", suffix=PurePosixPath(root).suffix) as copy:
        with system.open_input_stream(root) as stream:
            while chunk := stream.read(_CHUNK):
                if time.monotonic() > end:
                    raise TimeoutError(f"{name} took more than {limit_s:.0f} s to fetch.")
                digest.update(chunk)
                size += len(chunk)
                copy.write(chunk)
        copy.flush()
        yield Path(copy.name), digest.hexdigest(), size


@contextmanager
def _explained(out: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"The files, or {out}, cannot be listed ({error}). Check the addresses and rights.") from error
