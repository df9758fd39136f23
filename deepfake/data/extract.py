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
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

import msgspec
import numpy as np

from deepfake.data.cut import main_face, surroundings
from deepfake.data.index import Row, write_index
from deepfake.errors import DatasetError, MediaError
from deepfake.faces.crops import cut_crop
from deepfake.faces.mesh import FaceMesh
from deepfake.faces.mtcnn import FaceFinder
from deepfake.faces.tracks import Tracker
from deepfake.media import VideoReader, kind_of, read_picture
from deepfake.model.bundle import load_face_mesh
from deepfake.pipeline import Progress
from deepfake.records import CropSpec, Face, Frame, Image, Sampling
from deepfake.system.files import replacing, write_png

BATCH = 8
"""Pictures or frames that are searched for faces together."""


@dataclass(frozen=True, slots=True)
class ExtractSettings:
    """What is written for each file."""

    frames: int = 12
    """Frames taken from a video, evenly in time."""
    context: float = 2.0
    """Side of what is kept around a face, over the longer side of its box; at least 1."""
    aligned: CropSpec | None = None
    """Geometry of finished crops, to write these instead."""
    cropped_sources: tuple[str, ...] = ()
    """Sources whose pictures are crops already, or show no faces: they are copied whole."""

    def __post_init__(self) -> None:
        if self.frames < 1 or self.context < 1:
            raise ValueError(
                f"`frames` and `context` must be at least 1. Received: frames={self.frames}, context={self.context}."
            )


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
    outcomes = _read_journal(out / "journal.jsonl", settings)
    missing = [row for row in rows if row.path not in outcomes]
    resumed = len(rows) - len(missing)
    worker, done = _Worker(root, out, finder, settings), resumed
    worker.check_targets(rows)
    with (out / "journal.jsonl").open("a", encoding="utf-8") as journal:
        for outcome in worker.outcomes(missing):
            outcomes[outcome.path] = outcome
            journal.write(json.dumps(asdict(outcome)) + "\n")
            journal.flush()
            done += 1
            progress(done, len(rows))
    return _finish(rows, outcomes, out, resumed)


def _finish(rows: Sequence[Row], outcomes: dict[str, Outcome], out: Path, resumed: int) -> Summary:
    own = [outcomes[row.path] for row in rows]
    kept = [replace(row, clip=row.clip_name, **picture) for row in rows for picture in outcomes[row.path].pictures]
    skipped = Counter(outcome.reason for outcome in own if outcome.reason)
    with replacing(out / "skipped.csv") as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "reason", "message"])
        writer.writerows([outcome.path, outcome.reason, outcome.message] for outcome in own if outcome.reason)
    if not kept:
        raise DatasetError(
            f"None of {len(rows)} files gave a face: {dict(skipped)}. {out / 'skipped.csv'} says why, file by file."
        )
    write_index(out / "index.csv", kept)
    return Summary(len(rows), len(kept), resumed, sum(outcome.frames_failed for outcome in own), dict(skipped))


def _read_journal(path: Path, settings: ExtractSettings) -> dict[str, Outcome]:
    """What an interrupted extraction has behind it; a last line that was cut short is taken back."""
    asked = json.loads(msgspec.json.encode(settings))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    if not whole:
        path.write_text(json.dumps(asked) + "\n", encoding="utf-8")
        return {}
    if json.loads(whole[0]) != asked:
        raise DatasetError(
            f"{path.parent} holds an extraction with other settings: {whole[0].strip()}. Choose another folder, or "
            "delete it."
        )
    if len(whole) < len(lines):
        path.write_text("".join(whole), encoding="utf-8")
    records = [json.loads(line) for line in whole[1:]]
    return {record["path"]: Outcome(**record) for record in records}


