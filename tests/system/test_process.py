"""Processes that outlive neither their work nor the one that started them."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import psutil
import pytest

from deepfake.errors import ProcessError
from deepfake.system.process import OUT_OF_TIME, SENSELESS, ChildProcess, limit_processor_time

MEMORY = 4 * 2**30
SCRIPT = """
if __name__ == "__main__":
    from deepfake.system.process import ChildProcess
    from tests.system.test_process import hold_the_gil

    child = ChildProcess(hold_the_gil, (), 4 * 2**30)
    print(child.said(60, int), flush=True)
    child.said(60, int)
"""


def hold_the_gil(line):
    import os

    line.say(os.getpid())
    re.search(rb"\xff+[^\xff]", b"\xff" * 300_000)  # Takes minutes, in which no other thread runs.


def compute(line, seconds):
    limit_processor_time(seconds)
    hold_the_gil(line)


def say_too_much(line):
    line.send(memoryview(bytes(100)))
    line.heard()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread looks, which native code may hold up")
def test_a_process_dies_with_the_one_that_started_it_whatever_it_does(tmp_path, root):
    (tmp_path / "parent.py").write_text(SCRIPT)
    command = [sys.executable, tmp_path / "parent.py"]
    with subprocess.Popen(command, env={"PYTHONPATH": str(root)}, stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.2)
        assert child.is_running()
        parent.kill()
    child.wait(timeout=5)


def test_a_process_that_computes_too_long_is_ended():
    child = ChildProcess(compute, (0.5,), MEMORY)
    child.said(60, int)
    with pytest.raises(ProcessError) as caught:
        child.said(60, int)
    assert caught.value.ending == OUT_OF_TIME
    child.close()


@pytest.mark.parametrize("count", [99, 101])
def test_another_number_of_bytes_than_was_asked_for_is_refused(count):
    child = ChildProcess(say_too_much, (), MEMORY)
    with pytest.raises(ProcessError) as caught:
        child.sent(60, count)
    assert caught.value.ending == SENSELESS
    child.close()
