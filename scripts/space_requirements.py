"""Prints the requirements.txt of a Hugging Face Space: python scripts/space_requirements.py (needs Python 3.11 alone).

    pyproject.toml: dependencies, [app], [provenance] -> name>=bound, sorted

A Space installs its requirements.txt before it has the rest of the repository, so `.[app]` would name nothing there;
and the repository's own file also holds what trains and tests, which a page has no use for.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
EXTRAS = ("app", "provenance")
"""What a Space has besides the run path: as the container."""


def requirements(pyproject: str) -> list[str]:
    """The bounds of a Space's packages, sorted.

    Args:
        pyproject: The text of pyproject.toml.
    """
    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"]
    return sorted({*project["dependencies"], *(bound for extra in EXTRAS for bound in extras[extra])})


if __name__ == "__main__":
    print("\n".join(requirements(PYPROJECT.read_text(encoding="utf-8"))))
