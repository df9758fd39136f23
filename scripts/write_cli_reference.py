"""Writes docs/reference/cli.md: the help of every command, as the command line prints it.

python -m scripts.write_cli_reference            writes the file
python -m scripts.write_cli_reference --check    exit status 1 if the file is not what would be written

tests/test_docs.py checks it, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from deepfake.cli.main import SECTIONS, main

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "cli.md"
PROGRAM = "python -m deepfake"
WIDTH = 100
"""Columns of the help: the same wherever it is written."""
HEAD = f"""# Commands

What `{PROGRAM} COMMAND --help` prints, for every command. This page is written by
`python -m scripts.write_cli_reference`. After installation `deepfake` is the same as
`{PROGRAM}`. The [guide](../command-line.md) says when to use which.

"""


def reference() -> str:
    """The page as Markdown."""
    parts = [HEAD, _block(main, PROGRAM)]
    for heading, commands in SECTIONS.items():
        parts.append(f"## {heading}\n\n")
        for command in commands:
            parts += _sections(command, f"{PROGRAM} {command.name}", 3)
    return "".join(parts).rstrip() + "\n"


def _sections(command: click.Command, name: str, level: int) -> Iterator[str]:
    """A command, and those below it, each under a heading of its own."""
    yield f"{'#' * level} {name.removeprefix(f'{PROGRAM} ')}\n\n"
    yield _block(command, name)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            if not below.hidden:
                yield from _sections(below, f"{name} {below.name}", level + 1)


def _block(command: click.Command, name: str) -> str:
    settings = {"help_option_names": ["-h", "--help"], **command.context_settings}
    settings |= {"terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, **settings)
    # Default paths are shown with the separator of the system that this runs on.
    text = command.get_help(context).replace(os.sep, "/")
    return f"```text\n{text}\n```\n\n"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 if the file is out of date.")
def write(check: bool) -> None:
    """Write the reference of the command line into the documentation."""
    text = reference()
    if not check:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8", newline="\n")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{PAGE.name} is out of date. Run python -m scripts.write_cli_reference.")


if __name__ == "__main__":
    write()
