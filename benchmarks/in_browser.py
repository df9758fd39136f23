"""Measures the detector of web/ in Chromium beside the Detector in Python: the documentation quotes what it writes.

    npm --prefix web ci && python benchmarks/in_browser.py --out web/measured.json

Both judge the same files. The answers must be the same; boxes and p_fake may differ by what half precision, the
browser's decoders and the order of sums change. Speed is that of the whole way from a file to its answer, without the
time to fetch and start the detector: in seconds, and in seconds of processor time, of all threads and of all processes
of the browser, which other work on the machine hardly moves. Needs Node.js, Chromium and the test requirements.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from deepfake.pipeline import Detector

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
EXAMPLES = ("portrait.jpg", "self_blend.jpg", "no_face.jpg", "half_fake.mp4")
ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
ANSWERED = "#said .answer:not(.busy)"
WAIT_MS = 60_000
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""What a server sends for a page that may use threads."""


def missing() -> str | None:
    """What the page needs to be built and opened, and is not here; None if nothing is missing."""
    if shutil.which("node") is None:
        return "Node.js"
    if not (WEB / "node_modules" / "esbuild").is_dir():
        return "what `npm --prefix web ci` installs"
    return None if shutil.which("chromium") else "Chromium"


def build(folder: Path) -> Path:
    """Writes the page to a folder, which is returned."""
    subprocess.run(["node", str(WEB / "build.mjs"), str(folder)], check=True)
    return folder


@contextlib.contextmanager
def served(folder: Path, *, isolated: bool = False) -> Iterator[str]:
    """The address at which a folder is served, as any static host would.

    Args:
        folder: What is served.
        isolated: Whether the host sends the headers that let a page use threads.
    """

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in (ISOLATED if isolated else {}).items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser whose camera is a drawn one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def opened(page: Page, address: str) -> Page:
    """The page, ready to be given files; what comes later is fetched meanwhile."""
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


def judged(page: Page, path: Path) -> dict[str, Any]:
    """The numbers that the page gives for a file, under the keys of `detect --json`."""
    page.set_input_files("#file", path)
    page.wait_for_selector(f"{ANSWERED}, #said .error")
    with page.expect_download() as download:
        page.click("a[download]")
    numbers: dict[str, Any] = json.loads(Path(download.value.path()).read_text())
    return numbers


def measure(page: Page, detector: Detector, path: Path, rounds: int) -> dict[str, Any]:
    """One file, judged in Python and in the browser: answers, how far apart its faces are, and how long it takes."""
    here, there = detector.detect(path).as_dict(), judged(page, path)
    pairs = list(zip(here["faces"], there["faces"], strict=True))
    own_spent = [timed(lambda: detector.detect(path), own_processor_s) for _ in range(rounds)]
    spent = [timed(lambda: judged(page, path), browser_processor_s) for _ in range(rounds)]
    return {
        "file": path.name,
        "python": {"verdict": here["verdict"], "p_fake": here["p_fake"], **medians(own_spent)},
        "browser": {"verdict": there["verdict"], "p_fake": there["p_fake"], **medians(spent)},
        "faces": len(pairs),
        "box_px": max((abs(a - b) for one, other in pairs for a, b in _edges(one, other)), default=0.0),
        "face_p_fake": max((abs(one["p_fake"] - other["p_fake"]) for one, other in pairs), default=0.0),
    }


def timed(work: Callable[[], object], processor_s: Callable[[], float]) -> tuple[float, float]:
    """Seconds that a piece of work takes, and seconds of processor time."""
    started, before = time.perf_counter(), processor_s()
    work()
    return time.perf_counter() - started, processor_s() - before


def medians(spent: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Of several rounds, the median of each."""
    seconds, processor_s = (round(statistics.median(part), 4) for part in zip(*spent, strict=True))
    return {"seconds": seconds, "processor_s": processor_s}


def own_processor_s() -> float:
    """What this process has used so far, all threads together."""
    return time.process_time()


def browser_processor_s() -> float:
    """What the processes of the browser have used so far."""
    processes = psutil.Process().children(recursive=True)
    return sum(sum(one.cpu_times()[:2]) for one in processes if "chrom" in one.name())


def _edges(one: dict[str, Any], other: dict[str, Any]) -> Iterator[tuple[float, float]]:
    return zip(one["box_xyxy"], other["box_xyxy"], strict=True)


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), default=WEB / "measured.json", show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
def main(out: Path, rounds: int) -> None:
    """Measures and writes."""
    if lacking := missing():
        sys.exit(f"The page cannot be measured without {lacking}.")
    detector = Detector()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        built = build(Path(folder))
        found: dict[str, Any] = {"chromium": browser.version, "cores": os.cpu_count(), "sent_bytes": sent_bytes(built)}
        for isolated in (False, True):
            with served(built, isolated=isolated) as address:
                page = opened(browser.new_page(), address)
                files = [measure(page, detector, ROOT / "examples" / name, rounds) for name in EXAMPLES]
                found["threads" if isolated else "one_thread"] = files
                page.close()
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(out.read_text(encoding="utf-8"))


def sent_bytes(built: Path) -> int:
    """Bytes that a first visit fetches: of three builds of the runtime a browser takes one."""
    names = [path for path in built.iterdir() if "compat" not in path.name and "threaded" not in path.name]
    return sum(path.stat().st_size for path in names if not path.name.startswith("words-") or path.stem == "words-en")


if __name__ == "__main__":
    main()
