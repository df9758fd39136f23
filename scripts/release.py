"""Packs a bundle as a release that `--model` can fetch: python scripts/release.py models/light-2 --out dist.

The same bundle gives the same bytes, so the same checksum, on any machine: files are sorted, dated alike and stored
as they are (weights hardly shrink, and how they would depends on the machine's zlib). Folders within the bundle, the
plots of its card, stay out. Upload the .zip, then put the printed entry into models/releases.json.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import click

from deepfake.bundle import read_files
from deepfake.download import LARGEST
from deepfake.errors import BundleError
from deepfake.fetch import NAME
from deepfake.terminal import FOLDER, NEW_FOLDER

NO_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a .zip can state."""
PLAIN_FILE = 0o100644 << 16
UNIX = 3


def pack(bundle: Path, out: Path) -> Path:
    """Writes `<name>.zip` of a bundle's folder; the answer is its path.

    Args:
        bundle: Folder of a detector bundle. Its files must match their checksums.
        out: Folder to write to; made if absent.

    Raises:
        BundleError: If the bundle is damaged, or would be refused by those who fetch it.
    """
    manifest, _ = read_files(bundle, [], "detector")
    read_files(bundle, manifest["files"], "detector")
    name = manifest["name"]
    files = sorted(path for path in bundle.iterdir() if path.is_file() and path.suffix != ".part")
    odd = [text for text in (name, *(path.name for path in files)) if not NAME.fullmatch(text)]
    if odd:
        raise BundleError(
            f"Names in a release must match {NAME.pattern}. Received: {', '.join(odd)}. Rename or move them."
        )
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{name}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for path in files:
            entry = zipfile.ZipInfo(f"{name}/{path.name}", NO_DATE)
            entry.create_system, entry.external_attr = UNIX, PLAIN_FILE
            packed.writestr(entry, path.read_bytes())
    if target.stat().st_size > LARGEST:
        raise BundleError(f"A release has at most {LARGEST} bytes. Received: {target.stat().st_size}. Leave files out.")
    return target


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder for the .zip.")
@click.option("--url", default="https://HOST/FOLDER", show_default=True, help="Folder that it will be published in.")
def main(bundle: Path, out: Path, url: str) -> None:
    """Pack the bundle in the folder BUNDLE; print its entry for models/releases.json.

    \b
    Example:
      python scripts/release.py models/light-2 --out dist
    """
    try:
        target = pack(bundle, out)
    except BundleError as error:
        raise click.ClickException(str(error)) from error
    content = target.read_bytes()
    entry = {
        "url": f"{url.rstrip('/')}/{target.name}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    click.echo(json.dumps({target.stem: entry}, indent=2))
    click.echo(f"wrote {target}; unlisted, it is --model {entry['url']}#sha256={entry['sha256']}", err=True)


if __name__ == "__main__":
    main()
