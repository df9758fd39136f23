"""What the commands share: kinds of arguments, and errors that end in a line."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from deepfake.cli.terminal import progress_bar
from deepfake.errors import BundleError, DeepfakeError
from deepfake.system.memory import return_large_blocks
from deepfake.system.quiet import quiet_native

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
"""A folder that is there."""
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
"""A file to write."""
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
"""A folder to write to, or one whose absence its reader explains."""

MODEL = click.option(
    "--model",
    default="",
    metavar="NAME|FOLDER|URL",
    help="Which model answers. [default: the one that ships]",
)
"""The name of a bundle, its folder, or an address: see `deepfake.model.hub.find_model`."""
FRAMES = click.option(
    "--frames", type=click.IntRange(min=1), default=24, show_default=True, help="Frames of a video to look at."
)
FPS = click.option("--fps", type=click.FloatRange(min=0, min_open=True), help="One frame every 1/FPS seconds instead.")
MIN_FACE = click.option(
    "--min-face",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.06,
    show_default=True,
    help="Smallest face searched for, as a share of the picture's short side; where none is found, down to 20 pixels.",
)
TRUST = click.option(
    "--trust", is_flag=True, help="Use a bundle from elsewhere, or one whose files differ from their checksums."
)
TRUST_LIST = click.option(
    "--trust-list",
    type=click.Path(path_type=Path),
    envvar="DEEPFAKE_TRUST_LIST",
    show_envvar=True,
    help="A PEM file of certificates that vouch for the signers of Content Credentials.",
)
STABILITY = click.option(
    "--stability",
    is_flag=True,
    help="Look at each face again after harmless changes; an answer that flips is none. Five times as slow.",
)
WHOLE_PICTURE = click.option(
    "--whole-picture",
    is_flag=True,
    help="Say of each picture, too, whether it was generated as a whole, with or without a face. Experimental.",
)
FAKES = click.option(
    "--fakes",
    type=click.Choice(["given", "self-blend", "both"]),
    help="Which fakes: those given, those made from the real faces, or both. [default: given, or what CONFIG says]",
)


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Keeps TensorFlow's own log off stderr while a command runs, unless TF_CPP_MIN_LOG_LEVEL asks for it."""
    with contextlib.nullcontext() if "TF_CPP_MIN_LOG_LEVEL" in os.environ else quiet_native():
        # It warns of what is meant, such as that several networks are built.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        yield


def not_empty(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The paths of a call, none of them empty: that would be the current folder."""
    if "" in values:
        raise click.BadParameter("a path must not be empty. Give a file, a folder or a glob; `.` is this folder.")
    return values


_WHOLE_LINE = 200
"""Characters of a command's first sentence in the list of commands: no sentence is cut."""
_MISSING = {
    **dict.fromkeys(("ai_edge_quantizer", "joblib", "keras", "mtcnn", "scipy", "sklearn"), "'deepfake[train]'"),
    **dict.fromkeys(("tensorboard", "tensorflow"), "'deepfake[train]'"),
    **{backend: backend for backend in ("jax", "torch")},
}
"""What brings the packages of training; a package that is missing elsewhere is a fault of this one."""


class CommandList(click.Group):
    """Lists its commands in the order of use, below headings, and cuts none of their sentences."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings: dict[str, str] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command under the heading that `headings` gives it; hidden ones not at all."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            if not command.hidden:
                heading = self.headings.get(name, "Commands")
                sections.setdefault(heading, []).append((name, command.get_short_help_str(_WHOLE_LINE)))
        for heading, lines in sections.items():
            with formatter.section(heading):
                formatter.write_dl(lines)


class Commands(CommandList):
    """Turns this package's errors, the system's, and a missing extra into a line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        return_large_blocks()
        try:
            return super().invoke(ctx)
        except DeepfakeError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if (source := _MISSING.get((error.name or "").partition(".")[0])) is None:
                raise
            command = f"`{ctx.invoked_subcommand}` needs {error.name}, which is not installed"
            raise click.ClickException(f"{command}: pip install {source}") from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(
                f"{where}{error.strerror or error}. Check the path, its rights and the disk."
            ) from error


def renamed(old: str, command: click.Command) -> click.Command:
    """A command under the name that it had before: it does the same, and says its new name on stderr."""

    def callback(*args: Any, **kwargs: Any) -> Any:
        click.echo(f"`{old}` is now called `{command.name}`; the old name goes with the next version.", err=True)
        return click.get_current_context().invoke(command, *args, **kwargs)

    return click.Command(old, callback=callback, params=command.params, help=command.help, hidden=True)


def as_json(record: msgspec.Struct) -> str:
    """A record as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(record)).decode()


def found_model(text: str, *, trust: bool = False) -> Path:
    """The folder of the bundle that a `--model` names, fetched if need be; the one that ships for an empty text.

    Args:
        text: What `find_model` takes.
        trust: Whether a folder may lie anywhere. Checksums that lie beside the files prove no origin, so without it
            only bundles are taken that ship, that the user has put beside them, or that came with a checksum.

    Raises:
        BundleError: As `find_model`, and if nobody vouches for the folder.
    """
    from deepfake.model.bundle import DEFAULT_MODEL, MODELS
    from deepfake.model.hub import cache_folder, find_model

    if not text:
        return DEFAULT_MODEL
    with contextlib.ExitStack() as stack:
        bars: list[Callable[[int, int], None]] = []

        def show(done: int, total: int) -> None:
            if not bars:  # Only if something is fetched.
                bars.append(stack.enter_context(progress_bar("fetching the model")))
            bars[0](done, total)

        folder = find_model(text, progress=show, trust=trust)
    if not trust and not any(folder.resolve().is_relative_to(known.resolve()) for known in (MODELS, cache_folder())):
        raise BundleError(
            f"{folder} is from elsewhere: its files may fit together, but nobody vouches for them. Pass --trust if you "
            f"know who made it, or move it to {MODELS}."
        )
    return folder
