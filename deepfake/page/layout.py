"""The widgets of the page, and which action each calls."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from deepfake.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from deepfake.page.about import about
from deepfake.page.actions import NO_FILES, NO_PICTURE, NO_VIDEO, Actions, HistoryActions, thumbnails
from deepfake.page.answers import notice
from deepfake.page.endpoints import Endpoints
from deepfake.page.uploads import MAX_BATCH
from deepfake.page.widgets import HistoryWidgets, PictureWidgets, VideoWidgets
from deepfake.report.words import HEAT_LEGEND
from deepfake.system.shipped import shipped

EXAMPLES = shipped("examples")
TITLE = "deepfake: real or fake?"
INTRODUCTION = (
    "# Real or fake?\nGive a picture or a video of a face. It is looked at on this machine and deleted within an hour. "
    "The answer is evidence to be weighed, not proof."
)
TOGGLE_THEME = "() => { document.body.classList.toggle('dark'); }"
SET_HEAT = "(share) => { document.documentElement.style.setProperty('--heat', share); }"
BUTTONS: Any = ["download", "fullscreen"]


def build(actions: Actions, endpoints: Endpoints) -> gr.Blocks:
    """The page."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        entries = gr.State([], time_to_live=3600)
        with gr.Row(elem_classes="head"):
            gr.Markdown(INTRODUCTION)
            gr.Button("☀ / ☾ Light or dark", size="sm", elem_classes="theme", scale=0).click(
                None, js=TOGGLE_THEME, api_visibility="private"
            )
        with gr.Sidebar(label="About", open=False, position="right", width=420):
            gr.Markdown(about(actions.model), elem_classes="about")
        with gr.Tab("Picture"):
            _picture_tab(actions, entries)
        with gr.Tab("Video"):
            _video_tab(actions, entries)
        with gr.Tab("Batch"):
            _batch_tab(actions)
        with gr.Tab("History") as tab:
            _history_tab(actions, entries, tab)
        gr.api(endpoints.detect_image, api_name="detect_image")
        gr.api(endpoints.detect_video, api_name="detect_video")
        gr.api(endpoints.detect_batch, api_name="detect_batch")
    return page


def _picture_tab(actions: Actions, entries: gr.State) -> None:
    verdict = gr.State(time_to_live=3600)
    with gr.Row():
        with gr.Column():
            picture = as_sent(
                gr.Image(
                    label="Picture",
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard", "webcam"],
                    height=360,
                )
            )
            look = gr.Button("Analyse", variant="primary", elem_id="analyse-picture")
            _examples(PICTURE_SUFFIXES, picture)
        with gr.Column():
            said = gr.HTML(NO_PICTURE, elem_id="picture-answer")
            marked = gr.Image(
                label=f"Evidence: {HEAT_LEGEND}",
                interactive=False,
                format="png",
                buttons=BUTTONS,
            )
            cards = _faces()
            pdf, data, numbers = _to_keep("picture")
    widgets = PictureWidgets(said, marked, cards, numbers, verdict, entries)
    done = look.click(
        partial(actions.judge_picture, widgets),
        [picture, entries],
        widgets.all(),
        api_name="judge_picture",
        api_visibility="private",
    )
    done.then(actions.keep, verdict, [pdf, data], api_visibility="private", show_progress="hidden")


