"""What happens when a person presses a button: the detector is asked, and what is shown is drawn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.media import Kind
from deepfake.media.isolated import open_isolated
from deepfake.page.about import about
from deepfake.page.answers import face_cards
from deepfake.page.clients import asking_client
from deepfake.page.history import REPORT, Entry, History
from deepfake.page.jobs import Jobs
from deepfake.page.language import words_for
from deepfake.page.messages import download, no_download
from deepfake.page.uploads import check_upload
from deepfake.records import Image, Score, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import jpeg, shrunk
from deepfake.report.files import annotate, file_stem, to_json
from deepfake.report.kept import Keeper
from deepfake.report.pdf import write_pdf
from deepfake.report.words import shown_name
from deepfake.system.files import write_bytes

SHOWN_SIDE = 1600
"""Longer side in pixels of a picture that is shown."""


class Actions:
    """What all actions share.

    Args:
        jobs: Who answers.
        model: Folder of the bundle that answers: answers and the report quote its measures.
        scratch: Folder for what is drawn; whoever made it deletes it.
        folders: Where a file must lie: a forged request may name any file of this machine.
    """

    def __init__(self, jobs: Jobs, model: Path, scratch: Path, *folders: Path) -> None:
        self.jobs = jobs
        self.model = model
        self.scratch = scratch
        self.folders = folders
        self.history = History(scratch / "history")

    def folder(self) -> Path:
        """A new folder for what is drawn of one file."""
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def shown_pair(self, plain: Image, marked: Image) -> tuple[str, str]:
        """A picture and its marked copy as files: Gradio makes WebPs of pixels, which takes longer than the answer."""
        folder = self.folder()
        pair = {"plain.jpg": plain, "marked.jpg": marked}
        first, second = (str(write_bytes(folder / name, jpeg(image, 92))) for name, image in pair.items())
        return first, second

    def picture(self, path: str, smallest: float | None = None) -> tuple[Verdict, Image, Sequence[Score]]:
        """The answer about an uploaded picture, its page with the most suspicious face, and the scores of that page.

        Args:
            path: The file.
            smallest: The smallest face that is searched for, in percent of the short side; None for the usual one.

        Raises:
            MediaError: If it is none, or cannot be read.
            LimitError: If it is too large, or all places are taken.
        """
        with self.jobs.place(asking_client()) as client:
            check_upload(path, self.folders, "picture")
            verdict, kept = judged(self.jobs, path, "picture", client, smallest)
        return verdict, kept.worst_page.frame.image, kept.worst_page.scores

    def report(self, verdict: Verdict, folder: Path, say: Catalogue, kept: Keeper | None = None) -> Path:
        """Writes the PDF report.

        Args:
            verdict: The answer.
            folder: Where to.
            say: The language.
            kept: What was kept of the file; without, it is read again.

        Raises:
            MediaError: If the file was deleted meanwhile.
        """
        name = shown_name(Path(verdict.path).name)
        file = folder / f"{_safe_stem(name)}.pdf"
        return write_pdf(verdict, file, name=name, model=self.model, kept=kept, opener=open_isolated, say=say)

    def explained(self, request: gr.Request | None = None) -> str:
        """What the page says about itself."""
        return about(self.model, words_for(request))

    def keep(self, verdict: Verdict | None, entries: list[Entry], request: gr.Request | None = None) -> tuple[Any, Any]:
        """The PDF report and the JSON file, to be downloaded; the newest entry of the history gets the report, too."""
        if verdict is None:
            return no_download(), no_download()
        folder, say = self.folder(), words_for(request)
        try:
            with self.jobs.place(asking_client()):
                pdf = self.report(verdict, folder, say)
        except LimitError as error:
            gr.Warning(str(error))
            return no_download(), no_download()
        except MediaError:
            gr.Warning(say("page.deleted"))
            return no_download(), no_download()
        if entries and entries[0].folder and entries[0].folder.exists():
            shutil.copy(pdf, entries[0].folder / REPORT)
        data = pdf.with_suffix(".json")
        data.write_text(to_json(verdict, shown_name(Path(verdict.path).name), self.model) + "\n", encoding="utf-8")
        return download(pdf), download(data)


def judged(jobs: Jobs, path: str, kind: Kind, client: str, smallest: float | None) -> tuple[Verdict, Keeper]:
    """The answer about a file, in a `place` of that client, and what was kept of its pixels.

    Raises:
        MediaError: If it cannot be read.
        LimitError: If it took too long.
    """
    kept, analysis = Keeper(kind), jobs.analyse(path, client, share_of(smallest))
    for step in analysis:
        kept.keep(step.frame, step.scores)
    return analysis.verdict, kept


def share_of(smallest: float | None) -> float | None:
    """Percent of a picture's short side as a share; whatever a forged request says, it is one.

    Example:

    >>> share_of(6), share_of(-1), share_of(None)
    (0.06, 0.01, None)
    """
    return None if smallest is None else min(max(float(smallest), 1.0), 100.0) / 100


def pair_of(image: Image, scores: Sequence[Score], verdict: Verdict) -> tuple[Image, Image]:
    """A picture as it is, and with its heat maps, small enough to be shown."""
    return shrunk(image, SHOWN_SIDE), shrunk(annotate(image, scores, verdict), SHOWN_SIDE)


def beside_faces(scores: Sequence[Score], image: Image) -> float:
    """Where a slider between the two shows every heat map, in percent of the width: left of the faces."""
    left = min((score.face.box_xyxy[0] for score in scores), default=0.0)
    return max(100 * left / image.shape[1] - 5, 0.0)


def cards_of(image: Image, scores: Sequence[Score], verdict: Verdict, say: Catalogue) -> str:
    """The cards of a picture's faces."""
    worst = sorted(scores, key=lambda score: -score.p_fake)
    return face_cards([(image, score, None) for score in worst], verdict, say)


def _safe_stem(name: str) -> str:
    """A file's name as the name of another: letters, digits and few signs."""
    return file_stem("".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name))
