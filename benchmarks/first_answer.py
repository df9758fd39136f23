"""Times the page as a visitor meets it: from the press of the button to the answer, in Chromium.

    python benchmarks/first_answer.py --rounds 30
    python benchmarks/first_answer.py --rounds 30 --checkout ../before

Serves the page of each checkout, opens both in one browser, and presses the button of either in turn, so that what else
the machine does meets both alike. The answer has come when its headline is there. Prints the median and the tenth and
ninetieth percentile. Needs Chromium and the requirements of the tests.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

HERE = Path(__file__).resolve().parent.parent
WARM_UP = 3
"""Rounds that do not count."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_S = 120
FILES = {"picture": "portrait.jpg", "video": "half_fake.mp4"}
ANSWERED = ".answer:is(.real, .fake, .inconclusive) h2"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=30, show_default=True, help="Answers that count, of each checkout.")
@click.option("--kind", type=click.Choice(sorted(FILES)), default="picture", show_default=True, help="What is judged.")
@click.option("--checkout", type=click.Path(exists=True, path_type=Path), multiple=True, help="Others to time beside.")
def main(rounds: int, kind: str, checkout: tuple[Path, ...]) -> None:
    """Time the first answer of the page.

    \b
    Example:
      python benchmarks/first_answer.py --rounds 30
    """
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        stack.callback(browser.close)
        pages = {}
        for folder in (HERE, *checkout):
            pages[folder] = browser.new_context().new_page()
            pages[folder].goto(stack.enter_context(_served(folder)))
            _choose(pages[folder], kind, HERE / "examples" / FILES[kind])
        times: dict[Path, list[float]] = {folder: [] for folder in pages}
        for number in range(rounds + WARM_UP):
            for folder, page in pages.items():
                took_s = _answered(page, kind)
                if number >= WARM_UP:
                    times[folder].append(took_s)
    click.echo(f"| checkout | rounds | median, {kind} | 10% | 90% |\n| --- | --- | --- | --- | --- |")
    for folder, own in times.items():
        low, middle, high = np.percentile(own, (10, 50, 90)) * 1000
        click.echo(f"| {folder.name} | {len(own)} | {middle:.0f} ms | {low:.0f} ms | {high:.0f} ms |")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of the page of a checkout."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = os.environ | {"PYTHONPATH": str(folder.resolve())}
    server = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=folder, env=variables)
    try:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _choose(page: Any, kind: str, file: Path) -> None:
    page.wait_for_selector("#analyse-picture")
    page.get_by_role("tab", name=kind.capitalize(), exact=True).click()
    panel = page.locator("[role=tabpanel]:visible")
    panel.locator("input[type=file]").first.set_input_files(file)
    panel.locator("img[src*='gradio_api/file'], video").first.wait_for()


def _answered(page: Any, kind: str) -> float:
    """Presses the button, and says how long the answer took, in seconds."""
    place = f"#{kind}-answer {ANSWERED}"
    page.evaluate(f"document.querySelectorAll('{place}').forEach((found) => found.setAttribute('data-before', ''))")
    started = time.perf_counter()
    page.click(f"#analyse-{kind}")
    page.wait_for_selector(f"{place}:not([data-before])")
    took_s = time.perf_counter() - started
    # The report is written next, while a person reads; the next round begins when that is done.
    page.wait_for_selector(f"#{kind}-pdf:enabled")
    return took_s


if __name__ == "__main__":
    main()
