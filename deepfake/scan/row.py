"""A line of a scan's table, stated once: the SQL table, the Arrow schema and the heads of exports are made from it."""

from __future__ import annotations

import types
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from deepfake.records import Verdict


class Failure(StrEnum):
    """Why a file has no answer."""

    UNREADABLE = "unreadable"
    """It is damaged, of no known kind, or gone."""
    MEMORY = "memory"
    """It needs more memory than a worker may have."""
    TIMEOUT = "timeout"
    """It took longer than a file may take."""
    CRASH = "crash"
    """The worker died on it, twice."""
    BUG = "bug"
    """The program failed on it: worth a report."""


@dataclass(frozen=True, slots=True)
class ScoredFace:
    """One face that was scored."""

    box_xyxy: tuple[float, float, float, float]
    """As `Face.box_xyxy`."""
    p_fake: float
    """As `Score.p_fake`."""
    track: int | None
    """As `Face.track`."""
    frame: int = 0
    """As `Face.frame_index`: of a file of several pages, the page, from 0."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said about one file's content: an answer, or why there is none."""

    kind: str | None = None
    """`picture` or `video`; None if nothing could be read."""
    verdict: str | None = None
    """`real`, `fake` or `inconclusive`; None if there is no answer."""
    reason: str | None = None
    """Why it is inconclusive."""
    p_fake: float | None = None
    """As `Verdict.p_fake`."""
    trace: str | None = None
    """As `Verdict.trace`."""
    from_s: float | None = None
    """Begin in seconds of the part of a video that decided; None where the whole did."""
    to_s: float | None = None
    """Its end."""
    page: int | None = None
    """As `Verdict.page`."""
    faces: tuple[ScoredFace, ...] = ()
    """Each face that was scored."""
    times: tuple[float, ...] = ()
    """The time of each of `faces` in seconds."""
    notes: tuple[str, ...] = ()
    """As `Verdict.notes`."""
    failure: Failure | None = None
    """Why there is no answer."""
    error: str | None = None
    """The same in words, with what to do."""
    origin: str | None = None
    """As `Origin.says`: what the file says of itself, which is no proof."""
    elapsed_s: float = 0.0
    """Time that the analysis took."""

    @classmethod
    def of(cls, verdict: Verdict) -> Answer:
        """The verdict without what names the file."""
        values = verdict.as_dict()
        own = {"times": [face["time_s"] for face in values["faces"]], "origin": values["origin"]["says"]}
        return cls.from_dict(values | own)

    @classmethod
    def unreadable(cls, error: Exception, path: Path | str) -> Answer:
        """Why a file cannot be read, in words that name it nowhere: identical files share the answer."""
        said = str(error).replace(str(path), "the file")
        return cls(failure=Failure.UNREADABLE, error=said[:1].upper() + said[1:])

    @classmethod
    def timeout(cls, limit_s: float) -> Answer:
        """That a file took longer than it may."""
        text = f"The file took more than {limit_s:.0f} s. Shrink or cut it, or raise --timeout."
        return cls(failure=Failure.TIMEOUT, error=text)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Answer:
        """The answer that `as_dict` made plain values of.

        Raises:
            msgspec.ValidationError: If they are none.
        """
        return msgspec.convert(values, cls)

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values."""
        return dict(msgspec.to_builtins(self))


@dataclass(frozen=True, slots=True)
class Row:
    """What a scan found in one file. The fields of its answer are columns like the others."""

    path: str
    """Absolute path, or address."""
    sha256: str | None
    """Checksum of the content, as hex; None if it could not be read."""
    bytes: int | None
    """Size of the content; None if it could not be read."""
    answer: Answer
    """What is said about the content."""
    model: str
    """Name of the bundle that answered."""

    def as_dict(self) -> dict[str, Any]:
        """The row as plain values by column."""
        values = msgspec.to_builtins(self)
        return {**values.pop("answer"), **values}


def columns_of(record: type) -> dict[str, Any]:
    """The columns of a record and their types, in order; whether one may be empty is left out.

    Example:

    >>> columns_of(ScoredFace)["track"]
    <class 'int'>
    """
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(record).items():
        kind = next(part for part in get_args(hint) if part is not types.NoneType) if _is_union(hint) else hint
        found |= columns_of(kind) if isinstance(kind, type) and is_dataclass(kind) else {name: kind}
    return found


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


TYPES = columns_of(Row)
"""Type of each column of a row, in order; of those that hold several values, a tuple."""
COLUMNS = tuple(TYPES)
"""Columns of a row, in order."""
