from __future__ import annotations

import dataclasses

import pytest

from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.about import about
from deepfake.records import Label, Part, Reason
from deepfake.report.words import (
    LIMITS,
    MAX_NAME,
    REASONS,
    TRACES,
    advice,
    headline,
    sentence,
    shown_name,
)


def test_every_reason_is_told_in_each_way(picture, video):
    assert set(REASONS) == set(Reason)
    for verdict in (picture, dataclasses.replace(video, scores=())):
        for reason in Reason:
            found = dataclasses.replace(verdict, label=Label.INCONCLUSIVE, reason=reason)
            assert headline(found) == f"Inconclusive ({REASONS[reason].words})"
            assert sentence(found) == REASONS[reason].sentence
            assert "{" not in advice(found)
    uncertain = dataclasses.replace(video, label=Label.INCONCLUSIVE, reason=Reason.UNCERTAIN)
    assert advice(uncertain).endswith("closer to the original or another moment of the video.")


def test_the_page_names_the_same_limits_as_the_report():
    assert all(f"- {limit}\n" in about(DEFAULT_MODEL) for limit in LIMITS)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_sentence(picture, reason):
    text = sentence(dataclasses.replace(picture, label=Label.INCONCLUSIVE, reason=reason))
    assert text.endswith(".")


def test_a_sentence_never_says_is(picture):
    for label in (Label.REAL, Label.FAKE):
        assert " looks " in sentence(dataclasses.replace(picture, label=label, reason=None))


def test_a_part_that_decides_is_named(video):
    part = Part(track=0, from_s=1.24, to_s=3.0, p_fake=0.97, expert_logits=video.tracks[0].expert_logits)
    found = dataclasses.replace(video, label=Label.FAKE, reason=None, p_fake=0.97, parts=(part,))
    assert sentence(found).startswith("From 1.2 s to 3.0 s face 1 looks ")


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
    (track,) = picture.tracks
    experts = ("blended", "generated")

    def told(**changes):
        return sentence(dataclasses.replace(picture, label=Label.FAKE, reason=None, p_fake=track.p_fake, **changes))

    for logits, words in (((2.0, 1.0), TRACES["blended"]), ((-1.0, 3.0), TRACES["generated"])):
        said = told(experts=experts, tracks=(dataclasses.replace(track, expert_logits=logits),))
        assert said == f"The face {words}."
    plain = dataclasses.replace(track, expert_logits=())
    assert told(experts=(), tracks=(plain,)) == "The face looks manipulated or generated."
    brief = dataclasses.replace(track, number=7, p_fake=0.999, faces=1, expert_logits=(0.0, 9.0))
    decisive = dataclasses.replace(track, expert_logits=(2.0, 1.0))
    assert told(experts=experts, tracks=(brief, decisive)).startswith("The most suspicious face looks blended")
