"""Memory: how much there is, and whether what a process frees goes back to the system or is kept for the next step."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_MMAP_MAX = -4
_LARGE = 2**20
_MANY = 65536
"""Blocks that glibc would take from the system one by one, unless it is told otherwise."""

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says what a container may have: of version 2, and of version 1."""
_UNKNOWN = 8 * 2**30


def memory_bytes() -> int:
    """How much memory the machine has, or the container may have. Where the system does not say, 8 GiB.

    Example:

    >>> memory_bytes() > 2**30
    True
    """
    found = []
    with suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in _CGROUPS:
        with suppress(OSError, ValueError):  # No number is no limit.
            found.append(int(Path(name).read_text(encoding="ascii")))
    return min(found, default=_UNKNOWN)


def return_large_blocks() -> None:
    """Makes the C library give blocks of a megabyte and more back to the system as soon as they are freed.

    Else glibc takes frames of a video from its heap after the first, and what outlives them keeps that from shrinking:
    memory grows with the number of frames, though none is kept. For processes of this program alone, as it changes all
    of the process; without effect where there is no glibc.

    Reference:
        mallopt(3), `M_MMAP_THRESHOLD`.
    """
    _tell({_M_MMAP_MAX: _MANY, _M_MMAP_THRESHOLD: _LARGE})


def keep_large_blocks() -> None:
    """Makes the C library keep what is freed, whatever its size: the opposite of `return_large_blocks`.

    Each step of a training run needs the same large blocks again. Given back, each comes as new pages that the system
    has to clear first: on PyTorch that takes longer than the arithmetic (`benchmarks/train_step.py`). TensorFlow keeps
    its blocks by itself.

    Reference:
        mallopt(3), `M_MMAP_MAX` and `M_TRIM_THRESHOLD`.
    """
    _tell({_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: -1})


def _tell(settings: dict[int, int]) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            for parameter, value in settings.items():
                library.mallopt(parameter, value)
