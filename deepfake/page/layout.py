"""The page: its tabs and what each is wired to."""

from __future__ import annotations

import gradio as gr

from deepfake.page.actions import Actions
from deepfake.page.compare import PairActions
from deepfake.page.endpoints import Endpoints
from deepfake.page.language import label
from deepfake.page.live import EVERY_S, LIMIT_S, Camera
from deepfake.page.messages import notice_of
from deepfake.page.offers import Offers
from deepfake.page.parts import QUIET, SHOW_ANSWER, heat_slider, picture_input
from deepfake.page.tables import batch_tab, history_tab
from deepfake.page.tabs import picture_tab, video_tab
from deepfake.page.widgets import Asked, PairWidgets
from deepfake.report.words import ENGLISH

CAMERAS_AT_ONCE = 2
NOTHING_MORE = Offers()
TITLE = "deepfake: real or fake?"
# What a browser does by itself; page.js defines it.
TOGGLE_THEME = "() => deepfake.toggleTheme()"
TOGGLE_ABOUT = "() => deepfake.toggleAbout()"


def build(actions: Actions, endpoints: Endpoints, offers: Offers = NOTHING_MORE) -> gr.Blocks:
    """The page.

    Args:
        actions: What happens when a person presses a button.
        endpoints: What programs may call by name.
        offers: What is offered beside that.
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
        # In rows on a narrow screen: a menu would hide half of them.
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab(label("page.picture"), id="picture"):
                picture_tab(page, actions, entries, offers)
            with gr.Tab(label("page.video"), id="video"):
                video_tab(page, actions, entries, offers)
            with gr.Tab(label("page.batch"), id="batch"):
                batch_tab(page, actions, entries)
            with gr.Tab(label("page.compare"), id="compare"):
                _compare_tab(page, actions)
            with gr.Tab(label("page.live"), id="live"):
                _live_tab(actions)
            with gr.Tab(label("page.history"), id="history") as tab:
                history_tab(actions, entries, tab)
        gr.api(endpoints.detect_image, api_name="detect_image")
        gr.api(endpoints.detect_video, api_name="detect_video")
        gr.api(endpoints.detect_batch, api_name="detect_batch")
    return page


def _compare_tab(page: gr.Blocks, actions: Actions) -> None:
    with gr.Row():
        pictures = [
            picture_input(f"page.{name}", ["upload", "clipboard"], f"compare-{name}") for name in ("first", "second")
        ]
    go = gr.Button(label("page.compare_both"), variant="primary", elem_id="analyse-pair")
    said, sliders = [], []
    with gr.Row():
        for name in ("first", "second"):
            with gr.Column():
                said.append(gr.HTML(notice_of("no_pair", ENGLISH) if name == "first" else "", elem_id=f"{name}-answer"))
                sliders.append(heat_slider(f"{name}-slider"))
    widgets = PairWidgets(said[0], sliders[0], said[1], sliders[1], gr.HTML(elem_classes="faces"))
    own, asked = PairActions(actions, widgets), gr.State(Asked())
    done = go.click(own.judge_pair, [*pictures, asked], widgets.all(), **QUIET)
    done.then(None, js=SHOW_ANSWER.format("first"), **QUIET)
    for picture, changed in zip(pictures, (own.changed_first, own.changed_second), strict=True):
        picture.input(changed, [picture, asked], widgets.all(), queue=False, **QUIET)
    page.load(own.arrived, asked, widgets.all(), **QUIET)


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
