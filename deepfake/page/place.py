"""The folder of one server: nothing that was sent or drawn lies anywhere else, and nothing stays when it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

UPLOADS = "uploads"
"""Where in it Gradio keeps what was sent."""
LOCAL = "127.0.0.1,::1"
"""Proxies on this machine."""
PRIVATE = f"{LOCAL},10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
"""Proxies in a private network, as that of a Space."""


def prune(folder: Path, age_s: float) -> None:
    """Deletes what has lain in a folder for longer than `age_s` seconds."""
    for entry in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(OSError):  # Another request may delete it first.
            if time.time() - entry.stat().st_mtime > age_s:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@contextlib.contextmanager
def own_folder(*, proxies: str = LOCAL) -> Iterator[Path]:
    """A new folder that only this user can read; deleted at the end of the context.

    Gradio and uvicorn are told by their environment variables. Some modules read them when they are imported, so a
    program that serves opens this before it imports Gradio.

    Args:
        proxies: Addresses and networks, with commas between, that are believed for whom they ask.
    """
    with tempfile.TemporaryDirectory(prefix="deepfake-", ignore_cleanup_errors=True) as folder:
        wanted = {"GRADIO_TEMP_DIR": f"{folder}/{UPLOADS}", "GRADIO_ANALYTICS_ENABLED": "False"}
        wanted["FORWARDED_ALLOW_IPS"] = proxies
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield Path(folder)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
