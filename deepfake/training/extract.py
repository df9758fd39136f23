"""Pictures -> aligned crops and their index: detection happens once, training reads crops."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from deepfake.crops import cut_crop
from deepfake.errors import DatasetError, MediaError
from deepfake.faces import FaceFinder
from deepfake.media import read_picture
from deepfake.records import CropSpec, Image
from deepfake.training.index import Row, write_index
from deepfake.training.selfblend import self_blend


@dataclass(frozen=True, slots=True)
class Extractor:
    """Cuts the largest face out of pictures.

    Args:
        root: Folder that the pictures' paths are relative to.
        out: Folder for the crops and `index.csv`; made if absent.
        finder: The face detector.
        spec: The geometry of the crops.
        cropped_sources: Sources whose pictures are crops of this geometry already; they are copied.
        self_blends: Self-blended fakes made from each real picture of the training split, except copied ones.
    """

    root: Path
    out: Path
    finder: FaceFinder
    spec: CropSpec
    cropped_sources: frozenset[str] = frozenset()
    self_blends: int = 0

    def extract(self, rows: Sequence[Row], progress: Callable[[int], object] = lambda done: None) -> dict[str, int]:
        """Cuts every picture and writes the crops' index.

        Crops that are already there are kept, so an interrupted run goes on where it stopped.

        Args:
            rows: The pictures.
            progress: Called with the number of pictures done.

        Returns:
            How many pictures gave a crop (`crops`) and how many were left out, by reason.

        Raises:
            DatasetError: If no picture gave a crop.
        """
        kept: list[Row] = []
        tally = Counter[str]()
        for number, row in enumerate(rows, start=1):
            targets = self._targets(row)
            done = all((self.out / target.path).exists() for target in targets)
            reason = None if done else self._write(row, targets)
            tally[reason or "crops"] += 1
            kept += targets if reason is None else []
            progress(number)
        if not kept:
            raise DatasetError(f"None of {len(rows)} pictures under {self.root} gave a crop: {dict(tally)}.")
        write_index(self.out / "index.csv", kept)
        return dict(tally)

    def _targets(self, row: Row) -> list[Row]:
        """The crop of a picture, then its self-blended fakes."""
        if row.source in self.cropped_sources:
            return [row]
        path = Path(row.path)
        crop = replace(row, path=path.with_suffix(".png").as_posix())
        count = self.self_blends if row.label == "real" and row.split == "train" else 0
        return [crop] + [
            replace(
                crop, path=path.with_name(f"{path.stem}-blend{k}.png").as_posix(), label="fake", method="self_blend"
            )
            for k in range(count)
        ]

    def _write(self, row: Row, targets: Sequence[Row]) -> str | None:
        """Writes the crops of one picture; the reason if there is none."""
        target = self.out / targets[0].path
        target.parent.mkdir(parents=True, exist_ok=True)
        if row.source in self.cropped_sources:
            scratch = target.with_name(f".{target.name}")
            shutil.copyfile(self.root / row.path, scratch)
            scratch.replace(target)
            return None
        try:
            frame = read_picture(self.root / row.path)
        except MediaError:
            return "unreadable"
        faces = self.finder.find([frame])[0]
        if not faces:
            return "no_face"
        # Seeded by the picture's name: the same fakes whatever else is extracted, and after an interruption.
        rng = np.random.default_rng(list(hashlib.sha256(row.path.encode()).digest()[:8]))
        for place, wanted in enumerate(targets):
            image = frame.image if place == 0 else self_blend(frame.image, faces[0].landmarks, rng)
            _write_png(self.out / wanted.path, cut_crop(image, faces[0], self.spec).image)
        return None


def _write_png(path: Path, image: Image) -> None:
    scratch = path.with_name(f".{path.name}")
    scratch.write_bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes())
    scratch.replace(path)
