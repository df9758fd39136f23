"""A fit that goes on -> what somebody who waits for it wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, slots=True)
class FitProgress:
    """How far a fit is."""

    epoch: int
    """The epoch that goes on, from 1."""
    epochs: int
    """Most epochs."""
    step: int
    """Steps of it that are done."""
    steps: int
    """Its steps."""
    loss: float
    """The mean loss over them."""
    auc: float | None = None
    """The validation AUC, once the epoch is over."""


Follow = Callable[[FitProgress], object]
"""Called after each step, and once more after each epoch."""


Say = Callable[[str], object]
"""Called with a line for people."""


def unsaid(text: str) -> None:
    """Says nothing."""


def unfollowed(progress: FitProgress) -> None:
    """Follows nothing."""


class Reporter(keras.callbacks.Callback):
    """Says after each step, and after each epoch, how far a fit is.

    It comes after the callback that measures: what is measured at the end of an epoch is said with it.

    Args:
        follow: What is told.
        epoch: The epoch that goes on, from 0.
        epochs: Most epochs.
        monitor: Key of the validation AUC in the log of an epoch.
    """

    def __init__(self, follow: Follow, epoch: int, epochs: int, monitor: str) -> None:
        super().__init__()
        self._follow = follow
        self._epoch = epoch
        self._epochs = epochs
        self._monitor = monitor

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._say(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._say(self.params["steps"], logs, float((logs or {})[self._monitor]))

    def _say(self, step: int, logs: dict[str, Any] | None, auc: float | None = None) -> None:
        loss = float((logs or {})["loss"])
        self._follow(FitProgress(self._epoch + 1, self._epochs, step, self.params["steps"], loss, auc))
