from __future__ import annotations

import dataclasses
import hashlib
import logging
import re
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from pypdf import PdfReader

import deepfake.report.pdf
from deepfake.errors import BundleError, MediaError
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.model.metrics import read_metrics
from deepfake.records import Label, Reason, Thresholds
from deepfake.report.pdf import write_pdf
from deepfake.report.words import ENGLISH, LIMITS, headline, sentences

HOSTILE = "../../<script>\n\u202e 𝔘😀 日本.jpg" * 20


def text_of(path):
    """All of a PDF's text, its lines joined."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def pictures_in(path):
    return [image for page in PdfReader(path).pages for image in page.images]


def test_the_report_says_what_was_judged_by_whom_and_how(picture, examples, tmp_path):
    path = tmp_path / "new" / "report.pdf"
    assert write_pdf(picture, path) == path
    text = text_of(path)
    content = (examples / "portrait.jpg").read_bytes()
    assert hashlib.sha256(content).hexdigest() in text
    assert f"{len(content):,} bytes" in text
    assert "portrait.jpg" in text
    assert "512 x 512 pixels" in text
    assert f"Verdict: {picture.label} · p_fake {picture.p_fake:.2f}" in text
    assert headline(picture) in text
    assert " ".join(sentences(picture)) in text
    assert all(ENGLISH(limit) in text for limit in LIMITS)
    assert picture.model.name in text
    assert picture.model.sha256 in text
    assert f"real below {picture.thresholds.real_below:.2f}" in text
    (score,) = picture.scores
    assert f"visual {score.visual:.0%}, noise {score.noise:.0%}" in text
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("section", ["test", "clips"])
def test_the_error_rates_are_the_measured_ones(picture, tmp_path, section):
    text = text_of(write_pdf(picture, tmp_path / "report.pdf"))
    measured = getattr(read_metrics(DEFAULT_MODEL), section)
    parts = measured.sources if section == "test" else measured.methods
    for name, found in [*parts.items(), ("all", measured.all)]:
        assert f"{name} {found.count.real:,} + {found.count.fake:,} " in text
        if found.auc is not None:
            low, high = found.auc_interval
            assert f"{found.auc:.3f} ({low:.3f}-{high:.3f})" in text
        for called in filter(None, (found.real_called, found.fake_called)):
            assert f"{called.fake.share:.1%} (" in text


@pytest.mark.parametrize("metrics", [None, "{}", '{"test": null}', '{"format": 2}'])
def test_a_bundle_without_measures_says_so(faceless, tmp_path, metrics):
    shutil.copy(DEFAULT_MODEL / "bundle.json", tmp_path)
    if metrics is not None:
        (tmp_path / "metrics.json").write_text(metrics)
    text = text_of(write_pdf(faceless, tmp_path / "report.pdf", model=tmp_path))
    assert ENGLISH("errs.not_measured") in text
    assert "AUC" not in text


def test_measures_that_cannot_be_read_are_no_missing_ones(faceless, tmp_path):
    shutil.copy(DEFAULT_MODEL / "bundle.json", tmp_path)
    (tmp_path / "metrics.json").write_text('{"format": 2, "tests": {}}')
    with pytest.raises(BundleError, match="metrics.json cannot be used: Unknown key tests."):
        write_pdf(faceless, tmp_path / "report.pdf", model=tmp_path)
    assert not (tmp_path / "report.pdf").exists()


def test_the_measures_of_another_model_are_not_printed(faceless, tmp_path):
    other = dataclasses.replace(faceless, model=dataclasses.replace(faceless.model, sha256="0" * 64))
    assert ENGLISH("errs.not_measured") in text_of(write_pdf(other, tmp_path / "report.pdf"))


def test_a_picture_is_shown_with_its_heat_map_and_each_face(picture, tmp_path):
    drawn = pictures_in(write_pdf(picture, tmp_path / "report.pdf"))
    assert [image.image.size for image in drawn] == [(512, 512), (2 * 224 + 8, 224)]


def test_at_most_six_faces_the_most_suspicious_first(picture, tmp_path):
    (score,) = picture.scores
    scores = tuple(
        dataclasses.replace(score, p_fake=number / 10, face=dataclasses.replace(score.face, track=number))
        for number in range(8)
    )
    path = write_pdf(dataclasses.replace(picture, scores=scores), tmp_path / "report.pdf")
    found = re.findall(r"Face (\d): p_fake (0\.\d\d)", text_of(path))
    assert found == [(str(number + 1), f"{number / 10:.2f}") for number in range(7, 1, -1)]


def test_a_video_is_shown_by_its_timeline_and_its_most_suspicious_frames(video, tmp_path):
    path = write_pdf(video, tmp_path / "report.pdf")
    text = text_of(path)
    assert len(pictures_in(path)) == 1 + 6
    worst = sorted(video.scores, key=lambda score: -score.p_fake)[:6]
    captions = [f"{video.times[score.face.frame_index]:.2f} s: p_fake {score.p_fake:.2f}" for score in worst]
    assert all(caption in text for caption in captions)
    assert re.findall(r"\d\.\d\d s: p_fake", text) == [caption[:-5] for caption in captions]
    assert "24 read, 0 could not be decoded" in text
    (track,) = video.tracks
    assert f"face 1 {track.p_fake:.2f} 24 {track.start_s:.2f}-{track.end_s:.2f}" in text


def test_the_part_that_decided_is_in_the_table_and_its_thresholds_on_the_scale(video, tmp_path):
    (part,) = video.parts
    assert video.p_fake == part.p_fake != video.tracks[0].p_fake
    decided = dataclasses.replace(video, thresholds=Thresholds(0.33, 0.81))
    text = text_of(write_pdf(decided, tmp_path / "report.pdf"))
    frames = sum(part.from_s <= time_s <= part.to_s for time_s in video.times.values())
    assert f"face 1, a part {part.p_fake:.2f} {frames} {part.from_s:.2f}-{part.to_s:.2f}" in text
    assert ENGLISH("report.part_note") in text
    assert "real below 0.33" in text
    assert "fake from 0.81" in text


def test_a_file_without_a_face_has_a_reason_and_no_evidence(faceless, tmp_path):
    path = write_pdf(faceless, tmp_path / "report.pdf")
    text = text_of(path)
    assert "Verdict: inconclusive" in text
    assert "Cannot tell: no face found" in text
    assert " ".join(sentences(faceless)) in text
    assert "no evidence to show" in text
    assert not pictures_in(path)


def test_persons_without_a_verdict_are_shown_nevertheless(video, tmp_path):
    unjudged = dataclasses.replace(video, label=Label.INCONCLUSIVE, reason=Reason.TOO_FEW_FRAMES, p_fake=None)
    path = write_pdf(unjudged, tmp_path / "report.pdf")
    assert len(pictures_in(path)) == 1 + 6
    assert "no face could be judged" in text_of(path)


@pytest.mark.parametrize("low_high", [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.01, 0.02)])
def test_thresholds_at_the_ends_are_still_named(faceless, tmp_path, low_high):
    low, high = low_high
    text = text_of(write_pdf(dataclasses.replace(faceless, thresholds=Thresholds(low, high)), tmp_path / "report.pdf"))
    assert f"real below {low:.2f}" in text
    assert f"fake from {high:.2f}" in text


def test_a_hostile_name_is_printed_in_one_line_without_its_path(picture, tmp_path):
    path = write_pdf(picture, tmp_path / "report.pdf", name=HOSTILE)
    lines = [line for page in PdfReader(path).pages for line in page.extract_text().splitlines()]
    assert "<script> ?😀 ??.jpg" in lines
    text = "\n".join(lines) + PdfReader(path).metadata.title
    assert "/" not in PdfReader(path).metadata.title
    assert ".." not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "name", ["", "/", "\udcff\udc80", "\0", "e\u0301" * 500, "W" * 5000, "{nb}", "**a**", "שלום.png"]
)
def test_any_name_can_be_printed(faceless, tmp_path, name):
    path = write_pdf(faceless, tmp_path / "report.pdf", name=name)
    assert len(PdfReader(path).pages) <= 3


def test_a_long_name_keeps_its_beginning_and_its_end(faceless, tmp_path):
    path = write_pdf(faceless, tmp_path / "report.pdf", name=f"begin{'x' * 400}end.jpg")
    title = PdfReader(path).metadata.title
    assert re.fullmatch(r"Deepfake analysis report: beginx+…x+end\.jpg", title)
    assert len(title) < 160


def test_no_folder_is_named(picture, root, tmp_path):
    copied = tmp_path / "secret folder" / "portrait.jpg"
    copied.parent.mkdir()
    shutil.copy(picture.path, copied)
    path = write_pdf(dataclasses.replace(picture, path=str(copied)), tmp_path / "report.pdf")
    for hidden in ("secret", str(tmp_path), str(root)):
        assert hidden not in text_of(path)
        assert hidden.encode() not in path.read_bytes()


def test_the_date_the_language_and_the_page_numbers(faceless, tmp_path):
    made = datetime(2026, 11, 21, 9, 30, 5, 999, tzinfo=timezone(timedelta(hours=2)))
    reader = PdfReader(write_pdf(faceless, tmp_path / "report.pdf", made=made))
    assert reader.metadata.title == "Deepfake analysis report: no_face.jpg"
    assert reader.metadata.creation_date == made.replace(microsecond=0)
    assert str(reader.root_object["/Lang"]) == "en"
    sha256 = hashlib.sha256(Path(faceless.path).read_bytes()).hexdigest()
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert f"Page {number} / {len(reader.pages)}" in text
        assert f"no_face.jpg · SHA-256 {sha256[:16]}" in text
    found = re.search(r"Report made (\S+)", text_of(tmp_path / "report.pdf"))
    assert datetime.fromisoformat(found[1]) == made.replace(microsecond=0)


def test_nothing_is_left_when_the_drawing_fails(picture, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no ink")

    monkeypatch.setattr(deepfake.report.pdf, "face_pictures", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        write_pdf(picture, tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_when_the_writing_fails(faceless, tmp_path):
    (tmp_path / "report.pdf").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_pdf(faceless, tmp_path / "report.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"]


def test_a_file_that_is_gone_is_an_error(picture, tmp_path):
    gone = dataclasses.replace(picture, path=str(tmp_path / "gone.jpg"))
    with pytest.raises(MediaError, match=r"gone\.jpg can no longer be read"):
        write_pdf(gone, tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())


def test_the_log_stays_quiet(faceless, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        write_pdf(faceless, tmp_path / "report.pdf")
    assert not caplog.records


def test_a_report_never_says_is(picture, tmp_path):
    for label in (Label.REAL, Label.FAKE):
        judged = dataclasses.replace(picture, label=label)
        text = text_of(write_pdf(judged, tmp_path / "report.pdf"))
        assert headline(judged) in text
        assert not re.search(r"\bis (a )?(real|fake|manipulated|generated)\b", text)
