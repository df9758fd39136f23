"""Rows of an index -> batches of crops and labels, on any Keras backend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np

from deepfake.crops import cut_crop, face_of_crop
from deepfake.errors import DatasetError
from deepfake.records import Crop, CropSpec, Face, Floats, Image
from deepfake.training.config import DegradeConfig, Fakes
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


def dealt(rows: Sequence[Row], rng: np.random.Generator) -> list[int]:
    """A random order in which, wherever there is one, a fake follows a real of the same person or original.

    Args:
        rows: Rows of an index.
        rng: The only source of chance.

    Returns:
        Every number from 0 to `len(rows) - 1` once.
    """
    subjects: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place in rng.permutation(len(rows)):
        row = rows[place]
        subject = row.people[0] if row.people else row.clip_name
        subjects[row.source, subject][row.target].append(int(place))
    units = []
    for reals, fakes in subjects.values():
        pairs = min(len(reals), len(fakes))
        units += [list(pair) for pair in zip(reals[:pairs], fakes[:pairs], strict=True)]
        units += [[place] for place in (*reals[pairs:], *fakes[pairs:])]
    return [place for number in rng.permutation(len(units)) for place in units[number]]


def chosen_rows(
    rows: Iterable[Row], weights: dict[str, float], fakes: Fakes, balanced: bool, rng: np.random.Generator
) -> list[Row]:
    """The rows of one epoch.

    Args:
        rows: The training rows of an index.
        weights: How often a source is shown; 1 where it is not named. Of a weight of 1.5, half the rows are shown
            twice, other ones each epoch.
        fakes: Which fakes. Of `both`, each fake gives way to a blend of any real half of the time, so that an epoch is
            no longer than one of the given fakes.
        balanced: Whether rows of the rarer label are repeated until both labels are equally common.
        rng: The only source of chance.
    """
    shown: list[Row] = []
    for row in with_self_blends(rows, "given" if fakes == "both" else fakes):
        weight = weights.get(row.source, 1.0)
        shown += [row] * (int(weight) + (rng.random() < weight % 1))
    if fakes == "both":
        reals = [row for row in shown if row.label == "real" and row.landmarks]
        shown = [
            _blend_of(reals[rng.integers(len(reals))]) if row.label == "fake" and reals and rng.random() < 0.5 else row
            for row in shown
        ]
    if balanced:
        counts = [sum(row.target == target for row in shown) for target in (0, 1)]
        if min(counts):
            rare = int(np.argmin(counts))
            own = [row for row in shown if row.target == rare]
            missing = max(counts) - min(counts)
            shown += own * (missing // len(own))
            shown += [own[place] for place in rng.permutation(len(own))[: missing % len(own)]]
    return shown


def with_self_blends(rows: Iterable[Row], fakes: Fakes) -> list[Row]:
    """The rows with the fakes that are wanted: each real with known landmarks is followed by a blend of itself.

    Example:

    >>> real = Row("a.png", "real", landmarks="1 1 3 1 2 2 1 3 3 3")
    >>> [row.label for row in with_self_blends([real, Row("b.png", "fake")], "self-blend")]
    ['real', 'fake']
    """
    found = []
    for row in rows:
        if row.label == "real" or fakes != "self-blend":
            found.append(row)
        if row.label == "real" and row.landmarks and fakes != "given":
            found.append(_blend_of(row))
    return found


def _blend_of(row: Row) -> Row:
    return replace(row, label="fake", method="self_blend", blend=True)


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
