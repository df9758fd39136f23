"""Sends broken and odd files through the detector, and checks that each is answered or refused, and nothing else.

python benchmarks/fuzz.py --inputs 2000 --seed 0

Each input goes through `Detector.detect` twice, in worker processes that are replaced when they die: as it is, and
with `open_isolated`, which decodes in a process of its own. Prints a table by kind, and each input that was neither
answered nor refused by a `MediaError`, or that took too long or too much memory; then the exit status is 1.
"""

from __future__ import annotations

import fnmatch
import os
import resource
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import psutil
from corpus import Case, cases
from pebble import ProcessExpired, ProcessFuture, ProcessPool

WAYS = ("here", "apart")
"""Decoded in the process that asks, and in one of its own."""
LONGEST_S = 150.0
"""An input that takes longer hangs."""
MOST_MB = {"here": 2000.0, "apart": 1500.0, "decoder": 4096.0}
"""Most resident memory of the process that asks, and of the one that decodes for it."""
ADDRESSES = 12 * 2**30
"""Address space of a worker: it dies before the machine does."""
FRAMES = 8
"""Frames of a video that are looked at."""
OUTCOMES = ("answered", "refused", "decoder died", "failed")
"""`decoder died`: refused, because the process that decoded was ended by a signal or a limit."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input, one way."""

    case: Case
    way: str
    outcome: str
    said: str
    time_s: float
    peak_mb: float = 0.0
    decoder_mb: float = 0.0

    @property
    def offence(self) -> str:
        """What is wrong with that, in words; empty if nothing is."""
        if self.outcome == "failed":
            return self.said
        if self.time_s > LONGEST_S:
            return f"took {self.time_s:.0f} s"
        if self.peak_mb > MOST_MB[self.way] or self.decoder_mb > MOST_MB["decoder"]:
            return f"took {self.peak_mb:.0f} MB, and its decoder {self.decoder_mb:.0f} MB"
        return ""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--inputs", default=2000, show_default=True, help="How many files.")
@click.option("--seed", default=0, show_default=True, help="Decides the damage by chance.")
@click.option("--jobs", default=2, show_default=True, help="Files at once.")
@click.option("--only", default="*", show_default=True, help="Only the files whose names match this glob.")
@click.option("--way", type=click.Choice(WAYS), multiple=True, default=WAYS, help="Only this way.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Write the files here, and only that.")
def main(inputs: int, seed: int, jobs: int, only: str, way: tuple[str, ...], keep: Path | None) -> None:
    """Send broken and odd files through the detector.

    \b
    Example:
      python benchmarks/fuzz.py --inputs 2000 --seed 0
    """
    chosen = [case for case in cases(inputs, seed) if fnmatch.fnmatch(case.name, only)]
    if keep:
        for case in chosen:
            print(case.write(keep / case.name.replace("/", "-")))
        return
    results: list[Result] = []
    with ProcessPool(jobs, max_tasks=100, initializer=_load, context=get_context("spawn")) as pool:
        for start in range(0, len(chosen), 8 * jobs):
            for result in _tried(pool, chosen[start : start + 8 * jobs], way):
                results.append(result)
                if result.offence:
                    click.echo(f"{result.case.name} {result.way}: {result.offence}", err=True)
            click.echo(f"{len(results)} of {len(chosen) * len(way)}", err=True)
    offences = [result for result in results if result.offence]
    for line in _table(results, way):
        print(line)
    print()
    for result in offences:
        print(f"--seed {seed} --only {result.case.name!r} --way {result.way}: {result.offence}")
    for result in results:
        if result.outcome == "decoder died":
            print(f"contained: {result.case.name!r}: {result.said}")
    if offences:
        raise SystemExit(1)


def _tried(pool: ProcessPool, some: list[Case], ways: tuple[str, ...]) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        waiting: list[tuple[Case, str, ProcessFuture[Any]]] = []
        for number, case in enumerate(some):
            own = Path(folder) / str(number)
            case.write(own)
            for way in ways:
                future = pool.schedule(_try, (str(own), case.file, way), timeout=2 * LONGEST_S)
                waiting.append((case, way, future))
        for case, way, future in waiting:
            try:
                yield Result(case, way, *future.result())
            except TimeoutError:
                yield Result(case, way, "failed", "hangs", 2 * LONGEST_S)
            except ProcessExpired as error:
                yield Result(case, way, "failed", f"the process died: {error}", 0.0)


def _table(results: list[Result], ways: tuple[str, ...]) -> Iterator[str]:
    """The tally by kind, in Markdown."""
    yield f"| kind | decoded | files | {' | '.join(OUTCOMES)} | longest, s | peak, MB | its decoder's, MB |"
    yield "|" + " --- |" * (6 + len(OUTCOMES))
    kinds = list(dict.fromkeys(result.case.kind for result in results))
    for kind in [*kinds, "all"]:
        for way in ways:
            own = [result for result in results if result.way == way and kind in (result.case.kind, "all")]
            counts = Counter(result.outcome for result in own)
            cells = [kind, way, len(own), *(counts[outcome] for outcome in OUTCOMES)]
            cells += [f"{max(result.time_s for result in own):.1f}"]
            cells += [f"{max(memory):.0f}" for memory in zip(*((r.peak_mb, r.decoder_mb) for r in own), strict=True)]
            yield f"| {' | '.join(map(str, cells))} |"


_detectors: dict[str, Any] = {}


def _load() -> None:
    """Makes a worker ready. What it imports stays out of the processes that decode: those import this file again."""
    from deepfake.media.isolated import open_isolated
    from deepfake.media.reader import open_media
    from deepfake.pipeline import Detector
    from deepfake.system.process import warm_up

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warm_up()
    _detectors.update(here=Detector(opener=open_media, threads=1), apart=Detector(opener=open_isolated, threads=1))


def _try(folder: str, file: str, way: str) -> tuple[str, str, float, float, float]:
    """Outcome, what was said, seconds, peak megabytes here and in the process that decodes."""
    from deepfake.errors import MediaError
    from deepfake.records import Sampling

    os.chdir(folder)
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    with _Watch() as watch:
        try:
            verdict = _detectors[way].detect(file, Sampling(FRAMES))
            outcome, said = "answered", str(verdict.label)
        except MediaError as error:
            outcome, said = "refused", str(error)
        except Exception as error:  # noqa: BLE001 - Whatever else comes is what this looks for.
            outcome, said = "failed", f"{type(error).__name__}: {error}"
    if "made its decoder stop" in said:
        # An exit status is that of an exception which nobody turned into a refusal.
        outcome = "failed" if "exit status" in said else "decoder died"
    return outcome, said, time.perf_counter() - started, _peak_mb(os.getpid()), watch.peak_mb


class _Watch:
    """Looks at the processes that decode for this one: their peak memory, as a context."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            # The fork server is the child of this process, and those that decode are its children.
            for server in psutil.Process().children():
                for decoder in _unless_gone(server.children) or ():
                    self.peak_mb = max(self.peak_mb, _unless_gone(partial(_peak_mb, decoder.pid)) or 0.0)


def _unless_gone(look: Callable[[], Any]) -> Any:
    """What a look at another process gives; None if it ended meanwhile."""
    try:
        return look()
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError, StopIteration):
        return None


def _peak_mb(pid: int) -> float:
    """Peak resident memory since the last reset; Linux alone tells it this way."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main()
