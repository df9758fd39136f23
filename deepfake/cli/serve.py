"""`serve`: the command that opens the page."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from deepfake.cli.options import FILE, MODEL, NEW_FOLDER, STABILITY, TRUST, TRUST_LIST, WHOLE_PICTURE, found_model


class User(click.ParamType[tuple[str, str]]):
    """`NAME:PASSWORD`."""

    name = "name:password"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        user, colon, password = str(value).partition(":")
        if not (user and colon and password):
            self.fail("must be NAME:PASSWORD, both not empty.", param, ctx)
        return user, password


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="GRADIO_SERVER_NAME",
    help="Address to listen on; 0.0.0.0 for the network.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=7860,
    show_default=True,
    envvar="GRADIO_SERVER_PORT",
    help="Port to listen on.",
)
@click.option(
    "--root-path",
    default="",
    envvar="GRADIO_ROOT_PATH",
    metavar="PATH",
    help="Path under which a proxy shows the page, such as /faces.",
)
@click.option("--share", is_flag=True, help="Make a public link, through Gradio's servers.")
@click.option("--auth", type=User(), multiple=True, envvar="DEEPFAKE_AUTH", help="Ask for this user and password.")
@click.option(
    "--auth-file",
    type=FILE,
    envvar="DEEPFAKE_AUTH_FILE",
    help="Ask for one of the users in this file, one NAME:PASSWORD a line: others cannot see it among the processes.",
)
@click.option(
    "--allowed-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Answer only under this name, or *.NAME. [default: this machine's own names, or any with --host 0.0.0.0]",
)
@click.option(
    "--origin", "origins", multiple=True, metavar="URL", help="Let the pages of this site ask from a browser."
)
@click.option(
    "--proxies",
    metavar="ADDRESSES",
    envvar="FORWARDED_ALLOW_IPS",
    help="Believe these, with commas between, for whom they ask (X-Forwarded-For). [default: those on this machine]",
)
@click.option(
    "--feedback",
    type=NEW_FOLDER,
    help="Let visitors keep files that were judged wrongly in this folder, with the truth and their consent.",
)
@click.option(
    "--fetch",
    is_flag=True,
    help="Let visitors have this machine fetch files from addresses of the public web.",
)
@click.option("--mcp", is_flag=True, help="Let assistants call it by the Model Context Protocol.")
@MODEL
@STABILITY
@WHOLE_PICTURE
@TRUST
@TRUST_LIST
def serve(
    host: str,
    port: int,
    root_path: str,
    share: bool,
    auth: tuple[tuple[str, str], ...],
    auth_file: Path | None,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    proxies: str | None,
    feedback: Path | None,
    fetch: bool,
    mcp: bool,
    model: str,
    stability: bool,
    whole_picture: bool,
    trust: bool,
    trust_list: Path | None,
) -> None:
    """Open the page in which files are judged; programs may use it, too.

    \b
    Examples:
      python -m deepfake serve --port 7860
      python -m deepfake serve --share --auth me:secret
      curl -F file=@examples/portrait.jpg http://127.0.0.1:7860/predict
    """
    from deepfake.page.place import LOCAL, PRIVATE, own_folder

    # What follows takes seconds.
    click.echo("Opening the page: loading the model and Gradio ...", err=True)
    bundle = found_model(model, trust=trust)
    users = (*auth, *_users_in(auth_file)) if auth_file else auth
    # A container is stopped by this signal; what was uploaded must go then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    space = "SPACE_ID" in os.environ
    with own_folder(proxies=proxies or (PRIVATE if space else LOCAL)) as folder:
        try:
            from deepfake.page.serve import Settings, serving
        except ModuleNotFoundError as error:
            raise click.ClickException(f"The page needs {error.name}: pip install 'deepfake[app]'") from error
        settings = Settings(
            host=host,
            port=port,
            root_path=root_path,
            share=share,
            users=users,
            hosts=hosts,
            origins=origins,
            space=space,
            feedback=feedback,
            fetch=fetch,
            mcp=mcp,
            stability=stability,
            whole_picture=whole_picture,
        )
        with serving(settings, folder, bundle, trust=trust, trust_list=trust_list) as address:
            click.echo(address)
            click.echo("The page is open. Press Ctrl+C to stop.", err=True)
            threading.Event().wait()


def _users_in(file: Path) -> list[tuple[str, str]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is no text in UTF-8. Save it as one.") from error
    users = [User().convert(line.strip(), None, None) for line in lines if line.strip()]
    if not users:
        raise click.ClickException(f"{file} names no user. Write one NAME:PASSWORD a line.")
    return users
