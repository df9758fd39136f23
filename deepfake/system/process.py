"""A process that may die: started, listened to under a time limit, and ended, whatever it does.

What comes back is JSON or plain bytes, never objects: from a process that a file has taken over, those could run code.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from deepfake.errors import ProcessError
from deepfake.system.memory import return_large_blocks

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
PRELOADED = ["deepfake.media"]
"""Modules that are loaded once, for all processes: what takes long to import, and starts no threads of its own."""
START_S = 60.0
"""Longest time in seconds until a process lives."""

FAILED = "exit status 1"
"""How a process ends that raised what nobody expected; it has written so to stderr."""


def warm_up() -> None:
    """Starts the process that the others are forked from, so that the first one is there at once."""
    if _FORKS:
        from multiprocessing.forkserver import ensure_running

        _CONTEXT.set_forkserver_preload(PRELOADED)
        ensure_running()


class ChildProcess:
    """Another process and the line to it.

    Args:
        work: What it does, given its end of the line (a `Line`), then `args`. A function of a module.
        args: Of `work`.
        memory_bytes: Most address space that it may have. Enforced on Linux.

    Raises:
        ProcessError: If it is killed while it starts, or that takes too long.
        OSError: If it cannot be started.
    """

    def __init__(self, work: Callable[..., object], args: tuple[Any, ...], memory_bytes: int) -> None:
        warm_up()
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_begin, args=(theirs, memory_bytes, work, args), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.sent(START_S)
        except ProcessError as error:
            self.close()
            if error.ending != FAILED:
                raise
            raise OSError(
                "Another process could not be started; the reason is printed above. A script that starts some needs a "
                'file of its own, and `if __name__ == "__main__":` around what it does.'
            ) from None

    def tell(self, message: Any) -> None:
        """Sends plain values. Whether they arrive, the answer tells."""
        try:
            self._connection.send_bytes(json.dumps(message).encode())
        except OSError:
            return

    def said(self, limit_s: float) -> Any:
        """The plain values that it sends next.

        Raises:
            ProcessError: If it dies, or nothing whole has come after `limit_s` seconds; it is then ended.
        """
        return json.loads(self.sent(limit_s))

    def sent(self, limit_s: float) -> bytes:
        """The bytes that it sends next.

        Raises:
            ProcessError: As `said`.
        """
        # One that stops in the middle of a message would be waited for without end, so time ends it.
        late = threading.Event()
        timer = threading.Timer(limit_s, self._end, [late])
        timer.start()
        try:
            return bytes(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            raise ProcessError("" if late.is_set() else _ending(self._process.exitcode)) from None
        finally:
            timer.cancel()
            timer.join()

    def kill(self) -> None:
        """Ends it from another thread: the one that listens gets a `ProcessError`, and closes it."""
        self._process.kill()

    def close(self) -> None:
        """Ends it, and lets go of it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()

    def _end(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()


class Line:
    """The process's end of the line to the one that started it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def say(self, message: Any) -> None:
        """Sends plain values."""
        self._connection.send_bytes(json.dumps(message).encode())

    def send(self, content: memoryview) -> None:
        """Sends bytes."""
        self._connection.send_bytes(content)

    def heard(self) -> Any:
        """The plain values that come next."""
        return json.loads(self._connection.recv_bytes())


def _begin(connection: Connection, memory_bytes: int, work: Callable[..., object], args: tuple[Any, ...]) -> None:
    """The process's first steps: its limits, its end with the one that started it, a sign of life, its work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent.sentinel], daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the one that started it.
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    return_large_blocks()
    line = Line(connection)
    line.say("ready")
    try:
        work(line, *args)
    except (BrokenPipeError, EOFError):
        return  # Nobody listens any more.


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _ending(code: int | None) -> str:
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"
