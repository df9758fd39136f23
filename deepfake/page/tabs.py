"""The tabs for one picture and for one video."""

from __future__ import annotations

from typing import Any

import gradio as gr

from deepfake.page.actions import Actions
from deepfake.page.address import AddressActions
from deepfake.page.examples import PICTURES, VIDEOS
from deepfake.page.judging import PictureActions, VideoActions, face_at
from deepfake.page.language import label
from deepfake.page.messages import notice_of
from deepfake.page.offers import Offers
from deepfake.page.parts import (
    QUIET,
    address_field,
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


def picture_tab(page: gr.Blocks, actions: Actions, entries: gr.State, offers: Offers) -> None:
    """The tab for one picture."""
    verdict, asked = gr.State(time_to_live=3600), gr.State(Asked())
    with gr.Row():
        with gr.Column():
            picture = picture_input("page.picture", ["upload", "clipboard", "webcam"], "picture-input")
            look = gr.Button(label("page.analyse"), variant="primary", elem_id="analyse-picture")
            smallest = smallest_face("picture")
            field = address_field("picture") if offers.fetching else None
            example = example_gallery(page, PICTURES)
        with gr.Column():
            said = gr.HTML(notice_of("no_picture", ENGLISH), elem_id="picture-answer")
            slider = heat_slider("picture-slider")
            caption = gr.HTML()
            cards = face_cards_area()
            pdf, data = keep_buttons("picture")
            feedback_form(offers.feedback, verdict)
            numbers = numbers_area()
    widgets = PictureWidgets(said, slider, caption, cards, numbers, verdict, pdf, data, entries)
    own = PictureActions(actions, widgets)
    judging: dict[str, Any] = {
        "fn": own.judge_picture,
        "inputs": [picture, entries, asked, smallest],
        "outputs": widgets.all(),
        **QUIET,
    }
    running = [start(**judging) for start in (look.click, chosen_example(example, PICTURES, picture).then)]
    if field and offers.fetching:
        by_address = AddressActions(own, own.judge_picture, "picture", picture, offers.fetching)
        running.append(_fetched(by_address, field, judging, picture))
    for done in running:
        followed_up(done, actions, [verdict, entries], [pdf, data], "picture")
    smallest.input(own.forgotten, asked, widgets.all(), queue=False, **QUIET)
    picture.input(own.changed, [picture, asked], widgets.all(), queue=False, **QUIET)
    page.load(own.cleared, None, widgets.all(), **QUIET)
    face, width = gr.Number(visible=False), gr.Number(visible=False)
    picture.select(face_at, [verdict, width], face, js=WITH_WIDTH, **QUIET).then(
        None, face, None, js=SHOW_FACE, **QUIET
    )


def video_tab(page: gr.Blocks, actions: Actions, entries: gr.State, offers: Offers) -> None:
    """The tab for one video."""
    verdict, asked = gr.State(time_to_live=3600), gr.State(Asked())
    with gr.Row():
        with gr.Column():
            video = video_input()
            with gr.Row():
                watch = gr.Button(label("page.analyse"), variant="primary", elem_id="analyse-video")
                stop = gr.Button(label("page.cancel"), elem_id="cancel-video")
            smallest = smallest_face("video")
            field = address_field("video") if offers.fetching else None
            example = example_gallery(page, VIDEOS)
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
            caption = gr.HTML()
            cards = face_cards_area()
            pdf, data = keep_buttons("video")
            feedback_form(offers.feedback, verdict)
            numbers = numbers_area()
    widgets = VideoWidgets(said, plot, moments, clip, caption, cards, numbers, verdict, pdf, data, entries)
    own = VideoActions(actions, widgets)
    judging: dict[str, Any] = {
        "fn": own.judge_video,
        "inputs": [video, entries, asked, smallest],
        "outputs": widgets.all(),
        **QUIET,
    }
    running = [start(**judging) for start in (watch.click, chosen_example(example, VIDEOS, video).then)]
    if field and offers.fetching:
        by_address = AddressActions(own, own.judge_video, "video", video, offers.fetching)
        running.append(_fetched(by_address, field, judging, video))
    kept = [followed_up(done, actions, [verdict, entries], [pdf, data], "video") for done in running]
    smallest.input(own.forgotten, asked, widgets.all(), queue=False, **QUIET)
    video.input(own.changed, [video, asked], widgets.all(), queue=False, **QUIET)
    page.load(own.cleared, None, widgets.all(), **QUIET)
    # First the end, then the message: a frame that is still on its way would overwrite it.
    stop.click(None, cancels=[*running, *kept], queue=False, api_visibility="private").then(
        own.stopped, None, widgets.all(), queue=False, **QUIET
    )


def _fetched(
    by_address: AddressActions, field: tuple[gr.Textbox, gr.Button], judging: dict[str, Any], chosen: Any
) -> Any:
    """The event of an address that is given: the button, or Enter."""
    address, button = field
    return gr.on(
        [button.click, address.submit],
        by_address.judge_address,
        [address, *judging["inputs"][1:]],
        [*judging["outputs"], chosen],
        **QUIET,
    )
