"""Two pictures side by side: a real one and its suspected fake, their heat maps on one scale."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.page.actions import SHOWN_SIDE, Actions, beside_faces
from deepfake.page.answers import answer, face_cards
from deepfake.page.language import words_for
from deepfake.page.messages import notice_of, refused
from deepfake.page.widgets import PairWidgets, Shown
from deepfake.records import Image, Score, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import shrunk
from deepfake.report.heatmap import Span, overlay_frame, span_of_all


class PairActions:
    """Of the tab that compares; arguments as for `PictureActions`."""

    def __init__(self, actions: Actions, widgets: PairWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

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

    def compared(self, first: str | None, second: str | None, request: gr.Request | None = None) -> Shown:
        """Both answers; the strongest place of the two maps sets the scale of both."""
        widgets, say = self.widgets, words_for(request)
        if not first or not second:
            return self.cleared(request)
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
