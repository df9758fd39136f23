"""Rows in SQLite: what was found in each file, there once, whatever dies when.

    file    path -> size, time of change, checksum; or why it could not be read
    answer  checksum -> what the model says of that content: identical files share one
    row     the two joined: a line a file, for people and for SQL

Each file is written in one transaction after its answer is known, so a scan that is killed lacks files, but holds no
half of one.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, get_origin

import msgspec

from deepfake.errors import StoreError
from deepfake.scan.row import COLUMNS, TYPES, Answer, columns_of

_FORMAT = "3"
_SQL_TYPES = {int: "INTEGER", float: "REAL"}
"""All else is text; what holds several values, as JSON."""
_SEVERAL = tuple(name for name, kind in TYPES.items() if get_origin(kind) is tuple)
_ANSWER = columns_of(Answer)
_JOINED = {
    "sha256": "file.sha256",
    "failure": "coalesce(answer.failure, file.failure) AS failure",
    "error": "coalesce(answer.error, file.error) AS error",
    "model": "(SELECT json_extract(value, '$') FROM about WHERE name = 'model') AS model",
}
"""Columns of a row that are more than a column of one of the tables."""
_SCHEMA = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE file (
    path PRIMARY KEY, bytes INTEGER, changed_ns INTEGER, sha256 TEXT, failure TEXT, error TEXT
) WITHOUT ROWID;
CREATE INDEX file_sha256 ON file (sha256);
CREATE TABLE answer (
    sha256 TEXT PRIMARY KEY, {", ".join(f"{name} {_SQL_TYPES.get(kind, 'TEXT')}" for name, kind in _ANSWER.items())}
) WITHOUT ROWID;
CREATE INDEX answer_p_fake ON answer (p_fake);
CREATE VIEW row AS
SELECT {", ".join(_JOINED.get(name, name) for name in COLUMNS)}
FROM file LEFT JOIN answer USING (sha256);
"""


