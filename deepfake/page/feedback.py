"""Answers that were wrong, kept with their file and the truth where whoever sent it agrees: `evaluate` reads them."""

from __future__ import annotations

import shutil
from pathlib import Path

import gradio as gr

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.language import words_for
from deepfake.records import Label, Verdict
from deepfake.report.files import to_json
from deepfake.report.words import shown_name
from deepfake.system.files import sha256_of, write_bytes

TRUTHS = (Label.REAL, Label.FAKE)
"""What a visitor may say that a file really is."""
CONSENT = "consent"
"""The box without which nothing is kept."""


class Feedback:
    """Keeps files in a folder of `real` and `fake`, the layout that `index folder` and `fine-tune` read.

    Args:
        folder: Where; made when the first file is kept.
        model: Folder of the bundle that answers.
    """

    def __init__(self, folder: Path, model: Path = DEFAULT_MODEL) -> None:
        self.folder = folder
        self.model = model

    def keep(self, verdict: Verdict, truth: Label) -> Path:
        """Copies a file below its truth, named by its checksum, with the answer beside it as JSON.

        Args:
            verdict: Of a file that is still there.
            truth: What it really is, one of `TRUTHS`.

        Returns:
            The copy; the same file is kept once, by the last truth that was told.

        Raises:
            ValueError: If `truth` is neither.
            OSError: If the file was deleted, or the folder cannot be written.
        """
        if truth not in TRUTHS:
            raise ValueError(f"`truth` must be real or fake. Received: {truth}.")
        source = Path(verdict.path)
        name = f"{sha256_of(source)[:16]}{source.suffix.lower()}"
        copies = {label: self.folder / label / name for label in TRUTHS}
        for copy in copies.values():
            copy.unlink(missing_ok=True)
            copy.with_suffix(".json").unlink(missing_ok=True)
        copies[truth].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copies[truth])
        line = to_json(verdict, shown_name(source.name), self.model)
        write_bytes(copies[truth].with_suffix(".json"), line.encode() + b"\n")
        return copies[truth]

    def told(
        self, verdict: Verdict | None, truth: str | None, ticked: list[str], request: gr.Request | None = None
    ) -> tuple[str, list[str]]:
        """What is said to the visitor who pressed the button, and the boxes then ticked: consent is for one file."""
        say = words_for(request)
        if verdict is None or truth not in TRUTHS or CONSENT not in ticked:
            return say("feedback.need"), ticked
        try:
            self.keep(verdict, Label(truth))
        except OSError:
            return say("page.deleted"), []
        return say("feedback.saved"), []
