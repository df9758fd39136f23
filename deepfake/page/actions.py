"""What happens when a person presses a button: the detector is asked, and what is shown is drawn."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from deepfake.errors import LimitError, MediaError
from deepfake.media.isolated import open_isolated
from deepfake.page.answers import answer, batch_table, face_cards, notice, progress
from deepfake.page.history import THUMBNAIL, Entry, remember
from deepfake.page.jobs import Jobs
from deepfake.page.rest import named
from deepfake.page.uploads import MAX_BATCH, check_upload, without_path
from deepfake.records import Frame, Image, Sampling, Score, Verdict
from deepfake.report.files import (
    annotate,
    encode_clip,
    file_stem,
    scored_frames,
    shown_name,
    suspicious_frames,
    to_json,
)
from deepfake.report.heatmap import jpeg, shrunk, timeline, timeline_time_s
from deepfake.report.pdf import write_pdf
from deepfake.system.text import not_a_formula

GALLERY_FRAMES = 6
"""Suspicious frames that are shown."""
NO_PICTURE = notice("No picture yet", "Choose a picture, or one of the examples, then press Analyse.")
NO_VIDEO = notice("No video yet", "Choose a video, or one of the examples, then press Analyse.")
NO_FILES = notice("No files yet", "Choose several pictures and videos, then press Analyse all.")


class Actions:
    """The page's functions. Each takes what its widgets hold and returns what they are to show.

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
        self.folders = folders

    def judge_picture(self, path: str | None, entries: list[Entry]) -> tuple[Any, ...]:
        """Answer, annotated picture, faces, JSON, verdict, history."""
        nothing = (None, "", None, None, entries)
        if not path:
            return NO_PICTURE, *nothing
        try:
            check_upload(path, self.folders, "picture")
            verdict = self.jobs.run(path)
            (frame,) = open_isolated(path)
            image = frame.image
        except (MediaError, LimitError) as error:
            return _refused(error, path), *nothing
        marked = annotate(image, verdict.scores, verdict)
        worst = sorted(verdict.scores, key=lambda score: -score.p_fake)
        cards = face_cards([(image, score, "") for score in worst], verdict.face_thresholds)
        entry = Entry(verdict, shrunk(image, THUMBNAIL), marked, cards)
        return answer(verdict), marked, cards, named(verdict, Path(path).name), verdict, remember(entries, entry)

    def judge_video(self, path: str | None, entries: list[Entry]) -> Iterator[tuple[Any, ...]]:
        """Progress, then what `_video_shown` returns."""
        nothing = (None, gr.skip(), None, "", None, None, None, None, None, entries)
        if not path:
            yield NO_VIDEO, *nothing
            return
        try:
            check_upload(path, self.folders, "video")
            steps = self.jobs.steps(path)
            seen: list[float] = []
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    verdict = end.value
                    break
                seen += [score.p_fake for score in step.scores]
                yield progress(step, max(seen, default=None)), *nothing
            yield notice("Drawing the evidence", "The frames are searched; the clip is being drawn."), *nothing
            yield self._video_shown(verdict, entries)
        except (MediaError, LimitError) as error:
            yield _refused(error, path), *nothing

    def _video_shown(self, verdict: Verdict, entries: list[Entry]) -> tuple[Any, ...]:
        """Answer, timeline, slider, frame, faces, gallery, clip, JSON, verdict, folder of the frames, history."""
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        chosen = suspicious_frames(verdict, GALLERY_FRAMES)
        faces: dict[int, tuple[Image, Score, str]] = {}
        gallery: dict[int, tuple[str, str]] = {}

        best = {score.face.track: score for score in sorted(verdict.scores, key=lambda score: score.p_fake)}

        def drawn() -> Iterator[Frame]:
            for frame, scores in scored_frames(verdict, open_isolated):
                marked = annotate(frame.image, scores, verdict)
                file = folder / f"frame-{frame.index:04d}.jpg"
                file.write_bytes(jpeg(marked, 92))
                if frame.index in chosen:
                    high = max(score.p_fake for score in scores)
                    gallery[frame.index] = (str(file), f"{frame.time_s:.2f} s: p_fake {high:.2f}")
                for score in scores:
                    if best[score.face.track] is score:
                        faces[score.face.track or 0] = (frame.image, score, f" at {frame.time_s:.2f} s")
                yield Frame(marked, frame.index, frame.time)

        clip = encode_clip(drawn(), folder / "annotated.mp4")
        cards = face_cards(
            [faces[track.number] for track in verdict.tracks if track.number in faces], verdict.face_thresholds
        )
        plot = _timeline(verdict)
        first = chosen[0] if chosen else 0
        shown = _frame_file(folder, first)
        mark = _read(shown) if shown else np.zeros((72, 128, 3), np.uint8)
        entry = Entry(verdict, shrunk(mark, THUMBNAIL), plot if plot is not None else mark, cards)
        return (
            answer(verdict),
            plot,
            gr.Slider(maximum=max(1, max(verdict.times) + 1), value=first + 1, interactive=True),
            shown,
            cards,
            [gallery[index] for index in chosen if index in gallery] or None,
            str(clip),
            named(verdict, Path(verdict.path).name),
            verdict,
            str(folder),
            remember(entries, entry),
        )

    def frame_clicked(self, verdict: Verdict | None, folder: str | None, event: gr.SelectData) -> tuple[Any, Any]:
        """The frame nearest to the point of the timeline that was clicked: slider and picture."""
        if verdict is None or not folder or not verdict.times:
            return gr.skip(), gr.skip()
        time_s = timeline_time_s(verdict, event.index[0])
        index = min(verdict.times, key=lambda index: abs(verdict.times[index] - time_s))
        return index + 1, _frame_file(Path(folder), index)

    def frame_chosen(self, number: int, folder: str | None) -> str | None:
        """The frame of the slider's number."""
        return _frame_file(Path(folder), int(number) - 1) if folder else None

    def keep(self, verdict: Verdict | None) -> tuple[Any, Any]:
        """The PDF report and the JSON file, to be downloaded."""
        if verdict is None:
            return gr.DownloadButton(interactive=False), gr.DownloadButton(interactive=False)
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        name = shown_name(Path(verdict.path).name)
        stem = file_stem("".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name))
        try:
            pdf = write_pdf(verdict, folder / f"{stem}.pdf", name=name, model=self.model, opener=open_isolated)
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
                check_upload(path, self.folders)
                verdict = self.jobs.run(path)
                (first,) = open_isolated(path, Sampling(frames=1))
                rows.append((Path(path).name, verdict, shrunk(first.image, THUMBNAIL)))
            except (MediaError, LimitError) as error:
                rows.append((Path(path).name, without_path(error, path), None))
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


