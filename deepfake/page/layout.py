"""The widgets of the page, and which action each calls."""

from __future__ import annotations

from typing import Any

import gradio as gr

from deepfake.page.actions import Actions, PictureActions, VideoActions, face_at, no_download, notice_of
from deepfake.page.batch import BatchActions, OpenedActions
from deepfake.page.compare import PairActions
from deepfake.page.endpoints import Endpoints
from deepfake.page.examples import PICTURES, VIDEOS, Examples
from deepfake.page.feedback import CONSENT, TRUTHS, Feedback
from deepfake.page.history import table
from deepfake.page.language import label
from deepfake.page.live import EVERY_S, LIMIT_S, Camera
from deepfake.page.widgets import Asked, OpenedWidgets, PairWidgets, PictureWidgets, VideoWidgets
from deepfake.report.words import ENGLISH

CAMERAS_AT_ONCE = 2
TITLE = "deepfake: real or fake?"
# What a browser does by itself; page.js defines it.
TOGGLE_THEME = "() => deepfake.toggleTheme()"
TOGGLE_ABOUT = "() => deepfake.toggleAbout()"
SHOW_ANSWER = "() => deepfake.show('#{}-answer')"
SET_HEAT = "(share) => { document.documentElement.style.setProperty('--heat', share); }"
SHOW_FACE = "(number) => deepfake.showFace(number)"
BUTTONS: Any = ["download", "fullscreen"]
COLUMNS = ("file", "answer", "score", "people", "time")
"""Keys of the words above the columns of a table of answers."""
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""How an event is wired that neither programs nor spinners need to know of."""


def build(actions: Actions, endpoints: Endpoints, feedback: Feedback | None = None) -> gr.Blocks:
    """The page.

    Args:
        actions: What happens when a person presses a button.
        endpoints: What programs may call by name.
        feedback: Where wrong answers are kept; None where that is not offered.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        entries = gr.State([], time_to_live=3600)
        with gr.Row(elem_classes="head"):
            with gr.Column(scale=1, min_width=200):
                gr.Markdown("# " + label("page.title"))
                gr.Markdown(label("page.introduction"))
            with gr.Row(elem_classes="tools"):
                how = gr.Button(label("page.how"), size="sm", elem_id="how")
                theme = gr.Button(label("page.theme"), size="sm", elem_id="theme")
        theme.click(None, js=TOGGLE_THEME, api_visibility="private")
        how.click(None, js=TOGGLE_ABOUT, api_visibility="private")
        with gr.Sidebar(label=label("page.how"), open=False, position="right", width="min(46rem, 100vw)"):
            explained = gr.Markdown(actions.explained(), elem_classes="about", sanitize_html=False)
        page.load(actions.explained, None, explained, **QUIET)
        with gr.Tab(label("page.picture"), id="picture"):
            _picture_tab(page, actions, entries, feedback)
        with gr.Tab(label("page.video"), id="video"):
            _video_tab(page, actions, entries, feedback)
        with gr.Tab(label("page.batch"), id="batch"):
            _batch_tab(page, actions, entries)
        with gr.Tab(label("page.compare"), id="compare"):
            _compare_tab(page, actions)
        with gr.Tab(label("page.live"), id="live"):
            _live_tab(actions)
        with gr.Tab(label("page.history"), id="history") as tab:
            _history_tab(actions, entries, tab)
        gr.api(endpoints.detect_image, api_name="detect_image")
        gr.api(endpoints.detect_video, api_name="detect_video")
        gr.api(endpoints.detect_batch, api_name="detect_batch")
    return page


def _picture_tab(page: gr.Blocks, actions: Actions, entries: gr.State, feedback: Feedback | None) -> None:
    verdict, asked = gr.State(time_to_live=3600), gr.State(Asked())
    with gr.Row():
        with gr.Column():
            picture = _picture_input("page.picture", ["upload", "clipboard", "webcam"], "picture-input")
            look = gr.Button(label("page.analyse"), variant="primary", elem_id="analyse-picture")
            example = _examples(page, PICTURES)
        with gr.Column():
            said = gr.HTML(notice_of("no_picture", ENGLISH), elem_id="picture-answer")
            slider = _slider("picture-slider")
            caption = gr.HTML()
            cards = _faces()
            pdf, data = _to_keep("picture")
            _feedback(feedback, verdict)
            numbers = _numbers()
    widgets = PictureWidgets(said, slider, caption, cards, numbers, verdict, pdf, data, entries)
    own = PictureActions(actions, widgets)
    judging: dict[str, Any] = {
        "fn": own.judge_picture,
        "inputs": [picture, entries, asked],
        "outputs": widgets.all(),
        **QUIET,
    }
    running = [start(**judging) for start in (look.click, _chosen(example, PICTURES, picture).then)]
    for done in running:
        _kept(done, actions, [verdict, entries], [pdf, data], "picture")
    picture.input(own.changed, [picture, asked], widgets.all(), queue=False, **QUIET)
    page.load(own.cleared, None, widgets.all(), **QUIET)
    face = gr.Number(visible=False)
    picture.select(face_at, verdict, face, **QUIET).then(None, face, None, js=SHOW_FACE, **QUIET)


