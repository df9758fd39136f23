"""Many files at once, and answers that are opened again: the tables of the page."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from deepfake.errors import LimitError, MediaError
from deepfake.page.actions import Actions, cards_of, download, no_download, notice_of, now
from deepfake.page.answers import answer, face_cards, notice
from deepfake.page.evidence import draw_evidence
from deepfake.page.history import PICTURE_SIDE, Entry, entry_of, remember, table
from deepfake.page.language import words_for
from deepfake.page.uploads import MAX_BATCH, check_upload, without_path
from deepfake.page.widgets import OpenedWidgets, Shown
from deepfake.records import Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import shrunk
from deepfake.report.files import annotate, write_report
from deepfake.report.heatmap import span_of_all
from deepfake.report.words import shown_name
from deepfake.system.text import not_a_formula


class BatchActions:
    """Of the tab for many files.

    Args:
        actions: What all share.
    """

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def judge_batch(
        self, paths: list[str] | None, entries: list[Entry], request: gr.Request | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """A message, the lines so far, the batch so far and the history, a file at a time; then the CSV file."""
        say = words_for(request)
        if not paths:
            yield notice_of("no_files", say), [], [], entries, no_download()
            return
        if len(paths) > MAX_BATCH:
            text = say("page.too_many_text", count=MAX_BATCH, received=len(paths))
            yield notice(say("page.too_many"), text, say), [], [], entries, no_download()
            return
        batch: list[Entry] = []
        for number, path in enumerate(paths, 1):
            said = notice(say("page.file_of", number=number, total=len(paths)), "", say)
            yield said, table(batch, say), list(batch), entries, no_download()
            batch.append(self._judged(path, say))
            entries = remember(entries, batch[-1])
        file = self.actions.folder() / "deepfake.csv"
        _write_csv(file, batch)
        yield "", table(batch, say), list(batch), entries, download(file)

    def stopped(self, request: gr.Request | None = None) -> str:
        """That the rest was cancelled: what was judged before stays."""
        return notice_of("stopped", words_for(request))

    def pack(self, batch: list[Entry], request: gr.Request | None = None) -> Any:
        """A ZIP with the sheet and, for each file that is still there, its annotated copy, its numbers and its PDF."""
        if not batch:
            return no_download()
        say, folder = words_for(request), self.actions.folder()
        _write_csv(folder / "deepfake.csv", batch)
        for entry in batch:
            if entry.verdict is None:
                continue
            try:
                write_report(entry.verdict, folder)
                self.actions.report(entry.verdict, folder, say)
            except MediaError:
                gr.Warning(say("page.deleted"))
        archive = self.actions.folder() / "deepfake.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for file in sorted(folder.iterdir()):
                packed.write(file, file.name)
        return download(archive)

    def _judged(self, path: str, say: Catalogue) -> Entry:
        try:
            if check_upload(path, self.actions.folders) == "picture":
                verdict, image = self.actions.picture(path)
                marked = shrunk(annotate(image, verdict.scores, verdict), PICTURE_SIDE)
                return entry_of(verdict, now(), marked, cards_of(image, verdict, say))
            verdict = self.actions.jobs.run(path)
            evidence = draw_evidence(verdict, self.actions.folder())
            worst = max(evidence.moments, key=lambda moment: moment.p_fake).image if evidence.moments else None
            cards = face_cards(evidence.faces, verdict.face_thresholds, say, span_of_all(verdict.scores))
            return entry_of(verdict, now(), worst, cards)
        except (MediaError, LimitError) as error:
            return Entry(shown_name(Path(path).name), now(), None, without_path(error, path), None, "")


class OpenedActions:
    """Of an answer that is opened again from a table; arguments as for `PictureActions`."""

    def __init__(self, actions: Actions, widgets: OpenedWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

    def opened(self, entries: list[Entry], event: gr.SelectData, request: gr.Request | None = None) -> Shown:
        """The line that was clicked, in whatever order the table is sorted."""
        widgets, say = self.widgets, words_for(request)
        entry = entries[int(event.row_value[0]) - 1]
        if entry.verdict is None:
            return self.closed() | {widgets.said: notice(say("page.unreadable"), entry.error, say)}
        try:
            pdf = download(self.actions.report(entry.verdict, self.actions.folder(), say))
        except MediaError:
            pdf = no_download()
        return {
            widgets.said: answer(entry.verdict, self.actions.model, say),
            widgets.picture: gr.Image(entry.picture, visible=entry.picture is not None),
            widgets.cards: entry.cards,
            widgets.pdf: pdf,
        }

    def closed(self) -> Shown:
        """Nothing is opened."""
        widgets = self.widgets
        return {
            widgets.said: "",
            widgets.picture: gr.Image(None, visible=False),
            widgets.cards: "",
            widgets.pdf: no_download(),
        }


def _write_csv(file: Path, batch: Sequence[Entry]) -> None:
    with file.open("w", newline="", encoding="utf-8") as sheet:
        writer = csv.writer(sheet)
        writer.writerow(["file", "kind", "verdict", "reason", "p_fake", "people", "model", "error"])
        for entry in batch:
            name = not_a_formula(entry.name)
            writer.writerow([name, *(_cells(entry.verdict) if entry.verdict else [""] * 6), entry.error])


def _cells(verdict: Verdict) -> list[object]:
    p_fake = "" if verdict.p_fake is None else round(verdict.p_fake, 4)
    return [verdict.kind, verdict.label, verdict.reason or "", p_fake, len(verdict.tracks), verdict.model.name]
