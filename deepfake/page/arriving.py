"""What is sent, while it arrives: how much, how fast, of what kind, and what is left when it stops.

Gradio looks at a file when it lies on the disk; what is refused here never does.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from deepfake.errors import LimitError
from deepfake.media.formats import HEAD_BYTES, PICTURE_FORMATS, sniffed
from deepfake.page.guard import refusal
from deepfake.page.place import prune
from deepfake.page.uploads import check_bytes

MAX_BODY = 340_000_000
"""Largest body of a request that uploads nothing: the largest video, written in letters as assistants do."""
MAX_UNKNOWN_BYTES = 1_000_000
"""Largest file of no known kind: a small one is taken, so that what is wrong is said where its answer would be."""
QUOTA = RateLimitItemPerHour(1_000_000_000)
"""Bytes that one address may upload in the time that uploads are kept."""
SILENCE_S = 20.0
"""Longest time in seconds without anything of a request that has not come whole."""
MIN_BYTES_A_SECOND = 2000
"""Slowest that a body may come on the whole, once `SILENCE_S` seconds are over."""
MIN_FREE_BYTES = 1_000_000_000
"""So much of the disk is left free, or a tenth of a smaller one."""
PRESSED_S = 600.0
"""Age in seconds from which files are deleted when the disk is full."""


class PromptProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Closes a connection on which no request has come whole up to its body in `SILENCE_S` seconds; uvicorn waits."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._seen: Any = None
        self._look_later()

    def _look_later(self) -> None:
        self.loop.call_later(SILENCE_S, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.transport.is_closing():
            return
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self.cycle is self._seen:
            self.transport.close()
            return
        self._seen = self.cycle
        self._look_later()


class Arriving:
    """Counts and looks at what is sent, and refuses the rest of it as soon as it is too much.

    Args:
        app: What gets it.
        uploads: Where Gradio writes what is uploaded.
        folders: What may be deleted from when the disk is full.
    """

    def __init__(self, app: ASGIApp, uploads: Path, *folders: Path) -> None:
        self._app = app
        self._uploads = uploads
        self._folders = (uploads, *folders)
        self._quota = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._begun: dict[object, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send)
            return
        request = object()
        body = _Body(scope, receive, self._quota)
        started = False

        async def send_unless_stopped(message: Message) -> None:
            nonlocal started
            if body.stopped is None:
                started = True
                await send(message)

        self._begun[request] = time.time()
        try:
            body.check_announced()
            self._make_room(body.announced)
            await self._app(scope, body.receive, send_unless_stopped)
        except LimitError as error:
            body.stopped = error
        except ClientDisconnect:
            # What reads a body that has stopped raises it, as for who went away.
            if body.complete:
                raise
        finally:
            del self._begun[request]
            if body.is_upload and not body.complete:
                self._remove_parts()
        if body.stopped is not None and not started:
            await body.refused(body.stopped)(scope, receive, send)

    def _make_room(self, count: int) -> None:
        """Deletes older files if the disk is full.

        Raises:
            LimitError: If that does not help.
        """
        if self._is_full(count):
            for folder in self._folders:
                prune(folder, PRESSED_S)
        if self._is_full(count):
            raise LimitError("The server's disk is full. Try again in an hour.", LimitError.FULL)

    def _is_full(self, count: int) -> bool:
        self._uploads.mkdir(exist_ok=True)
        disk = shutil.disk_usage(self._uploads)
        return disk.free - count < min(MIN_FREE_BYTES, disk.total // 10)

    def _remove_parts(self) -> None:
        """Deletes what Gradio has left of uploads that stopped: files that are not in a folder of their own yet."""
        oldest = min(self._begun.values(), default=float("inf"))
        for part in self._uploads.iterdir() if self._uploads.exists() else ():
            if part.is_file() and part.stat().st_mtime < oldest:
                part.unlink(missing_ok=True)


class _Body:
    """The body of one request, as it comes."""

    def __init__(self, scope: Scope, receive: Receive, quota: SlidingWindowCounterRateLimiter) -> None:
        headers = Headers(scope=scope)
        client = HTTPConnection(scope).client
        self._client = client.host if client else ""
        self._receive = receive
        self._quota = quota
        self._count = 0
        self._since = time.monotonic()
        self.complete = False
        self.stopped: LimitError | None = None
        self.is_upload = scope["path"].rstrip("/").endswith("/upload")
        self.announced = int(length) if (length := headers.get("content-length", "0")).isdecimal() else 0
        self._files = _Files(headers.get("content-type", "")) if self.is_upload else None

    def check_announced(self) -> None:
        """Raises a `LimitError` if the request says that it will be too large."""
        if not self.is_upload and self.announced > MAX_BODY:
            raise self._too_large()
        if self.is_upload and (self.announced > QUOTA.amount or not self._quota.test(QUOTA, self._client)):
            raise self._over_quota()

    def refused(self, error: LimitError) -> ASGIApp:
        """The answer that says why: of an upload the bare words, for Gradio shows all that comes."""
        words = str(error)
        return PlainTextResponse(words, error.status) if self.is_upload else refusal(error.status, words)

    async def receive(self) -> Message:
        """The next part; what reads it is told that nobody is there any more once it is refused."""
        if self.complete:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), SILENCE_S)
            if message["type"] == "http.request":
                self._look_at(message.get("body", b""))
                self.complete = not message.get("more_body", False)
            return message
        except TimeoutError:
            self.stopped = LimitError("Nothing has come for too long. Send it again.", LimitError.TOO_SLOW)
        except LimitError as error:
            self.stopped = error
        return {"type": "http.disconnect"}

    def _look_at(self, content: bytes) -> None:
        self._count += len(content)
        seconds = time.monotonic() - self._since
        if seconds > SILENCE_S and self._count < MIN_BYTES_A_SECOND * seconds:
            raise LimitError("This comes too slowly. Send it over a better line.", LimitError.TOO_SLOW)
        if self._files is None:
            if self._count > MAX_BODY:
                raise self._too_large()
        elif content:
            if not self._quota.hit(QUOTA, self._client, cost=len(content)):
                raise self._over_quota()
            self._files.look_at(content)

    def _too_large(self) -> LimitError:
        return LimitError(f"At most {MAX_BODY // 10**6} MB may be sent here.", LimitError.TOO_LARGE)

    def _over_quota(self) -> LimitError:
        return LimitError(
            f"At most {QUOTA.amount // 10**6} MB may be uploaded in an hour. Send less, or try again later.",
            LimitError.TOO_LARGE,
        )


class _Files:
    """The files in a form, looked at as they come: what each is, from its first bytes, and how large it may be.

    Args:
        content_type: Of the request.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        callbacks: Any = {"on_part_begin": self._begin, "on_part_data": self._add, "on_part_end": self._end}
        self._parser = MultipartParser(options.get(b"boundary", b"-"), callbacks)
        self._head = b""
        self._count = 0

    def look_at(self, content: bytes) -> None:
        """Raises a `LimitError` if what has come by now is of no known kind, or too large; or no form."""
        try:
            self._parser.write(content)
        except FormParserError as error:
            raise LimitError(f"The form cannot be read: {error}.", LimitError.WRONG) from error

    def _begin(self) -> None:
        self._head, self._count = b"", 0

    def _add(self, content: bytes, start: int, end: int) -> None:
        self._count += end - start
        if len(self._head) < HEAD_BYTES:
            self._head += content[start : min(end, start + HEAD_BYTES)]
        if len(self._head) >= HEAD_BYTES:
            self._check()

    def _end(self) -> None:
        self._check()

    def _check(self) -> None:
        name = sniffed(self._head)
        if name is not None:
            check_bytes("picture" if name in PICTURE_FORMATS else "video", self._count)
        elif self._count > MAX_UNKNOWN_BYTES:
            raise LimitError("This is neither a picture nor a video that is known here.", LimitError.UNKNOWN)
