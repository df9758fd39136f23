"""What the container installs, and what a release says of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import requires

import pytest
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from deepfake import __version__
from deepfake.errors import DeepfakeError
from deepfake.model.bundle import DEFAULT_MODEL

DIGEST = "0123456789abcdef" * 4
LOCK = f"""# a comment
alpha==1.0 \\
    --hash=sha256:{DIGEST} \\
    --hash=sha256:{DIGEST[::-1]}
    # via
    #   -c (workspace)
    #   beta
    #   gamma
beta==2.0.post1 \\
    --hash=sha256:{DIGEST}
    # via deepfake (pyproject.toml)
gamma==3.0 \\
    --hash=sha256:{DIGEST}
"""


@pytest.fixture(scope="module")
def script(root):
    return runpy.run_path(str(root / "scripts" / "release.py"))


@pytest.fixture(scope="module")
def shipped(script, root):
    """The lock file of the container, by name."""
    return {pin.name: pin for pin in script["read_lock"]((root / "requirements.lock").read_text())}


@pytest.fixture(scope="module")
def bounds(root):
    """What the container's packages must satisfy, by name: the run path, the page, and what builds the package."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    texts = [
        *settings["project"]["dependencies"],
        *settings["project"]["optional-dependencies"]["app"],
        *settings["project"]["optional-dependencies"]["provenance"],
        *settings["build-system"]["requires"],
    ]
    return {canonicalize_name(bound.name): bound for bound in map(Requirement, texts)}


def test_the_lock_file_satisfies_the_bounds(shipped, bounds):
    unfit = [
        f"{bound} is wanted, {shipped[name].version if name in shipped else 'nothing'} is locked"
        for name, bound in bounds.items()
        if name not in shipped or not bound.specifier.contains(shipped[name].version)
    ]
    assert not unfit, f"{unfit}; run python scripts/lock.py"


def test_the_lock_file_has_what_is_asked_for_and_nothing_else(shipped, bounds):
    asked = {name for name, pin in shipped.items() if "deepfake" in pin.asked_by}
    # A tool of the build that another of them needs, too, is written down as that one's alone.
    assert set(bounds) - asked <= {"hatchling"}, "run python scripts/lock.py"
    assert asked <= set(bounds), "run python scripts/lock.py"
    assert {name for pin in shipped.values() for name in pin.asked_by} <= {"deepfake", *shipped}


def test_the_lock_file_has_the_packages_of_extras(shipped, bounds):
    for bound in (bound for bound in bounds.values() if bound.extras):
        for text in requires(bound.name):
            needed = Requirement(text)
            if needed.marker and any(needed.marker.evaluate({"extra": extra}) for extra in bound.extras):
                assert canonicalize_name(needed.name) in shipped


def test_the_lock_file_names_no_place(root, shipped):
    lines = (root / "requirements.lock").read_text().splitlines()
    assert lines[1] == "#    python scripts/lock.py"
    for line in lines[2:]:
        assert not re.search(r"[/\\@](?!$)", line), line
        assert line.startswith((" ", *shipped)), line


def test_the_container_installs_nothing_unproved(root):
    dockerfile = (root / "Dockerfile").read_text()
    calls = [call.split("&&")[0] for call in re.findall(r"pip install .*", dockerfile)]
    proved = {"--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock"}
    local = {"--no-index", "--no-deps", "--no-build-isolation", "-e", "."}
    assert [call for call in map(set, map(str.split, calls)) if not (proved <= call or local <= call)] == []
    assert len(calls) == 2
    let_through = (root / ".dockerignore").read_text().splitlines()
    copied = [name for line in re.findall(r"COPY (.*)", dockerfile) for name in shlex.split(line)[:-1]]
    assert {f"!{name}" for name in copied} <= set(let_through)
    assert all((root / name).exists() for name in copied)


