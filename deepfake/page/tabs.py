"""The tabs for one picture and for one video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from deepfake.media import Kind
from deepfake.page.actions import Actions
from deepfake.page.address import AddressActions
from deepfake.page.examples import PICTURES, VIDEOS, Examples
from deepfake.page.judging import PictureActions, TabActions, VideoActions, face_at
from deepfake.page.language import label
from deepfake.page.messages import notice_of
from deepfake.page.offers import Offers
from deepfake.page.parts import (
    QUIET,
    address_field,
    cancel_button,
    chosen_example,
    example_gallery,
    face_cards_area,
    feedback_form,
    followed_up,
    heat_slider,
    keep_buttons,
    numbers_area,
    picture_input,
    smallest_face,
    video_input,
)
from deepfake.page.widgets import Asked, PictureWidgets, VideoWidgets
from deepfake.report.words import ENGLISH

SHOW_FACE = "(number) => deepfake.showFace(number)"
WITH_WIDTH = "(verdict) => [verdict, document.querySelector('#picture-input img')?.naturalWidth ?? 0]"


@dataclass(frozen=True, slots=True)
class _Given:
    """What a tab is given: a file, and how it is to be looked at."""

    file: gr.Image | gr.Video
    """Where it stands."""
    start: gr.Button
    """Has it judged."""
    smallest: gr.Slider
    """The smallest face that is searched for."""
    address: tuple[gr.Textbox, gr.Button] | None
    """Where an address of the web is given; None where nothing is fetched."""
    gallery: gr.Gallery
    """Its examples, as they are shown."""
    examples: Examples
    """Its examples."""


def picture_tab(page: gr.Blocks, actions: Actions, entries: gr.State, offers: Offers) -> None:
    """The tab for one picture."""
    with gr.Row():
        with gr.Column():
            picture = picture_input("page.picture", ["upload", "clipboard", "webcam"], "picture-input")
            look = gr.Button(label("page.analyse"), variant="primary", elem_id="analyse-picture")
            given = _given(page, "picture", picture, look, PICTURES, offers)
        with gr.Column():
            said = gr.HTML(notice_of("no_picture", ENGLISH), elem_id="picture-answer")
            slider = heat_slider("picture-slider")
            evidence = _evidence("picture", entries, offers)
    own = PictureActions(actions, PictureWidgets(said=said, slider=slider, **evidence))
    _wired(page, own, given, offers)
    face, width = gr.Number(visible=False), gr.Number(visible=False)
    picture.select(face_at, [own.widgets.verdict, width], face, js=WITH_WIDTH, **QUIET).then(
        None, face, None, js=SHOW_FACE, **QUIET
    )


def video_tab(page: gr.Blocks, actions: Actions, entries: gr.State, offers: Offers) -> None:
    """The tab for one video."""
    with gr.Row():
        with gr.Column():
            video = video_input()
            with gr.Row():
                watch = gr.Button(label("page.analyse"), variant="primary", elem_id="analyse-video")
                stop = cancel_button("video")
            given = _given(page, "video", video, watch, VIDEOS, offers)
        with gr.Column():
            said = gr.HTML(notice_of("no_video", ENGLISH), elem_id="video-answer")
    plot = gr.Plot(show_label=False, visible=False, elem_id="timeline")
    moments = gr.HTML()
    with gr.Row():
        with gr.Column():
            clip = gr.Video(
                label=label("page.clip"),
                interactive=False,
                buttons=["download"],
                height=420,
                visible=False,
                elem_id="clip",
            )
        with gr.Column():
            evidence = _evidence("video", entries, offers)
    widgets = VideoWidgets(said=said, plot=plot, moments=moments, clip=clip, **evidence)
    own = VideoActions(actions, widgets)
    running = _wired(page, own, given, offers)
    # First the end, then the message: a frame that is still on its way would overwrite it.
    stop.click(None, cancels=running, queue=False, api_visibility="private").then(
        own.stopped, None, widgets.all(), queue=False, **QUIET
    )


def _evidence(kind: Kind, entries: gr.State, offers: Offers) -> dict[str, Any]:
    """What stands below any answer, by the names of `FileWidgets`."""
    verdict = gr.State(time_to_live=3600)
    caption, cards = gr.HTML(), face_cards_area()
    pdf, data = keep_buttons(kind)
    feedback_form(offers.feedback, verdict)
    below = {"caption": caption, "cards": cards, "numbers": numbers_area(), "pdf": pdf, "data": data}
    return {**below, "verdict": verdict, "entries": entries}


def _given(
    page: gr.Blocks, kind: Kind, file: gr.Image | gr.Video, start: gr.Button, examples: Examples, offers: Offers
) -> _Given:
    """What stands below the file and its button: how it is looked at, and where else a file comes from."""
    smallest = smallest_face(kind)
    address = address_field(kind) if offers.fetching else None
    return _Given(file, start, smallest, address, example_gallery(page, examples), examples)


def _wired(page: gr.Blocks, own: TabActions, given: _Given, offers: Offers) -> list[Any]:
    """Wires what a tab is given to what it shows.

    Args:
        page: The page.
        own: What the tab shows.
        given: What it is given.
        offers: What is offered beside that.

    Returns:
        The events that lead to an answer and its files: to cancel them is to cancel it.
    """
    widgets, asked = own.widgets, gr.State(Asked())
    judging: dict[str, Any] = {
        "fn": own.judge,
        "api_name": f"judge_{own.kind}",
        "inputs": [given.file, widgets.entries, asked, given.smallest],
        "outputs": widgets.all(),
        **QUIET,
    }
    starts = (given.start.click, chosen_example(given.gallery, given.examples, given.file).then)
    running = [start(**judging) for start in starts]
    if given.address and offers.fetching:
        address, button = given.address
        by_address = AddressActions(own, given.file, offers.fetching)
        running.append(
            gr.on(
                [button.click, address.submit],
                by_address.judge_address,
                [address, *judging["inputs"][1:]],
                [*widgets.all(), given.file],
                **QUIET,
            )
        )
    about, buttons = [widgets.verdict, widgets.entries], [widgets.pdf, widgets.data]
    kept = [followed_up(done, own.actions, about, buttons, own.kind) for done in running]
    given.smallest.input(own.resized, [given.smallest, asked], widgets.all(), queue=False, **QUIET)
    given.file.input(own.changed, [given.file, asked], widgets.all(), queue=False, **QUIET)
    page.load(own.arrived, asked, widgets.all(), **QUIET)
    return [*running, *kept]