class Store:
    """The SQLite file of one scan; a context that closes it.

    Args:
        path: The file; made if absent and `identity` is given.
        identity: What the answers depend on, from `ScanSettings.identity`; None to read only.

    Raises:
        StoreError: If it is no store of a scan, or holds answers of another model or other settings, or cannot be
            read or written. Every method raises it for the last.
    """

    def __init__(self, path: Path, identity: dict[str, Any] | None = None) -> None:
        self.path = path
        self._writes = identity is not None
        if identity is None and not path.is_file():
            raise StoreError(f"No store of a scan at {path}. Make one: python -m deepfake scan FOLDER --out {path}")
        with self._explained():
            mode = "" if identity is not None else "?mode=ro"
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}{mode}", uri=True, timeout=60, isolation_level=None
            )
        try:
            with self._explained():
                self._open(identity)
        except StoreError:
            self._database.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writes:
            # One file again, that can be read from where nothing can be written; unless another scan writes to it.
            with suppress(sqlite3.OperationalError):
                self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()

    def is_done(self, path: Path, size: int, changed_ns: int, *, with_errors: bool = True) -> bool:
        """Says whether a file, as it is now, has its row.

        Args:
            path: The file.
            size: Its size in bytes.
            changed_ns: The time of its last change. Only whether it differs matters, so clocks may jump.
            with_errors: Whether a row that holds an error counts.
        """
        found = self._one("SELECT bytes, changed_ns FROM file WHERE path = ?", _stored(path))
        if found != (size, changed_ns):
            return False
        return with_errors or self._one("SELECT failure FROM row WHERE path = ?", _stored(path)) == (None,)

    def has_answer(self, sha256: str, *, with_errors: bool = True) -> bool:
        """Says whether the model has answered about that content."""
        found = self._one("SELECT failure FROM answer WHERE sha256 = ?", sha256)
        return found is not None and (with_errors or found == (None,))

    def add(self, path: Path, size: int, changed_ns: int, sha256: str, answer: Answer | None = None) -> None:
        """Writes a file's row, and the answer about its content unless that is there."""
        with self._transaction():
            if answer is not None:
                self._add_answer(sha256, answer)
            self._add_file(path, size, changed_ns, sha256)

    def add_unread(self, path: Path, size: int | None, changed_ns: int | None, answer: Answer) -> None:
        """Writes the row of a file whose content was not read as a whole, with the reason.

        Args:
            path: The file.
            size: Its size in bytes; None if not even that is known.
            changed_ns: The time of its last change.
            answer: The failure.
        """
        with self._transaction():
            self._add_file(path, size, changed_ns, None, answer.failure, answer.error)

    def rows(self, where: str = "", values: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
        """The rows as plain values, in the order of their paths or of the clause; those of several values are lists.

        Args:
            where: What follows the table's name in the query.
            values: What takes the place of its question marks.
        """
        with self._explained():
            cursor = self._database.execute(
                f"SELECT {', '.join(COLUMNS)} FROM row {where or 'ORDER BY path'}",
                values,
            )
            for found in cursor:
                row = dict(zip(COLUMNS, found, strict=True))
                row["path"] = _shown(row["path"])
                yield self._checked(row, _STORED)

    def count(self, column: str) -> dict[str | None, int]:
        """How many files have each value of a column, the most common first."""
        if column not in COLUMNS:
            raise ValueError(f"`column` must be one of {', '.join(COLUMNS)}. Received: {column!r}.")
        with self._explained():
            query = f"SELECT {column}, count(*) FROM row GROUP BY 1 ORDER BY 2 DESC, 1"
            return dict(self._database.execute(query).fetchall())

    def contents(self) -> int:
        """How many different contents the files have; those that could not be read count as one each."""
        return int(self._one("SELECT count(DISTINCT sha256) + sum(sha256 IS NULL) FROM file")[0] or 0)

    def about(self) -> dict[str, Any]:
        """Which model answered, and with which settings."""
        with self._explained():
            about = dict(self._database.execute("SELECT name, value FROM about"))
        return self._checked(about, _About)

    def _open(self, identity: dict[str, Any] | None) -> None:
        # Nothing of a database is touched, not even how it keeps its journal, before it is known to be a store.
        if identity is None or self._database.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            self._check(identity)
        if identity is not None:
            self._database.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing; only a power cut may lose the last rows, and never corruptions the others.
            self._database.execute("PRAGMA synchronous = NORMAL")
            with self._transaction():
                self._make(identity)
            self._check(identity)  # Another scan may have made it meanwhile.

    def _check(self, identity: dict[str, Any] | None) -> None:
        try:
            about = self.about()
        except StoreError:
            about = {}
        if about.get("format") != _FORMAT:
            raise StoreError(f"{self.path} is no store of a scan, or one of another version. Give another --out.")
        if identity is not None and about["identity"] != identity:
            differing = [name for name in identity if about["identity"].get(name) != identity[name]]
            raise StoreError(
                f"{self.path} holds answers with another {' and another '.join(differing)}. "
                "Give another --out, or the settings that it was made with: scan summary names them."
            )

    def _make(self, identity: dict[str, Any]) -> None:
        if self._database.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            return
        for statement in _SCHEMA.strip().split(";\n"):
            self._database.execute(statement)
        about = {"format": _FORMAT, "identity": identity, "model": identity["model"]["name"]}
        pairs = [(name, json.dumps(value)) for name, value in about.items()]
        self._database.executemany("INSERT INTO about VALUES (?, ?)", pairs)

    def _add_answer(self, sha256: str, answer: Answer) -> None:
        values = answer.as_dict()
        values |= {name: json.dumps(values[name]) for name in _SEVERAL}
        self._database.execute(
            f"INSERT OR REPLACE INTO answer VALUES (?{', ?' * len(_ANSWER)})",
            (sha256, *(values[name] for name in _ANSWER)),
        )

    def _add_file(
        self,
        path: Path,
        size: int | None,
        changed_ns: int | None,
        sha256: str | None,
        failure: str | None = None,
        error: str | None = None,
    ) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)",
            (_stored(path), size, changed_ns, sha256, failure, error),
        )

    def _one(self, query: str, *values: Any) -> Any:
        with self._explained(), closing(self._database.execute(query, values)) as found:
            return found.fetchone()

    def _checked(self, values: dict[str, Any], kind: Any) -> dict[str, Any]:
        """What was stored, with values for their JSON, if all is of the types that it should be."""
        try:
            found = {name: _value(name, value, kind) for name, value in values.items()}
            msgspec.convert({name: value for name, value in found.items() if value is not None}, kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{self.path} is damaged: it holds what no scan wrote ({error}). Scan again, with another --out."
            ) from error
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path} cannot be read or written ({error}). Check the disk's free space and the rights, then "
                "call again: what is done stays done."
            ) from error


class _Model(msgspec.Struct):
    """Which bundle answered."""

    name: str
    sha256: str


class _Identity(msgspec.Struct):
    """What the answers depend on, as far as it is read."""

    model: _Model


class _About(msgspec.Struct):
    """The table `about`."""

    format: str
    identity: _Identity
    model: str


_STORED = msgspec.defstruct("Stored", [(name, kind, None) for name, kind in TYPES.items()])
"""A row as it is kept."""


def _value(name: str, stored: Any, kind: Any) -> Any:
    """What was stored under that name; of several values, and of all in `about`, that is JSON."""
    if kind is _About:
        return msgspec.json.decode(stored)
    return msgspec.json.decode(stored or "[]") if name in _SEVERAL else stored


def _stored(path: Path) -> str | bytes:
    """The absolute path; as bytes where it is no valid text."""
    whole = os.path.abspath(path)  # noqa: PTH100
    try:
        whole.encode()
    except UnicodeEncodeError:
        return os.fsencode(whole)
    return whole


def _shown(path: str | bytes) -> str:
    return path if isinstance(path, str) else path.decode(errors="backslashreplace")