def test_the_lock_file_is_written_for_the_python_of_the_container(root, monkeypatch, tmp_path):
    """A stand-in for uv notes what it is asked for."""
    stand_in = tmp_path / "uv"
    stand_in.write_text(
        f"#!{sys.executable}\nimport json, sys\njson.dump([sys.argv[1:], sys.stdin.read()], open({str(tmp_path / 'asked')!r}, 'w'))\n"
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    lock = runpy.run_path(str(root / "scripts" / "lock.py"))
    assert CliRunner().invoke(lock["main"], ["--upgrade"]).exit_code == 0
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    arguments, build = json.loads((tmp_path / "asked").read_text())
    assert build.splitlines() == settings["build-system"]["requires"]
    python = re.search(r"FROM python:([0-9.]+)", (root / "Dockerfile").read_text())[1]
    assert SpecifierSet(settings["project"]["requires-python"]).contains(f"{python}.0")
    assert {
        "pyproject.toml",
        "--extra=app",
        "--extra=provenance",
        f"--python-version={python}",
        "--generate-hashes",
        "--upgrade",
    } <= set(arguments)
    stand_in.unlink()
    done = CliRunner().invoke(lock["main"])
    assert done.exit_code == 1
    assert "Install it: pip install uv" in done.stderr


def test_a_space_gets_what_its_page_needs_and_no_more(root, monkeypatch, tmp_path):
    """A stand-in for hf keeps what it is told to upload."""
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    stand_in = tmp_path / "hf"
    stand_in.write_text(
        f'#!/usr/bin/env bash\n[ "$1" = repos ] || cp "$3"/requirements.txt "$3"/pyproject.toml "$3"/app.py {tmp_path}\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    subprocess.run([root / "scripts" / "push_space.sh", "me/mine"], check=True, capture_output=True)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = (tmp_path / "requirements.txt").read_text().splitlines()
    assert asked == sorted([*project["dependencies"], *extras["app"], *extras["provenance"]])
    assert not {Requirement(line).name for line in asked} & {Requirement(line).name for line in extras["train"]}
    assert (tmp_path / "app.py").exists()


def test_a_lock_file_is_read_as_it_stands(script):
    alpha, beta, gamma = script["read_lock"](LOCK)
    assert (alpha.name, alpha.version, alpha.sha256) == ("alpha", "1.0", (DIGEST, DIGEST[::-1]))
    assert (alpha.asked_by, beta.asked_by, gamma.asked_by) == (("beta", "gamma"), ("deepfake",), ("deepfake",))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("delta", "in line {number}: delta. Write it anew"),
        ("delta>=1.0 \\", "in line {number}"),
        ("delta==1.0 ; sys_platform == 'win32' \\", "in line {number}"),
        ("delta @ file:///delta.whl \\", "in line {number}"),
        ("--index-url https://example.org", "in line {number}"),
        (f"    --hash=md5:{DIGEST}", "in line {number}"),
        ("delta==1.0 \\", "checksum. Received none for: delta. Write it anew"),
    ],
)
def test_a_line_that_proves_nothing_is_refused(script, line, reason):
    with pytest.raises(DeepfakeError, match=reason.format(number=len(LOCK.splitlines()) + 1)):
        script["read_lock"](f"{LOCK}{line}\n")
    with pytest.raises(DeepfakeError, match="none for: the whole file"):
        script["read_lock"]("# nothing\n")


def test_the_bill_of_materials_fits_the_schema_and_says_what_the_lock_file_says(script, shipped):
    text = script["bill_of_materials"](list(shipped.values()))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    told = {
        part["name"]: (part["version"], {entry["content"] for entry in part["hashes"]}) for part in bill["components"]
    }
    assert told == {name: (pin.version, set(pin.sha256)) for name, pin in shipped.items()}
    assert {part["purl"] for part in bill["components"]} == {
        f"pkg:pypi/{name}@{pin.version}" for name, pin in shipped.items()
    }
    assert bill["metadata"]["component"]["version"] == __version__


def test_the_graph_of_the_bill_reaches_every_package(script, shipped):
    bill = json.loads(script["bill_of_materials"](list(shipped.values())))
    edges = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    reached, ahead = set(), ["deepfake"]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += edges[name]
    assert reached == {"deepfake", *(part["bom-ref"] for part in bill["components"])}


def test_the_bill_depends_on_the_packages_alone(script):
    pins = script["read_lock"](LOCK)
    text = script["bill_of_materials"](pins)
    assert text == script["bill_of_materials"](pins)
    other = json.loads(script["bill_of_materials"](script["read_lock"](LOCK.replace("1.0", "1.1"))))
    bill = json.loads(text)
    assert bill["serialNumber"] != other["serialNumber"]
    assert "timestamp" not in text
    edges = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    assert edges == {
        "deepfake": ["beta==2.0.post1", "gamma==3.0"],
        "alpha==1.0": [],
        "beta==2.0.post1": ["alpha==1.0"],
        "gamma==3.0": ["alpha==1.0"],
    }


