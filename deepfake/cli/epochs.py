"""A fit that goes on: which epoch of how many, a bar with the time that is left of it, and a line an epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress, TextColumn

from deepfake.cli.terminal import bar_with, duration, tell

if TYPE_CHECKING:
    from deepfake.training.progress import FitProgress


@contextmanager
def epoch_lines() -> Iterator[EpochLines]:
    """Shows on stderr how far a fit is; where that is no terminal, in a line an epoch alone."""
    lines = EpochLines(bar_with(TextColumn("loss {task.fields[loss]:.3f}")) if sys.stderr.isatty() else None)
    try:
        yield lines
    finally:
        lines.hide()


class EpochLines:
    """What a fit tells of itself: call it with how far it is.

    Args:
        progress: Where the bar is shown; None for nowhere.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, loss=0.0) if progress else None
        self._first = self._epoch = 0
        self._began_s = 0.0

    def __call__(self, at: FitProgress) -> None:
        if at.epoch != self._epoch:
            # A run that goes on begins in the middle: only the epochs that are seen here were timed here.
            self._first, self._began_s = (self._first, self._began_s) if self._first else (at.epoch, time.monotonic())
            self._epoch = at.epoch
            if self._progress and self._task is not None:
                self._progress.reset(self._task, total=at.steps)
        if at.auc is not None:
            self.say(self._line(at, at.auc))
        elif self._progress and self._task is not None:
            doing = "validating" if at.step == at.steps else f"epoch {at.epoch} of {at.epochs}"
            self._progress.update(self._task, completed=at.step, description=doing, loss=at.loss)
            self._progress.start()

    def say(self, text: str) -> None:
        """Writes a line that stays, in the place of the bar."""
        self.hide()
        tell(text)

    def hide(self) -> None:
        """Takes the bar away until the next step."""
        if self._progress:
            self._progress.stop()

    def _line(self, at: FitProgress, auc: float) -> str:
        took_s = time.monotonic() - self._began_s
        left_s = took_s / (at.epoch - self._first + 1) * (at.epochs - at.epoch)
        left = f", about {duration(left_s)} left" if at.epoch < at.epochs else ""
        return f"epoch {at.epoch} of {at.epochs}: loss {at.loss:.3f}, validation AUC {auc:.3f}{left}"
