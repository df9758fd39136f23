from __future__ import annotations

import dataclasses
import re

import pytest

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.about import about
from deepfake.records import Label, Note, Part, Reason
from deepfake.report.words import (
    ENGLISH,
    LIMITS,
    MAX_NAME,
    TRACES,
    VERY_LIKELY,
    headline,
    of_hundred,
    sentences,
    shown_name,
)


def fake(verdict, p_fake=0.98, **changes):
    """The verdict, as that on a fake."""
    given = {"expert_logits": (), **changes.pop("track", {})}
    tracks = (dataclasses.replace(verdict.tracks[0], p_fake=p_fake, **given),)
    scores = tuple(dataclasses.replace(score, p_fake=p_fake) for score in verdict.scores)
    return dataclasses.replace(
        verdict,
        label=Label.FAKE,
        reason=None,
        p_fake=p_fake,
        tracks=tracks,
        scores=scores,
        **{"experts": (), **changes},
    )


def test_the_headline_is_in_words_of_everyday_life(picture):
    assert headline(fake(picture)) == "Very likely manipulated: 98 of 100"
    assert headline(fake(picture, VERY_LIKELY - 0.05)) == "Likely manipulated: 90 of 100"
    real = dataclasses.replace(picture, label=Label.REAL, reason=None)
    assert headline(real) == "No clear traces found"
    for reason in Reason:
        found = dataclasses.replace(picture, label=Label.INCONCLUSIVE, reason=reason)
        assert headline(found) == f"Cannot tell: {ENGLISH(f'reason.{reason}')}"
        assert sentences(found) == [ENGLISH(f"sentence.{reason}")]


def test_nothing_is_certain():
    assert [of_hundred(p_fake) for p_fake in (0.0, 0.004, 0.5, 0.9999, 1.0)] == [1, 1, 50, 99, 99]


def test_the_page_names_the_same_limits_as_the_report():
    told = about(DEFAULT_MODEL)
    assert all(f"- {ENGLISH(limit)}" in told for limit in LIMITS)


def test_a_sentence_never_says_is(picture):
    for verdict in (fake(picture), dataclasses.replace(picture, label=Label.REAL, reason=None)):
        assert " looks " in sentences(verdict)[0]
        assert not re.search(r"\bis (a )?(fake|real|manipulated)\b", " ".join(sentences(verdict)))


def test_a_part_that_decides_is_named(video):
    part = Part(track=0, from_s=1.24, to_s=3.0, p_fake=0.97, expert_logits=video.tracks[0].expert_logits)
    found = dataclasses.replace(video, label=Label.FAKE, reason=None, p_fake=0.97, parts=(part,))
    assert "from 1.2 s to 3.0 s (face 1)" in " ".join(sentences(found))
    assert found.decisive is video.tracks[0]


def test_how_the_file_was_looked_at_is_told(picture):
    for note in Note:
        assert sentences(dataclasses.replace(picture, notes=(note,)))[-1] == ENGLISH(f"note.{note}")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.png", "a.png"),
        ("a\nb\tc.jpg", "a b c.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("", "file"),
        ("\x00", "file"),
    ],
)
def test_names_are_shown_in_one_line_without_folders(name, shown):
    assert shown_name(name) == shown


def test_long_names_lose_their_middle():
    shown = shown_name("x" * 300 + ".jpg")
    assert len(shown) == MAX_NAME
    assert shown.endswith("x.jpg")
    assert "…" in shown


def test_a_fake_is_told_with_its_kind_of_trace(picture):
    for trace, logits in (("blended", (2.0, 1.0)), ("generated", (-1.0, 3.0))):
        assert trace in TRACES
        verdict = fake(picture, experts=TRACES, track={"expert_logits": logits})
        assert sentences(verdict)[0] == ENGLISH(f"sentence.{trace}")
        assert ("generated" in headline(verdict)) == (trace == "generated")
    assert sentences(fake(picture))[0] == "The face looks manipulated or generated."
    own = fake(picture, experts=("moved", "melted"), track={"expert_logits": (2.0, 1.0)})
    assert sentences(own)[0] == "The face looks moved."


def test_who_was_seen_too_briefly_decides_no_words(picture):
    verdict = fake(picture, experts=TRACES, track={"expert_logits": (2.0, 1.0)})
    brief = dataclasses.replace(verdict.tracks[0], number=7, p_fake=0.999, faces=1, expert_logits=(0.0, 9.0))
    verdict = dataclasses.replace(verdict, tracks=(brief, *verdict.tracks))
    assert sentences(verdict)[0].startswith("The most suspicious face looks blended")
