"""The bundled examples: files whose truth is known."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from deepfake.page.language import words_for
from deepfake.system.shipped import shipped

EXAMPLES = shipped("examples")


class Examples:
    """The examples of one tab.

    Args:
        names: Of their files; what each is known to be stands in the catalogue, under `truth`.
    """

    def __init__(self, *names: str) -> None:
        self.names = names

    def captioned(self, request: gr.Request | None = None) -> list[tuple[str, str]]:
        """What a gallery shows: each file, and what it is known to be."""
        say = words_for(request)
        return [(str(EXAMPLES / name), say(f"truth.{Path(name).stem}")) for name in self.names]

    def chosen(self, event: gr.SelectData) -> str:
        """The file of the one that was clicked."""
        return str(EXAMPLES / self.names[int(event.index)])


PICTURES = Examples("portrait.jpg", "self_blend.jpg", "no_face.jpg")
VIDEOS = Examples("half_fake.mp4")
