"""Silence for native libraries that write to stderr by themselves, into progress bars and logs."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

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
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), _STDERR)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, _STDERR)
        yield


@contextlib.contextmanager
def quiet_native() -> Iterator[None]:
    """Drops what native libraries write to the process's stderr while the context is open; Python's own goes on.

    TensorFlow reports there whatever it finds, does not find and reads, some of it before any level is looked at.
    Processes that are started meanwhile say nothing, either. Where Python's stderr is not the process's, or there is
    none, nothing is done.
    """
    with contextlib.ExitStack() as stack:
        if _is_of_process(sys.stderr):
            before = sys.stderr
            before.flush()
            kept = os.dup(_STDERR)
            stack.callback(os.close, kept)
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), _STDERR)
            stack.callback(os.dup2, kept, _STDERR)
            own = open(os.dup(kept), "w", buffering=1, encoding=before.encoding, errors=before.errors)  # noqa: PTH123, SIM115
            stack.enter_context(own)
            stack.enter_context(contextlib.redirect_stderr(own))
        yield


def _is_of_process(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == _STDERR
    except (OSError, ValueError):
        return False