def _video_tab(actions: Actions, entries: gr.State) -> None:
    verdict, folder = gr.State(time_to_live=3600), gr.State(time_to_live=3600)
    with gr.Row():
        with gr.Column():
            video = gr.Video(label="Video", sources=["upload", "webcam"], height=360)
            with gr.Row():
                watch = gr.Button("Analyse", variant="primary", elem_id="analyse-video")
                stop = gr.Button("Cancel", elem_id="cancel-video")
            _examples(VIDEO_SUFFIXES, video)
        with gr.Column():
            said = gr.HTML(NO_VIDEO, elem_id="video-answer")
            gr.Markdown("**p_fake over time**: click a point to see that frame")
            plot = gr.Image(
                label="p_fake over time",
                show_label=False,
                interactive=False,
                format="png",
                buttons=BUTTONS,
                elem_id="timeline",
            )
            number = gr.Slider(1, 24, 1, step=1, label="Frame", interactive=True)
            frame = gr.Image(label="This frame", interactive=False, buttons=BUTTONS, elem_id="frame")
            cards = _faces()
            gallery = gr.Gallery(label="Most suspicious frames", columns=3, height="auto", object_fit="contain")
            clip = gr.Video(label="Annotated clip", interactive=False, buttons=["download"])
            pdf, data, numbers = _to_keep("video")
    widgets = VideoWidgets(said, plot, number, frame, cards, gallery, clip, numbers, verdict, folder, entries)
    done = watch.click(
        partial(actions.judge_video, widgets),
        [video, entries],
        widgets.all(),
        api_name="judge_video",
        api_visibility="private",
        show_progress="hidden",
    )
    kept = done.then(actions.keep, verdict, [pdf, data], api_visibility="private", show_progress="hidden")
    # First the end, then the message: a frame that is still on its way would overwrite it.
    stop.click(None, cancels=[done, kept], queue=False, api_visibility="private").then(
        partial(notice, "Stopped", "The analysis was cancelled. Press Analyse to begin again."),
        None,
        said,
        queue=False,
        api_visibility="private",
    )
    plot.select(actions.frame_clicked, [verdict, folder], [number, frame], api_visibility="private")
    number.release(actions.frame_chosen, [number, folder], frame, api_visibility="private", show_progress="hidden")


def _batch_tab(actions: Actions) -> None:
    files = gr.File(
        label=f"Pictures and videos, at most {MAX_BATCH}",
        file_count="multiple",
        type="filepath",
    )
    go = gr.Button("Analyse all", variant="primary", elem_id="analyse-batch")
    table = gr.HTML(NO_FILES, elem_id="batch-answer")
    sheet = gr.DownloadButton("Download CSV", interactive=False, elem_id="batch-csv")
    go.click(
        actions.judge_batch,
        files,
        [table, sheet],
        api_visibility="private",
        show_progress="hidden",
    )


def _history_tab(actions: Actions, entries: gr.State, tab: gr.Tab) -> None:
    gr.Markdown("What this browser has asked since the page was opened. Nobody else sees it.")
    gallery = gr.Gallery(
        label="Asked before",
        show_label=False,
        columns=6,
        height=200,
        allow_preview=False,
        elem_id="history",
        object_fit="contain",
    )
    forget = gr.Button("Forget all", elem_id="forget")
    said = gr.HTML(elem_id="history-answer")
    picture = gr.Image(label="Evidence", interactive=False, format="png", buttons=BUTTONS)
    cards = gr.HTML()
    tab.select(thumbnails, entries, gallery, api_visibility="private", show_progress="hidden")
    widgets = HistoryWidgets(entries, gallery, said, picture, cards)
    history = HistoryActions(widgets, actions.history)
    gallery.select(history.reopened, entries, [said, picture, cards], api_visibility="private")
    forget.click(history.forgotten, entries, widgets.all(), api_visibility="private")


def as_sent(widget: gr.Image) -> gr.Image:
    """The widget, handing over the file as it was sent: re-encoding it would destroy the evidence."""
    widget.preprocess = lambda payload: payload.path if payload else None
    return widget


def _examples(suffixes: frozenset[str], widget: Any) -> None:
    """The bundled examples of one kind, by name: a picture alone tells a screen reader nothing."""
    found = sorted(path for path in EXAMPLES.glob("*") if path.suffix in suffixes)
    names = [path.stem.replace("_", " ").capitalize() for path in found]
    gr.Examples([[str(path)] for path in found], [widget], label="Examples", example_labels=names)


def _faces() -> gr.HTML:
    strength = gr.Slider(0, 1, 0.6, step=0.05, label="Strength of the heat maps")
    strength.input(None, strength, None, js=SET_HEAT, api_visibility="private")
    return gr.HTML(elem_classes="faces")


def _to_keep(which: str) -> tuple[gr.DownloadButton, gr.DownloadButton, gr.JSON]:
    with gr.Row():
        pdf = gr.DownloadButton("Download report (PDF)", interactive=False, elem_id=f"{which}-pdf")
        data = gr.DownloadButton("Download numbers (JSON)", interactive=False, elem_id=f"{which}-json")
    with gr.Accordion("All numbers (JSON)", open=False):
        return pdf, data, gr.JSON(show_label=False)
