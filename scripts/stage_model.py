"""Lays a bundle out as a repository of the Hugging Face Hub: python scripts/stage_model.py models/light-5 FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # In a checkout the package need not be installed.

from deepfake.cli.options import FOLDER, NEW_FOLDER
from deepfake.errors import DeepfakeError
from deepfake.model.hugging_face import stage


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("bundle", type=FOLDER)
@click.argument("folder", type=NEW_FOLDER)
def main(bundle: Path, folder: Path) -> None:
    """Copy BUNDLE into FOLDER with SHA256SUMS, and print the checksum that addresses of it end in.

    \b
    Example:
      python scripts/stage_model.py models/light-5 /tmp/light-5
    """
    try:
        click.echo(stage(bundle, folder))
    except DeepfakeError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
