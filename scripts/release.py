"""Packs a bundle as a release that `--model` can fetch: python scripts/release.py models/light-5 --out dist.

    bundle                -> <name>.zip
    requirements.lock     -> deepfake-<version>.cdx.json    the container's Python packages (CycloneDX)
    both, pip-audit's JSON -> <name>.md                    notes: checksums, and what the audit found

The same input gives the same bytes, so the same checksums, on any machine: files are sorted, dated alike and stored
as they are (weights hardly shrink, and how they would depends on the machine's zlib). Folders within the bundle, the
plots of its card, stay out. Upload all three, then put the printed entry into models/releases.json.
"""

from __future__ import annotations

import json
import re
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

import click

from deepfake import __version__
from deepfake.cli.options import FILE, FOLDER, NEW_FOLDER
from deepfake.errors import BundleError, DeepfakeError
from deepfake.model.bundle import read_files
from deepfake.model.download import LARGEST
from deepfake.model.hub import NAME
from deepfake.system.files import sha256_of

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
EXPLAINED = ROOT / "docs" / "vulnerabilities.md"
"""Says of each known vulnerability that a release goes out with why it does no corruption."""

NO_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a .zip can state."""
PLAIN_FILE = 0o100644 << 16
UNIX = 3
PIN = re.compile(r"([a-z0-9-]+)==(\S+) \\")
HASH = re.compile(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?")
ASKED_BY = re.compile(r"    # +(?:via)? *(.*)")
PROJECT = "deepfake (pyproject.toml)"
"""How the lock file names this package."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A package in the lock file."""

    name: str
    """As the index spells it: lower case, with hyphens."""
    version: str
    """The only one that is installed."""
    sha256: tuple[str, ...]
    """Of each file of this version, one for a platform; one of them is installed."""
    asked_by: tuple[str, ...]
    """Names of the packages that need it; `deepfake` if it stands in pyproject.toml."""


def read_lock(text: str) -> list[Pin]:
    """The packages of a lock file, in its order.

    Args:
        text: What scripts/lock.py writes.

    Raises:
        DeepfakeError: If a line is none that scripts/lock.py writes, or a package has no checksum. Nothing is skipped.
    """
    pins: list[tuple[str, str, list[str], list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        if found := PIN.fullmatch(line):
            pins.append((found[1], found[2], [], []))
        elif pins and (found := HASH.fullmatch(line)):
            pins[-1][2].append(found[1])
        elif pins and (found := ASKED_BY.fullmatch(line)):
            # A constraint ("-c ...") bounds a version, and asks for nothing.
            pins[-1][3].extend(name for name in found.groups() if name and not name.startswith("-"))
        else:
            raise DeepfakeError(
                f"A lock file has name==version, checksums and reasons alone. Received in line {number}: {line}. "
                "Write it anew: python scripts/lock.py"
            )
    bare = [name for name, _, hashes, _ in pins if not hashes]
    if bare or not pins:
        raise DeepfakeError(
            f"Each package in a lock file needs a checksum. Received none for: {', '.join(bare) or 'the whole file'}. "
            "Write it anew: python scripts/lock.py"
        )
    # What no package asks for came from the requirements of the build.
    return [
        Pin(name, version, tuple(hashes), tuple("deepfake" if who == PROJECT else who for who in asked_by or [PROJECT]))
        for name, version, hashes, asked_by in pins
    ]


def bill_of_materials(pins: list[Pin]) -> str:
    """A CycloneDX 1.6 document of the packages: JSON, the same bytes whenever it is made.

    Each component carries the SHA-256 of all files of its version. The serial number follows from the content, and no
    time is stated, so that two people who make it can compare.

    Reference:
        ECMA-424, CycloneDX bill of materials specification.
    """
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    root = Component(name="deepfake", version=__version__, type=ComponentType.APPLICATION, bom_ref="deepfake")
    root.description = "The Python packages of the container, without those of the image that it starts from."
    components = {"deepfake": root} | {
        pin.name: Component(
            name=pin.name,
            version=pin.version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{pin.name}=={pin.version}",
            purl=PackageURL("pypi", name=pin.name, version=pin.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content) for content in pin.sha256],
        )
        for pin in pins
    }
    bom = Bom(components=[components[pin.name] for pin in pins])
    bom.metadata.component = root
    for name, component in components.items():
        bom.register_dependency(component, [components[pin.name] for pin in pins if name in pin.asked_by])
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"deepfake {__version__} {pins}")
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


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


