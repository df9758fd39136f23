"""Verdict -> PDF: the report about one file that a person keeps, prints or hands on."""

from __future__ import annotations

import io
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import PIL.Image

from deepfake import __version__
from deepfake.errors import MediaError
from deepfake.media import MediaReader, Opener, open_media
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.provenance.credentials import in_sentences
from deepfake.records import Image, Label, Score, Verdict
from deepfake.report.document import MAX_PICTURE_SIDE, Sheet
from deepfake.report.drawing import GREY, INK, LABEL_COLOURS, WHITE, paler, shrunk
from deepfake.report.error_rates import RATE_COLUMNS, rate_tables
from deepfake.report.files import annotate, annotated_frames, face_pictures, suspicious_frames, worst_page
from deepfake.report.heatmap import timeline
from deepfake.report.words import (
    HEAT_LEGEND,
    ICONS,
    LIMITS,
    NOT_MEASURED,
    WORDS,
    advice,
    sentence,
    shown_name,
)
from deepfake.system.files import sha256_of, write_bytes

MAX_PICTURES = 6
"""Faces of a picture, or frames of a video, that are shown."""
MAX_PERSONS = 12
"""Lines of the table of persons."""

_METHOD = (
    "The faces were found and cut out, and small neural networks looked at each in two ways: the visual stream at what "
    "the face shows, the noise stream at the fine grain that camera and compression left behind, which editing often "
    "disturbs. A gate decides for each face how much either counts.",
    "What speaks for fake and what speaks for real is added up over the face, and the sum is turned into p_fake: 0 for "
    "real, 1 for fake, set so that it would be a fair probability if fakes were as common as real faces. The heat map "
    f"shows that very sum, spot by spot: {HEAT_LEGEND}.",
)
_METHOD_VIDEO = (
    "Of a video, frames spread over the time searched were looked at. Each person was followed from frame to frame; "
    "a person's p_fake is the mean over these frames without the lowest and the highest fifth. The file's is that of "
    "the most suspicious person who is seen in enough frames."
)


def write_pdf(
    verdict: Verdict,
    path: Path,
    *,
    name: str | None = None,
    made: datetime | None = None,
    model: Path = DEFAULT_MODEL,
    opener: Opener = open_media,
) -> Path:
    """Writes the report about one file: the answer, the file's identity, the evidence, the method and its errors.

    The document appears whole or not at all. It names no folder. Characters that the font lacks, and those that
    would not show or would turn the text around, are printed as `?`.

    Args:
        verdict: Of a file that is still there.
        path: The PDF to write; its folder is made if absent, and a file that is there is replaced.
        name: The file's name to print, without its folders; the default is that of the verdict's file.
        made: The date to print; the default is now. One without a time zone is taken as local.
        model: Folder of the bundle that answered. Its error rates are printed if they were measured; those of
            another bundle than the verdict's are not.
        opener: What opens the verdict's file.

    Returns:
        `path`.

    Raises:
        MediaError: If the file can no longer be read.

    Example:

    >>> import tempfile
    >>> from deepfake import detect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pdf(detect("examples/no_face.jpg"), Path(folder) / "report.pdf").read_bytes()[:5]
    b'%PDF-'
    """
    made = (made or datetime.now()).astimezone()
    name = shown_name(verdict.path if name is None else name)
    sha256, size = _checksum(Path(verdict.path))
    media = opener(verdict.path, verdict.sampling)
    picture, scores = worst_page(verdict, opener) if media.kind == "picture" else (None, [])
    footer = f"{shown_name(name, 36)} · SHA-256 {sha256[:16]}"
    with closing(Sheet(name, footer, made)) as sheet:
        _write_answer(sheet, verdict, name)
        sheet.heading("The file")
        sheet.facts([("Name", name), ("SHA-256", sha256), ("Size", f"{size:,} bytes ({size / 1e6:.2f} MB)")])
        sheet.facts(_facts(verdict, media, picture, made))
        if not verdict.scores:
            sheet.pdf.ln(3)
            sheet.text("No face could be scored, so there is no evidence to show.")
        elif picture is not None:
            _write_picture_evidence(sheet, verdict, picture, scores)
        else:
            _write_video_evidence(sheet, verdict, opener)
        _write_method(sheet, verdict, model)
        content = bytes(sheet.pdf.output())
    return write_bytes(path, content)


