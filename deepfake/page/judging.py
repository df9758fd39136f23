"""What the tabs for one picture and for one video show: that it is looked at, the answer, its evidence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.media import Kind
from deepfake.page.actions import Actions, beside_faces, cards_of, pair_of, share_of
from deepfake.page.answers import answer, busy, face_cards, heat_caption, moment_buttons, progress
from deepfake.page.clients import asking_client
from deepfake.page.evidence import draw_evidence
from deepfake.page.history import Entry
from deepfake.page.language import words_for
from deepfake.page.messages import no_download, notice_of, refused
from deepfake.page.rest import named
from deepfake.page.uploads import check_upload
from deepfake.page.widgets import Asked, FileWidgets, PictureWidgets, Shown, VideoWidgets
from deepfake.records import Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.heatmap import span_of_all
from deepfake.report.kept import Keeper
from deepfake.report.timeline import chart


class TabActions(ABC):
    """What the tabs for one file share: how a file is judged, and that whatever changes it clears its answer.

    Args:
        actions: What all share.
        widgets: What they fill.
    """

    kind: ClassVar[Kind]
    """Of its file."""

    def __init__(self, actions: Actions, widgets: FileWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

    def judge(
        self,
        path: str | None,
        entries: list[Entry],
        asked: Asked,
        smallest: float | None = None,
        request: gr.Request | None = None,
    ) -> Iterator[Shown]:
        """How far it has come, then the answer about a file, with its evidence, as long as the tab shows it."""
        say = words_for(request)
        asked.about, asked.smallest = path, smallest
        if not path:
            yield self.cleared(request)
            return
        try:
            with closing(self._steps(path, entries, asked, smallest, say)) as steps:
                for shown in steps:
                    if asked.about != path:
                        return
                    yield shown
        except (MediaError, LimitError) as error:
            if asked.about == path:
                yield self.without_answer() | {self.widgets.said: refused(error, path, say)}

    def changed(self, path: str | None, asked: Asked, request: gr.Request | None = None) -> Shown:
        """What a new file leaves of the old answer: nothing. Only what was asked about this one stays."""
        same = path is not None and path == asked.about
        return self.widgets.unchanged() if same else self._forgotten(asked, request)

    def resized(self, smallest: float, asked: Asked, request: gr.Request | None = None) -> Shown:
        """As `changed`, of the smallest face that is searched for."""
        same = asked.about is not None and smallest == asked.smallest
        return self.widgets.unchanged() if same else self._forgotten(asked, request)

    def arrived(self, asked: Asked, request: gr.Request | None = None) -> Shown:
        """No answer yet, in the reader's language, unless something was asked before the browser told of the page."""
        return self.widgets.unchanged() if asked.about is not None else self.cleared(request)

    def _forgotten(self, asked: Asked, request: gr.Request | None) -> Shown:
        """No answer, and none to come: what was asked no longer holds."""
        asked.about = None
        return self.cleared(request)

    def without_answer(self) -> Shown:
        """All but the history empty."""
        widgets = self.widgets
        return widgets.cleared("entries") | {
            widgets.caption: "",
            widgets.cards: "",
            widgets.pdf: no_download(),
            widgets.data: no_download(),
        }

    def cleared(self, request: gr.Request | None = None) -> Shown:
        """No answer."""
        return self.without_answer() | {self.widgets.said: notice_of(f"no_{self.kind}", words_for(request))}

    @abstractmethod
    def _steps(
        self, path: str, entries: list[Entry], asked: Asked, smallest: float | None, say: Catalogue
    ) -> Generator[Shown, None, None]:
        """How far it has come, then the answer."""

    def _answer(
        self, verdict: Verdict, entries: list[Entry], entry: Entry, *, said: str, cards: str, say: Catalogue
    ) -> Shown:
        """What an answer about any file shows."""
        widgets = self.widgets
        return {
            widgets.said: said,
            widgets.caption: heat_caption(verdict, say),
            widgets.cards: cards,
            widgets.numbers: named(verdict, Path(verdict.path).name, self.actions.model),
            widgets.verdict: verdict,
            widgets.pdf: no_download(),
            widgets.data: no_download(),
            widgets.entries: self.actions.history.remembered(entries, entry),
        }


