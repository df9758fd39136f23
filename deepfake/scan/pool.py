"""Workers in processes of their own. What a file does to its worker is that file's loss alone."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from deepfake.errors import ProcessError
from deepfake.scan.row import Answer, Failure
from deepfake.scan.worker import ScanSettings, Worker
from deepfake.system.process import FAILED, ChildProcess, Line

ATTEMPTS = 2
"""A worker may be killed for reasons that are not its file's, so the file gets another."""
FILES_A_WORKER = 1000
"""After so many a worker makes room for a new one: what libraries leak goes with it."""
LIMIT_S = 300.0
"""Longest time for one file in seconds."""


class Workers:
    """Worker processes, with a thread for each that waits for it; a context that ends them.

    Args:
        settings: How they judge.
        number: How many.
        limit_s: Longest time for one file in seconds: a worker that takes longer is ended.

    Raises:
        BundleError: If the bundle cannot be used.
    """

    def __init__(self, settings: ScanSettings, number: int = 1, limit_s: float = LIMIT_S) -> None:
        _ = settings.identity
        self._settings = settings
        self._limit_s = limit_s
        self._idle: SimpleQueue[tuple[ChildProcess, int]] = SimpleQueue()
        self._busy: set[ChildProcess] = set()
        self._closed = False
        self._threads = ThreadPoolExecutor(number, "worker")

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers, whatever they do; files that have no answer yet get none."""
        self._closed = True
        for child in list(self._busy):
            child.kill()
        self._threads.shutdown(cancel_futures=True)
        with suppress(Empty):
            while True:
                self._idle.get_nowait()[0].close()

    def send(self, path: Path | str) -> Future[Answer]:
        """Gives a file to the next worker that is free."""
        return self._threads.submit(self.judge, path)

    def judge(self, path: Path | str) -> Answer:
        """The answer about one file; whatever goes wrong with it, there is one."""
        for _ in range(ATTEMPTS):
            child = None
            try:
                child, judged = self._worker()
                self._busy.add(child)
                child.tell(os.fspath(path))
                answer = child.said(self._limit_s, Answer)
            except ProcessError as error:
                if child is not None:
                    self._busy.discard(child)
                    child.close()
                if self._closed:
                    return Answer(failure=Failure.CRASH, error="The scan was stopped.")
                if not error.ending:
                    return Answer.timeout(self._limit_s)
                if error.ending == FAILED:
                    text = "The program failed on this file; why stands on stderr. Please report it."
                    return Answer(failure=Failure.BUG, error=text)
                ending = error.ending
                continue
            self._busy.discard(child)
            if judged + 1 < FILES_A_WORKER:
                self._idle.put((child, judged + 1))
            else:
                child.close()
            return answer
        text = f"Its worker died {ATTEMPTS} times ({ending}): the file is damaged or made to harm, or memory ran out."
        return Answer(failure=Failure.CRASH, error=text)

    def _worker(self) -> tuple[ChildProcess, int]:
        """One that is idle, or a new one, and how many files it has judged."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return ChildProcess(_work, (self._settings,), self._settings.memory_bytes), 0


def _work(line: Line, settings: ScanSettings) -> None:
    """What each process does: a path in, an answer out."""
    worker = Worker(settings)
    while True:
        line.say(worker.judge(line.heard()))
