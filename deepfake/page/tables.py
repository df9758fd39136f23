"""The tabs with tables of answers: many files at once, and what was asked before."""

from __future__ import annotations

import gradio as gr

from deepfake.page.actions import Actions
from deepfake.page.batch import BatchActions, OpenedActions
from deepfake.page.history import table
from deepfake.page.language import label
from deepfake.page.messages import notice_of
from deepfake.page.parts import BUTTONS, QUIET, WITH_ANSWER, WITH_LINES, cancel_button, smallest_face
from deepfake.page.widgets import Asked, OpenedWidgets
from deepfake.report.words import ENGLISH

COLUMNS = ("file", "answer", "score", "people", "time")
"""Keys of the words above the columns of a table of answers."""


def batch_tab(page: gr.Blocks, actions: Actions, entries: gr.State) -> None:
    """The tab for many files."""
    batch = gr.State([], time_to_live=3600)
    files = gr.File(
        label=label("page.files"),
        file_count="multiple",
        type="filepath",
    )
    smallest = smallest_face("batch")
    with gr.Row():
        go = gr.Button(label("page.analyse_all"), variant="primary", elem_id="analyse-batch")
        stop = cancel_button("batch")
    said = gr.HTML(notice_of("no_files", ENGLISH), elem_id="batch-answer")
    lines = _table("batch-table")
    with gr.Row(elem_classes=WITH_LINES):
        sheet = gr.DownloadButton(label("page.csv"), interactive=False, elem_id="batch-csv")
        archive = gr.DownloadButton(label("page.zip"), interactive=False, elem_id="batch-zip")
    own, asked = BatchActions(actions), gr.State(Asked())
    outputs = [said, lines, batch, entries, sheet, archive]
    done = go.click(own.judge_batch, [files, entries, asked, smallest], outputs, **QUIET)
    # What was judged before the end stays.
    stop.click(None, cancels=done, queue=False, api_visibility="private").then(
        own.stopped, None, said, queue=False, **QUIET
    )
    files.change(own.changed, [files, asked], [said, lines, batch, sheet, archive], queue=False, **QUIET)
    _opened(actions, lines, batch, "batch")


def history_tab(actions: Actions, entries: gr.State, tab: gr.Tab) -> None:
    """What was asked before; filled when its tab is opened."""
    gr.Markdown(label("page.history_text"))
    lines = _table("history-table")
    forget = gr.Button(label("page.forget"), elem_id="forget", elem_classes=WITH_LINES)
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
    pdf = gr.DownloadButton(label("page.pdf"), interactive=False, elem_id=f"{which}-pdf", elem_classes=WITH_ANSWER)
    widgets = OpenedWidgets(said, picture, cards, pdf)
    own = OpenedActions(actions, widgets)
    lines.select(own.opened, entries, widgets.all(), **QUIET)
    return widgets, own


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
