"""What a request meets before the page: is it for us, from us, from whom, how often, and does it make sense.

    request -> headers -> path -> host -> origin -> throttle -> password -> upload -> the page

Each is an ASGI application around the next, so that nothing of the page is reached by what one of them refuses.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POSTS = RateLimitItemPerMinute(600)
"""How often one address may send something: what a click sends, and far more than anybody clicks."""
WRONG_PASSWORDS = RateLimitItemPerMinute(10)
"""How often one address may give a wrong password."""
MAX_SEGMENT_BYTES = 255
"""Longest name of a file that a system has; a longer one in a path is forged."""
OPEN_PATHS = ("/health", "/gradio_api/startup-events")
"""What needs no password: the sign of life, and what Gradio asks itself when it starts; neither tells anything."""
FRAMED_BY = ("https://huggingface.co", "https://*.hf.space")
"""Who shows the page of a Space in a frame."""
_DOCS_FROM = "https://cdn.jsdelivr.net https://fastapi.tiangolo.com"
"""Where `/docs` has what draws it."""

Respond = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Who may come in."""

    hosts: tuple[str, ...] = ()
    """Names under which the server may be asked, `*.example.org` for all below one; empty for any."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may ask it from a browser, as `https://example.org`; its own page always may."""
    users: tuple[tuple[str, str], ...] = ()
    """User and password of everybody who may come in; empty for all."""
    framed_by: tuple[str, ...] = ()
    """Sites that may show the page in a frame; empty for none."""


def guarded(app: ASGIApp, doors: Doors) -> ASGIApp:
    """The application behind all doors."""
    if doors.users:
        app = _Password(app, dict(doors.users))
    app = _Throttle(app)
    app = _SameOrigin(app, doors.origins)
    if doors.origins:
        app = CORSMiddleware(app, allow_origins=doors.origins, allow_methods=["GET", "POST"], allow_headers=["*"])
    if doors.hosts:
        app = TrustedHostMiddleware(app, allowed_hosts=doors.hosts, www_redirect=False)
    return _SecurityHeaders(_SenseOfPath(app), doors.framed_by)


def local_hosts(host: str, *, share: bool = False) -> tuple[str, ...]:
    """The names of a server that listens on one address; none, which stands for any, if it listens on all.

    A server on this machine alone must not be asked under another name: the page of a stranger's site could have its
    own name lead here, and would then be of the same origin (DNS rebinding).

    Example:

    >>> local_hosts("127.0.0.1"), local_hosts("0.0.0.0")
    (('localhost', '127.0.0.1', '[::1]', '::1'), ())
    """
    try:
        is_local = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return ()
    shared = ("*.gradio.live",) if share else ()
    return ("localhost", "127.0.0.1", "[::1]", "::1", *shared) if is_local else ()


class _SecurityHeaders:
    """Tells browsers to load nothing from elsewhere, to guess no types, and who may show the page in a frame."""

    def __init__(self, app: ASGIApp, framed_by: Sequence[str]) -> None:
        self._app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if not framed_by:
            self._headers["X-Frame-Options"] = "DENY"
        self._frames = " ".join(framed_by) or "'none'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers["Content-Security-Policy"] = self._policy(scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    def _policy(self, path: str) -> str:
        own = f"'self' {_DOCS_FROM}" if path.endswith("/docs") else "'self'"
        # Gradio's page has scripts and styles in its text, and makes functions of texts.
        return (
            f"default-src 'self'; script-src {own} 'unsafe-inline' 'unsafe-eval' blob:; "
            f"style-src {own} 'unsafe-inline'; img-src {own} data: blob:; media-src 'self' data: blob:; "
            "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
            f"base-uri 'self'; form-action 'self'; frame-ancestors {self._frames}"
        )


class _SenseOfPath:
    """Refuses paths that name what cannot be: what asks the file system for it would raise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._makes_sense(scope):
            await refusal(400, "This address cannot be.")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _makes_sense(self, scope: Scope) -> bool:
        query = unquote(scope["query_string"].decode("latin-1"))
        controls = any(ord(letter) < 32 or ord(letter) == 127 for letter in scope["path"] + query)
        longest = max(len(part.encode("utf-8", "replace")) for part in scope["path"].split("/"))
        return not controls and longest <= MAX_SEGMENT_BYTES


class _SameOrigin:
    """Refuses what the page of another site sends from a visitor's browser, and lets no other site read an answer.

    Gradio itself tells browsers that any site may ask and read, with the visitor's cookies, unless it runs on
    `localhost`. It never sees where a request is from.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._is_foreign(headers) and scope.get("method") not in ("GET", "HEAD"):
            refused = refusal(403, "Pages of other sites may not ask here. Start the server with --origin to let one.")
            await refused(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        await self._app({**scope, "headers": plain}, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin in self._origins:
            return False
        # Browsers say it themselves; where they do not (not over plain HTTP), the names are compared.
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in ("same-origin", "none")
        return origin is not None and urlsplit(origin).netloc != headers.get("host")


class _Throttle:
    """Refuses for a while what one address sends too often, and all that it asks after too many wrong passwords."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._counted = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = HTTPConnection(scope).client
        address = client.host if client else ""
        gives_password = "authorization" in Headers(scope=scope)
        if gives_password and not self._counted.test(WRONG_PASSWORDS, address):
            await self._refuse(WRONG_PASSWORDS, "Too many wrong passwords.")(scope, receive, send)
            return
        if scope["method"] == "POST" and not self._counted.hit(POSTS, address):
            await self._refuse(POSTS, "You ask too often.")(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if gives_password and message.get("status") == 401:
                self._counted.hit(WRONG_PASSWORDS, address)
            await send(message)

        await self._app(scope, receive, counting)

    def _refuse(self, limit: RateLimitItem, why: str) -> Respond:
        return refusal(429, f"{why} Try again in a minute.", {"Retry-After": str(limit.get_expiry())})


class _Password:
    """Lets in who gives a user and the password, by HTTP basic authentication: a cookie would be sent unasked."""

    def __init__(self, app: ASGIApp, users: dict[str, str]) -> None:
        self._app = app
        self._users = users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in OPEN_PATHS or self._knows(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        asked = {"WWW-Authenticate": 'Basic realm="deepfake", charset="UTF-8"'}
        await refusal(401, "Give a user and a password.", asked)(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = self._users.get(user)
        # As long for a name that is unknown as for one that is known.
        same = hmac.compare_digest((known or "").encode(), password.encode())
        return bool(colon and known is not None and same)


def refusal(status: int, detail: str, headers: dict[str, Any] | None = None) -> Respond:
    """An answer that says why there is none, in the words of the plain HTTP route."""
    return JSONResponse({"detail": detail}, status, headers)