class _Worker:
    """Turns rows into files and outcomes."""

    def __init__(self, root: Path, out: Path, finder: FaceFinder, settings: ExtractSettings) -> None:
        self.root = root
        self.out = out
        self.finder = finder
        self.mesh = FaceMesh(load_face_mesh())
        self.settings = settings

    def check_targets(self, rows: Sequence[Row]) -> None:
        """Refuses rows whose pictures would overwrite each other."""
        taken: dict[str, str] = {}
        for row in rows:
            other = taken.setdefault(self._target(row, ""), row.path)
            if other != row.path:
                raise DatasetError(f"{other} and {row.path} would give pictures of one name. Rename one of them.")

    def outcomes(self, rows: Sequence[Row]) -> Iterator[Outcome]:
        """One outcome a row; pictures that follow each other are searched together."""
        iterator = iter(rows)
        while batch := list(islice(iterator, BATCH)):
            pictures: list[tuple[Row, Frame]] = []
            for row in batch:
                try:
                    if kind_of(self.root / row.path) == "picture":
                        pictures.append((row, read_picture(self.root / row.path)))
                        continue
                    outcome = self._video(row)
                except MediaError as error:
                    outcome = Outcome(row.path, "unreadable", str(error).replace(str(self.root), "").lstrip("/"))
                yield outcome
            yield from self._pictures(pictures)

    def _pictures(self, batch: Sequence[tuple[Row, Frame]]) -> Iterator[Outcome]:
        whole = {row.path for row, _ in batch if row.source in self.settings.cropped_sources}
        # Of a fake that is a crop already nothing has to be known: only reals are blended with themselves.
        searched = [frame for row, frame in batch if row.path not in whole or row.label == "real"]
        found = {id(frame): faces for frame, faces in zip(searched, self.finder.find(searched), strict=True)}
        for row, frame in batch:
            faces = found.get(id(frame), [])
            if row.path in whole:
                target = self._target(row, Path(row.path).suffix)
                with replacing(self.out / target) as scratch:
                    shutil.copyfile(self.root / row.path, scratch)
                picture = {"path": target}
                if faces:
                    face = main_face(faces)
                    picture |= {"landmarks": _text(face.landmarks.ravel())} | self._write_mesh(
                        frame.image, face, target
                    )
                yield Outcome(row.path, pictures=(picture,))
            elif faces:
                picture = self._write(frame.image, main_face(faces), self._target(row, ".png"), row.label)
                yield Outcome(row.path, pictures=(picture,))
            else:
                yield Outcome(row.path, "no_face")

    def _video(self, row: Row) -> Outcome:
        reader = VideoReader(self.root / row.path, Sampling(self.settings.frames))
        tracker, frames = Tracker(), iter(reader)
        people: dict[int, list[tuple[Image, Face]]] = defaultdict(list)
        while batch := list(islice(frames, BATCH)):
            for frame, found in zip(batch, self.finder.find(batch), strict=True):
                for face in tracker.follow(frame.image, found):
                    people[face.track or 0].append((frame.image, face))
        if not people:
            return Outcome(row.path, "no_face", frames_failed=reader.frames_failed)
        largest = max(people.values(), key=lambda own: sum(face.size for _, face in own))
        pictures = tuple(
            self._write(image, face, self._target(row, f"/{face.frame_index:03d}.png"), row.label)
            for image, face in largest
        )
        return Outcome(row.path, pictures=pictures, frames_failed=reader.frames_failed)

    def _target(self, row: Row, ending: str) -> str:
        """Path of a picture to write: below the output folder, wherever the file lies."""
        parts = [
            part for part in PurePath(row.path).with_suffix("").parts if part not in ("..", PurePath(row.path).anchor)
        ]
        folder = [row.source] if row.source and parts[0] != row.source else []
        return "/".join([*folder, *parts]) + ending

    def _write(self, image: Image, face: Face, target: str, label: str) -> dict[str, Any]:
        if self.settings.aligned:
            write_png(self.out / target, cut_crop(image, face, self.settings.aligned).image)
            return {"path": target}
        picture, box, points = surroundings(image, face, self.settings.context)
        write_png(self.out / target, picture)
        written = {"path": target, "box": _text(box), "landmarks": _text(points.ravel())}
        if label == "fake":
            return written
        left, top, right, bottom = box
        return written | self._write_mesh(picture, Face((left, top, right, bottom), points, 1.0), target)

    def _write_mesh(self, image: Image, face: Face, target: str) -> dict[str, Any]:
        """Writes the points of a real face: only reals are blended with themselves."""
        points = self.mesh.points(image, face)
        if points is None:
            return {}
        name = str(PurePath(target).with_suffix(".mesh.npy"))
        with replacing(self.out / name) as scratch, scratch.open("wb") as file:
            np.save(file, points)
        return {"mesh": name}


def _text(numbers: Any) -> str:
    return " ".join(f"{number:.3f}" for number in numbers)
