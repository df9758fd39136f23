"""Many askers, one machine: whose file is decoded next, whose turn it is at the networks, and when all is busy."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from deepfake.errors import LimitError
from deepfake.media.isolated import LIMITS
from deepfake.pipeline import Analysis, Detector
from deepfake.records import Image, Score, Step, Verdict
from deepfake.system.memory import memory_bytes

FILES = 24
"""Files that are looked at, or wait, at once."""
FILES_A_CLIENT = 4
"""Of these, those of one client."""
DECODERS = max(1, memory_bytes() // 2 // LIMITS.memory_bytes)
"""Files that are decoded at once: what they may take together is half of the memory."""
LIMIT_S = 300.0
"""Longest time in seconds for one file once it is its turn; and the longest that it waits for that."""
FRAME_LIMIT_S = 5.0
"""Longest time in seconds that a camera's frame waits for its turn."""


class FairSemaphore:
    """A semaphore whose next place goes to who holds the fewest, and of these to who has waited longest.

    Args:
        places: How many may hold it at once.
        each: How many of these one client may hold.
    """

    def __init__(self, places: int, each: int | None = None) -> None:
        self._places = places
        self._each = each or places
        self._changed = threading.Condition()
        self._held: Counter[str] = Counter()
        self._waiting: list[tuple[str, object]] = []

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def acquire(self, client: str, timeout_s: float) -> bool:
        """Waits for a place; says whether it came in time."""
        ticket = (client, object())
        with self._changed:
            self._waiting.append(ticket)
            try:
                came = self._changed.wait_for(lambda: self._next() is ticket, timeout_s)
                self._held[client] += came
                return came
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def release(self, client: str) -> None:
        """Gives a place free."""
        with self._changed:
            self._held -= Counter([client])  # Whoever holds none is forgotten.
            self._changed.notify_all()

    def _next(self) -> tuple[str, object] | None:
        if self._held.total() >= self._places:
            return None
        allowed = (ticket for ticket in self._waiting if self._held[ticket[0]] < self._each)
        return min(allowed, key=lambda ticket: self._held[ticket[0]], default=None)


class Jobs:
    """Shares one detector between threads: they decode at once what memory allows, and take turns at its networks.

    A client that sends much waits for itself, not others for it: it holds at most half of the places to decode, and the
    networks go from one thread to the next after each few faces. They are loaded once, and no interpreter is ever used
    by two threads at once.

    Args:
        detector: The detector.
        decoders: Files that are decoded at once.
        files: Files that are decoded, or wait for that, at once; the next is refused.
        files_a_client: Of these, those of one client.
        limit_s: Longest time for one file in seconds.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        decoders: int = DECODERS,
        files: int = FILES,
        files_a_client: int = FILES_A_CLIENT,
        limit_s: float = LIMIT_S,
    ) -> None:
        self.detector = detector
        self.limit_s = limit_s
        self._files = threading.BoundedSemaphore(files)
        self._files_a_client = files_a_client
        self._own = Counter[str]()
        self._counting = threading.Lock()
        self._decoders = FairSemaphore(decoders, max(1, decoders // 2))
        self._networks = FairSemaphore(1)

    @contextmanager
    def place(self, client: str) -> Iterator[str]:
        """A place to decode one file after the other: whatever opens one is done in here.

        Args:
            client: Who asks.

        Yields:
            `client`, for `analyse` and `run`.

        Raises:
            LimitError: If the client has too many files here, or all have, or no place came in time.
        """
        with self._counted(client):
            if not self._decoders.acquire(client, self.limit_s):
                raise self._busy()
            try:
                yield client
            finally:
                self._decoders.release(client)

    def analyse(self, path: Path | str, client: str = "", min_face_share: float | None = None) -> Analysis:
        """As `Detector.analyse`, in a `place` of that client.

        Iterating it raises `LimitError`, too, if the file took too long.
        """
        return Analysis(self._steps(path, client, min_face_share))

    def run(self, path: Path | str, client: str = "", min_face_share: float | None = None) -> Verdict:
        """As `Detector.detect`, in a `place` of that client.

        Raises:
            MediaError: If the file cannot be read.
            LimitError: If the file took too long.
        """
        analysis = self.analyse(path, client, min_face_share)
        for _ in analysis:
            pass
        return analysis.verdict

    def frame(self, image: Image, client: str = "") -> tuple[Score, ...]:
        """As `Detector.score`, of a frame that a camera sent.

        Raises:
            LimitError: If the networks were busy for longer than a frame is worth.
        """
        end = time.monotonic() + FRAME_LIMIT_S
        return self.detector.score(image, turn=partial(self._at, client, end))

    def _steps(self, path: Path | str, client: str, min_face_share: float | None) -> Generator[Step, None, Verdict]:
        end = time.monotonic() + self.limit_s
        turn = partial(self._at, client, end)
        analysis = self.detector.analyse(path, turn=turn, min_face_share=min_face_share)
        try:
            for step in analysis:
                if time.monotonic() > end:
                    raise self._too_long()
                yield step
            return analysis.verdict
        finally:
            analysis.close()

    @contextmanager
    def _counted(self, client: str) -> Iterator[None]:
        """One of the files that are here."""
        with self._counting:
            if self._own[client] >= self._files_a_client:
                raise LimitError(
                    f"{self._files_a_client} of your files are being looked at. Try again when one has its answer.",
                    LimitError.TOO_MANY,
                )
            if not self._files.acquire(blocking=False):
                raise self._busy()
            self._own[client] += 1
        try:
            yield
        finally:
            with self._counting:
                self._own -= Counter([client])  # Whoever has none is forgotten.
                self._files.release()

    @contextmanager
    def _at(self, client: str, end: float) -> Iterator[None]:
        """A turn at the networks, if it comes before the `end`."""
        if not self._networks.acquire(client, max(0.0, end - time.monotonic())):
            raise self._too_long()
        try:
            yield
        finally:
            self._networks.release(client)

    def _busy(self) -> LimitError:
        return LimitError("Too many files are being looked at right now. Try again in a minute.", LimitError.BUSY)

    def _too_long(self) -> LimitError:
        return LimitError(
            f"This file took more than {self.limit_s:.0f} s. Cut it shorter, or shrink it, and try again.",
            LimitError.TOO_LONG,
        )
