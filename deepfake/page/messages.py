"""What the page says where there is no answer, and the buttons that hand over a file."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.page.answers import notice
from deepfake.page.uploads import without_path
from deepfake.report.catalogue import Catalogue


def notice_of(name: str, say: Catalogue, **values: object) -> str:
    """A message of the page, by its name in the catalogue."""
    return notice(say(f"page.{name}"), say(f"page.{name}_text", **values), say)


def refused(error: MediaError | LimitError, path: str, say: Catalogue) -> str:
    """Why a file is not answered."""
    title = say("page.unreadable" if isinstance(error, MediaError) else "page.refused")
    return notice(title, without_path(error, path), say)


def download(file: Path) -> gr.DownloadButton:
    """A button that hands over a file."""
    return gr.DownloadButton(value=str(file), interactive=True)


def no_download() -> gr.DownloadButton:
    """A button that has nothing to hand over."""
    return gr.DownloadButton(value=None, interactive=False)
