"""What became of each file of an extraction, a line a file: where an interrupted one goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepfake.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    path: str
    """The file, as its row names it."""
    reason: str = ""
    """Why it gave no picture: `unreadable` or `no_face`; empty if it gave some."""
    message: str = ""
    """What the reader said of an unreadable file."""
    pictures: tuple[dict[str, Any], ...] = ()
    """`path`, `box`, `landmarks` and `mesh` of each picture written, where they are known."""
    frames_failed: int = 0
    """Frames of a video that could not be decoded."""


def read_journal(path: Path, settings: dict[str, Any]) -> dict[str, Outcome]:
    """What an interrupted extraction has behind it, by file; a last line that was cut short is taken back.

    Args:
        path: The journal; begun if absent.
        settings: Of the extraction, as plain values.

    Raises:
        DatasetError: If it was written with other settings.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    if not whole:
        path.write_text(json.dumps(settings) + "\n", encoding="utf-8")
        return {}
    if json.loads(whole[0]) != settings:
        raise DatasetError(
            f"{path.parent} holds an extraction with other settings: {whole[0].strip()}. Choose another folder, or "
            "delete it."
        )
    if len(whole) < len(lines):
        path.write_text("".join(whole), encoding="utf-8")
    records = [json.loads(line) for line in whole[1:]]
    return {record["path"]: Outcome(**record) for record in records}


def noted(path: Path, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The outcomes as they come, each written to the journal before it is passed on."""
    with path.open("a", encoding="utf-8") as journal:
        for outcome in outcomes:
            journal.write(json.dumps(asdict(outcome)) + "\n")
            journal.flush()
            yield outcome
