"""A file that is not on this disk yet: from standard input, or from an address of the public web."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import urllib3

from deepfake.errors import FetchError

MAX_BYTES = 250_000_000
"""Larger files are not taken."""
LIMIT_S = 120.0
"""Longest time in seconds that a file may take to come."""
SILENCE_S = 20.0
"""Longest time in seconds without a byte."""
MAX_REDIRECTS = 5
_CHUNK = 1 << 16
_MOVED = (301, 302, 303, 307, 308)


def is_address(name: str) -> bool:
    """Whether a name is an address of the web.

    Example:

    >>> is_address("https://example.org/a.jpg"), is_address("a.jpg")
    (True, False)
    """
    return name.lower().startswith(("http://", "https://"))


def fetch(
    address: str,
    folder: Path,
    *,
    max_bytes: int = MAX_BYTES,
    limit_s: float = LIMIT_S,
    ports: Collection[int] | None = None,
) -> Path:
    """Fetches what an address names, and nothing else: no page around it is read, and no private network is entered.

    Each host is looked up once, and the address that was checked is the one that is connected to, after each redirect
    anew: a name cannot point elsewhere in between.

    Args:
        address: `http://` or `https://`.
        folder: Where to put it, under the last part of the address.
        max_bytes: Most bytes.
        limit_s: Longest time in seconds.
        ports: Those that may be connected to; None for all.

    Returns:
        The file.

    Raises:
        FetchError: If it cannot be had, is too large, takes too long, or lies in a private network.
    """
    end = time.monotonic() + limit_s
    for _ in range(MAX_REDIRECTS + 1):
        response = _asked(address, ports)
        try:
            if response.status in _MOVED and response.headers.get("Location"):
                address = urljoin(address, response.headers["Location"])
                continue
            if response.status != 200:
                raise FetchError(f"{address} answers {response.status} {response.reason}. Check the address.")
            name = unquote(PurePosixPath(urlsplit(address).path).name).replace("/", "_").replace("\0", "")[-100:]
            return _written(response.stream(_CHUNK), folder / (name.lstrip(".") or "file"), address, max_bytes, end)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise FetchError(f"{address} broke off ({error}). Try again, or fetch it with a browser.") from error
        finally:
            response.release_conn()
            response.close()
    raise FetchError(f"{address} leads on and on. Give the address of the file itself.")


def copied(stream: Iterable[bytes], path: Path, name: str, *, max_bytes: int = MAX_BYTES) -> Path:
    """Writes what a stream gives to a file.

    Raises:
        FetchError: If it is empty or too large.
    """
    return _written(stream, path, name, max_bytes, float("inf"))


def _written(chunks: Iterable[bytes], path: Path, name: str, max_bytes: int, end: float) -> Path:
    size = 0
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise FetchError(f"{name} has more than {max_bytes // 10**6} MB. Save it to a file first.")
            if time.monotonic() > end:
                raise FetchError(f"{name} takes too long to come. Save it to a file first.")
            file.write(chunk)
    if not size:
        raise FetchError(f"{name} gives nothing (0 bytes). Check what it is.")
    return path


def _asked(address: str, ports: Collection[int] | None) -> urllib3.BaseHTTPResponse:
    """The beginning of an answer, from a public host."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise FetchError(f"{address} is no address ({error}). Check it.") from error
    if not is_address(address) or not host:
        raise FetchError(f"{address} is no address of the web. Give one that begins with https://")
    if ports is not None and port not in ports:
        raise FetchError(f"{address} must be on a port of the web ({', '.join(map(str, ports))}). Received: {port}.")
    place = _public(host, port, address)
    pool = (
        urllib3.HTTPSConnectionPool(place, port, server_hostname=host, assert_hostname=host)
        if parts.scheme.lower() == "https"
        else urllib3.HTTPConnectionPool(place, port)
    )
    try:
        return pool.request(
            "GET",
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            timeout=urllib3.Timeout(SILENCE_S),
            retries=False,
            headers={"Host": parts.netloc.rpartition("@")[2], "User-Agent": "deepfake", "Accept-Encoding": "identity"},
            redirect=False,
            preload_content=False,
        )
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise FetchError(f"{address} cannot be reached ({error}). Check the address and the network.") from error


def _public(host: str, port: int, address: str) -> str:
    """The host's numeric address.

    Raises:
        FetchError: If it is unknown, or one of its addresses is not public.
    """
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{address} cannot be found ({error}). Check the address and the network.") from error
    for place in found:
        known = ipaddress.ip_address(place.partition("%")[0])
        inner = getattr(known, "ipv4_mapped", None) or getattr(known, "sixtofour", None) or known
        if not known.is_global or not inner.is_global or known.is_multicast:
            raise FetchError(
                f"{address} lies in a private network, from which nothing is fetched. Give the file itself."
            )
    return sorted(found, key=lambda place: ":" in place)[0]
