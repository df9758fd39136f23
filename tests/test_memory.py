from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np, psutil
from deepfake.memory import return_large_blocks
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
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 14_000_000  # Of which 10,000,000 are kept.
