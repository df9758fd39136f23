"""Many askers, one detector: whose turn it is, how long one may take, and when to say that all is busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from deepfake.errors import LimitError
from deepfake.pipeline import Analysis, Detector
from deepfake.records import Image, Score, Step, Verdict

PLACES = 24
"""Files that are looked at, or wait for their turn, at once."""
LIMIT_S = 300.0
"""Longest time in seconds for one file, waiting included."""
FRAME_LIMIT_S = 5.0
"""Longest time in seconds that a camera's frame waits for its turn."""


class Jobs:
    """Shares one detector between threads: they take turns at its networks, a frame at a time, and read files at once.

    So a picture does not wait for the end of somebody's video, nor for a file that will not be read; the networks are
    loaded once, and no interpreter is ever used by two threads at once.

    Args:
        detector: The detector.
        places: How many files are worked on at once; the next is refused.
        limit_s: Longest time for one file in seconds.
    """

    def __init__(self, detector: Detector, places: int = PLACES, limit_s: float = LIMIT_S) -> None:
        self.detector = detector
        self.limit_s = limit_s
        self._places = threading.BoundedSemaphore(places)
        self._turn = threading.Lock()

    def analyse(self, path: Path | str) -> Analysis:
        """As `Detector.analyse`; its end, or closing it, gives the place free.

        Iterating it raises `LimitError`, too: if all places are taken, or the file took too long.
        """
        return Analysis(self._steps(path))

    def run(self, path: Path | str) -> Verdict:
        """As `Detector.detect`.

        Raises:
            MediaError: If the file cannot be read.
            LimitError: If all places are taken, or the file took too long.
        """
        analysis = self.analyse(path)
        for _ in analysis:
            pass
        return analysis.verdict

    def frame(self, image: Image) -> tuple[Score, ...]:
        """As `Detector.score`, of a frame that a camera sent.

        Raises:
            LimitError: If the networks were busy for all the time that a frame is worth.
        """
        return self.detector.score(image, turn=partial(self._at, time.monotonic() + FRAME_LIMIT_S))

    def _steps(self, path: Path | str) -> Generator[Step, None, Verdict]:
        if not self._places.acquire(blocking=False):
            raise LimitError("Too many files are being looked at right now. Try again in a minute.", LimitError.BUSY)
        end = time.monotonic() + self.limit_s
        analysis = self.detector.analyse(path, turn=partial(self._at, end))
        try:
            for step in analysis:
                if time.monotonic() > end:
                    raise self._too_long()
                yield step
            return analysis.verdict
        finally:
            analysis.close()
            self._places.release()

    @contextmanager
    def _at(self, end: float) -> Iterator[None]:
        """A turn, if it comes before the `end`."""
        if not self._turn.acquire(timeout=max(0.0, end - time.monotonic())):
            raise self._too_long()
        try:
            yield
        finally:
            self._turn.release()

    def _too_long(self) -> LimitError:
        return LimitError(
            f"This file took more than {self.limit_s:.0f} s. Cut it shorter, or shrink it, and try again.",
            LimitError.TOO_LONG,
        )
