"""A fitting network, watched on the validation split: how well it ranks each kind of fake, and the mean over kinds.

One AUC over everything would be that of the largest source. So each kind of fake (a source's, or those made from a
source's reals) is compared with the reals of its source, or with all reals where it has none, and their mean counts.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake.data.index import Row
from deepfake.data.loader import CropLoader
from deepfake.evaluation.metrics import Values, roc_auc


class Watch(keras.callbacks.Callback):
    """Adds `val_loss` and `val_logit_auc` (the mean over kinds) to an epoch's log, and a line a kind to a table.

    Args:
        loader: The validation rows, in order and without augmentation.
        table: The CSV file to which the AUCs of the kinds are appended.
    """

    def __init__(self, loader: CropLoader, table: Path) -> None:
        super().__init__()
        self.loader = loader
        self.table = table

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logits = np.asarray(self.model.predict(self.loader, verbose=0)["logit"], np.float64).ravel()
        rows = self.loader.rows
        labels = np.array([row.target for row in rows])
        found = auc_by_kind(rows, logits)
        new = not self.table.exists()
        with self.table.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(["epoch", "kind", "auc"])
            writer.writerows([epoch, kind, f"{auc:.4f}"] for kind, auc in found.items())
        if logs is not None:
            logs["val_loss"] = float(np.mean(np.logaddexp(0, logits) - labels * logits))
            logs["val_logit_auc"] = float(np.mean(list(found.values())))


def auc_by_kind(rows: Sequence[Row], logits: Values) -> dict[str, float]:
    """AUC of each kind of fake against the reals of its source, or against all reals where its source has none.

    Args:
        rows: Labelled rows, of both classes.
        logits: Shape `(n,)`, larger means more fake.

    Returns:
        By source, or by source and kind for the fakes that are made while loading.

    Example:

    >>> rows = [Row("a", "real", "x"), Row("b", "fake", "x"), Row("c", "fake", "y")]
    >>> auc_by_kind([*rows, Row("a", "fake", "x", made="blend")], np.array([0.0, 1.0, 2.0, -1.0]))
    {'x': 1.0, 'y': 1.0, 'x, blend': 0.0}
    """
    reals: dict[str, list[float]] = defaultdict(list)
    fakes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row, logit in zip(rows, np.asarray(logits).tolist(), strict=True):
        if row.label == "real":
            reals[row.source].append(logit)
        else:
            fakes[row.source, row.made].append(logit)
    everyone = [logit for own in reals.values() for logit in own]
    found = {}
    for (source, made), own in fakes.items():
        against = reals.get(source) or everyone
        labels = np.array([0] * len(against) + [1] * len(own))
        found[f"{source}, {made}" if made else source] = float(roc_auc(labels, np.array([*against, *own])))
    return found
