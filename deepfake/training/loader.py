"""Rows of an index -> batches of crops and labels, on any Keras backend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from deepfake.errors import DatasetError
from deepfake.records import Floats, Image
from deepfake.training.config import DegradeConfig
from deepfake.training.degrade import degrade, fit_to
from deepfake.training.index import Row


class CropLoader(keras.utils.PyDataset):
    """Batches of crops `(n, size, size, 3)`, float32 RGB in [0, 255], and a label for each of the network's logits.

    With `degrade_config` it is a training set: every epoch has another order and other degradations, and the crops of
    one group (a clip's original and its fakes) come in a row, so that they meet in one batch. Without it the order is
    that of the rows and the crops are untouched.

    One loader serves one epoch. Keras prepares batches ahead, across the ends of epochs, so a loader that were told
    by a callback which epoch begins would be told too late.

    Args:
        rows: Rows of a crops' index.
        root: Folder that their paths are relative to.
        size: Side of the crops in pixels.
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
        root: Path,
        size: int,
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
        self.root = root
        self.size = size
        self.batch_size = batch_size
        self.outputs = tuple(outputs)
        self.degrade_config = degrade_config
        self.epoch = epoch
        self.seed = seed
        self.order = self._dealt() if degrade_config else list(range(len(self.rows)))

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Floats, dict[str, Floats]]:
        places = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        crops = np.stack([self._prepared(self.rows[place], rng) for place in places]).astype(np.float32)
        labels = np.array([self.rows[place].target for place in places], np.float32)
        return crops, {name: labels for name in self.outputs}

    def _dealt(self) -> list[int]:
        groups = defaultdict(list)
        for place, row in enumerate(self.rows):
            groups[row.source, row.group].append(place)
        members = list(groups.values())
        shuffled = np.random.default_rng([self.seed, self.epoch]).permutation(len(members))
        return [place for number in shuffled for place in members[number]]

    def _prepared(self, row: Row, rng: np.random.Generator) -> Image:
        image = read_crop(self.root / row.path)
        if self.degrade_config is None:
            return fit_to(image, self.size)
        return degrade(image, self.size, self.degrade_config, rng)


def read_crop(path: Path) -> Image:
    """Reads one crop, RGB uint8.

    Raises:
        DatasetError: If it is missing or damaged; no other crop takes its place.
    """
    content = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if content.size else None
    if image is None:
        raise DatasetError(f"The crop {path} is missing or damaged. Run extract again.")
    return image
