"""A model's name, folder or URL -> the folder of its bundle: fetched once, proved, then unpacked.

    name, URL -> Release -> fetch-*/<name>.zip -> checksum -> fetch-*/<name> -> <name>-<start of sha256>
    hf://...  -> HubModel -> fetch-*/SHA256SUMS -> fetch-*/bundle, each file proved -> <name>-<start of sha256>

A release is a .zip of one bundle's folder, as `scripts/release.py` packs it. It is trusted for its SHA-256, never for
where it came from. What was unpacked stays in the user's cache, so that a model is asked for over the network once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deepfake.errors import BundleError
from deepfake.model.bundle import MANIFEST, MODELS
from deepfake.model.download import Release, download
from deepfake.model.hugging_face import SCHEME, HubModel, fetch_files, fetch_listing, read_address
from deepfake.model.metrics import METRICS

RELEASES = MODELS / "releases.json"
"""The published models by name: `{"light-5": {"url": ..., "sha256": ..., "bytes": ...}}`."""
LARGEST_UNPACKED = 400_000_000
"""Bytes of a release's files together."""
MOST_FILES = 100
"""Files of a release, its folder counted."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
"""What models and their files may be called: nothing that leads out of a folder."""
ADDRESS = re.compile(r"https?://[a-z0-9.:\[\]-]+(?P<path>/[!->@-~]*)(\?[!-~]*)?", re.IGNORECASE)
"""A URL without the fragment: of the web, and without a user name, which an error would print."""


def find_model(
    text: str | Path,
    *,
    progress: Callable[[int, int], object] = lambda done, total: None,
    cache: Path | None = None,
    releases: Path = RELEASES,
    trust: bool = False,
) -> Path:
    """The folder of a bundle; fetched if it is not on this machine yet.

    Args:
        text: A folder; the name of a model that ships or is listed in `releases`; or the URL of a release, or
            `hf://OWNER/NAME@REVISION` for a repository of the Hugging Face Hub, each followed by `#sha256=` and the 64
            digits of its checksum.
        progress: Called with the bytes that came and the bytes there are, while a release is fetched. `done` falls only
            if the server is asked again.
        cache: Where fetched models are kept; `cache_folder()` if None.
        releases: A table of published models.
        trust: Whether to take what is on the Hugging Face Hub for what it says of itself, without a checksum in the
            address. It is kept beside the cache, for nobody vouches for it.

    Raises:
        BundleError: If no model is called so; or if the release cannot be fetched, does not match its checksum or is no
            bundle, which keeps nothing.

    Example:

    >>> find_model("light-5").relative_to(MODELS).as_posix()
    'light-5'
    """
    text = str(text)
    if text.lower().startswith(SCHEME):
        return _from_hub(read_address(text), cache or cache_folder(), progress, trust=trust)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text):
        return _fetched(_release(text), cache or cache_folder(), progress)
    if Path(text).is_dir():
        return Path(text)
    # A detector's folder holds its card's figures; the other networks that ship have none.
    shipped = {path.parent.name: path.parent for path in sorted(MODELS.glob(f"*/{METRICS}"))}
    if text in shipped:
        return shipped[text]
    listed = _listed(releases)
    if text in listed:
        return _fetched(listed[text], cache or cache_folder(), progress)
    raise BundleError(
        f"No model and no folder is called {text!r}. Known models: {', '.join(shipped | listed) or 'none'}. "
        "Pass one of them, the folder of a bundle, or the URL of a release with #sha256=... at its end."
    )


def cache_folder() -> Path:
    """Where fetched models are kept: $DEEPFAKE_CACHE, or `deepfake/models` in the user's folder for such files.

    Raises:
        BundleError: If the user has no home folder.
    """
    if own := os.environ.get("DEEPFAKE_CACHE"):
        return Path(own)
    from platformdirs import user_cache_path

    folder = user_cache_path("deepfake", appauthor=False) / "models"
    if not folder.is_absolute():
        raise BundleError("This user has no home folder to keep models in. Set DEEPFAKE_CACHE to a folder.")
    return folder


def _release(text: str, name: str | None = None, size: int | None = None) -> Release:
    """What a URL with its checksum stands for."""
    url, _, proof = text.partition("#")
    address = ADDRESS.fullmatch(url)
    if not address:
        raise BundleError(
            "A model's URL must be http(s)://host/name.zip#sha256=..., without spaces or a user name. "
            f"Received: {text}. Download the file yourself, unpack it and pass its folder, or correct the URL."
        )
    if not re.fullmatch("sha256=[0-9a-fA-F]{64}", proof):
        raise BundleError(
            f"A model's URL must end in the checksum of its file, because an address proves nothing. Received: {text}. "
            f"Write {url}#sha256=<64 digits>, which its publisher states and `sha256sum` prints."
        )
    name = address["path"].rpartition("/")[2].removesuffix(".zip") if name is None else name
    if not NAME.fullmatch(name):
        raise BundleError(f"A model's name must match {NAME.pattern}. Received: {name!r} in {text}. Rename the file.")
    return Release(name, url, proof.removeprefix("sha256=").lower(), size)


def _listed(releases: Path) -> dict[str, Release]:
    """The published models by name."""
    try:
        table = json.loads(releases.read_text(encoding="utf-8"))
        return {
            name: _release(f"{entry['url']}#sha256={entry['sha256']}", name, int(entry["bytes"]))
            for name, entry in table.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{releases} cannot be read ({error!r}). Restore it from the repository.") from error


def _fetched(release: Release, cache: Path, progress: Callable[[int, int], object]) -> Path:
    """The release's folder in the cache; the network is touched only if it is not there."""

    def fill(scratch: Path) -> Path:
        return _unpacked(release, download(release, scratch, progress))

    return _kept(cache / f"{release.name}-{release.sha256[:12]}", fill)


