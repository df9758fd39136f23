"""Release -> its file, whole and proved.

Pooch asks, asks again, and compares the checksum before anything else sees the file. What it does not do stands here:
it would take whatever a server sends, however much that is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepfake import __version__
from deepfake.errors import BundleError

LARGEST = 200_000_000
"""Bytes of a release; a server that sends more is refused."""
TRIES = 3
"""How often a server is asked before it is given up."""
TIMEOUT_S = 20.0
"""A server that is silent for longer is asked again."""
CHUNK = 1 << 16
"""Bytes that are read at once."""


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


def download(release: Release, folder: Path, progress: Callable[[int, int], object]) -> Path:
    """Fetches a release's .zip into a folder and proves it; the answer is its path.

    Args:
        release: What to fetch.
        folder: Where to put it.
        progress: Called with the bytes that came and the bytes there are, as `find_model` says.

    Raises:
        BundleError: If it cannot be had, is too large, or is another than the one promised.
        OSError: If it cannot be written.
    """
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel("ERROR")  # It would tell on stderr what `progress` shows and errors say.
    name = f"{release.name}.zip"
    store = pooch.Pooch(
        path=folder,
        base_url="",
        registry={name: f"sha256:{release.sha256}"},
        urls={name: release.url},
        retry_if_failed=TRIES - 1,
    )
    downloader = pooch.HTTPDownloader(
        progressbar=_Meter(release, progress),
        chunk_size=CHUNK,
        timeout=TIMEOUT_S,
        headers={"User-Agent": f"deepfake/{__version__}", "Accept-Encoding": "identity"},
    )
    try:
        return Path(store.fetch(name, downloader=downloader))
    except (RequestException, ValueError) as error:
        raise BundleError(
            f"{release.url} could not be fetched in {TRIES} tries ({error}). Check the network, and the address and "
            "the checksum with its publisher. Without a network, pass the folder of a bundle."
        ) from error


class _Meter:
    """What Pooch takes for its progress bar; it refuses what is too large, before it comes and while it does.

    Args:
        release: What is fetched.
        progress: As `download` takes it.
    """

    def __init__(self, release: Release, progress: Callable[[int, int], object]) -> None:
        self._release, self._progress = release, progress
        self._total = self._done = 0

    @property
    def total(self) -> int:
        """Bytes that the server promised; 0 if it did not say."""
        return self._total

    @total.setter
    def total(self, total: int) -> None:
        expected, url = self._release.size, self._release.url
        if not 0 < total <= LARGEST or total != (expected or total):
            rule = f"{expected} bytes" if expected else f"at most {LARGEST} bytes, and a server that says how many"
            raise BundleError(f"{url} must have {rule}. Received: {total}. Check the address with its publisher.")
        self._total, self._done = total, 0

    def update(self, count: int) -> None:
        """Pooch calls it after each chunk, and takes the last and shorter one for a whole one."""
        if self._done > self._total:
            raise BundleError(
                f"{self._release.url} must have the {self._total} bytes that its server promised. Received: more. "
                "Check the address with its publisher."
            )
        self._done += count
        self._progress(min(self._done, self._total), self._total)

    def reset(self) -> None:
        """Pooch calls it at the end, before it states the whole."""
        self._done = 0

    def close(self) -> None:
        """There is nothing to be closed."""