class PictureActions(TabActions):
    """Of the tab for pictures; arguments as for `TabActions`."""

    kind = "picture"
    widgets: PictureWidgets

    def without_answer(self) -> Shown:
        """All but the history empty."""
        return super().without_answer() | {self.widgets.slider: gr.ImageSlider(None, visible=False)}

    def _steps(
        self, path: str, entries: list[Entry], asked: Asked, smallest: float | None, say: Catalogue
    ) -> Generator[Shown, None, None]:
        yield self.without_answer() | {self.widgets.said: busy(say)}
        verdict, image, scores = self.actions.picture(path, smallest)
        if asked.about != path:
            return  # Nothing is drawn for somebody who has gone on to another picture.
        plain, marked = pair_of(image, scores, verdict)
        pair = self.actions.shown_pair(plain, marked)
        said, cards = answer(verdict, self.actions.model, say, image), cards_of(image, scores, verdict, say)
        entry = self.actions.history.written(verdict, say, picture=marked, answer=said, cards=cards)
        slider = gr.ImageSlider(pair, slider_position=beside_faces(scores, image), visible=True)
        yield self._answer(verdict, entries, entry, said=said, cards=cards, say=say) | {self.widgets.slider: slider}


class VideoActions(TabActions):
    """Of the tab for videos; arguments as for `TabActions`."""

    kind = "video"
    widgets: VideoWidgets

    def stopped(self, request: gr.Request | None = None) -> Shown:
        """That the analysis was cancelled."""
        return self.without_answer() | {self.widgets.said: notice_of("stopped", words_for(request))}

    def without_answer(self) -> Shown:
        """All but the history empty."""
        widgets = self.widgets
        return super().without_answer() | {
            widgets.plot: gr.Plot(None, visible=False),
            widgets.moments: "",
            widgets.clip: gr.Video(None, visible=False),
        }

    def _steps(
        self, path: str, entries: list[Entry], asked: Asked, smallest: float | None, say: Catalogue
    ) -> Generator[Shown, None, None]:
        said, cleared = self.widgets.said, self.without_answer()
        yield cleared | {said: busy(say, "answer.busy_video")}
        with self.actions.jobs.place(asking_client()) as client:
            check_upload(path, self.actions.folders, "video")
            seen: list[float] = []
            kept = Keeper("video")
            with closing(self.actions.jobs.analyse(path, client, share_of(smallest))) as analysis:
                for step in analysis:
                    kept.keep(step.frame, step.scores)
                    seen += [score.p_fake for score in step.scores]
                    yield cleared | {said: progress(step, max(seen, default=None), say)}
            yield cleared | {said: busy(say, "answer.drawing", "answer.drawing_text")}
            shown = self._shown(analysis.verdict, kept, entries, say)
        yield shown

    def _shown(self, verdict: Verdict, kept: Keeper, entries: list[Entry], say: Catalogue) -> Shown:
        widgets = self.widgets
        evidence = draw_evidence(verdict, kept, self.actions.folder())
        cards = face_cards(evidence.faces, verdict, say, span_of_all(verdict.scores))
        said = answer(verdict, self.actions.model, say)
        entry = self.actions.history.written(verdict, say, picture=evidence.worst, answer=said, cards=cards)
        plot = gr.Plot(chart(verdict, say), visible=True) if verdict.scores else gr.Plot(None, visible=False)
        return self._answer(verdict, entries, entry, said=said, cards=cards, say=say) | {
            widgets.plot: plot,
            widgets.moments: moment_buttons(evidence.moments, min(verdict.times.values(), default=0.0), say),
            widgets.clip: gr.Video(str(evidence.clip), visible=True),
        }


def face_at(verdict: Verdict | None, width: float | None, event: gr.SelectData) -> int:
    """The number of the face at the point of the picture that was clicked, from 1; 0 beside all.

    Args:
        verdict: About the picture; None before it was judged.
        width: Of the picture as it is shown, in its own pixels: fewer than the file has where the server drew it.
        event: The click.
    """
    scale = verdict.source.width / width if verdict and verdict.source and width else 1.0
    x, y = (scale * place for place in event.index)
    for score in verdict.scores if verdict else ():
        left, top, right, bottom = score.face.box_xyxy
        if left <= x <= right and top <= y <= bottom:
            return (score.face.track or 0) + 1
    return 0
