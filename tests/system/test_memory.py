from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from deepfake.system import memory

GROWTH = """
import numpy as np, psutil
from deepfake.system.memory import return_large_blocks
return_large_blocks()
before = psutil.Process().memory_info().rss
kept = []
for _ in range(100):
    frames = [np.ones(2_000_000, np.uint8) for _ in range(8)]
    kept.append(np.ones(100_000, np.uint8))
    del frames
print(psutil.Process().memory_info().rss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone has the setting")
def test_memory_grows_by_what_is_kept_and_not_by_the_frames_that_are_not(root):
    done = subprocess.run([sys.executable, "-c", GROWTH], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 14_000_000  # Of which 10,000,000 are kept.


FAULTS = """
import numpy as np, resource
from deepfake.system.memory import {name}
{name}()
def step():
    for _ in range(4):
        np.ones(16_000_000, np.uint8)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone has the setting")
def test_blocks_that_are_kept_come_without_new_pages(root):
    faults = {}
    for name in ("return_large_blocks", "keep_large_blocks"):
        command = [sys.executable, "-c", FAULTS.format(name=name)]
        faults[name] = int(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)
    assert faults["keep_large_blocks"] < 100 < faults["return_large_blocks"]


@pytest.mark.parametrize(("text", "found"), [("1073741824\n", 2**30), ("max\n", None), ("9223372036854771712\n", None)])
def test_a_container_has_the_memory_that_it_may_have(tmp_path, monkeypatch, text, found):
    (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(memory, "_CGROUPS", (str(tmp_path / "memory.max"), str(tmp_path / "absent")))
    assert memory.memory_bytes() == (found or psutil.virtual_memory().total)