def read_audit(text: str, pins: list[Pin], explained: str) -> list[str]:
    """Identifiers of the known vulnerabilities that an audit found, all of them explained.

    Args:
        text: What `pip-audit --format json` answered for the lock file.
        pins: The packages of the lock file.
        explained: Markdown with a heading for each identifier, or one of its aliases.

    Raises:
        DeepfakeError: If it audits other packages, left one out, or found what is not explained.
    """
    try:
        audited = json.loads(text)["dependencies"]
        skipped = [entry["name"] for entry in audited if "skip_reason" in entry]
        found = {(entry["name"], entry.get("version")) for entry in audited}
        vulnerable = [(entry["name"], known) for entry in audited for known in entry.get("vulns", ())]
        names = {known["id"]: {known["id"], *known.get("aliases", ())} for _, known in vulnerable}
        fixed = {known["id"]: f"{known['id']} in {name}" for name, known in vulnerable}
    except (ValueError, KeyError, TypeError) as error:
        raise DeepfakeError(f"An audit must be the JSON that pip-audit writes. Received: {error!r}.") from error
    if skipped:
        raise DeepfakeError(
            f"An audit must answer for every package. Left out: {', '.join(skipped)}. "
            "Run pip-audit again, with --strict."
        )
    if odd := found ^ {(pin.name, pin.version) for pin in pins}:
        raise DeepfakeError(
            "An audit must be of the packages in the lock file. Different: "
            f"{', '.join(sorted(f'{name} {version}' for name, version in odd))}. Run pip-audit again."
        )
    headings = set(re.findall(r"^#+ (\S+)", explained, re.MULTILINE))
    if bare := sorted(fixed[known] for known, aliases in names.items() if not aliases & headings):
        raise DeepfakeError(
            f"A known vulnerability must be explained. Received: {', '.join(bare)}. Take a version without it "
            f"(python scripts/lock.py --upgrade), or say in {EXPLAINED.relative_to(ROOT)} why it does no harm here."
        )
    return sorted(names)


def notes(packed: Path, materials: Path, lock: Path, packages: int, vulnerabilities: list[str] | None) -> str:
    """What is published, in Markdown: each file's checksum, and what is known of the packages.

    Args:
        packed: The bundle's .zip.
        materials: The bill of materials.
        lock: The lock file.
        packages: How many there are in it.
        vulnerabilities: What `read_audit` answered, or None if nothing was audited.
    """
    files = [(path.name, path.stat().st_size, sha256_of(path)) for path in (packed, materials)]
    rows = [f"| {name} | {size} | {sha256} |" for name, size, sha256 in files]
    if vulnerabilities is None:
        audit = "They were **not** compared with a database of known vulnerabilities."
    elif vulnerabilities:
        audit = f"Known vulnerabilities of them, explained in docs/vulnerabilities.md: {', '.join(vulnerabilities)}."
    else:
        audit = "When this release was made, pip-audit knew no vulnerability of them."
    text = [
        f"# {packed.stem}, deepfake {__version__}",
        "\n".join(["| file | bytes | SHA-256 |", "| --- | --- | --- |", *rows]),
        f"{packed.name} is the model; `--model` fetches it by its URL and proves it by its checksum.",
        f"{materials.name} (CycloneDX) names the {packages} Python packages of the container, with their checksums,\n"
        f"as they stand in {lock.name} (SHA-256 {sha256_of(lock)}).\n{audit}",
    ]
    return "\n\n".join(text) + "\n"


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder for the files.")
@click.option("--url", default="https://HOST/FOLDER", show_default=True, help="Folder that it will be published in.")
@click.option("--lock", type=FILE, default=LOCK, help="The container's packages; by default requirements.lock.")
@click.option("--audit", type=FILE, help="What pip-audit answered for them: see docs/vulnerabilities.md.")
def main(bundle: Path, out: Path, url: str, lock: Path, audit: Path | None) -> None:
    """Pack the bundle in the folder BUNDLE, with notes; print its entry for models/releases.json.

    \b
    Example:
      python scripts/release.py models/light-5 --out dist --audit dist/audit.json
    """
    try:
        pins = read_lock(lock.read_text(encoding="utf-8"))
        bill = bill_of_materials(pins)
        found = None
        if audit is not None:
            found = read_audit(audit.read_text(encoding="utf-8"), pins, EXPLAINED.read_text(encoding="utf-8"))
        target = pack(bundle, out)
    except DeepfakeError as error:
        raise click.ClickException(str(error)) from error
    materials = out / f"deepfake-{__version__}.cdx.json"
    materials.write_bytes(bill.encode())
    target.with_suffix(".md").write_bytes(notes(target, materials, lock, len(pins), found).encode())
    entry = {
        "url": f"{url.rstrip('/')}/{target.name}",
        "sha256": sha256_of(target),
        "bytes": target.stat().st_size,
    }
    click.echo(json.dumps({target.stem: entry}, indent=2))
    click.echo(f"wrote {target}; unlisted, it is --model {entry['url']}#sha256={entry['sha256']}", err=True)


if __name__ == "__main__":
    main()
