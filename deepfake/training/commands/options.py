"""Options that several commands have."""

from __future__ import annotations

import click

FAKES = click.option(
    "--fakes",
    type=click.Choice(["given", "self-blend", "both"]),
    help="Which fakes: those given, those made from the real faces, or both. [default: given, or what CONFIG says]",
)
