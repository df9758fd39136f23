"""The report in every language: its words are printed, not question marks."""

from __future__ import annotations

import pytest
from pypdf import PdfReader

from deepfake.report.catalogue import LANGUAGES, catalogue
from deepfake.report.document import can_write
from deepfake.report.pdf import write_pdf


@pytest.fixture(scope="module")
def verdict(detector, examples):
    return detector.detect(examples / "portrait.jpg")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_is_in_the_language_or_says_why_not(verdict, tmp_path, language):
    say = catalogue(language)
    reader = PdfReader(write_pdf(verdict, tmp_path / "report.pdf", say=say))
    written = language if can_write(language) else "en"
    assert str(reader.root_object["/Lang"]) == written
    # Of some fonts of a machine (OpenType's CFF) pypdf reads each letter as two bytes, where other readers do not.
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\0", "").split())
    assert verdict.model.sha256 in text, "a change of fonts does not outlast what needed it"
    assert "?" not in text.replace("/?", "")
    assert (catalogue()("report.no_font", language=language) in text) == (written != language)
    if written == language and language not in ("ar", "hi"):
        # Joined letters are glyphs that do not lead back to single letters.
        assert say("report.title") in text


def test_latin_languages_are_always_written():
    assert all(can_write(language) for language in ("en", "fr", "de", "es", "pt", "it"))
