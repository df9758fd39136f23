"""What happens when a person presses a button: the detector is asked, and what is shown is drawn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.media.isolated import open_isolated
from deepfake.page.about import about
from deepfake.page.answers import answer, busy, face_cards, heat_caption, moment_buttons, notice, progress
from deepfake.page.clients import asking_client
from deepfake.page.evidence import draw_evidence
from deepfake.page.history import REPORT, Entry, History
from deepfake.page.jobs import Jobs
from deepfake.page.language import words_for
from deepfake.page.rest import named
from deepfake.page.uploads import check_upload, without_path
from deepfake.page.widgets import Asked, PictureWidgets, Shown, VideoWidgets
from deepfake.records import Image, Score, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import shrunk
from deepfake.report.files import annotate, file_stem, to_json, worst_page
from deepfake.report.heatmap import span_of_all
from deepfake.report.pdf import write_pdf
from deepfake.report.timeline import chart
from deepfake.report.words import shown_name

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
        self.opener = open_isolated

    def folder(self) -> Path:
        """A new folder for what is drawn of one file."""
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def picture(self, path: str) -> tuple[Verdict, Image, list[Score]]:
        """The answer about an uploaded picture, its page with the most suspicious face, and the scores of that page.

        Raises:
            MediaError: If it is none, or cannot be read.
            LimitError: If it is too large, or all places are taken.
        """
        with self.jobs.place(asking_client()) as client:
            check_upload(path, self.folders, "picture")
            verdict = self.jobs.run(path, client)
            return verdict, *worst_page(verdict, self.opener)

    def report(self, verdict: Verdict, folder: Path, say: Catalogue) -> Path:
        """Writes the PDF report.

        Raises:
            MediaError: If the file was deleted meanwhile.
        """
        name = shown_name(Path(verdict.path).name)
        file = folder / f"{_safe_stem(name)}.pdf"
        return write_pdf(verdict, file, name=name, model=self.model, opener=self.opener, say=say)

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
        data.write_text(to_json(verdict, shown_name(Path(verdict.path).name)) + "\n", encoding="utf-8")
        return download(pdf), download(data)


class PictureActions:
    """Of the tab for pictures.

    Args:
        actions: What all share.
        widgets: What they fill.
    """

    def __init__(self, actions: Actions, widgets: PictureWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

    def changed(self, path: str | None, asked: Asked, request: gr.Request | None = None) -> Shown:
        """What a new picture leaves of the old answer: nothing. Only what was asked about this one stays."""
        if path is not None and path == asked.path:
            return {}
        asked.path = None
        return self.cleared(request)

    def cleared(self, request: gr.Request | None = None) -> Shown:
        """No answer."""
        said = notice_of("no_picture", words_for(request))
        return self._without_answer() | {self.widgets.said: said}

    def judge_picture(
        self, path: str | None, entries: list[Entry], asked: Asked, request: gr.Request | None = None
    ) -> Iterator[Shown]:
        """That it has begun, then the answer about a picture, with its evidence, if the tab still shows it."""
        widgets, say = self.widgets, words_for(request)
        asked.path = path
        if not path:
            yield self.cleared(request)
            return
        yield self._without_answer() | {widgets.said: busy(say)}
        try:
            verdict, image, scores = self.actions.picture(path)
        except (MediaError, LimitError) as error:
            if asked.path == path:
                yield self._without_answer() | {widgets.said: refused(error, path, say)}
            return
        if asked.path != path:
            return
        plain, marked = pair_of(image, scores, verdict)
        said, cards = answer(verdict, self.actions.model, say), cards_of(image, scores, verdict, say)
        entry = self.actions.history.written(verdict, say, picture=marked, answer=said, cards=cards)
        yield {
            widgets.said: said,
            widgets.slider: gr.ImageSlider((plain, marked), slider_position=beside_faces(scores, image), visible=True),
            widgets.caption: heat_caption(scores, say),
            widgets.cards: cards,
            widgets.numbers: named(verdict, Path(path).name),
            widgets.verdict: verdict,
            widgets.pdf: no_download(),
            widgets.data: no_download(),
            widgets.entries: self.actions.history.remembered(entries, entry),
        }

    def _without_answer(self) -> Shown:
        widgets = self.widgets
        return widgets.cleared("entries") | {
            widgets.slider: gr.ImageSlider(None, visible=False),
            widgets.caption: "",
            widgets.cards: "",
            widgets.pdf: no_download(),
            widgets.data: no_download(),
        }


class VideoActions:
    """Of the tab for videos; arguments as for `PictureActions`."""

    def __init__(self, actions: Actions, widgets: VideoWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

    def changed(self, path: str | None, asked: Asked, request: gr.Request | None = None) -> Shown:
        """As of pictures."""
        if path is not None and path == asked.path:
            return {}
        asked.path = None
        return self.cleared(request)

    def cleared(self, request: gr.Request | None = None) -> Shown:
        """No answer."""
        return self._without_answer() | {self.widgets.said: notice_of("no_video", words_for(request))}

    def stopped(self, request: gr.Request | None = None) -> Shown:
        """That the analysis was cancelled."""
        return self._without_answer() | {self.widgets.said: notice_of("stopped", words_for(request))}

    def judge_video(
        self, path: str | None, entries: list[Entry], asked: Asked, request: gr.Request | None = None
    ) -> Iterator[Shown]:
        """Progress, then the answer about a video, with its evidence, as long as the tab shows it."""
        widgets, say = self.widgets, words_for(request)
        asked.path = path
        if not path:
            yield self.cleared(request)
            return
        cleared = self._without_answer()
        try:
            with self.actions.jobs.place(asking_client()) as client:
                check_upload(path, self.actions.folders, "video")
                seen: list[float] = []
                with closing(self.actions.jobs.analyse(path, client)) as analysis:
                    for step in analysis:
                        if asked.path != path:
                            return
                        seen += [score.p_fake for score in step.scores]
                        yield cleared | {widgets.said: progress(step, max(seen, default=None), say)}
                yield cleared | {widgets.said: busy(say, "answer.drawing", "answer.drawing_text")}
                shown = self._shown(analysis.verdict, entries, say)
            if asked.path == path:
                yield shown
        except (MediaError, LimitError) as error:
            yield cleared | {widgets.said: refused(error, path, say)}

    def _shown(self, verdict: Verdict, entries: list[Entry], say: Catalogue) -> Shown:
        widgets = self.widgets
        evidence = draw_evidence(verdict, self.actions.folder())
        cards = face_cards(evidence.faces, verdict.face_thresholds, say, span_of_all(verdict.scores))
        said = answer(verdict, self.actions.model, say)
        entry = self.actions.history.written(verdict, say, picture=evidence.worst, answer=said, cards=cards)
        plot = gr.Plot(chart(verdict, say), visible=True) if verdict.scores else gr.Plot(None, visible=False)
        return {
            widgets.said: said,
            widgets.plot: plot,
            widgets.moments: moment_buttons(evidence.moments, min(verdict.times.values(), default=0.0), say),
            widgets.clip: gr.Video(str(evidence.clip), visible=True),
            widgets.caption: heat_caption(verdict.scores, say),
            widgets.cards: cards,
            widgets.numbers: named(verdict, Path(verdict.path).name),
            widgets.verdict: verdict,
            widgets.pdf: no_download(),
            widgets.data: no_download(),
            widgets.entries: self.actions.history.remembered(entries, entry),
        }

    def _without_answer(self) -> Shown:
        widgets = self.widgets
        return widgets.cleared("entries") | {
            widgets.plot: gr.Plot(None, visible=False),
            widgets.moments: "",
            widgets.clip: gr.Video(None, visible=False),
            widgets.caption: "",
            widgets.cards: "",
            widgets.pdf: no_download(),
            widgets.data: no_download(),
        }


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
    return face_cards([(image, score, None) for score in worst], verdict.face_thresholds, say)


def notice_of(name: str, say: Catalogue, **values: object) -> str:
    """A message of the page, by its name in the catalogue."""
    return notice(say(f"page.{name}"), say(f"page.{name}_text", **values), say)


def refused(error: MediaError | LimitError, path: str, say: Catalogue) -> str:
    """Why a file is not answered."""
    title = say("page.unreadable" if isinstance(error, MediaError) else "page.refused")
    return notice(title, without_path(error, path), say)


def face_at(verdict: Verdict | None, event: gr.SelectData) -> int:
    """The number of the face at the point of the picture that was clicked, from 1; 0 beside all."""
    x, y = event.index
    for score in verdict.scores if verdict else ():
        left, top, right, bottom = score.face.box_xyxy
        if left <= x <= right and top <= y <= bottom:
            return (score.face.track or 0) + 1
    return 0


def download(file: Path) -> gr.DownloadButton:
    """A button that hands over a file."""
    return gr.DownloadButton(value=str(file), interactive=True)


def no_download() -> gr.DownloadButton:
    """A button that has nothing to hand over."""
    return gr.DownloadButton(value=None, interactive=False)


def _safe_stem(name: str) -> str:
    """A file's name as the name of another: letters, digits and few signs."""
    return file_stem("".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name))
