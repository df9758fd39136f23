"""What happens when a person presses a button: the detector is asked, and what is shown is drawn."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from deepfake.errors import LimitError, MediaError, internal_fault
from deepfake.media.isolated import open_isolated
from deepfake.page.answers import answer, batch_table, face_cards, notice, progress
from deepfake.page.clients import asking_client
from deepfake.page.evidence import draw_evidence, frame_file
from deepfake.page.history import THUMBNAIL, Entry, History
from deepfake.page.jobs import Jobs
from deepfake.page.rest import named
from deepfake.page.uploads import MAX_BATCH, check_upload, without_path
from deepfake.page.widgets import HistoryWidgets, PictureWidgets, Shown, VideoWidgets
from deepfake.records import Image, Sampling, Verdict
from deepfake.report.drawing import shrunk
from deepfake.report.files import annotate, file_stem, suspicious_frames, to_json, worst_page
from deepfake.report.heatmap import timeline, timeline_time_s
from deepfake.report.pdf import write_pdf
from deepfake.report.words import shown_name
from deepfake.system.text import not_a_formula

NO_PICTURE = notice("No picture yet", "Choose a picture, or one of the examples, then press Analyse.")
NO_VIDEO = notice("No video yet", "Choose a video, or one of the examples, then press Analyse.")
DRAWING = notice("Drawing the evidence", "The frames are searched; the clip is being drawn.")
DELETED = notice("No longer here", "What was asked is deleted within an hour. Choose the file again.")
NO_FILES = notice("No files yet", "Choose several pictures and videos, then press Analyse all.")
SHOWN = 2048
"""Longer side in pixels of the annotated picture that is shown."""


class Actions:
    """The page's functions. Each takes what widgets hold and returns what some are to show: of one or two, in order.

    Those that fill more are given these widgets first, and answer `{widget: value}`.

    Args:
        jobs: Who answers.
        model: Folder of the bundle that answers: the report quotes its measures.
        scratch: Folder for what is drawn; whoever made it deletes it.
        folders: Where a file must lie: a forged request may name any file of this machine.
    """

    def __init__(self, jobs: Jobs, model: Path, scratch: Path, *folders: Path) -> None:
        self.jobs = jobs
        self.model = model
        self.scratch = scratch
        self.history = History(scratch / "history")
        self.folders = folders

    def judge_picture(self, widgets: PictureWidgets, path: str | None, entries: list[Entry]) -> Shown:
        """The answer about a picture, with its evidence."""
        cleared = {widgets.marked: None, widgets.cards: "", widgets.numbers: None, widgets.verdict: None}
        if not path:
            return {widgets.said: NO_PICTURE} | cleared
        try:
            with self.jobs.place(asking_client()) as client:
                check_upload(path, self.folders, "picture")
                verdict = self.jobs.run(path, client)
                image, scores = worst_page(verdict, open_isolated)
        except (MediaError, LimitError) as error:
            return {widgets.said: _refused(error, path)} | cleared
        marked = shrunk(annotate(image, scores, verdict), SHOWN)
        worst = sorted(scores, key=lambda score: -score.p_fake)
        cards = face_cards([(image, score, "") for score in worst], verdict.face_thresholds)
        said = answer(verdict)
        return {
            widgets.said: said,
            widgets.marked: marked,
            widgets.cards: cards,
            widgets.numbers: named(verdict, Path(path).name),
            widgets.verdict: verdict,
            widgets.entries: self.history.remember(
                entries, verdict, image=image, picture=marked, answer=said, cards=cards
            ),
        }

    def judge_video(self, widgets: VideoWidgets, path: str | None, entries: list[Entry]) -> Iterator[Shown]:
        """Progress, then the answer about a video, with its evidence."""
        cleared = dict.fromkeys(widgets.all()) | {widgets.cards: ""}
        for kept in (widgets.said, widgets.number, widgets.entries):
            del cleared[kept]
        if not path:
            yield {widgets.said: NO_VIDEO} | cleared
            return
        try:
            with self.jobs.place(asking_client()) as client:
                check_upload(path, self.folders, "video")
                seen: list[float] = []
                with closing(self.jobs.analyse(path, client)) as analysis:
                    for step in analysis:
                        seen += [score.p_fake for score in step.scores]
                        yield {widgets.said: progress(step, max(seen, default=None))} | cleared
                yield {widgets.said: DRAWING} | cleared
                shown = self._video_shown(widgets, analysis.verdict, entries)
            yield shown
        except (MediaError, LimitError) as error:
            yield {widgets.said: _refused(error, path)} | cleared

    def _video_shown(self, widgets: VideoWidgets, verdict: Verdict, entries: list[Entry]) -> Shown:
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        evidence = draw_evidence(verdict, folder)
        cards = face_cards(evidence.faces, verdict.face_thresholds)
        plot = _timeline(verdict)
        first = next(iter(suspicious_frames(verdict, 1)), 0)
        shown = frame_file(folder, first)
        mark = _read(shown) if shown else np.zeros((72, 128, 3), np.uint8)
        said, drawn = answer(verdict), plot if plot is not None else mark
        return {
            widgets.said: said,
            widgets.plot: plot,
            widgets.number: gr.Slider(maximum=max(1, max(verdict.times) + 1), value=first + 1, interactive=True),
            widgets.frame: shown,
            widgets.cards: cards,
            widgets.gallery: evidence.gallery or None,
            widgets.clip: str(evidence.clip),
            widgets.numbers: named(verdict, Path(verdict.path).name),
            widgets.verdict: verdict,
            widgets.folder: str(folder),
            widgets.entries: self.history.remember(
                entries, verdict, image=mark, picture=drawn, answer=said, cards=cards
            ),
        }

    def frame_clicked(self, verdict: Verdict | None, folder: str | None, event: gr.SelectData) -> tuple[Any, Any]:
        """The frame nearest to the point of the timeline that was clicked: slider and picture."""
        if verdict is None or not folder or not verdict.times:
            return gr.skip(), gr.skip()
        time_s = timeline_time_s(verdict, event.index[0])
        index = min(verdict.times, key=lambda index: abs(verdict.times[index] - time_s))
        return index + 1, frame_file(Path(folder), index)

    def frame_chosen(self, number: int, folder: str | None) -> str | None:
        """The frame of the slider's number."""
        return frame_file(Path(folder), int(number) - 1) if folder else None

    def keep(self, verdict: Verdict | None) -> tuple[Any, Any]:
        """The PDF report and the JSON file, to be downloaded."""
        if verdict is None:
            return gr.DownloadButton(interactive=False), gr.DownloadButton(interactive=False)
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        name = shown_name(Path(verdict.path).name)
        stem = file_stem("".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name))
        try:
            with self.jobs.place(asking_client()):
                pdf = write_pdf(verdict, folder / f"{stem}.pdf", name=name, model=self.model, opener=open_isolated)
        except LimitError as error:
            gr.Warning(str(error))
            return gr.DownloadButton(interactive=False), gr.DownloadButton(interactive=False)
        except MediaError:
            gr.Warning("The file was deleted meanwhile. Choose it again for a report.")
            return gr.DownloadButton(interactive=False), gr.DownloadButton(interactive=False)
        data = folder / f"{stem}.json"
        data.write_text(to_json(verdict, name) + "\n", encoding="utf-8")
        return gr.DownloadButton(value=str(pdf), interactive=True), gr.DownloadButton(value=str(data), interactive=True)

    def judge_batch(self, paths: list[str] | None) -> Iterator[tuple[Any, ...]]:
        """A table that grows a file at a time, then the CSV file."""
        if not paths:
            yield NO_FILES, gr.DownloadButton(interactive=False)
            return
        if len(paths) > MAX_BATCH:
            yield (
                notice("Too many files", f"Give at most {MAX_BATCH} at once. Received: {len(paths)}."),
                gr.DownloadButton(interactive=False),
            )
            return
        rows: list[tuple[str, Verdict | str, Image | None]] = []
        for path in paths:
            yield _batch_so_far(rows, len(paths)), gr.DownloadButton(interactive=False)
            try:
                with self.jobs.place(asking_client()) as client:
                    check_upload(path, self.folders)
                    verdict = self.jobs.run(path, client)
                    first = next(iter(open_isolated(path, Sampling(frames=1))))
                rows.append((Path(path).name, verdict, shrunk(first.image, THUMBNAIL)))
            except (MediaError, LimitError) as error:
                rows.append((Path(path).name, without_path(error, path), None))
            except Exception as error:  # noqa: BLE001 A fault of this program costs its file, not those after it.
                rows.append((Path(path).name, internal_fault(error), None))
        file = Path(tempfile.mkdtemp(dir=self.scratch)) / "deepfake.csv"
        _write_csv(file, rows)
        yield batch_table(rows), gr.DownloadButton(value=str(file), interactive=True)


