"""Two pictures side by side: a real one and its suspected fake, their heat maps on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.page.actions import SHOWN_SIDE, Actions, beside_faces
from deepfake.page.answers import answer, busy, face_cards
from deepfake.page.language import words_for
from deepfake.page.messages import notice_of, refused
from deepfake.page.widgets import Asked, PairWidgets, Shown
from deepfake.records import Image, Score, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import shrunk
from deepfake.report.heatmap import Span, overlay_frame, span_of_all


class PairActions:
    """Of the tab that compares; arguments as for `PictureActions`."""

    def __init__(self, actions: Actions, widgets: PairWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

    def changed_first(self, path: str | None, asked: Asked, request: gr.Request | None = None) -> Shown:
        """What another first picture leaves of the old answers: nothing. Only what was asked about this one stays."""
        return self._changed(0, path, asked, request)

    def changed_second(self, path: str | None, asked: Asked, request: gr.Request | None = None) -> Shown:
        """As `changed_first`, of the second."""
        return self._changed(1, path, asked, request)

    def _changed(self, place: int, path: str | None, asked: Asked, request: gr.Request | None) -> Shown:
        if isinstance(asked.about, tuple) and path is not None and path == asked.about[place]:
            return self.widgets.unchanged()
        asked.about = None
        return self.cleared(request)

    def arrived(self, asked: Asked, request: gr.Request | None = None) -> Shown:
        """No answers yet, in the reader's language, unless something was asked before the browser told of the page."""
        return self.widgets.unchanged() if asked.about is not None else self.cleared(request)

    def cleared(self, request: gr.Request | None = None) -> Shown:
        """No answers: those of other pictures must not stand beside these."""
        widgets = self.widgets
        hidden = gr.ImageSlider(None, visible=False)
        return {
            widgets.first_said: notice_of("no_pair", words_for(request)),
            widgets.first: hidden,
            widgets.second_said: "",
            widgets.second: hidden,
            widgets.cards: "",
        }

    def judge_pair(
        self, first: str | None, second: str | None, asked: Asked, request: gr.Request | None = None
    ) -> Iterator[Shown]:
        """That it has begun, then both answers, if the tab still shows these two."""
        asked.about = (first, second)
        if not first or not second:
            yield self.cleared(request)
            return
        yield self.cleared(request) | {self.widgets.first_said: busy(words_for(request))}
        shown = self._compared(first, second, request)
        if asked.about == (first, second):
            yield shown

    def _compared(self, first: str, second: str, request: gr.Request | None) -> Shown:
        """Both answers; the strongest place of the two maps sets the scale of both."""
        widgets, say = self.widgets, words_for(request)
        found: list[tuple[Verdict, Image, Sequence[Score]]] = []
        for path, said in ((first, widgets.first_said), (second, widgets.second_said)):
            try:
                found.append(self.actions.picture(path))
            except (MediaError, LimitError) as error:
                return self.cleared(request) | {widgets.first_said: "", said: refused(error, path, say)}
        span = span_of_all([score for _, _, scores in found for score in scores])
        sliders = [
            gr.ImageSlider(
                self.actions.shown_pair(
                    shrunk(image, SHOWN_SIDE), shrunk(overlay_frame(image, scores, span=span), SHOWN_SIDE)
                ),
                slider_position=beside_faces(scores, image),
                visible=True,
            )
            for _, image, scores in found
        ]
        said = [answer(verdict, self.actions.model, say) for verdict, _, _ in found]
        cards = "".join(_worst_card(*one, say, span) for one in found)
        return dict(zip(widgets.all(), (said[0], sliders[0], said[1], sliders[1], cards), strict=True))


def _worst_card(verdict: Verdict, image: Image, scores: Sequence[Score], say: Catalogue, span: Span) -> str:
    """The most suspicious face of one of the two."""
    worst = sorted(scores, key=lambda score: -score.p_fake)[:1]
    return face_cards([(image, score, None) for score in worst], verdict, say, span)