def _video_tab(page: gr.Blocks, actions: Actions, entries: gr.State, feedback: Feedback | None) -> None:
    verdict, asked = gr.State(time_to_live=3600), gr.State(Asked())
    with gr.Row():
        with gr.Column():
            video = gr.Video(label=label("page.video"), sources=["upload", "webcam"], height=360, elem_id="video-input")
            with gr.Row():
                watch = gr.Button(label("page.analyse"), variant="primary", elem_id="analyse-video")
                stop = gr.Button(label("page.cancel"), elem_id="cancel-video")
            example = _examples(page, VIDEOS)
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
            cards = _faces()
            pdf, data = _to_keep("video")
            _feedback(feedback, verdict)
            numbers = _numbers()
    widgets = VideoWidgets(said, plot, moments, clip, caption, cards, numbers, verdict, pdf, data, entries)
    own = VideoActions(actions, widgets)
    judging: dict[str, Any] = {
        "fn": own.judge_video,
        "inputs": [video, entries, asked],
        "outputs": widgets.all(),
        **QUIET,
    }
    running = [start(**judging) for start in (watch.click, _chosen(example, VIDEOS, video).then)]
    kept = [_kept(done, actions, [verdict, entries], [pdf, data], "video") for done in running]
    video.input(own.changed, [video, asked], widgets.all(), queue=False, **QUIET)
    page.load(own.cleared, None, widgets.all(), **QUIET)
    # First the end, then the message: a frame that is still on its way would overwrite it.
    stop.click(None, cancels=[*running, *kept], queue=False, api_visibility="private").then(
        own.stopped, None, widgets.all(), queue=False, **QUIET
    )


def _batch_tab(page: gr.Blocks, actions: Actions, entries: gr.State) -> None:
    batch = gr.State([], time_to_live=3600)
    files = gr.File(
        label=label("page.files"),
        file_count="multiple",
        type="filepath",
    )
    with gr.Row():
        go = gr.Button(label("page.analyse_all"), variant="primary", elem_id="analyse-batch")
        stop = gr.Button(label("page.cancel"), elem_id="cancel-batch")
    said = gr.HTML(notice_of("no_files", ENGLISH), elem_id="batch-answer")
    lines = _table("batch-table")
    with gr.Row():
        sheet = gr.DownloadButton(label("page.csv"), interactive=False, elem_id="batch-csv")
        archive = gr.DownloadButton(label("page.zip"), interactive=False, elem_id="batch-zip")
    own = BatchActions(actions)
    outputs = [said, lines, batch, entries, sheet, archive]
    done = go.click(own.judge_batch, [files, entries], outputs, **QUIET)
    # What was judged before the end stays.
    stop.click(None, cancels=done, queue=False, api_visibility="private").then(
        own.stopped, None, said, queue=False, **QUIET
    )
    files.change(
        lambda: ("", [], [], no_download(), no_download()),
        None,
        [said, lines, batch, sheet, archive],
        cancels=done,
        queue=False,
        **QUIET,
    )
    _opened(actions, lines, batch, "batch")


def _compare_tab(page: gr.Blocks, actions: Actions) -> None:
    with gr.Row():
        pictures = [
            _picture_input(f"page.{name}", ["upload", "clipboard"], f"compare-{name}") for name in ("first", "second")
        ]
    go = gr.Button(label("page.compare_both"), variant="primary", elem_id="analyse-pair")
    said, sliders = [], []
    with gr.Row():
        for name in ("first", "second"):
            with gr.Column():
                said.append(gr.HTML(notice_of("no_pair", ENGLISH) if name == "first" else "", elem_id=f"{name}-answer"))
                sliders.append(_slider(f"{name}-slider"))
    widgets = PairWidgets(said[0], sliders[0], said[1], sliders[1], gr.HTML(elem_classes="faces"))
    own = PairActions(actions, widgets)
    done = go.click(
        own.compared,
        pictures,
        widgets.all(),
        api_name="compare",
        api_visibility="private",
    )
    done.then(None, js=SHOW_ANSWER.format("first"), **QUIET)
    for picture in pictures:
        picture.input(own.cleared, None, widgets.all(), cancels=done, queue=False, **QUIET)
    page.load(own.cleared, None, widgets.all(), **QUIET)


def _live_tab(actions: Actions) -> None:
    gr.Markdown(label("page.live_text"))
    times = gr.State(time_to_live=3600)
    with gr.Row():
        camera = gr.Image(sources=["webcam"], streaming=True, type="numpy", height=360, show_label=False)
        with gr.Column():
            said = gr.HTML(elem_id="live-answer")
            seen = gr.Image(interactive=False, show_label=False, height=360, elem_id="live-frame")
    camera.stream(
        Camera(actions.jobs).judge_frame,
        [camera, times],
        [said, seen, times],
        stream_every=EVERY_S,
        time_limit=LIMIT_S,
        concurrency_limit=CAMERAS_AT_ONCE,
        **QUIET,
    )


