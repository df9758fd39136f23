"""An address on the Hugging Face Hub -> the files of a bundle, each proved.

    hf://OWNER/NAME@REVISION#sha256=... -> SHA256SUMS -> its files

`scripts/push_model.sh` puts SHA256SUMS beside a bundle's files, a line for each, as `sha256sum` writes it. The checksum
in an address is that of SHA256SUMS, and so it proves them all.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deepfake import __version__
from deepfake.errors import BundleError
from deepfake.model.bundle import MANIFEST, read_files
from deepfake.model.download import LARGEST
from deepfake.system.files import sha256_of, write_bytes

SCHEME = "hf://"
SUMS = "SHA256SUMS"
"""The checksums of a repository's files."""
LARGEST_SUMS = 100_000
"""Bytes of `SHA256SUMS`."""
MOST_FILES = 100
"""Files of a bundle."""
ADDRESS = re.compile(
    r"hf://(?P<repository>[A-Za-z0-9][A-Za-z0-9._-]*/(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]{0,99}))"
    r"@(?P<revision>[A-Za-z0-9_][A-Za-z0-9._/-]{0,99})(#sha256=(?P<sha256>[0-9a-fA-F]{64}))?"
)
LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?P<name>[A-Za-z0-9_][A-Za-z0-9._-]{0,99})")
"""A line of `SHA256SUMS`: the name leads out of no folder."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """A bundle in a repository of the Hugging Face Hub."""

    repository: str
    """`OWNER/NAME`."""
    name: str
    """The repository's, without its owner."""
    revision: str
    """A commit, a tag or a branch."""
    sha256: str | None
    """Of `SHA256SUMS`: 64 lower-case hexadecimal digits; None if nobody vouches for it."""


