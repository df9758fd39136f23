"""Many files at once, and answers that are opened again: the tables of the page."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from deepfake.errors import LimitError, MediaError, internal_fault
from deepfake.page.actions import Actions, cards_of, judged
from deepfake.page.answers import answer, busy, face_cards, notice
from deepfake.page.clients import asking_client
from deepfake.page.evidence import draw_evidence
from deepfake.page.history import ANSWER, CARDS, PICTURE_FILE, REPORT, Entry, refused_entry, table
from deepfake.page.language import words_for
from deepfake.page.messages import download, no_download, notice_of
from deepfake.page.uploads import MAX_BATCH, check_upload, without_path
from deepfake.page.widgets import Asked, OpenedWidgets, Shown
from deepfake.records import Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import jpeg
from deepfake.report.files import annotate, to_json
from deepfake.report.heatmap import span_of_all
from deepfake.report.kept import Keeper
from deepfake.report.words import shown_name
from deepfake.system.text import not_a_formula

COLUMNS = ("file", "kind", "verdict", "reason", "p_fake", "people", "model", "error")
"""Of the CSV file."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One file of a batch."""

    entry: Entry
    """Its line."""
    cells: list[Any]
    """Its line of the CSV file."""


class BatchActions:
    """Of the tab for many files.

    Args:
        actions: What all share.
    """

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def judge_batch(
        self,
        paths: list[str] | None,
        entries: list[Entry],
        asked: Asked,
        smallest: float | None = None,
        request: gr.Request | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """A message, the lines so far, their entries, the history, then the CSV file and the ZIP: a file at a time.

        It ends where the tab no longer shows these files.
        """
        say, none = words_for(request), (no_download(), no_download())
        asked.about = paths
        if not paths:
            yield notice_of("no_files", say), [], [], entries, *none
            return
        if len(paths) > MAX_BATCH:
            text = say("page.too_many_text", count=MAX_BATCH, received=len(paths))
            yield notice(say("page.too_many"), text, say), [], [], entries, *none
            return
        folder, batch = self.actions.folder(), list[Judged]()
        for number, path in enumerate(paths, 1):
            said = busy(say, "page.file_of", number=number, total=len(paths))
            own = [judged.entry for judged in batch]
            yield said, table(own), own, entries, *none
            batch.append(self._judged(path, folder / f"{number:02d}", smallest, say))
            if asked.about != paths:
                return
            entries = self.actions.history.remembered(entries, batch[-1].entry)
        sheet = self.actions.folder() / "deepfake.csv"
        _write_csv(sheet, batch)
        own = [judged.entry for judged in batch]
        yield "", table(own), own, entries, download(sheet), download(_packed(folder, sheet))

    def changed(self, paths: list[str] | None, asked: Asked) -> tuple[Any, ...]:
        """What other files leave of the message, lines, entries, CSV file and ZIP: nothing, where these are others."""
        if paths and paths == asked.about:
            return (gr.skip(),) * 5
        asked.about = None
        return "", [], [], no_download(), no_download()

    def stopped(self, request: gr.Request | None = None) -> str:
        """That the rest was cancelled: what was judged before stays."""
        return notice_of("stopped", words_for(request))

    def _judged(self, path: str, folder: Path, smallest: float | None, say: Catalogue) -> Judged:
        name = shown_name(Path(path).name)
        try:
            with self.actions.jobs.place(asking_client()) as client:
                kind = check_upload(path, self.actions.folders)
                verdict, kept = judged(self.actions.jobs, path, kind, client, smallest)
                folder.mkdir(parents=True)
                entry = self._drawn(verdict, kept, folder, say)
                pdf = self.actions.report(verdict, folder, say, kept)
            pdf.with_suffix(".json").write_text(to_json(verdict, name, self.actions.model) + "\n", encoding="utf-8")
            if entry.folder:
                shutil.copy(pdf, entry.folder / REPORT)
            return Judged(entry, [name, *_cells(verdict), ""])
        except (MediaError, LimitError) as error:
            return _refused(name, without_path(error, path))
        except Exception as error:  # noqa: BLE001 A fault of this program costs its file, not those after it.
            return _refused(name, internal_fault(error))

    def _drawn(self, verdict: Verdict, kept: Keeper, folder: Path, say: Catalogue) -> Entry:
        """Draws the evidence of one file into a folder of the ZIP, and writes its entry."""
        said = answer(verdict, self.actions.model, say)
        if verdict.kind == "picture":
            image, scores = kept.worst_page.frame.image, kept.worst_page.scores
            picture, cards = annotate(image, scores, verdict), cards_of(image, scores, verdict, say)
            (folder / "annotated.jpg").write_bytes(jpeg(picture, 92))
            return self.actions.history.written(verdict, say, picture=picture, answer=said, cards=cards)
        evidence = draw_evidence(verdict, kept, folder)
        cards = face_cards(evidence.faces, verdict, say, span_of_all(verdict.scores))
        return self.actions.history.written(verdict, say, picture=evidence.worst, answer=said, cards=cards)


class OpenedActions:
    """Of an answer that is opened again from a table; arguments as for `PictureActions`."""

    def __init__(self, actions: Actions, widgets: OpenedWidgets) -> None:
        self.actions = actions
        self.widgets = widgets

    def opened(self, entries: list[Entry], event: gr.SelectData, request: gr.Request | None = None) -> Shown:
        """The line that was clicked, in whatever order the table is sorted."""
        widgets, say = self.widgets, words_for(request)
        entry = entries[int(event.row_value[0]) - 1]
        said, cards = entry.file(ANSWER), entry.file(CARDS)
        if said is None or cards is None:
            text = entry.line if entry.folder is None else say("page.deleted")
            return self.closed() | {widgets.said: f"<p>{text}</p>"}
        picture, report = entry.file(PICTURE_FILE), entry.file(REPORT)
        return {
            widgets.said: said.read_text(encoding="utf-8"),
            widgets.picture: gr.Image(str(picture) if picture else None, visible=picture is not None),
            widgets.cards: cards.read_text(encoding="utf-8"),
            widgets.pdf: download(report) if report else no_download(),
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

    def forgotten(self, entries: list[Entry]) -> tuple[list[Entry], list[list[object]]]:
        """A history without entries, and its table."""
        self.actions.history.forget(entries)
        return [], []


def _refused(name: str, error: str) -> Judged:
    return Judged(refused_entry(name, error), [name, *[""] * 6, error])


def _cells(verdict: Verdict) -> list[Any]:
    p_fake = "" if verdict.p_fake is None else round(verdict.p_fake, 4)
    return [verdict.kind, verdict.label, verdict.reason or "", p_fake, len(verdict.tracks), verdict.model.name]


def _write_csv(file: Path, batch: Sequence[Judged]) -> None:
    with file.open("w", newline="", encoding="utf-8") as sheet:
        writer = csv.writer(sheet)
        writer.writerow(COLUMNS)
        for judged in batch:
            writer.writerow([not_a_formula(cell) if isinstance(cell, str) else cell for cell in judged.cells])


def _packed(folder: Path, sheet: Path) -> Path:
    """A ZIP of the sheet and of a folder for each file: its annotated copy, its numbers and its report."""
    archive = sheet.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(sheet, sheet.name)
        for file in sorted(folder.rglob("*.*")):
            packed.write(file, file.relative_to(folder))
    return archive