def _history_tab(actions: Actions, entries: gr.State, tab: gr.Tab) -> None:
    gr.Markdown(label("page.history_text"))
    lines = _table("history-table")
    forget = gr.Button(label("page.forget"), elem_id="forget")
    widgets, own = _opened(actions, lines, entries, "history")
    tab.select(table, entries, lines, **QUIET)
    forget.click(own.forgotten, entries, [entries, lines], **QUIET).then(own.closed, None, widgets.all(), **QUIET)


def _opened(
    actions: Actions, lines: gr.Dataframe, entries: gr.State, which: str
) -> tuple[OpenedWidgets, OpenedActions]:
    """An answer that is opened from a table below it."""
    said = gr.HTML(elem_id=f"{which}-opened")
    with gr.Row():
        picture = gr.Image(interactive=False, show_label=False, format="png", buttons=BUTTONS, visible=False)
        cards = gr.HTML(elem_classes="faces")
    pdf = gr.DownloadButton(label("page.pdf"), interactive=False, elem_id=f"{which}-pdf")
    widgets = OpenedWidgets(said, picture, cards, pdf)
    own = OpenedActions(actions, widgets)
    lines.select(own.opened, entries, widgets.all(), **QUIET)
    return widgets, own


def _kept(done: Any, actions: Actions, about: list[gr.State], buttons: list[Any], which: str) -> Any:
    """What follows an answer: a narrow screen shows it, and its files are made."""
    done.then(None, js=SHOW_ANSWER.format(which), **QUIET)
    return done.then(actions.keep, about, buttons, **QUIET)


def _picture_input(key: str, sources: Any, name: str) -> gr.Image:
    """A picture that is handed over as it was sent: re-encoding it would destroy the evidence."""
    widget = gr.Image(label=label(key), type="filepath", image_mode=None, sources=sources, height=360, elem_id=name)
    widget.preprocess = lambda payload: payload.path if payload else None
    return widget


def _slider(name: str) -> gr.ImageSlider:
    return gr.ImageSlider(
        label="Grad-CAM", show_label=False, interactive=False, visible=False, elem_id=name, buttons=BUTTONS
    )


def _examples(page: gr.Blocks, examples: Examples) -> gr.Gallery:
    """The bundled examples of one kind, each with its known truth."""
    gr.Markdown(label("page.examples"))
    gallery = gr.Gallery(
        label=label("page.examples"),
        show_label=False,
        columns=4,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_classes="examples",
    )
    page.load(examples.captioned, None, gallery, **QUIET)
    return gallery


def _chosen(gallery: gr.Gallery, examples: Examples, widget: Any) -> Any:
    """The event of an example that is clicked: its file stands where uploads do."""
    return gallery.select(examples.chosen, None, widget, **QUIET)


def _table(name: str) -> gr.Dataframe:
    """A table of answers, sorted by a click on a column, opened by a click on a line."""
    return gr.Dataframe(
        headers=["#", *(ENGLISH(f"page.{column}") for column in COLUMNS)],
        datatype=["number", "html", "html", "number", "number", "str"],
        column_count=(len(COLUMNS) + 1, "fixed"),
        interactive=False,
        show_label=False,
        wrap=True,
        elem_id=name,
    )


def _faces() -> gr.HTML:
    strength = gr.Slider(0, 1, 0.6, step=0.05, label=label("heat.strength"))
    strength.input(None, strength, None, js=SET_HEAT, api_visibility="private")
    return gr.HTML(elem_classes="faces")


def _to_keep(which: str) -> tuple[gr.DownloadButton, gr.DownloadButton]:
    with gr.Row():
        pdf = gr.DownloadButton(label("page.pdf"), interactive=False, elem_id=f"{which}-pdf")
        data = gr.DownloadButton(label("page.json"), interactive=False, elem_id=f"{which}-json")
    return pdf, data


def _numbers() -> gr.JSON:
    with gr.Accordion(label("page.all_numbers"), open=False):
        return gr.JSON(show_label=False)


def _feedback(feedback: Feedback | None, verdict: gr.State) -> None:
    """The form by which a visitor tells the truth about a file; nothing where it is not kept."""
    if feedback is None:
        return
    with gr.Accordion(label("feedback.title"), open=False):
        gr.Markdown(label("feedback.text"))
        choices = [(label(f"feedback.{truth}"), str(truth)) for truth in TRUTHS]
        truth = gr.Radio(choices, label=label("feedback.truth"))
        consent = gr.CheckboxGroup([(label("feedback.consent"), CONSENT)], show_label=False)
        save = gr.Button(label("feedback.save"))
        told = gr.Markdown()
    save.click(feedback.told, [verdict, truth, consent], [told, consent], **QUIET)
