"""Broken and odd files: each is read, or refused by a `MediaError`, and nothing else."""

from __future__ import annotations

import unicodedata
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from corpus import cases, damaged, name_cases, odd_cases
from corpus.sound import sound_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepfake.errors import LimitError, MediaError
from deepfake.media import kind_of, open_media
from deepfake.media.isolated import open_isolated
from deepfake.page.uploads import check_upload, without_path
from deepfake.records import MAX_SAMPLES, Sampling
from deepfake.report.files import MAX_STEM_BYTES, file_stem
from deepfake.report.words import MAX_NAME, shown_name
from deepfake.system.text import printable

PATIENT = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SLOW_KINDS = ("picture bombs", "video bombs")
MAGIC = (
    b"II*\0", b"MM\0*", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"BM", b"\0\0\0\x20ftyp",
    b"\0\0\0\x08moov", b"RIFF\0\0\0\0AVI ", b"\x1a\x45\xdf\xa3",
)  # fmt: skip


def frames_of(path, opener=open_media, most=8):
    """Number of frames that are read; 0 if the file is refused."""
    try:
        return sum(1 for _ in opener(path, Sampling(frames=most)))
    except MediaError as error:
        said = str(error)
    # What is wrong, and the remedy: neither a decoder's bare words, nor an exception that ended its process.
    assert said.count(". ") >= 1, said
    assert said.count(str(path)) == 1, said
    assert "exit status" not in said, said
    return 0


@given(st.sampled_from(MAGIC), st.binary(max_size=200))
@settings(PATIENT, max_examples=100)
def test_what_begins_like_a_known_format_has_a_kind_and_is_read_or_refused(tmp_path, magic, tail):
    path = tmp_path / "begun"
    path.write_bytes(magic + tail)
    assert kind_of(path) in ("picture", "video")
    frames_of(path)


@given(st.binary(max_size=32))
@settings(PATIENT, max_examples=100)
def test_any_bytes_have_a_kind_or_are_refused(tmp_path, content):
    path = tmp_path / "any.jpg"
    path.write_bytes(content)
    try:
        said: str = kind_of(path)
    except MediaError as error:
        said = str(error)
    assert said in ("picture", "video") or any(
        words in said for words in ("is empty", "neither a picture", "is not read here. Convert it: ")
    )


@given(
    st.integers(0, 18),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=6),
    st.floats(0, 1),
)
@settings(PATIENT, max_examples=120)
def test_a_file_with_other_bytes_in_it_is_read_or_refused(tmp_path, place, changes, end):
    content = bytearray(list(sound_files().values())[place])
    for where, piece in changes:
        start = int(where * (len(content) - len(piece)))
        content[start : start + len(piece)] = piece
    path = tmp_path / "changed"
    path.write_bytes(content[: len(content) - int(end * end * end * len(content))])
    frames_of(path)


@given(st.integers(0, 18), st.integers(0, 2**32 - 1))
@settings(PATIENT, max_examples=120)
def test_a_damaged_file_is_read_or_refused(tmp_path, place, seed):
    path = tmp_path / "damaged"
    path.write_bytes(damaged(list(sound_files().values())[place], np.random.default_rng(seed)))
    frames_of(path)


@given(
    st.fractions(min_value=0, max_value=10**30),
    st.integers(1, 300),
    st.none() | st.floats(1e-300, 1e300),
    st.floats(0, 1e12),
    st.none() | st.floats(1e-6, 1e15),
)
@settings(PATIENT, max_examples=200)
def test_times_are_in_order_within_what_is_searched_and_never_too_many(duration, frames, fps, start_s, length_s):
    end_s = None if length_s is None or start_s + length_s <= start_s else start_s + length_s
    sampling = Sampling(frames, fps, start_s, end_s)
    # Times are made only where they are few: a list of half a million takes a second.
    end = duration if end_s is None else min(duration, Fraction(end_s))
    if fps is not None and 5000 < (end - Fraction(start_s)) * Fraction(fps) <= MAX_SAMPLES:
        return
    if fps is not None and (end - Fraction(start_s)) * Fraction(fps) > MAX_SAMPLES:
        with pytest.raises(ValueError, match=f"At most {MAX_SAMPLES} frames"):
            sampling.times(duration)
        return
    times = sampling.times(duration)
    assert times == sorted(times)
    assert all(start_s <= time < end for time in times)
    assert len(times) in (0, frames) or fps is not None


@pytest.mark.parametrize(
    "wrong",
    [{"fps": float("inf")}, {"fps": float("nan")}, {"start_s": float("nan")}, {"start_s": float("inf")},
     {"end_s": float("nan")}, {"end_s": float("inf")}, {"frames": MAX_SAMPLES + 1}],
)  # fmt: skip
def test_a_sampling_without_end_is_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        Sampling(**wrong)


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zs", "Mn", "Lo"]), max_size=300))
@settings(PATIENT, max_examples=200)
def test_a_shown_name_is_one_short_line_without_folders_and_what_does_not_show(name):
    shown = shown_name(name)
    assert 0 < len(shown) <= MAX_NAME
    assert not set(shown) & set("/\\")
    assert all(letter == " " or unicodedata.category(letter)[0] not in "CZ" for letter in shown)
    assert shown == shown.strip() == " ".join(shown.split())


@given(st.text(st.characters(), max_size=300))
@settings(PATIENT, max_examples=100)
def test_what_is_printed_can_be_encoded_and_steers_no_terminal(name):
    assert printable(name).isprintable()
    printable(name).encode()
    assert printable("Plain näme.jpg") == "Plain näme.jpg"
    assert len(file_stem(name).encode("utf-8", "replace")) <= MAX_STEM_BYTES
    assert name.startswith(file_stem(name))


@given(st.text(st.characters(), max_size=300), st.sampled_from(["", ".jpg", ".MP4", ".exe"]))
@settings(PATIENT, max_examples=150)
def test_an_upload_of_any_name_is_refused_without_naming_the_server(tmp_path, name, suffix):
    path = str(tmp_path) + "/" + name + suffix
    with pytest.raises((MediaError, LimitError)) as caught:
        check_upload(path, [tmp_path])
    assert str(tmp_path) not in without_path(caught.value, path)


def test_a_loop_of_links_is_no_upload(tmp_path):
    one, other = tmp_path / "one.jpg", tmp_path / "other.jpg"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(MediaError):
        check_upload(one, [tmp_path])
    with pytest.raises(MediaError):
        kind_of(one)


@pytest.mark.parametrize("case", list(name_cases()), ids=lambda case: case.title)
def test_a_sound_file_is_read_whatever_its_name(tmp_path, monkeypatch, case):
    path = case.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert frames_of(path) == frames_of(Path(case.file)) == (8 if path.suffix == ".mp4" else 1)


@pytest.mark.parametrize(
    "case", [case for case in odd_cases() if case.kind not in SLOW_KINDS], ids=lambda case: case.name
)
def test_an_odd_file_is_read_or_refused(tmp_path, case):
    frames_of(case.write(tmp_path), most=3)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in odd_cases() if case.kind in SLOW_KINDS], ids=lambda case: case.name)
def test_a_harmful_file_is_read_or_refused(tmp_path, case):
    frames_of(case.write(tmp_path), open_isolated, most=3)


@pytest.mark.slow
def test_every_file_of_the_corpus_is_read_or_refused_in_another_process(tmp_path):
    for number, case in enumerate(cases(2000)):
        path = case.write(tmp_path / str(number))
        frames_of(path, open_isolated, 24)
        path.unlink()
