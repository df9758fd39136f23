"""Many users at once: asks a served page for a minute, and checks that no answer is wrong or somebody else's.

python benchmarks/page_load.py --users 30 --seconds 60
python benchmarks/page_load.py --users 20 --seconds 60 --abusers 1

Starts a page of its own on a free port. Each user asks by `POST /predict` again and again for one of the examples,
whose answer is known from `detect`, from an address of its own, as a proxy would name it. Prints the number of answers,
the refusals, the times, and the memory of the server with its decoders.

An abuser sends 30 files at once, and again, from one address: small ones that take as long to decode as any that is not
refused; and holds 200 connections on which it sends nothing. Fails if an answer is wrong or missing, or if a user has
none at all.
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
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import psutil
from corpus.pictures import many_scans

from deepfake.pipeline import Detector

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("portrait.jpg", "self_blend.jpg", "no_face.jpg", "half_fake.mp4")
VIDEO_SHARE = 0.1
"""Share of the requests that send the video."""
AT_ONCE = 30
"""Files that an abuser sends at once."""
SILENT = 200
"""Connections on which an abuser sends nothing."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--users", default=30, show_default=True, help="Users at once.")
@click.option("--seconds", default=60.0, show_default=True, help="For how long they ask.")
@click.option("--abusers", default=0, show_default=True, help="Besides, addresses that send what takes long.")
def main(users: int, seconds: float, abusers: int) -> None:
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
        times, outcomes, answered, peak = _asked(port, users, seconds, expected, abusers, server.pid)
        print(f"{users} users, {abusers} abusers, {seconds:.0f} s: {dict(outcomes)}; {answered} users had answers")
        for name, own in times.items():
            p50, p95 = np.quantile(own, [0.5, 0.95])
            print(f"  {name}: {len(own)} answers, p50 {p50:.2f} s, p95 {p95:.2f} s, longest {max(own):.2f} s")
        print(f"memory of the server and its decoders: {before:.0f} MB before, {peak:.0f} MB at most")
        if outcomes["wrong"] or outcomes["failed"] or answered < users:
            raise SystemExit(1)
    finally:
        server.terminate()
        server.wait()


def _asked(
    port: int, users: int, seconds: float, expected: dict[str, float | None], abusers: int, server: int
) -> tuple[dict[str, list[float]], Counter[str], int, float]:
    """Times by kind of file, outcomes, how many users had an answer, and the most memory in megabytes."""
    times: dict[str, list[float]] = {"picture": [], "video": []}
    outcomes: Counter[str] = Counter()
    answered: set[int] = set()
    contents = {name: (EXAMPLES / name).read_bytes() for name in NAMES}
    slow = many_scans(8000, 6000, scans=80) if abusers else b""
    end = time.monotonic() + seconds

    def user(number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < end:
            name = "half_fake.mp4" if chance.random() < VIDEO_SHARE else chance.choice(NAMES[:3])
            # The name comes back with the answer: an answer to somebody else's question would show.
            sent = f"{uuid.uuid4().hex}{Path(name).suffix}"
            begun = time.perf_counter()
            status, answer = _ask(port, contents[name], sent, f"10.0.{number // 256}.{number % 256}")
            if status == 200 and answer["path"] == sent and _same(answer["p_fake"], expected[name]):
                outcomes["right"] += 1
                answered.add(number)
                times["video" if name.endswith("mp4") else "picture"].append(time.perf_counter() - begun)
            elif status == 503:
                outcomes["busy"] += 1
                time.sleep(1)
            else:
                outcomes["wrong" if status == 200 else "failed"] += 1

    def abuse(number: int) -> None:
        while time.monotonic() < end:
            try:
                status, _ = _ask(port, slow, "slow.jpg", f"10.1.0.{number}")
            except OSError:
                status = 0
            outcomes[f"abuser: {status}"] += 1

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    threads += [threading.Thread(target=abuse, args=(number,)) for number in range(abusers) for _ in range(AT_ONCE)]
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(abusers * SILENT)]
    for thread in threads:
        thread.start()
    peak = 0.0
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, _memory_mb(server))
        time.sleep(0.2)
    for line in silent:
        line.close()
    return {kind: own for kind, own in times.items() if own}, outcomes, len(answered), peak


def _ask(port: int, content: bytes, sent: str, address: str) -> tuple[int, dict[str, object]]:
    border = uuid.uuid4().hex
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{sent}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=400)
    try:
        headers = {"Content-Type": f"multipart/form-data; boundary={border}", "X-Forwarded-For": address}
        connection.request("POST", "/predict", body, headers)
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
    content = (EXAMPLES / "portrait.jpg").read_bytes()
    while _ask(port, content, "first.jpg", "10.2.0.1")[0] != 200:
        time.sleep(0.1)
    return time.perf_counter() - started


def _memory_mb(pid: int) -> float:
    """Resident memory of a process and all that it started."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        server = psutil.Process(pid)
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total / 2**20


if __name__ == "__main__":
    main()
