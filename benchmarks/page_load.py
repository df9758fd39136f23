"""Many users at once: asks a served page for a minute, and checks that no answer is wrong or somebody else's.

python benchmarks/page_load.py --users 30 --seconds 60

Starts a page of its own on a free port. Each user asks by `POST /predict` again and again for one of the examples,
whose answer is known from `detect`. Prints the number of answers, the refusals (503), the times, and the memory of the
server.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import click
import numpy as np

from deepfake.pipeline import Detector

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("portrait.jpg", "self_blend.jpg", "no_face.jpg", "half_fake.mp4")
VIDEO_SHARE = 0.1
"""Share of the requests that send the video."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--users", default=30, show_default=True, help="Users at once.")
@click.option("--seconds", default=60.0, show_default=True, help="For how long they ask.")
def main(users: int, seconds: float) -> None:
    """Ask a page for a while by many users at once.

    \b
    Example:
      python benchmarks/page_load.py --users 30 --seconds 60
    """
    detector = Detector()
    expected = {name: detector.detect(EXAMPLES / name).p_fake for name in NAMES}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    server = subprocess.Popen([sys.executable, "-m", "deepfake", "serve", "--port", str(port)], stdout=subprocess.PIPE)
    try:
        _until_up(port)
        print(f"cold start to the first answer: {_cold(port, started):.1f} s")
        before = _memory_mb(server.pid)
        times, outcomes = _asked(port, users, seconds, expected)
        print(f"{users} users, {seconds:.0f} s: {dict(outcomes)}")
        for name, own in times.items():
            p50, p95 = np.quantile(own, [0.5, 0.95])
            print(f"  {name}: {len(own)} answers, p50 {p50:.2f} s, p95 {p95:.2f} s, longest {max(own):.2f} s")
        print(f"server's memory: {before:.0f} MB before, {_memory_mb(server.pid):.0f} MB after")
        if outcomes["wrong"] or outcomes["failed"]:
            raise SystemExit(1)
    finally:
        server.terminate()
        server.wait()


def _asked(
    port: int, users: int, seconds: float, expected: dict[str, float | None]
) -> tuple[dict[str, list[float]], Counter[str]]:
    times: dict[str, list[float]] = {"picture": [], "video": []}
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + seconds

    def user(number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < end:
            name = "half_fake.mp4" if chance.random() < VIDEO_SHARE else chance.choice(NAMES[:3])
            # The name comes back with the answer: an answer to somebody else's question would show.
            sent = f"{uuid.uuid4().hex}{Path(name).suffix}"
            begun = time.perf_counter()
            status, answer = _ask(port, name, sent)
            if status == 200 and answer["path"] == sent and _same(answer["p_fake"], expected[name]):
                outcomes["right"] += 1
                times["video" if name.endswith("mp4") else "picture"].append(time.perf_counter() - begun)
            elif status == 503:
                outcomes["busy"] += 1
                time.sleep(1)
            else:
                outcomes["wrong" if status == 200 else "failed"] += 1

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {kind: own for kind, own in times.items() if own}, outcomes


def _ask(port: int, name: str, sent: str) -> tuple[int, dict[str, object]]:
    border = uuid.uuid4().hex
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{sent}"\r\n\r\n'
    body = head.encode() + (EXAMPLES / name).read_bytes() + f"\r\n--{border}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/predict", body, {"Content-Type": f"multipart/form-data; boundary={border}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _same(found: object, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return abs(float(str(found)) - expected) < 1e-3


def _until_up(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the page did not start within a minute")


def _cold(port: int, started: float) -> float:
    while _ask(port, "portrait.jpg", "first.jpg")[0] != 200:
        time.sleep(0.1)
    return time.perf_counter() - started


def _memory_mb(pid: int) -> float:
    """Resident memory; Linux alone tells it this way."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


if __name__ == "__main__":
    main()
