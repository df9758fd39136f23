"""An address of the web -> a file beside those that were uploaded, where the server was started to allow that."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from deepfake.errors import FetchError, LimitError
from deepfake.media import Kind
from deepfake.page.arriving import MIN_FREE_BYTES
from deepfake.page.uploads import MAX_BYTES
from deepfake.system.fetch import fetch

PORTS = (80, 443)
"""Those of the web: others of a public host may be closed to all but this machine."""
AT_ONCE = 4
"""Files that are fetched at once; the next is refused."""
FETCHES = RateLimitItemPerHour(30)
"""How often one address may have something fetched: each time, another site is asked in this machine's name."""


class Fetching:
    """Fetches for visitors, a few files at once, and for each visitor a few an hour.

    Args:
        folder: Where to put the files, each in a folder of its own; whoever made it deletes them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def fetched(self, address: str, kind: Kind, client: str = "") -> Path:
        """The file that an address names.

        Args:
            address: `https://` or `http://`, on a port of the web.
            kind: What it is to be; the largest that may be uploaded is the largest that is fetched.
            client: Who asks.

        Raises:
            FetchError: If it cannot be had, is too large, takes too long, or lies in a private network.
            LimitError: If too much is being fetched, the visitor asks too often, or the disk is full.
        """
        if not self._places.acquire(blocking=False):
            raise LimitError("Too many files are being fetched right now. Try again in a minute.", LimitError.BUSY)
        try:
            if not self._limiter.hit(FETCHES, client):
                raise LimitError(
                    f"At most {FETCHES.amount} files an hour are fetched for you. Save it, and choose the file.",
                    LimitError.TOO_MANY,
                )
            self._folder.mkdir(exist_ok=True)
            if shutil.disk_usage(self._folder).free < MIN_FREE_BYTES + MAX_BYTES[kind]:
                raise LimitError("The server's disk is full. Try again in an hour.", LimitError.FULL)
            own = Path(tempfile.mkdtemp(prefix="fetched-", dir=self._folder))
            try:
                return fetch(address.strip(), own, max_bytes=MAX_BYTES[kind], ports=PORTS)
            except FetchError:
                shutil.rmtree(own, ignore_errors=True)
                raise
        finally:
            self._places.release()
