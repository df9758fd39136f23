"""A process that may die: started, listened to under limits on time and size, and ended, whatever it does.

What comes back is JSON of a known type, or plain bytes of a known number, never objects: from a process that a file has
taken over, those could run code.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import msgspec

from deepfake.errors import ProcessError
from deepfake.system.memory import return_large_blocks

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
PRELOADED = ["deepfake.media", "deepfake.cli.main"]
"""Modules that are loaded once, for all processes: what takes long to import, and starts no threads of its own. Each
process imports again what its program began with, which for the command line and the page is the second."""
START_S = 60.0
"""Longest time in seconds until a process lives."""

MAX_MESSAGE_BYTES = 64 * 2**20
"""Longest message in JSON: a thousand times what one is, and no more than can be spared."""

FAILED = "exit status 1"
"""How a process ends that raised what nobody expected; it has written so to stderr."""
OUT_OF_TIME = "SIGXCPU"
"""How a process ends that has used up its processor time."""
SENSELESS = "an answer that makes no sense"
"""How a process ends that sent something else than what it was asked for."""

Message = TypeVar("Message")


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
            self.said(START_S, str)
        except ProcessError as error:
            self.close()
            if error.ending != FAILED:
                raise
            raise OSError(
                "Another process could not be started; the reason is printed above. A script that starts some needs a "
                'file of its own, and `if __name__ == "__main__":` around what it does.'
            ) from None

    def tell(self, message: Any) -> None:
        """Sends plain values or a record. Whether they arrive, the answer tells."""
        try:
            self._connection.send_bytes(msgspec.json.encode(message))
        except OSError:
            return

    def said(self, limit_s: float, kind: type[Message]) -> Message:
        """The record or the plain values that it sends next.

        Args:
            limit_s: Longest time in seconds until they have come.
            kind: Their type.

        Raises:
            ProcessError: If it dies, sends something else, or nothing whole has come in time; it is then ended.
        """
        content = self._received(limit_s, MAX_MESSAGE_BYTES)
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.kill()
            raise ProcessError(SENSELESS) from None

    def sent(self, limit_s: float, count: int) -> bytes:
        """The bytes that it sends next, `count` of them.

        Raises:
            ProcessError: As `said`.
        """
        content = self._received(limit_s, count)
        if len(content) != count:
            self.kill()
            raise ProcessError(SENSELESS)
        return content

    def _received(self, limit_s: float, most: int) -> bytes:
        # One that stops in the middle of a message would be waited for without end, so time ends it.
        late = threading.Event()
        timer = threading.Timer(limit_s, self._end, [late])
        timer.start()
        try:
            return self._connection.recv_bytes(most)
        except (EOFError, OSError):
            if not self._connection.readable:  # More than `most` was announced; nothing of it was read.
                self.kill()
                raise ProcessError(SENSELESS) from None
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
        """Sends plain values or a record."""
        self._connection.send_bytes(msgspec.json.encode(message))

    def send(self, content: memoryview) -> None:
        """Sends bytes."""
        self._connection.send_bytes(content)

    def heard(self) -> Any:
        """The plain values that come next."""
        return msgspec.json.decode(self._connection.recv_bytes())


def limit_processor_time(seconds: float) -> None:
    """Ends this process with SIGXCPU when all its threads together have computed for so long, from now on.

    Unlike time on the wall this does not grow when the machine is busy with others; waiting costs none. To be called
    again for each piece of work. Without effect on Windows.

    Reference:
        getrlimit(2), `RLIMIT_CPU`, which counts whole seconds.
    """
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = math.ceil(time.process_time() + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _begin(connection: Connection, memory_bytes: int, work: Callable[..., object], args: tuple[Any, ...]) -> None:
    """The process's first steps: its limits, its end with the one that started it, a sign of life, its work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_with(parent.sentinel)
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
    """Ends this process when the other end of a pipe is closed, as by the death of the process that holds it.

    On Linux the system does so at once (fcntl(2), `F_SETSIG`). Elsewhere, and if that end was closed before, a thread
    does, as soon as native code lets it run.
    """
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)

    def wait_and_exit() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=wait_and_exit, daemon=True).start()


def _ending(code: int | None) -> str:
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"
