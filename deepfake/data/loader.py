"""Rows of an index -> batches of crops and labels, on any Keras backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np

from deepfake.data.augment import as_video, augment, moved
from deepfake.data.config import AugmentConfig
from deepfake.data.index import Row
from deepfake.data.selfblend import self_blend
from deepfake.data.stored import read_stored
from deepfake.data.twin import twin_pair
from deepfake.errors import DatasetError
from deepfake.faces.crops import cut_crop, face_of_crop, shown_part
from deepfake.records import Crop, CropSpec, Face, Floats, Image

Unit = tuple[Row, ...]
"""One row, or two that are prepared together: where one is a real and the other a fake they are a pair."""


class CropLoader(keras.utils.PyDataset):
    """Batches of crops `(n, size, size, 3)`, float32 RGB in [0, 255], and a label for each of the network's logits.

    With `augment_config` it is a training set: the two crops of a pair are cut by one geometry, and the real of a fake
    that is made while loading is the picture that it was made from. Without it crops are cut as `detect` cuts them.

    One loader serves one epoch. Keras prepares batches ahead, across the ends of epochs, so a loader that were told
    by a callback which epoch begins would be told too late.

    Args:
        units: Rows of a crops' index, or pairs of them, in the order in which they are shown; their paths must be
            absolute, or relative to the current folder.
        spec: Geometry of the crops.
        batch_size: Crops a batch; the last batch of an epoch may be smaller.
        outputs: Names of the logits that get the label.
        augment_config: Augmentation, for training; None to leave crops as they are.
        epoch: Which epoch, from 0: together with the seed it fixes the augmentation.
        seed: Another seed augments differently.
        workers: Threads that prepare batches, or processes.
        processes: Whether they are processes.

    Raises:
        ValueError: If there are no rows.
    """

    def __init__(
        self,
        units: Iterable[Row | Unit],
        spec: CropSpec,
        batch_size: int = 32,
        *,
        outputs: Sequence[str] = ("logit",),
        augment_config: AugmentConfig | None = None,
        epoch: int = 0,
        seed: int = 0,
        workers: int = 1,
        processes: bool = False,
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=processes)
        given = [(unit,) if isinstance(unit, Row) else unit for unit in units]
        if not given:
            raise ValueError("`units` must hold at least one crop. Received none.")
        self.batches = _batches(given, batch_size)
        self.spec = spec
        self.outputs = tuple(outputs)
        self.augment_config = augment_config
        self.epoch = epoch
        self.seed = seed

    @property
    def rows(self) -> list[Row]:
        """Every row in the order in which it is shown."""
        return [row for batch in self.batches for unit in batch for row in unit]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Floats, dict[str, Floats]]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        crops = [crop for unit in self.batches[index] for crop in self._prepared(unit, rng)]
        labels = np.array([row.target for unit in self.batches[index] for row in unit], np.float32)
        return np.stack(crops).astype(np.float32), {name: labels for name in self.outputs}

    def _prepared(self, unit: Unit, rng: np.random.Generator) -> list[Image]:
        if self.augment_config is None:
            return [read_crop(row, self.spec).image for row in unit]
        return prepared(unit, self.spec, self.augment_config, rng)


def _batches(units: Sequence[Unit], size: int) -> list[list[Unit]]:
    """Units in order, so many that a batch has `size` rows or, where a pair does not fit any more, one less."""
    batches: list[list[Unit]] = [[]]
    for unit in units:
        if batches[-1] and sum(map(len, batches[-1])) + len(unit) > size:
            batches.append([])
        batches[-1].append(unit)
    return batches


def prepared(unit: Unit, spec: CropSpec, config: AugmentConfig, rng: np.random.Generator) -> list[Image]:
    """Augmented crops of a unit's rows.

    Args:
        unit: A pair, or rows that have nothing to do with each other.
        spec: The geometry that is served.
        config: Augmentation.
        rng: The only source of chance.

    Returns:
        RGB uint8 `(spec.size, spec.size, 3)`, one for each row.

    Raises:
        DatasetError: As `read_face`, or if a blend or a twin is to be made of a row without its mesh or twin.
    """
    is_pair = len({row.label for row in unit}) == 2
    geometry, ways, video = (rng.integers(2**62, size=2) for _ in range(3))
    if is_pair:
        geometry[1], video[1] = geometry[0], video[0]
        if rng.random() < config.alike:
            ways[1] = ways[0]
    made = next((row for row in unit if row.made and is_pair), None)
    if made:
        both, cut = _made_pair(made, spec, config, geometry[0], rng)
        parts = [(*both[row.label], cut) for row in unit]
    else:
        parts = [_part(row, spec, config, seed, rng) for row, seed in zip(unit, geometry, strict=False)]
    crops = [
        cut_crop(as_video(image, config, np.random.default_rng(seed)), face, cut).image
        for (image, face, cut), seed in zip(parts, video, strict=False)
    ]
    return [augment(crop, config, np.random.default_rng(seed)) for crop, seed in zip(crops, ways, strict=False)]


def _part(
    row: Row, spec: CropSpec, config: AugmentConfig, seed: int, rng: np.random.Generator
) -> tuple[Image, Face, CropSpec]:
    """As much of one row's picture as its moved crop shows, its face in it, and the geometry of that crop."""
    if row.made:
        both, cut = _made_pair(row, spec, config, seed, rng)
        return (*both["fake"], cut)
    image, face = read_face(row, spec)
    face, cut = moved(face, spec, config, np.random.default_rng(seed), has_surroundings=bool(row.box))
    return (*shown_part(image, face, cut)[:2], cut)


