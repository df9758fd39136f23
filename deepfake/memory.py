"""Memory of a process that is this program's own: what is freed goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_LARGE = 2**20


def return_large_blocks() -> None:
    """Makes the C library give blocks of a megabyte and more back to the system as soon as they are freed.

    Else glibc takes frames of a video from its heap after the first, and what outlives them keeps that from shrinking:
    memory grows with the number of frames, though none is kept. For processes of this program alone, as it changes all
    of the process; without effect where there is no glibc.

    Reference:
        mallopt(3), `M_MMAP_THRESHOLD`.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