def _write_answer(sheet: Sheet, verdict: Verdict, name: str) -> None:
    pdf, colour = sheet.pdf, LABEL_COLOURS[verdict.label]
    sheet.text("Deepfake analysis report", 20, bold=True)
    sheet.text(name, 9, colour=GREY)
    pdf.ln(3)
    top = pdf.get_y()
    pdf.set_left_margin(40)
    pdf.set_xy(40, top + 1)
    number = "no face could be judged" if verdict.p_fake is None else f"p_fake {verdict.p_fake:.2f}"
    sheet.text(WORDS[verdict.label], 18, bold=True, colour=colour)
    sheet.text(f"Verdict: {verdict.label} · {number}", 11, bold=True)
    sheet.text(sentence(verdict))
    if verdict.reason:
        sheet.text(f"Reason: {str(verdict.reason).replace('_', ' ')}", colour=GREY)
    pdf.set_left_margin(20)
    height = pdf.get_y() - top
    pdf.set_fill_color(*colour)
    pdf.rect(20, top, 2.5, height, style="F")
    pdf.circle(31, top + 7.5, 5.5, style="F")
    sheet.style(16, bold=True, colour=WHITE)
    pdf.set_xy(25, top + 2)
    pdf.cell(12, 11, ICONS[verdict.label], align="C")
    pdf.set_xy(20, top + height + (4 if verdict.p_fake is None else 10))
    _draw_scale(sheet, verdict)


def _draw_scale(sheet: Sheet, verdict: Verdict) -> None:
    """A bar from 0 to 1: the real end, the inconclusive band, the fake end, and a mark at p_fake."""
    pdf, low, high = sheet.pdf, verdict.thresholds.real_below, verdict.thresholds.fake_above
    left, width, top, height = 26.0, pdf.epw - 12, pdf.get_y(), 8.0
    for label, start, end in ((Label.REAL, 0.0, low), (Label.INCONCLUSIVE, low, high), (Label.FAKE, high, 1.0)):
        pdf.set_fill_color(*paler(LABEL_COLOURS[label], 0.35))
        pdf.rect(left + start * width, top, (end - start) * width, height, style="F")
        sheet.style(8)
        if pdf.get_string_width(label) + 2 < (end - start) * width:
            pdf.set_xy(left + start * width, top)
            pdf.cell((end - start) * width, height, label, align="C")

    def write(text: str, centre: float, y: float) -> None:
        room = pdf.get_string_width(text)
        pdf.set_xy(min(max(centre - room / 2, 20.0), 20 + pdf.epw - room), y)
        pdf.cell(room, 4, text)

    sheet.style(8, colour=GREY)
    write("0", left - 3, top + 2)
    write("1", left + width + 3, top + 2)
    pdf.set_draw_color(*GREY)
    # The texts stand one above the other where the thresholds are too close for one line.
    step = 4 if high - low < 0.25 or low < 0.1 or high > 0.9 else 0
    for text, place, y in ((f"real below {low:.2f}", low, 0), (f"fake from {high:.2f}", high, step)):
        pdf.line(left + place * width, top, left + place * width, top + height + 1.5)
        write(text, left + place * width, top + height + 2 + y)
    if verdict.p_fake is not None:
        mark = left + verdict.p_fake * width
        pdf.set_fill_color(*INK)
        pdf.polygon([(mark - 2, top - 3.2), (mark + 2, top - 3.2), (mark, top + 0.4)], style="F")
        sheet.style(8, bold=True)
        write(f"p_fake {verdict.p_fake:.2f}", mark, top - 7.7)
    pdf.set_xy(20, top + height + 7 + step)


def _facts(verdict: Verdict, media: MediaReader, picture: Image | None, made: datetime) -> list[tuple[str, str]]:
    """What the file holds, and what looked at it."""
    if picture is not None:
        content = [("Kind", f"picture, {picture.shape[1]} x {picture.shape[0]} pixels")]
    else:
        frames = f"{verdict.frames_read} read, {verdict.frames_failed} could not be decoded"
        content = [("Kind", f"video, {float(media.duration):.2f} s"), ("Frames", frames)]
    if verdict.credentials:
        content.append(("Credentials", in_sentences(verdict.credentials)))
    return [
        *content,
        ("Report made", made.isoformat(timespec="seconds")),
        ("Program", f"deepfake {__version__}"),
        ("Model", verdict.model.name),
        ("Its SHA-256", verdict.model.sha256),
    ]


