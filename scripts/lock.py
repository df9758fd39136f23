"""Writes requirements.lock, exactly what the container installs: python scripts/lock.py (needs `pip install uv`).

    pyproject.toml: dependencies, [app], [provenance], build-system -> name==version, SHA-256 of its files

Versions that still fit stay as they are; `--upgrade` takes the newest. Platform and Python are the container's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("--extra=app", "--extra=provenance")
"""What the container has besides the run path."""
OPTIONS = (
    "--generate-hashes",
    "--python-platform=linux",
    # What has no wheel would be built, with tools that nothing here checks.
    "--only-binary=:all:",
    "--custom-compile-command=python scripts/lock.py",
    "--quiet",
)


def container_python(dockerfile: str) -> str:
    """The version of the Python image that a Dockerfile starts from."""
    found = re.search(r"^FROM python:([0-9.]+)", dockerfile, re.MULTILINE)
    if not found:
        raise click.ClickException("The Dockerfile must start FROM python:<version>. Correct it, or this script.")
    return found[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--upgrade", is_flag=True, help="Take the newest versions, not those that still fit.")
def main(upgrade: bool) -> None:
    """Write requirements.lock from the bounds in pyproject.toml.

    \b
    Example:
      python scripts/lock.py --upgrade
    """
    uv = shutil.which("uv")
    if uv is None:
        raise click.ClickException("This needs uv, which is not there. Install it: pip install uv")
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    python = container_python((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    done = subprocess.run(
        [
            *(uv, "pip", "compile", "pyproject.toml", "-", *EXTRAS, f"--python-version={python}", *OPTIONS),
            *(["--upgrade"] if upgrade else []),
            "--output-file=requirements.lock",
        ],
        input="\n".join(build),
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise click.ClickException("No versions could be found; the reason stands above.")


if __name__ == "__main__":
    main()
