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
from deepfake.media import Opener, open_media
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.provenance.credentials import in_sentences
from deepfake.records import Frame, Label, Score, Track, Verdict, WholePicture
from deepfake.report.catalogue import Catalogue
from deepfake.report.document import MAX_PICTURE_SIDE, Sheet, can_write
from deepfake.report.doubts import doubts
from deepfake.report.drawing import GREY, INK, LABEL_COLOURS, WHITE, paler, shrunk
from deepfake.report.error_rates import RATE_COLUMNS, error_sentences, rate_tables
from deepfake.report.files import annotate, face_pictures, suspicious_frames
from deepfake.report.heatmap import timeline
from deepfake.report.kept import Keeper, KeptFrame, keep_again
from deepfake.report.origin import origin_doubts, origin_facts, origin_marks, origin_sentences
from deepfake.report.whole_picture import patch_map, whole_sentences
from deepfake.report.words import ENGLISH, ICONS, LIMITS, headline, sentences, shown_name, spread
from deepfake.system.files import sha256_of, write_bytes

MAX_PICTURES = 6
"""Faces of a picture, or frames of a video, that are shown."""
MAX_PERSONS = 12
"""Lines of the table of persons."""


def write_pdf(
    verdict: Verdict,
    path: Path,
    *,
    name: str | None = None,
    made: datetime | None = None,
    model: Path = DEFAULT_MODEL,
    kept: Keeper | None = None,
    opener: Opener = open_media,
    say: Catalogue = ENGLISH,
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
        kept: What was kept of the file while it was judged; without, it is read again.
        opener: What then opens it.
        say: The language; English where this machine has no font for it, and the report says so.

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
    wanted, say = say, say if can_write(say.language) else ENGLISH
    sha256, size = _checksum(Path(verdict.path))
    kept = kept or keep_again(verdict, opener, MAX_PICTURES)
    footer = f"{shown_name(name, 36)} · SHA-256 {sha256[:16]}"
    with closing(Sheet(name, footer, made, say)) as sheet:
        if wanted is not say:
            sheet.text(say("report.no_font", language=wanted.language), 8, colour=GREY)
        _write_answer(sheet, verdict, name, model)
        sheet.heading(say("report.file"))
        length = say("report.bytes", bytes=f"{size:,}", megabytes=f"{size / 1e6:.2f}")
        sheet.facts([(say("report.name"), name), ("SHA-256", sha256), (say("report.size"), length)])
        sheet.facts(_facts(verdict, made, say))
        _write_origin(sheet, verdict)
        if not verdict.scores:
            sheet.pdf.ln(3)
            sheet.text(say("report.no_evidence"))
        elif verdict.kind == "picture":
            _write_picture_evidence(sheet, verdict, kept.worst_page)
        else:
            _write_video_evidence(sheet, verdict, kept)
        if verdict.whole_picture:
            _write_whole_picture(sheet, verdict.whole_picture, kept.worst_page.frame, model)
        _write_method(sheet, verdict, model)
        content = bytes(sheet.pdf.output())
    return write_bytes(path, content)


def _write_answer(sheet: Sheet, verdict: Verdict, name: str, model: Path) -> None:
    pdf, say, colour = sheet.pdf, sheet.say, LABEL_COLOURS[verdict.label]
    sheet.text(say("report.title"), 20, bold=True)
    sheet.text(name, 9, colour=GREY)
    pdf.ln(3)
    top = pdf.get_y()
    pdf.set_left_margin(40)
    pdf.set_xy(40, top + 1)
    number = say("report.no_number") if verdict.p_fake is None else say("report.p_fake", p_fake=f"{verdict.p_fake:.2f}")
    sheet.text(headline(verdict, say), 18, bold=True, colour=colour)
    sheet.text(say("report.verdict", label=say(f"report.{verdict.label}"), number=number), 11, bold=True)
    sheet.text(" ".join(sentences(verdict, say)))
    if verdict.p_fake is not None:
        sheet.text(" ".join([*error_sentences(verdict, model, say), *spread(verdict, say)]))
    for doubt in doubts(verdict):
        sheet.text(f"– {doubt(say)}")
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
    pdf, say, low, high = sheet.pdf, sheet.say, verdict.thresholds.real_below, verdict.thresholds.fake_above
    left, width, top, height = 26.0, pdf.epw - 12, pdf.get_y(), 8.0
    for label, start, end in ((Label.REAL, 0.0, low), (Label.INCONCLUSIVE, low, high), (Label.FAKE, high, 1.0)):
        pdf.set_fill_color(*paler(LABEL_COLOURS[label], 0.35))
        pdf.rect(left + start * width, top, (end - start) * width, height, style="F")
        sheet.style(8)
        if pdf.get_string_width(say(f"report.{label}")) + 2 < (end - start) * width:
            pdf.set_xy(left + start * width, top)
            pdf.cell((end - start) * width, height, say(f"report.{label}"), align="C")

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
    ends = (
        (say("report.real_below", low=f"{low:.2f}"), low, 0),
        (say("report.fake_from", high=f"{high:.2f}"), high, step),
    )
    for text, place, y in ends:
        pdf.line(left + place * width, top, left + place * width, top + height + 1.5)
        write(text, left + place * width, top + height + 2 + y)
    if verdict.p_fake is not None:
        mark = left + verdict.p_fake * width
        pdf.set_fill_color(*INK)
        pdf.polygon([(mark - 2, top - 3.2), (mark + 2, top - 3.2), (mark, top + 0.4)], style="F")
        sheet.style(8, bold=True)
        write(say("report.p_fake", p_fake=f"{verdict.p_fake:.2f}"), mark, top - 7.7)
    pdf.set_xy(20, top + height + 7 + step)


def _facts(verdict: Verdict, made: datetime, say: Catalogue) -> list[tuple[str, str]]:
    """What the file holds, and what looked at it."""
    content, source = [], verdict.source
    if source and verdict.kind == "picture":
        content.append((say("report.kind"), say("report.picture", width=source.width, height=source.height)))
    elif source:
        content.append((say("report.kind"), say("report.video", duration=f"{source.duration_s or 0:.2f}")))
    if verdict.kind == "video":
        frames = say("report.frames_text", read=verdict.frames_read, failed=verdict.frames_failed)
        content.append((say("report.frames"), frames))
    if verdict.credentials:
        content.append((say("report.credentials"), in_sentences(verdict.credentials)))
    return [
        *content,
        (say("report.made"), made.isoformat(timespec="seconds")),
        (say("report.program"), f"deepfake {__version__}"),
        (say("report.model"), verdict.model.name),
        (say("report.model_checksum"), verdict.model.sha256),
    ]


def _write_origin(sheet: Sheet, verdict: Verdict) -> None:
    """What the file says of its origin, and which marks were looked for."""
    say, origin = sheet.say, verdict.origin
    rows = origin_marks(origin, say)
    sheet.heading(say("origin.title"), 40)
    sheet.text(" ".join(origin_sentences(origin, say)))
    for doubt in origin_doubts(origin, say):
        sheet.text(f"– {doubt}")
    sheet.facts(origin_facts(origin, say))
    sheet.room(12 + 6 * len(rows))
    sheet.pdf.ln(2)
    sheet.table([say("origin.mark"), say("origin.result")], rows, [3, 4])
    sheet.text(say("origin.law"), 8.5, colour=GREY)


def _write_picture_evidence(sheet: Sheet, verdict: Verdict, page: KeptFrame) -> None:
    say, picture, scores = sheet.say, page.frame.image, page.scores
    sheet.heading(say("report.evidence"), 110)
    caption = say("report.picture_caption", count=len(scores))
    sheet.pictures([(annotate(picture, scores, verdict), caption)], columns=1, max_height=85)
    worst = sorted(scores, key=lambda score: -score.p_fake)[:MAX_PICTURES]
    which = "worst_faces" if len(scores) > len(worst) else "each_face"
    sheet.room(75)
    sheet.text(say(f"report.{which}", count=len(worst), legend=say("heat.legend")))
    gap = np.full((224, 8, 3), 255, np.uint8)
    pairs = [np.hstack([plain, gap, heat]) for plain, heat in face_pictures(picture, worst)]
    captions = [_caption(score, say) for score in worst]
    sheet.pictures(list(zip(pairs, captions, strict=True)), columns=2, max_height=42)


def _write_whole_picture(sheet: Sheet, whole: WholePicture, shown: Frame, model: Path) -> None:
    sheet.heading(sheet.say("whole_picture.title"))
    sheet.text(" ".join(whole_sentences(whole, model, sheet.say)))
    if shown.index == whole.page:
        mapped = patch_map(shown.image, whole)
        sheet.pictures([(mapped, sheet.say("whole_picture.legend"))], columns=1, max_height=85)


def _write_video_evidence(sheet: Sheet, verdict: Verdict, kept: Keeper) -> None:
    say = sheet.say
    plot = PIL.Image.open(io.BytesIO(timeline(verdict))).convert("RGB")
    height = sheet.pdf.epw * plot.height / plot.width
    sheet.heading(say("report.evidence"), height + 12)
    sheet.pdf.image(plot, w=sheet.pdf.epw, alt_text=say("report.over_time"))
    sheet.pdf.ln(2)
    tracks = verdict.tracks[:MAX_PERSONS]
    rows = [row for track in tracks for row in _person_rows(verdict, track, say)]
    head = [say("report.person"), "p_fake", say("report.frames_scored"), say("report.seen")]
    sheet.table(head, rows, [3, 2, 3, 4])
    left_out = len(verdict.tracks) - len(tracks)
    told = [say("report.left_out", count=left_out)] if left_out else []
    told += [say("report.part_note")] if verdict.parts else []
    sheet.text(" ".join([*told, say("report.brief")]), 8.5, colour=GREY)
    chosen = suspicious_frames(verdict, MAX_PICTURES)
    found = {
        frame.index: (
            shrunk(annotate(frame.image, scores, verdict), MAX_PICTURE_SIDE),
            say("report.frame", time=f"{frame.time_s:.2f}", p_fake=f"{max(score.p_fake for score in scores):.2f}"),
        )
        for frame, scores in ((own.frame, own.scores) for own in kept.frames)
        if frame.index in chosen
    }
    sheet.room(75)
    sheet.text(say("report.worst_frames", legend=say("heat.legend")))
    sheet.pictures([found[index] for index in chosen if index in found], columns=3, max_height=48)


def _person_rows(verdict: Verdict, track: Track, say: Catalogue) -> list[list[str]]:
    """The lines of one person: over the whole time, then each part that looks fake."""
    own = [verdict.times[score.face.frame_index] for score in verdict.scores if score.face.track == track.number]
    whole = [
        say("report.person_name", face=track.number + 1),
        f"{track.p_fake:.2f}",
        str(track.faces),
        f"{track.start_s:.2f}-{track.end_s:.2f}",
    ]
    parts = [
        [
            say("report.part_name", face=track.number + 1),
            f"{part.p_fake:.2f}",
            str(sum(part.from_s <= time_s <= part.to_s for time_s in own)),
            f"{part.from_s:.2f}-{part.to_s:.2f}",
        ]
        for part in verdict.parts
        if part.track == track.number
    ]
    return [whole, *parts]


def _write_method(sheet: Sheet, verdict: Verdict, model: Path) -> None:
    say = sheet.say
    sheet.heading(say("report.method"))
    sheet.text(say("report.method_1"))
    sheet.text(say("report.method_2", legend=say("heat.legend")))
    if verdict.kind == "video":
        sheet.text(say("report.method_video"))
    tables = rate_tables(model, verdict.model.sha256, say)
    heights = [22 + 6 * len(table.rows) for table in tables]
    sheet.heading(say("report.errors"), 18 + heights[0] if tables else 25)
    for table, height in zip(tables, heights, strict=True):
        sheet.room(height)
        sheet.text(table.title)
        sheet.table([say(column) for column in RATE_COLUMNS], table.rows, [22, 21, 31, 32, 32, 32])
        sheet.text(table.summary)
    sheet.text(say("report.errors_note" if tables else "errs.not_measured"))
    sheet.heading(say("report.cannot"))
    for limit in (*LIMITS, "report.origin"):
        sheet.room(15)
        sheet.text(f"– {say(limit)}")


def _caption(score: Score, say: Catalogue) -> str:
    face = say("report.face", face=(score.face.track or 0) + 1, p_fake=f"{score.p_fake:.2f}")
    shares = say("report.shares", visual=f"{score.visual:.0%}", noise=f"{score.noise:.0%}")
    gate = say("report.gate", visual=f"{score.gate[0]:.2f}", noise=f"{score.gate[1]:.2f}")
    return f"{face}\n{shares}\n{gate}"


def _checksum(path: Path) -> tuple[str, int]:
    """SHA-256 as hex, and the size in bytes."""
    try:
        return sha256_of(path), path.stat().st_size
    except OSError as error:
        raise MediaError(
            f"{path} can no longer be read: {error.strerror}. Put it back, or analyse it again."
        ) from error