def read_address(text: str) -> HubModel:
    """What an address stands for.

    Raises:
        BundleError: If it is none.

    Example:

    >>> read_address("hf://me/light-5@v1").repository
    'me/light-5'
    """
    found = ADDRESS.fullmatch(text)
    if not found:
        raise BundleError(
            "A model on the Hugging Face Hub must be hf://OWNER/NAME@REVISION#sha256=..., with a commit, a tag or a "
            f"branch as its revision and the checksum of its {SUMS}. Received: {text}. Correct the address."
        )
    sha256 = found["sha256"]
    return HubModel(found["repository"], found["name"], found["revision"], sha256.lower() if sha256 else None)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a repository says that it holds."""

    commit: str
    """The commit that a revision stands for now."""
    sha256: str
    """Of `SHA256SUMS`."""
    files: Mapping[str, str]
    """The checksum of each file, by its name."""


def fetch_listing(model: HubModel, folder: Path) -> Listing:
    """Fetches `SHA256SUMS` into a folder, and proves it if the address has a checksum.

    Raises:
        BundleError: If it cannot be had, is another than the one promised, or lists no bundle.
    """
    info = _asked(model, SUMS, model.revision, dry_run=True)
    _check_size(model, SUMS, info.file_size, LARGEST_SUMS)
    content = Path(_asked(model, SUMS, info.commit_hash, local_dir=folder)).read_bytes()
    received = hashlib.sha256(content).hexdigest()
    if model.sha256 not in (None, received):
        raise BundleError(
            f"{SUMS} of {model.repository} must have the checksum in the address, {model.sha256}. Received: "
            f"{received}. Check the revision and the checksum with its publisher."
        )
    lines = content.decode(errors="replace").splitlines()
    entries = [LINE.fullmatch(line) for line in lines]
    files = {entry["name"]: entry["sha256"] for entry in entries if entry}
    distinct = {name.lower() for name in files}  # Some disks take no notice of case.
    if not all(entries) or len(distinct) < len(lines) or len(files) > MOST_FILES or MANIFEST not in files:
        raise BundleError(
            f"{SUMS} of {model.repository} must list a bundle's files, {MANIFEST} among them, each once and beside it. "
            f"Received: {content[:200]!r}. Its publisher writes it with scripts/push_model.sh."
        )
    return Listing(info.commit_hash, received, files)


def fetch_files(model: HubModel, listing: Listing, folder: Path, progress: Callable[[int, int], object]) -> Path:
    """Fetches the files of a listing and proves each; the answer is a folder with these files alone.

    Args:
        model: Whose files.
        listing: Which files.
        folder: Where to put the new folder.
        progress: Called with the bytes that came and the bytes there are.

    Raises:
        BundleError: If one cannot be had, is too large, or does not match its checksum.
        OSError: If it cannot be written.
    """
    sizes = {name: _asked(model, name, listing.commit, dry_run=True).file_size for name in listing.files}
    for name, size in sizes.items():
        _check_size(model, name, size, LARGEST)
    total = sum(sizes.values())
    _check_size(model, "all of its files", total, LARGEST)
    done, bundle = 0, folder / "bundle"
    bundle.mkdir()
    for name, size in sizes.items():
        meter = _meter(model, name, size, partial(_advance, progress, done, total))
        fetched = Path(_asked(model, name, listing.commit, local_dir=folder / "hub", tqdm_class=meter))
        if (received := sha256_of(fetched)) != listing.files[name]:
            raise BundleError(
                f"{name} of {model.repository} must have the checksum in its {SUMS}, {listing.files[name]}. Received: "
                f"{received}. It was deleted. Fetch it again, or tell its publisher."
            )
        fetched.rename(bundle / name)
        done += size
        progress(done, total)
    return bundle


def stage(bundle: Path, folder: Path) -> str:
    """Copies a bundle into a folder as a repository holds it: its files, its plots, and `SHA256SUMS`.

    Args:
        bundle: Folder of a detector bundle. Its files must match their checksums.
        folder: Where to write; it must be empty.

    Returns:
        The checksum of `SHA256SUMS`, which addresses end in.

    Raises:
        BundleError: If the bundle is damaged, or would be refused by those who fetch it.
    """
    manifest, _ = read_files(bundle, [], "detector")
    read_files(bundle, manifest["files"], "detector")
    files = sorted(path for path in bundle.iterdir() if path.is_file() and path.name != SUMS)
    lines = [f"{sha256_of(path)}  {path.name}" for path in files]
    if odd := [path.name for path, line in zip(files, lines, strict=True) if not LINE.fullmatch(line)]:
        raise BundleError(f"Names in a bundle must match {LINE.pattern}. Received: {', '.join(odd)}. Move them.")
    shutil.copytree(bundle, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    content = "".join(f"{line}\n" for line in lines).encode()
    write_bytes(folder / SUMS, content)
    return hashlib.sha256(content).hexdigest()


def _advance(progress: Callable[[int, int], object], before: int, total: int, count: int) -> None:
    progress(before + count, total)


def _asked(model: HubModel, name: str, revision: str, **how: Any) -> Any:
    """What huggingface_hub answers about a file, its errors turned into one of this package."""
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ModuleNotFoundError as error:
        raise BundleError(f"The Hugging Face Hub needs {error.name}: pip install 'deepfake[hub]'") from error
    import httpx2

    huggingface_hub.logging.set_verbosity_error()  # It would tell on stderr what errors say.
    try:
        return huggingface_hub.hf_hub_download(
            model.repository,
            name,
            revision=revision,
            library_name="deepfake",
            library_version=__version__,
            **how,
        )
    except (OSError, errors.EntryNotFoundError, errors.HFValidationError, httpx2.HTTPError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # The disk's, not the library's: those of the Hub, and of lengths that differ, have no number.
        said = str(error.__cause__ or error).splitlines()[0]
        raise BundleError(
            f"{name} of {model.repository} at {revision} could not be fetched from the Hugging Face Hub ({said}). "
            "Check the network and the address. If the repository is private, log in: hf auth login"
        ) from error


def _check_size(model: HubModel, name: str, size: int | None, largest: int) -> None:
    if size is None or not 0 < size <= largest:
        raise BundleError(
            f"{name} of {model.repository} must have at most {largest} bytes, and the Hub must say how many. "
            f"Received: {size}. Check the address with its publisher."
        )


def _meter(model: HubModel, name: str, size: int, follow: Callable[[int], object]) -> Any:
    """A class of progress bars that shows nothing itself, and stops a file that is larger than was said."""
    from tqdm.std import tqdm

    class Meter(tqdm):
        """One file on its way."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(disable=True)
            self.done = options.get("initial", 0)

        def update(self, n: float | None = 1) -> None:
            self.done += int(n or 0)
            if self.done > size:
                raise BundleError(
                    f"{name} of {model.repository} must have the {size} bytes that the Hub promised. Received: more. "
                    "Check the address with its publisher."
                )
            follow(self.done)

    return Meter
