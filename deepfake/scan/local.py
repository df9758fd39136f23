"""Files -> a pool of workers on this machine -> the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from deepfake.errors import MediaError
from deepfake.media.formats import format_of
from deepfake.scan.pool import LIMIT_S, Workers
from deepfake.scan.row import Answer
from deepfake.scan.store import Store
from deepfake.scan.worker import ScanSettings
from deepfake.system.files import sha256_of

QUEUE = 4
"""Files a worker that are prepared ahead; so memory does not grow with the number of files."""


@dataclass(slots=True)
class Tally:
    """How far a scan has come."""

    done: int = 0
    """Files that have their row, those of earlier calls included."""
    resumed: int = 0
    """Of these, files that had it before."""
    identical: int = 0
    """Files whose content had been analysed already."""
    errors: int = 0
    """Files of this call that have no answer."""
    verdicts: dict[str, int] = field(default_factory=dict)
    """Answers of this call."""


@dataclass(slots=True)
class _Job:
    """One content that is being looked at."""

    sha256: str
    files: list[tuple[Path, int, int]]
    """Path, size and time of change of each file that holds it."""


def scan(
    files: Iterable[Path],
    store: Store,
    settings: ScanSettings,
    workers: int = 1,
    limit_s: float = LIMIT_S,
    *,
    retry_errors: bool = False,
    progress: Callable[[Tally], object] = lambda tally: None,
) -> Tally:
    """Judges files and writes their rows; called again it does what is missing.

    Args:
        files: What to judge; read as needed, never held as a whole.
        store: Where the rows go, opened with the settings' identity.
        settings: How to judge.
        workers: Processes that judge.
        limit_s: Longest time for one file in seconds.
        retry_errors: Whether files whose row holds an error are tried again.
        progress: Called after each file.

    Returns:
        What was done.

    Raises:
        StoreError: If a row cannot be written; what was written stays.
        BundleError: If the bundle cannot be used.
    """
    with Workers(settings, workers, limit_s) as pool:
        run = _Run(store, pool, limit_s, progress, with_errors=not retry_errors)
        for job in run.jobs(files):
            run.send(job)
            while len(run.sent) >= QUEUE * workers:
                run.receive()
        while run.sent:
            run.receive()
    return run.tally


class _Run:
    """One call of `scan`: what was sent to the workers, and what came back."""

    def __init__(
        self,
        store: Store,
        workers: Workers,
        limit_s: float,
        progress: Callable[[Tally], object],
        *,
        with_errors: bool,
    ) -> None:
        self.tally = Tally()
        self.sent: dict[Future[Answer], _Job] = {}
        self._store = store
        self._workers = workers
        self._limit_s = limit_s
        self._with_errors = with_errors
        self._progress = progress

    def jobs(self, files: Iterable[Path]) -> Iterator[_Job]:
        """The contents to look at; files that are done, unreadable, or the same as another make none."""
        for path in files:
            size = changed_ns = None
            try:
                state = path.stat()
                size, changed_ns = state.st_size, state.st_mtime_ns
                if self._store.is_done(path, size, changed_ns, with_errors=self._with_errors):
                    self.tally.resumed += 1
                    self._count()
                    continue
                format_of(path)  # A pipe has no end, and of what is nothing known no more is read.
                sha256 = sha256_of(path, self._limit_s)
            except TimeoutError:
                self._unread(path, size, changed_ns, Answer.timeout(self._limit_s))
                continue
            except (MediaError, OSError) as error:
                self._unread(path, size, changed_ns, Answer.unreadable(error, path))
                continue
            file = (path, size, changed_ns)
            same = next((job for job in self.sent.values() if job.sha256 == sha256), None)
            if same is not None:
                same.files.append(file)
            elif self._store.has_answer(sha256, with_errors=self._with_errors):
                self._store.add(*file, sha256)
                self.tally.identical += 1
                self._count()
            else:
                yield _Job(sha256, [file])

    def send(self, job: _Job) -> None:
        """Gives a content to a worker."""
        self.sent[self._workers.send(job.files[0][0])] = job

    def receive(self) -> None:
        """Waits for answers, and writes the rows of their files."""
        done, _ = wait(self.sent, return_when=FIRST_COMPLETED)
        for future in done:
            job = self.sent.pop(future)
            answer = future.result()
            for number, file in enumerate(job.files):
                self._store.add(*file, job.sha256, answer)
                self.tally.identical += number > 0
                self.tally.errors += answer.failure is not None
                label = answer.verdict
                if label:
                    self.tally.verdicts[label] = self.tally.verdicts.get(label, 0) + 1
                self._count()

    def _unread(self, path: Path, size: int | None, changed_ns: int | None, answer: Answer) -> None:
        self._store.add_unread(path, size, changed_ns, answer)
        self.tally.errors += 1
        self._count()

    def _count(self) -> None:
        self.tally.done += 1
        self._progress(self.tally)