def _write_picture_evidence(sheet: Sheet, verdict: Verdict, picture: Image, scores: list[Score]) -> None:
    sheet.heading("Evidence", 110)
    number = len(scores)
    caption = f"The picture with {number} scored face{'s' if number > 1 else ''}: face number, answer and p_fake."
    sheet.pictures([(annotate(picture, scores, verdict), caption)], columns=1, max_height=85)
    worst = sorted(scores, key=lambda score: -score.p_fake)[:MAX_PICTURES]
    which = f"Each of the {len(worst)} most suspicious faces" if number > len(worst) else "Each face"
    sheet.room(75)
    sheet.text(
        f"{which} as the network saw it, plain and with its heat map: {HEAT_LEGEND}. Shares say "
        "how much of the evidence, for or against, each stream gave; the gate is the weight that each was granted."
    )
    gap = np.full((224, 8, 3), 255, np.uint8)
    pairs = [np.hstack([plain, gap, heat]) for plain, heat in face_pictures(picture, worst)]
    sheet.pictures(list(zip(pairs, map(_caption, worst), strict=True)), columns=2, max_height=42)


def _write_video_evidence(sheet: Sheet, verdict: Verdict, opener: Opener) -> None:
    plot = PIL.Image.open(io.BytesIO(timeline(verdict))).convert("RGB")
    height = sheet.pdf.epw * plot.height / plot.width
    sheet.heading("Evidence", height + 12)
    alt_text = "p_fake over time, a line for each person, with the two thresholds"
    sheet.pdf.image(plot, w=sheet.pdf.epw, alt_text=alt_text)
    sheet.pdf.ln(2)
    tracks = verdict.tracks[:MAX_PERSONS]
    rows = [
        [f"face {track.number + 1}", f"{track.p_fake:.2f}", str(track.faces), f"{track.start_s:.2f}-{track.end_s:.2f}"]
        for track in tracks
    ]
    sheet.table(["person", "p_fake", "frames scored", "seen from-to (s)"], rows, [3, 2, 3, 4])
    left_out = len(verdict.tracks) - len(tracks)
    more = f"{left_out} less suspicious persons are left out of the table. " if left_out else ""
    sheet.text(f"{more}A person seen in too few frames is listed, but does not count.", 8.5, colour=GREY)
    chosen = suspicious_frames(verdict, MAX_PICTURES)
    found = {
        frame.index: (
            shrunk(frame.image, MAX_PICTURE_SIDE),
            f"{frame.time_s:.2f} s: p_fake {max(score.p_fake for score in scores):.2f}",
        )
        for frame, scores in annotated_frames(verdict, opener=opener)
        if frame.index in chosen
    }
    sheet.room(75)
    sheet.text(f"The most suspicious frames, with their heat maps: {HEAT_LEGEND}.")
    sheet.pictures([found[index] for index in chosen if index in found], columns=3, max_height=48)


def _write_method(sheet: Sheet, verdict: Verdict, model: Path) -> None:
    sheet.heading("How it was done")
    for paragraph in (*_METHOD, *([_METHOD_VIDEO] if verdict.kind == "video" else [])):
        sheet.text(paragraph)
    tables = rate_tables(model, verdict.model.sha256)
    sheet.heading("How often it errs", 75 if tables else 25)
    for table in tables:
        sheet.room(22 + 6 * len(table.rows))
        sheet.text(table.title)
        sheet.table(RATE_COLUMNS, table.rows, [22, 21, 31, 32, 32, 32])
        sheet.text(table.summary)
    sheet.text(
        "AUC is how often a fake gets a higher p_fake than a real one: 1 is perfect, 0.5 is guessing. 95% intervals "
        "in brackets. Answers that are neither are inconclusive. Other files may fare better or worse than these."
        if tables
        else NOT_MEASURED
    )
    sheet.heading("What it cannot say")
    change = (
        f"What could change the answer: {advice(verdict)} Best is the original file as the camera wrote it: look for "
        "the first place where it was published, and ask who made it."
    )
    for limit in (*LIMITS, change):
        sheet.room(15)
        sheet.text(f"– {limit}")


def _caption(score: Score) -> str:
    return (
        f"Face {(score.face.track or 0) + 1}: p_fake {score.p_fake:.2f}\n"
        f"Share of the evidence: visual {score.visual:.0%}, noise {score.noise:.0%}\n"
        f"Gate: visual {score.gate[0]:.2f}, noise {score.gate[1]:.2f}"
    )


def _checksum(path: Path) -> tuple[str, int]:
    """SHA-256 as hex, and the size in bytes."""
    try:
        return sha256_of(path), path.stat().st_size
    except OSError as error:
        raise MediaError(
            f"{path} can no longer be read: {error.strerror}. Put it back, or analyse it again."
        ) from error