def test_the_notes_name_each_file_with_its_checksum(script, root, tmp_path):
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        done = CliRunner().invoke(script["main"], [str(DEFAULT_MODEL), "--out", str(folder)])
        assert done.exit_code == 0, done.output
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    files = contents[0]
    notes = files.pop(f"{DEFAULT_MODEL.name}.md").decode()
    assert set(files) == {f"{DEFAULT_MODEL.name}.zip", f"deepfake-{__version__}.cdx.json"}
    for name, content in files.items():
        assert f"| {name} | {len(content)} | {hashlib.sha256(content).hexdigest()} |\n" in notes
    assert hashlib.sha256((root / "requirements.lock").read_bytes()).hexdigest() in notes
    assert "**not** compared" in notes


def audit_of(pins, vulns=(), **changes):
    """What pip-audit would answer: `vulns` for the first package, `changes` to its entry."""
    entries = [{"name": pin.name, "version": pin.version, "vulns": []} for pin in pins]
    entries[0] |= {"vulns": list(vulns)} | changes
    return json.dumps({"dependencies": entries, "fixes": []})


def test_the_notes_say_what_an_audit_found(script, root, tmp_path):
    lock, audit = tmp_path / "requirements.lock", tmp_path / "audit.json"
    lock.write_text(LOCK)
    pins = script["read_lock"](LOCK)
    audit.write_text(audit_of(pins))
    call = [str(DEFAULT_MODEL), "--out", str(tmp_path / "out"), "--lock", str(lock), "--audit", str(audit)]
    assert CliRunner().invoke(script["main"], call).exit_code == 0
    notes = (tmp_path / "out" / f"{DEFAULT_MODEL.name}.md").read_text()
    assert f"names the {len(pins)} Python packages" in notes
    assert "pip-audit knew no vulnerability of them." in notes
    bill = next((tmp_path / "out").glob("*.json"))
    notes = script["notes"](bill, bill, lock, len(pins), ["CVE-1", "CVE-2"])
    assert "explained in docs/vulnerabilities.md: CVE-1, CVE-2." in notes


def test_a_finding_that_is_not_explained_stops_the_release(script, tmp_path):
    lock, audit = tmp_path / "requirements.lock", tmp_path / "audit.json"
    lock.write_text(LOCK)
    pins = script["read_lock"](LOCK)
    found = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": [], "description": ""}
    audit.write_text(audit_of(pins, [found]))
    call = [str(DEFAULT_MODEL), "--out", str(tmp_path / "out"), "--lock", str(lock), "--audit", str(audit)]
    done = CliRunner().invoke(script["main"], call)
    assert done.exit_code == 1
    assert "Received: PYSEC-1 in alpha. Take a version without it" in done.stderr
    assert not (tmp_path / "out").exists()
    for heading in ("### PYSEC-1", "## CVE-1 of alpha"):
        assert script["read_audit"](audit.read_text(), pins, f"text\n\n{heading}\n") == ["PYSEC-1"]
    with pytest.raises(DeepfakeError, match="must be explained"):
        script["read_audit"](
            audit.read_text(), pins, "PYSEC-1 is not a heading here, and this is another:\n\n## PYSEC-12\n"
        )


def test_an_audit_of_something_else_is_refused(script):
    pins = script["read_lock"](LOCK)
    read = script["read_audit"]
    assert read(audit_of(pins), pins, "") == []
    with pytest.raises(DeepfakeError, match="Left out: alpha. Run pip-audit again, with --strict"):
        read(audit_of(pins, skip_reason="not found"), pins, "")
    with pytest.raises(DeepfakeError, match="Different: alpha 0.9, alpha 1.0. Run"):
        read(audit_of(pins, version="0.9"), pins, "")
    with pytest.raises(DeepfakeError, match="Different: gamma 3.0. Run"):
        read(audit_of(pins[:2]), pins, "")
    for text in ("", "[]", '{"dependencies": [{}]}', '{"dependencies": 3}'):
        with pytest.raises(DeepfakeError, match="must be the JSON that pip-audit writes"):
            read(text, pins, "")
