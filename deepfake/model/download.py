"""Release -> its file, whole and proved: what came is kept, and another try goes on from there.

    URL -> answer from byte n on -> <sha256>.part grows -> checksum

A network that fails is an `_InterruptedError` and is tried again; a file that is not the one asked for is an
`_UnfitError`, and none of it is kept; a disk that fails is an `OSError`, the caller's to explain.
"""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from deepfake import __version__
from deepfake.errors import BundleError

LARGEST = 200_000_000
"""Bytes of a release; a server that sends more is refused."""
TIMEOUT_S = 20.0
"""A server that is silent for longer is asked again."""
TRIES = 4
PAUSE_S = 0.5
"""Before the second try; twice and three times that before the next ones."""
CHUNK = 1 << 16
"""Bytes read at once, at most."""
PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
"""Refusals that another try may escape, beside the server's own failures (500 and above)."""


@dataclass(frozen=True, slots=True)
class Release:
    """A packed bundle that can be fetched."""

    name: str
    """The model's."""
    url: str
    """Where the .zip is."""
    sha256: str
    """Of the .zip: 64 lower-case hexadecimal digits."""
    size: int | None = None
    """Bytes of the .zip, where known."""


class _UnfitError(BundleError):
    """What came is not the release: none of it is kept."""


class _InterruptedError(Exception):
    """The network failed: another try may go on from what came."""


def download(release: Release, part: Path, progress: Callable[[int, int], object]) -> None:
    """Makes `part` the release's file, going on from what is in it.

    Args:
        release: What to fetch. Nothing is asked of the network if `part` is already that file.
        part: A file that grows; no other process may write to it.
        progress: Called with the bytes there are in `part` and the bytes there will be, as `find_model` says.

    Raises:
        BundleError: If the release cannot be fetched, and `part` is kept; or if what came is too large or does not
            match the checksum, and `part` is deleted.
        OSError: If `part` cannot be written.
    """
    if part.is_file() and _sha256(part) == release.sha256:
        return
    try:
        _receive(release, part, progress)
        if (found := _sha256(part)) != release.sha256:
            raise _UnfitError(
                f"{release.url} does not match its checksum, and was deleted. Expected: {release.sha256}. "
                f"Received: {found}. Try again; if it differs again, do not use it, and ask its publisher."
            )
    except _UnfitError:
        part.unlink(missing_ok=True)
        raise


def _receive(release: Release, part: Path, progress: Callable[[int, int], object]) -> None:
    """Tries until the server has sent everything."""
    failure = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE_S * attempt)
        try:
            _receive_once(release, part, progress)
            return
        except _InterruptedError as error:
            failure = str(error)
    raise BundleError(
        f"{release.url} could not be fetched in {TRIES} tries ({failure}). Check the network and try again: it goes on "
        f"from the {_kept(part)} bytes kept in {part}. Without a network, pass the folder of a bundle."
    )


def _receive_once(release: Release, part: Path, progress: Callable[[int, int], object]) -> None:
    """Adds to the part file what the server sends."""
    done = _kept(part)
    limit = min(release.size or LARGEST, LARGEST)
    with _open(release.url, part, done) as response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            done = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            part.unlink(missing_ok=True)
            raise _InterruptedError("the server sent another part than the one asked for")
        total = release.size if response.length is None else done + response.length
        if total is not None and (total > limit or total != (release.size or total)):
            raise _UnfitError(_wrong_size(release, limit, f"{total}"))
        with part.open("ab" if done else "wb") as file:
            while chunk := _read(response):
                done += len(chunk)
                if done > limit:
                    raise _UnfitError(_wrong_size(release, limit, "more"))
                file.write(chunk)
                progress(done, total or done)
    if total is not None and done < total:
        raise _InterruptedError(f"the connection ended after {done} of {total} bytes")


def _wrong_size(release: Release, limit: int, received: str) -> str:
    """Why it is refused."""
    rule = f"{limit} bytes" if release.size == limit else f"at most {limit} bytes"
    return f"{release.url} must have {rule}. Received: {received}. Check the address with its publisher."


class _Redirects(HTTPRedirectHandler):
    """Follows redirects to http and https, and from https to https alone."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        # The library would read the redirect's own body to its end, and that may never come.
        fp.close()
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme != "https"):
            raise HTTPError(newurl, code, f"Redirection from {req.type} to {scheme} is not allowed", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, part: Path, done: int) -> http.client.HTTPResponse:
    """The server's answer from byte `done` on."""
    headers = {"User-Agent": f"deepfake/{__version__}", **({"Range": f"bytes={done}-"} if done else {})}
    try:
        return build_opener(_Redirects).open(Request(url, headers=headers), timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        if error.code < 500 and error.code not in PASSING:
            raise BundleError(
                f"{url} cannot be fetched ({error.code}: {error.reason}). Check the address with its publisher."
            ) from error
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        raise _InterruptedError(f"{error.code}: {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError, OverflowError) as error:
        raise _InterruptedError(_reason(error)) from error


def _read(response: http.client.HTTPResponse) -> bytes:
    """The next bytes that came, none at the end."""
    try:
        return response.read1(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Why the network failed."""
    return str(getattr(error, "reason", error)) or type(error).__name__


def _kept(part: Path) -> int:
    """Bytes that came so far."""
    return part.stat().st_size if part.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