def _refused(error: MediaError | LimitError, path: str) -> str:
    title = "This file cannot be read" if isinstance(error, MediaError) else "Not now, or not so large"
    return notice(title, without_path(error, path))


def _timeline(verdict: Verdict) -> Image | None:
    if not verdict.scores:
        return None
    encoded = np.frombuffer(timeline(verdict), np.uint8)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))


def _read(file: str) -> Image:
    return np.asarray(cv2.imread(file, cv2.IMREAD_COLOR_RGB))


def _batch_so_far(rows: list[tuple[str, Verdict | str, Image | None]], total: int) -> str:
    return notice(f"Looking at file {len(rows) + 1} of {total}", "") + (batch_table(rows) if rows else "")


def _write_csv(file: Path, rows: list[tuple[str, Verdict | str, Image | None]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as sheet:
        writer = csv.writer(sheet)
        writer.writerow(["file", "kind", "verdict", "reason", "p_fake", "people", "model", "error"])
        for name, found, _ in rows:
            cells: list[Any] = [shown_name(name)]
            if isinstance(found, str):
                cells += ["", "", "", "", "", "", found]
            else:
                p_fake = "" if found.p_fake is None else round(found.p_fake, 4)
                cells += [found.kind, found.label, found.reason or "", p_fake, len(found.tracks), found.model.name, ""]
            writer.writerow([not_a_formula(cell) if isinstance(cell, str) else cell for cell in cells])


def thumbnails(entries: list[Entry]) -> list[tuple[str, str]]:
    """What the history shows: those that are still there."""
    return [(str(entry.thumbnail), entry.caption) for entry in entries if entry.thumbnail.exists()]


class HistoryActions:
    """The functions of the history.

    Args:
        widgets: What they fill.
        history: What is forgotten.
    """

    def __init__(self, widgets: HistoryWidgets, history: History) -> None:
        self.widgets = widgets
        self.history = history

    def reopened(self, entries: list[Entry], event: gr.SelectData) -> Shown:
        """The entry that was clicked."""
        kept = [entry for entry in entries if entry.thumbnail.exists()]
        try:
            entry = kept[int(event.index)]
            texts = {self.widgets.said: entry.answer, self.widgets.cards: entry.cards}
            shown = {widget: file.read_text(encoding="utf-8") for widget, file in texts.items()}
        except (IndexError, FileNotFoundError):
            return {self.widgets.said: DELETED, self.widgets.picture: None, self.widgets.cards: ""}
        return shown | {self.widgets.picture: str(entry.picture)}

    def forgotten(self, entries: list[Entry]) -> Shown:
        """A history without entries."""
        self.history.forget(entries)
        return dict.fromkeys(self.widgets.all()) | {
            self.widgets.entries: [],
            self.widgets.said: "",
            self.widgets.cards: "",
        }
