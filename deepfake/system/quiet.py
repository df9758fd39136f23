"""Silence for native libraries that write to stderr by themselves, into progress bars and logs."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_STDERR = 2
_LOCK = threading.Lock()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops what is written to the process's stderr while the context is open.

    LiteRT, OpenCV and libtiff cannot be told otherwise. Keep it short: other threads write to nowhere, too. Where the
    process has no stderr, nothing is done.
    """
    with _LOCK, contextlib.ExitStack() as stack:
        try:
            kept = os.dup(_STDERR)
        except OSError:
            kept = None
        if kept is not None:
            if sys.stderr is not None:
                sys.stderr.flush()
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), _STDERR)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, _STDERR)
        yield
