"""Rows of an index -> batches of crops and labels, on any Keras backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from deepfake.crops import cut_crop, face_of_crop
from deepfake.errors import DatasetError
from deepfake.records import Crop, CropSpec, Face, Floats, Image
from deepfake.training.choose import dealt
from deepfake.training.config import DegradeConfig
from deepfake.training.degrade import degrade, moved
from deepfake.training.index import Row
from deepfake.training.selfblend import self_blend


class CropLoader(keras.utils.PyDataset):
    """Batches of crops `(n, size, size, 3)`, float32 RGB in [0, 255], and a label for each of the network's logits.

    With `degrade_config` it is a training set: every epoch has another order and other degradations, and a real and a
    fake of the same person or original lie side by side, so that they meet in one batch. Without it the order is that
    of the rows and the crops are cut as `detect` cuts them.

    One loader serves one epoch. Keras prepares batches ahead, across the ends of epochs, so a loader that were told
    by a callback which epoch begins would be told too late.

    Args:
        rows: Rows of a crops' index; their paths must be absolute, or relative to the current folder.
        spec: Geometry of the crops.
        batch_size: Crops a batch; the last batch of an epoch may be smaller.
        outputs: Names of the logits that get the label.
        degrade_config: Degradations, for training; None to leave crops and order as they are.
        epoch: Which epoch, from 0: together with the seed it fixes order and degradations.
        seed: Another seed orders and degrades differently.
        workers: Threads that prepare batches.

    Raises:
        ValueError: If there are no rows.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        spec: CropSpec,
        batch_size: int = 32,
        outputs: Sequence[str] = ("logit",),
        degrade_config: DegradeConfig | None = None,
        epoch: int = 0,
        seed: int = 0,
        workers: int = 1,
    ) -> None:
        super().__init__(workers=workers)
        if not rows:
            raise ValueError("`rows` must hold at least one crop. Received none.")
        self.rows = list(rows)
        self.spec = spec
        self.batch_size = batch_size
        self.outputs = tuple(outputs)
        self.degrade_config = degrade_config
        self.epoch = epoch
        self.seed = seed
        every = list(range(len(self.rows)))
        self.order = dealt(self.rows, np.random.default_rng([seed, epoch])) if degrade_config else every

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Floats, dict[str, Floats]]:
        places = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        crops = np.stack([self._prepared(self.rows[place], rng) for place in places]).astype(np.float32)
        labels = np.array([self.rows[place].target for place in places], np.float32)
        return crops, {name: labels for name in self.outputs}

    def _prepared(self, row: Row, rng: np.random.Generator) -> Image:
        if self.degrade_config is None:
            return read_crop(row, self.spec).image
        image, face = read_face(row, self.spec)
        if row.blend:
            image = self_blend(image, landmarks_of(row), rng)
        face, spec = moved(face, self.spec, self.degrade_config, bool(row.box), rng)
        return degrade(cut_crop(image, face, spec).image, self.degrade_config, rng)


def read_crop(row: Row, spec: CropSpec) -> Crop:
    """Reads one row and cuts the crop that `detect` would cut; a self-blended fake is always the same one.

    Raises:
        DatasetError: As `read_face`.
    """
    image, face = read_face(row, spec)
    if row.blend:
        image = self_blend(image, landmarks_of(row), np.random.default_rng(list(Path(row.path).name.encode())))
    return cut_crop(image, face, spec)


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


def _numbers(row: Row, column: str, count: int) -> list[float]:
    text: str = getattr(row, column)
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise DatasetError(f"{row.path} needs {count} numbers in `{column}`. Received: {text!r}. Run extract again.")
    return numbers


def read_stored(path: Path) -> Image:
    """Reads one picture that `extract` wrote, RGB uint8.

    Raises:
        DatasetError: If it is missing or damaged; no other picture takes its place.
    """
    content = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if content.size else None
    if image is None:
        raise DatasetError(f"The crop {path} is missing or damaged. Run extract again.")
    return np.asarray(image)
