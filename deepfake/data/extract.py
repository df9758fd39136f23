"""Pictures and videos -> pictures of one face each and their index: detection happens once, training reads these.

What is kept around a face is `context` times as wide as its box, not turned and not stretched, and the index says where
the face lies in it. So training cuts its crops by the code that answers users, from the same pixels, and may turn and
zoom them. `aligned` writes finished crops instead, for other tools.

    <out>/index.csv       a row a picture written
    <out>/skipped.csv     a row a file that gave none, with the reason
    <out>/journal.jsonl   a line a file that is done: where an interrupted extraction goes on
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from deepfake.data.cutter import ExtractSettings, FaceCutter
from deepfake.data.index import Row, write_index
from deepfake.data.journal import Outcome, noted, read_journal
from deepfake.errors import DatasetError
from deepfake.faces.mtcnn import FaceFinder
from deepfake.pipeline import Progress
from deepfake.system.files import replacing

INDEX = "index.csv"
SKIPPED = "skipped.csv"
JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Summary:
    """What an extraction did."""

    files: int
    """Files asked for."""
    pictures: int
    """Pictures of faces in the index."""
    resumed: int
    """Files that an earlier, interrupted extraction had done."""
    frames_failed: int
    """Frames of videos that could not be decoded."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Files that gave no picture, by reason."""


def extract(
    rows: Sequence[Row],
    root: Path,
    out: Path,
    finder: FaceFinder,
    settings: ExtractSettings | None = None,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Writes a picture of the face in each picture, and of the largest person's face in each of a video's frames.

    Called again after an interruption it goes on; nothing is lost and nothing is done twice. Beside the picture of a
    real face lie its 468 points, from which the masks of blends are made.

    Args:
        rows: The pictures and videos.
        root: Folder that their paths are relative to.
        out: Folder to write to; made if absent.
        finder: The face detector.
        settings: What to write.
        progress: Called with the number of files done and their total.

    Raises:
        DatasetError: If a file is listed twice, two files would give pictures of one name, no file gave a picture, or
            the folder holds an extraction with other settings.
    """
    settings = settings or ExtractSettings()
    twice = [path for path, count in Counter(row.path for row in rows).items() if count > 1]
    if twice:
        raise DatasetError(f"Each file may be listed once. Received {len(twice)} more than once, such as {twice[0]}.")
    out.mkdir(parents=True, exist_ok=True)
    journal = out / JOURNAL
    outcomes = read_journal(journal, json.loads(msgspec.json.encode(settings)))
    missing = [row for row in rows if row.path not in outcomes]
    resumed = len(rows) - len(missing)
    cutter = FaceCutter(root, out, finder, settings)
    cutter.check_targets(rows)
    for done, outcome in enumerate(noted(journal, cutter.outcomes(missing)), start=resumed + 1):
        outcomes[outcome.path] = outcome
        progress(done, len(rows))
    return _finish(rows, outcomes, out, resumed)


def _finish(rows: Sequence[Row], outcomes: dict[str, Outcome], out: Path, resumed: int) -> Summary:
    own = [outcomes[row.path] for row in rows]
    kept = [replace(row, clip=row.clip_name, **picture) for row in rows for picture in outcomes[row.path].pictures]
    skipped = Counter(outcome.reason for outcome in own if outcome.reason)
    with replacing(out / SKIPPED) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "reason", "message"])
        writer.writerows([outcome.path, outcome.reason, outcome.message] for outcome in own if outcome.reason)
    if not kept:
        raise DatasetError(
            f"None of {len(rows)} files gave a face: {dict(skipped)}. {out / 'skipped.csv'} says why, file by file."
        )
    write_index(out / INDEX, kept)
    return Summary(len(rows), len(kept), resumed, sum(outcome.frames_failed for outcome in own), dict(skipped))