def _frame_file(folder: Path, index: int) -> str | None:
    file = folder / f"frame-{index:04d}.jpg"
    return str(file) if file.exists() else None


def _batch_so_far(rows: list[tuple[str, Verdict | str, Image | None]], total: int) -> str:
    return notice(f"Looking at file {len(rows) + 1} of {total}", "") + (batch_table(rows) if rows else "")


def _write_csv(file: Path, rows: list[tuple[str, Verdict | str, Image | None]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as sheet:
        writer = csv.writer(sheet)
        writer.writerow(["file", "kind", "verdict", "reason", "p_fake", "people", "model", "error"])
        for name, found, _ in rows:
            shown = not_a_formula(shown_name(name))
            if isinstance(found, str):
                writer.writerow([shown, "", "", "", "", "", "", found])
            else:
                p_fake = "" if found.p_fake is None else round(found.p_fake, 4)
                writer.writerow(
                    [
                        shown,
                        found.kind,
                        found.label,
                        found.reason or "",
                        p_fake,
                        len(found.tracks),
                        found.model.name,
                        "",
                    ]
                )


def thumbnails(entries: list[Entry]) -> list[tuple[Image, str]]:
    """What the history shows."""
    return [(entry.thumbnail, entry.caption) for entry in entries]


def reopened(entries: list[Entry], event: gr.SelectData) -> tuple[Any, ...]:
    """Answer, picture and faces of the entry that was clicked."""
    entry = entries[int(event.index)]
    return answer(entry.verdict), entry.picture, entry.cards
