"""What ships with the package and is no code: the models and the example files."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """The folder `models` or `examples`: in the package where that was installed, beside it in a checkout.

    Example:

    >>> (shipped("examples") / "portrait.jpg").is_file()
    True
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