def _from_hub(model: HubModel, cache: Path, progress: Callable[[int, int], object], *, trust: bool) -> Path:
    """The folder of a model of the Hugging Face Hub; without a checksum it lies beside the cache, not in it."""
    if model.sha256 is None:
        if not trust:
            raise BundleError(
                "An address proves nothing, so it must end in the checksum of its SHA256SUMS. Received: "
                f"hf://{model.repository}@{model.revision}. Add #sha256=<64 digits>, which its publisher states, or "
                "pass --trust to take what the Hub says."
            )
        cache = cache.with_name(f"{cache.name}-unproved")
        with _scratch(cache) as scratch:
            # Which files a revision stands for may change, so it is asked each time.
            model = replace(model, sha256=fetch_listing(model, scratch).sha256)

    def fill(scratch: Path) -> Path:
        return fetch_files(model, fetch_listing(model, scratch), scratch, progress)

    return _kept(cache / f"{model.name}-{model.sha256[:12] if model.sha256 else ''}", fill)


def _kept(target: Path, fill: Callable[[Path], Path]) -> Path:
    """A folder of the cache, which `fill` fetches into a folder that it is given if it is not there yet."""
    if (target / MANIFEST).is_file():
        return target
    try:
        with _scratch(target.parent) as scratch:
            fetched = fill(scratch)
            if not (target / MANIFEST).is_file():
                fetched.rename(target)
    except OSError as error:
        if not (target / MANIFEST).is_file():  # Else another process was first; it has the same, by its checksum.
            raise BundleError(
                f"The cache of models cannot be written ({error}). Make room, or set DEEPFAKE_CACHE to another folder."
            ) from error
    return target


@contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    """A folder of its own, in the cache for the sake of renaming: processes that fetch the same do not meet in it."""
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
        yield Path(scratch)


def _unpacked(release: Release, archive: Path) -> Path:
    """The folder, beside it, that a proved release becomes."""
    folder = archive.with_suffix("")
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as packed:
            for name, entry in _plain_files(packed).items():
                with packed.open(entry) as source, (folder / name).open("xb") as file:
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise BundleError(
            f"{release.url} must be a .zip of one bundle's folder, with plain files in it. Received: {error}. "
            "It was deleted. Its publisher packs it with scripts/release.py."
        ) from error
    return folder


def _plain_files(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of the one folder in it, by name.

    Raises:
        ValueError: If there is anything else, or too much. The sizes that a .zip states bound what can be read of it.
    """
    entries = packed.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_UNPACKED or len(entries) > MOST_FILES:
        raise ValueError(
            f"{len(entries)} files of {unpacked} bytes, where {MOST_FILES} of {LARGEST_UNPACKED} are allowed"
        )
    folder = entries[0].filename.partition("/")[0] if entries else ""
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if entry.filename == f"{folder}/":
            continue
        name = entry.filename.removeprefix(f"{folder}/")
        if f"{folder}/{name}" != entry.filename or not NAME.fullmatch(name):
            raise ValueError(f"{entry.filename!r} in it, beside or below the folder {folder!r}")
        plain = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)
        if not plain or entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name!r}, a link, an encrypted file, or one compressed in a rare way")
        if name.lower() in {other.lower() for other in files}:
            raise ValueError(f"{name!r} twice")
        files[name] = entry
    if MANIFEST not in files:
        raise ValueError(f"no {MANIFEST}")
    return files