def _made_pair(
    row: Row, spec: CropSpec, config: AugmentConfig, seed: int, rng: np.random.Generator
) -> tuple[dict[str, tuple[Image, Face]], CropSpec]:
    """A real and the fake that is made from it, by label, each with its face, and the geometry of their moved crop."""
    image, face = read_face(row, spec)
    face, cut = moved(face, spec, config, np.random.default_rng(seed), has_surroundings=bool(row.box))
    return make_pair(row, image, face, cut, rng), cut


def make_pair(
    row: Row, image: Image, face: Face, spec: CropSpec, rng: np.random.Generator
) -> dict[str, tuple[Image, Face]]:
    """A real and the fake that is made from it: as much of the picture as a crop shows.

    Args:
        row: Says which fake, and where mesh and twin lie.
        image: The real picture, RGB uint8.
        face: Its face.
        spec: Geometry of the crop.
        rng: The only source of chance.

    Returns:
        Each picture with its face, by label.

    Raises:
        DatasetError: If the mesh of a blend or the twin is missing.
    """
    part, within, place = shown_part(image, face, spec)
    points = mesh_of(row) - np.array([place[1].start, place[0].start], np.float32) if row.mesh else None
    twin = read_stored(Path(row.twin))[place] if row.twin else None
    if row.made == "twin":
        if twin is None:
            raise DatasetError(f"{row.path} has no twin. Run twin on its index.")
        real, fake = twin_pair(part, twin, points, rng)
    else:
        if points is None:
            raise DatasetError(f"{row.path} has no face mesh, which the masks of blends need. Run extract again.")
        real, fake = self_blend(part, points, rng, twin if twin is not None and rng.random() < 0.15 else None)
    return {"real": (real, within), "fake": (fake, within)}


def read_crop(row: Row, spec: CropSpec) -> Crop:
    """Reads one row and cuts the crop that `detect` would cut; a fake that is made is always the same one.

    Raises:
        DatasetError: As `read_face`, or if a blend or a twin is to be made of a row without its mesh or twin.
    """
    image, face = read_face(row, spec)
    if not row.made:
        return cut_crop(image, face, spec)
    rng = np.random.default_rng(list(Path(row.path).name.encode()))
    return cut_crop(*make_pair(row, image, face, spec, rng)["fake"], spec)


def read_face(row: Row, spec: CropSpec) -> tuple[Image, Face]:
    """Reads the picture of one row, RGB uint8, and where its face lies; a picture that is a crop already lies as it is.

    Raises:
        DatasetError: If the picture is missing or damaged (no other takes its place), or the row's numbers are.
    """
    image = read_stored(Path(row.path))
    if not row.box:
        return image, face_of_crop(image.shape[0], spec)
    left, top, right, bottom = _numbers(row, "box", 4)
    return image, Face((left, top, right, bottom), landmarks_of(row), detector_score=1.0)


def landmarks_of(row: Row) -> Floats:
    """The five points of a row's face in pixels of its picture, float32 `(5, 2)`.

    Raises:
        DatasetError: If they are not known.
    """
    return np.array(_numbers(row, "landmarks", 10), np.float32).reshape(5, 2)


def mesh_of(row: Row) -> Floats:
    """The 468 points of a row's face in pixels of its picture, float32 `(468, 2)`.

    Raises:
        DatasetError: If their file is missing or damaged.
    """
    try:
        points = np.load(row.mesh, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"The face mesh {row.mesh} is missing or damaged. Run extract again.") from error
    if points.shape != (468, 2):
        raise DatasetError(
            f"The face mesh {row.mesh} must hold 468 points. Received: {points.shape}. Run extract again."
        )
    return np.asarray(points, np.float32)


def _numbers(row: Row, column: str, count: int) -> list[float]:
    text: str = getattr(row, column)
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise DatasetError(f"{row.path} needs {count} numbers in `{column}`. Received: {text!r}. Run extract again.")
    return numbers
