"""Rows -> a picture of the face in each picture and in each frame of a video, and what became of each file."""

from __future__ import annotations

import shutil
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from deepfake.data.cut import main_face, surroundings
from deepfake.data.index import Row
from deepfake.data.journal import Outcome
from deepfake.errors import DatasetError, MediaError, internal_fault
from deepfake.faces.crops import cut_crop
from deepfake.faces.mesh import FaceMesh
from deepfake.faces.mtcnn import FaceFinder
from deepfake.faces.search import find_faces
from deepfake.faces.tracks import Tracker
from deepfake.media import kind_of, open_media, read_picture
from deepfake.model.bundle import load_face_mesh
from deepfake.records import CropSpec, Face, Frame, Image, Sampling
from deepfake.system.files import replacing, write_png


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
class _Cut:
    """What is kept of a frame for one face."""

    face: Face
    """The face in the frame."""
    picture: Image
    """RGB uint8."""
    placed: Face | None = None
    """The face in the picture; None for a finished crop."""


class FaceCutter:
    """Turns rows into pictures of faces, and says what became of each file.

    Args:
        root: Folder that the rows' paths are relative to.
        out: Folder to write to.
        finder: The face detector.
        settings: What to write.
    """

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

    def outcomes(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        """One outcome a row; pictures that follow each other are searched together."""
        for way, neighbours in groupby(rows, self._way):
            yield from way(neighbours)

    def _way(self, row: Row) -> Callable[[Iterable[Row]], Iterator[Outcome]]:
        """What makes outcomes of such rows."""
        try:
            if kind_of(self.root / row.path) == "video":
                return self._videos
        except MediaError:
            return self._videos  # Whose reader says the same.
        # Of a fake that is a crop already nothing has to be known: only reals are blended with themselves.
        is_copied = row.source in self.settings.cropped_sources and row.label == "fake"
        return self._copies if is_copied else self._pictures

    def _videos(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        for row in rows:
            try:
                outcome = self._video(row)
            except MediaError as error:
                outcome = self._unreadable(row, str(error))
            except Exception as error:  # noqa: BLE001 A fault of this program costs its file, not those after it.
                outcome = self._unreadable(row, internal_fault(error))
            yield outcome

    def _copies(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        for row in rows:
            try:
                read_picture(self.root / row.path)
                outcome = Outcome(row.path, pictures=({"path": self._copy(row)},))
            except MediaError as error:
                outcome = self._unreadable(row, str(error))
            yield outcome

    def _pictures(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        waiting, broken = deque[Row](), list[Outcome]()

        def frames() -> Iterator[Frame]:
            for row in rows:
                waiting.append(row)
                try:
                    yield read_picture(self.root / row.path)
                except MediaError as error:
                    broken.append(self._unreadable(waiting.pop(), str(error)))
                except Exception as error:  # noqa: BLE001 As in `_videos`.
                    broken.append(self._unreadable(waiting.pop(), internal_fault(error)))

        for frame, faces in find_faces(frames(), self.finder.find):
            yield self._picture(waiting.popleft(), frame.image, faces)
        yield from broken

    def _picture(self, row: Row, image: Image, faces: list[Face]) -> Outcome:
        face = main_face(faces) if faces else None
        if row.source in self.settings.cropped_sources:
            picture: dict[str, Any] = {"path": self._copy(row)}
            if face:
                picture |= {"landmarks": _text(face.landmarks.ravel())} | self._write_mesh(image, face, picture["path"])
            return Outcome(row.path, pictures=(picture,))
        if not face:
            return Outcome(row.path, "no_face")
        return Outcome(row.path, pictures=(self._write(self._cut(image, face), self._target(row, ".png"), row.label),))

    def _video(self, row: Row) -> Outcome:
        tracker = Tracker()
        people: dict[int, list[_Cut]] = defaultdict(list)
        with closing(open_media(self.root / row.path, Sampling(self.settings.frames))) as reader:
            for frame, found in find_faces(reader, self.finder.find):
                for face in tracker.follow(frame.image, found):
                    people[face.track or 0].append(self._cut(frame.image, face))
        if not people:
            return Outcome(row.path, "no_face", frames_failed=reader.frames_failed)
        largest = max(people.values(), key=lambda cuts: sum(cut.face.size for cut in cuts))
        pictures = tuple(
            self._write(cut, self._target(row, f"/{cut.face.frame_index:03d}.png"), row.label) for cut in largest
        )
        return Outcome(row.path, pictures=pictures, frames_failed=reader.frames_failed)

    def _unreadable(self, row: Row, error: str) -> Outcome:
        return Outcome(row.path, "unreadable", error.replace(str(self.root), "").lstrip("/"))

    def _target(self, row: Row, ending: str) -> str:
        """Path of a picture to write: below the output folder, wherever the file lies."""
        parts = [
            part for part in PurePath(row.path).with_suffix("").parts if part not in ("..", PurePath(row.path).anchor)
        ]
        folder = [row.source] if row.source and parts[0] != row.source else []
        return "/".join([*folder, *parts]) + ending

    def _copy(self, row: Row) -> str:
        """Copies a file as it is; returns the path of the copy."""
        target = self._target(row, Path(row.path).suffix)
        with replacing(self.out / target) as scratch:
            shutil.copyfile(self.root / row.path, scratch)
        return target

    def _cut(self, image: Image, face: Face) -> _Cut:
        if self.settings.aligned:
            return _Cut(face, cut_crop(image, face, self.settings.aligned).image)
        picture, box, points = surroundings(image, face, self.settings.context)
        left, top, right, bottom = box
        # A copy: a view would keep the whole frame in memory.
        return _Cut(face, picture.copy(), Face((left, top, right, bottom), points, face.detector_score))

    def _write(self, cut: _Cut, target: str, label: str) -> dict[str, Any]:
        write_png(self.out / target, cut.picture)
        if cut.placed is None:
            return {"path": target}
        written = {
            "path": target,
            "box": _text(cut.placed.box_xyxy),
            "landmarks": _text(cut.placed.landmarks.ravel()),
        }
        return written if label == "fake" else written | self._write_mesh(cut.picture, cut.placed, target)

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
