"""Content Credentials: files are signed here, corrupted, and read."""

from __future__ import annotations

import html
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import replace

import PIL.Image
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from deepfake.cli.main import main
from deepfake.errors import DeepfakeError, MediaError
from deepfake.media import isolated, open_media
from deepfake.media.containers import MAX_BOXES, credentials_in, holds_credentials
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.answers import answer
from deepfake.provenance.c2pa import read_credentials, trust_anchors
from deepfake.provenance.credentials import MAX_TEXT, AiShare, Credentials, State, in_a_word, in_sentences
from deepfake.report.pdf import write_pdf

CAMERA = Credentials(State.VALID, signer="Test Studio", generator="Test Camera 1.0")
CHANGED = ("the file was changed after it was signed",)
HOSTILE = "<img src=x onerror=alert(1)>\r\n\u202e" + "A" * 10_000 + "<script>"
PICTURES = ["jpg", "png", "webp", "tif"]


@pytest.fixture(scope="module")
def sources(examples, tmp_path_factory):
    """A small picture of each format, without credentials."""
    folder = tmp_path_factory.mktemp("sources")
    with PIL.Image.open(examples / "portrait.jpg") as picture:
        small = picture.resize((96, 96))
    for suffix in PICTURES:
        small.save(folder / f"plain.{suffix}")
    return folder


@pytest.fixture(scope="module")
def signed(studio, examples, tmp_path_factory):
    """The portrait, signed: it says that AI made it."""
    made = {"action": "c2pa.created", "digitalSourceType": studio.SOURCE + "trainedAlgorithmicMedia"}
    path = tmp_path_factory.mktemp("signed") / "signed.jpg"
    return studio.sign(examples / "portrait.jpg", path, actions=[{**made, "softwareAgent": {"name": "Painter"}}])


def corrupted(source, target, place):
    """A copy with one bit turned over."""
    content = bytearray(source.read_bytes())
    content[place] ^= 1
    target.write_bytes(content)
    return target


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_picture_is_signed_read_harmed_and_stripped(sources, studio, tmp_path, suffix):
    plain = sources / f"plain.{suffix}"
    assert open_media(plain).credentials() is None
    path = studio.sign(plain, tmp_path / f"signed.{suffix}")
    assert open_media(path).credentials() == CAMERA
    # The pixels of PNG and JPEG stand at the end here, those of WebP and TIFF at the beginning.
    place = -40 if suffix in ("jpg", "png") else 300
    assert credentials_in(corrupted(path, tmp_path / f"corrupted.{suffix}", place)).problems == CHANGED
    with PIL.Image.open(path) as picture:
        PIL.Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(tmp_path / f"bare.{suffix}")
    assert credentials_in(tmp_path / f"bare.{suffix}") is None


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("avi", "mpeg4")])
def test_a_video_is_signed_read_and_harmed(write_video, grey_ramp, studio, tmp_path, suffix, codec):
    plain = write_video(tmp_path / f"plain.{suffix}", grey_ramp[:4], codec=codec)
    assert open_media(plain).credentials() is None
    path = studio.sign(plain, tmp_path / f"signed.{suffix}")
    assert open_media(path).credentials() == CAMERA
    place = path.read_bytes().index(b"movi" if suffix == "avi" else b"mdat") + 40
    assert credentials_in(corrupted(path, tmp_path / f"corrupted.{suffix}", place)).problems == CHANGED


def test_a_signer_is_trusted_by_a_trust_list_alone(signed, studio):
    stranger = type(studio)("Somebody else")
    found = [credentials_in(signed, anchors) for anchors in ("", studio.root, stranger.root)]
    assert [credentials.state for credentials in found] == [State.VALID] * 3
    assert [credentials.signer_trusted for credentials in found] == [None, True, False]
    said = [in_sentences(credentials) for credentials in found]
    assert "“Test Studio”; that name was not checked against a trust list, and anyone can sign" in said[0]
    assert "signed by “Test Studio”, for whom the trust list vouches" in said[1]
    assert "the trust list does not vouch for that name" in said[2]
    assert [in_a_word(credentials).split(", ")[1] for credentials in found] == [
        "signer unchecked", "signer trusted", "signer not trusted",
    ]  # fmt: skip


def test_of_an_invalid_file_nobody_is_trusted(signed, studio, tmp_path):
    found = credentials_in(corrupted(signed, tmp_path / "a.jpg", -2000), studio.root)
    assert (found.state, found.signer_trusted, found.problems) == (State.INVALID, None, CHANGED)
    assert "Nothing that they say is proved" in in_sentences(found)
    assert "trust" not in in_sentences(found)


def test_a_harmed_signature_names_no_signer(signed, tmp_path):
    place = signed.read_bytes().rindex(b"Test Studio")
    found = credentials_in(corrupted(signed, tmp_path / "a.jpg", place))
    assert (found.state, found.signer) == (State.INVALID, None)


@pytest.mark.parametrize(
    ("action", "source", "share"),
    [
        ("c2pa.created", "trainedAlgorithmicMedia", AiShare.WHOLE),
        ("c2pa.created", "compositeWithTrainedAlgorithmicMedia", AiShare.PART),
        ("c2pa.created", "digitalCapture", None),
        ("c2pa.edited", "trainedAlgorithmicMedia", AiShare.PART),
    ],
)
def test_what_is_said_about_ai(sources, studio, tmp_path, action, source, share):
    actions = [{"action": action, "digitalSourceType": studio.SOURCE + source, "softwareAgent": {"name": "Painter"}}]
    if action != "c2pa.created":
        first = {"action": "c2pa.created", "digitalSourceType": studio.SOURCE + "digitalCapture"}
        actions.insert(0, {**first, "softwareAgent": {"name": "Camera"}})
    found = credentials_in(studio.sign(sources / "plain.jpg", tmp_path / "a.jpg", actions=actions))
    assert (found.ai_made, found.software_agent) == (share, "Painter")
    assert ("AI made" in in_sentences(found)) == bool(share)


@pytest.mark.parametrize(("relation", "share"), [("parentOf", AiShare.WHOLE), ("componentOf", AiShare.PART)])
def test_what_a_file_was_made_from_counts(signed, sources, studio, tmp_path, relation, share):
    def prepare(builder):
        with signed.open("rb") as file:
            builder.add_ingredient({"relationship": relation, "label": "from"}, "image/jpeg", file)

    kind = "c2pa.opened" if relation == "parentOf" else "c2pa.placed"
    actions = [{"action": kind, "parameters": {"ingredientIds": ["from"]}}]
    if relation == "componentOf":
        actions.insert(0, {"action": "c2pa.created", "digitalSourceType": studio.SOURCE + "digitalCapture"})
    path = studio.sign(sources / "plain.jpg", tmp_path / "a.jpg", "Editor", actions, prepare)
    found = credentials_in(path)
    assert (found.state, found.generator) == (State.VALID, "Editor 1.0")
    assert (found.software_agent, found.ai_made) == ("Painter", share)


def test_harmed_credentials_are_invalid_and_no_error(signed, tmp_path):
    content = signed.read_bytes()
    begin, length = content.index(b"jumb"), len(content)
    states = set()
    for place in range(begin, min(begin + 40_000, length), 499):
        broken = bytearray(content)
        broken[place : place + 12] = bytes(255 - byte for byte in broken[place : place + 12])
        path = tmp_path / "a.jpg"
        path.write_bytes(broken)
        found = credentials_in(path)
        if found is not None:
            assert found.problems
            states.add(found.state)
    assert states == {State.INVALID}


def test_rubbish_in_the_place_of_credentials_is_invalid(sources, detector, tmp_path):
    content, path = (sources / "plain.png").read_bytes(), tmp_path / "a.png"
    rubbish = b"caBX" + b"rubbish!" * 9
    path.write_bytes(content[:33] + struct.pack(">I", len(rubbish) - 4) + rubbish + b"\0\0\0\0" + content[33:])
    found = read_credentials(path)
    assert (found.state, found.problems) == (State.INVALID, ("they are damaged and cannot be read",))


def test_hostile_texts_are_short_in_one_line_and_escaped_where_they_are_shown(examples, studio, detector, tmp_path):
    path = studio.sign(examples / "portrait.jpg", tmp_path / "a.jpg", generator=HOSTILE)
    verdict = detector.detect(path)
    found = verdict.credentials
    assert found.state is State.VALID
    assert len(found.generator) == MAX_TEXT
    assert found.generator.startswith("<img src=x onerror=alert(1)> AAA")
    assert found.generator.isprintable()
    assert len(json.dumps(found.as_dict())) < 1000
    card = answer(verdict, DEFAULT_MODEL)
    assert "<img" not in card
    assert "<script" not in card
    assert html.escape("“<img src=x onerror=alert(1)> AAA") in card
    write_pdf(verdict, tmp_path / "a.pdf")
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages).split())
    assert "Credentials Valid: what was signed has not changed since." in text
    assert "“<img src=x onerror=alert(1)> AAA" in text


@pytest.mark.parametrize("embedded", [False, True])
def test_a_manifest_that_lies_elsewhere_is_not_fetched(sources, studio, tmp_path, embedded):
    import c2pa

    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse, args=(server, asked), daemon=True).start()

        def prepare(builder):
            builder.set_remote_url(f"http://127.0.0.1:{server.getsockname()[1]}/a.c2pa")
            if not embedded:
                builder.set_no_embed()

        path = studio.sign(sources / "plain.jpg", tmp_path / "a.jpg", prepare=prepare)
        assert holds_credentials(path) == embedded
        assert (read_credentials(path) is not None) == embedded
        assert (open_media(path).credentials() is not None) == embedded
        assert not asked
        if not embedded:  # The library on its own does ask, so the file is one that would lead it out.
            with pytest.raises(c2pa.C2paError, match="Remote"):
                c2pa.Reader(path)
            assert asked


def refuse(server, asked):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            asked.append(connection.recv(1000))
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_a_missing_package_never_looks_like_no_credentials(signed, examples, monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    found = credentials_in(signed)
    assert (found.state, found.problems) == (State.NOT_CHECKED, ("the package c2pa-python is not installed",))
    assert "were not checked" in in_sentences(found)
    assert credentials_in(examples / "portrait.jpg") is None


def test_the_library_is_loaded_for_a_signed_file_alone(root, signed):
    code = (
        "import sys\n"
        "from deepfake.media import open_media\n"
        "for path in sys.argv[1:]:\n"
        "    print(open_media(path).credentials() is not None, 'c2pa' in sys.modules)\n"
    )
    arguments = [sys.executable, "-c", code, "examples/portrait.jpg", "examples/half_fake.mp4", str(signed)]
    done = subprocess.run(arguments, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False False", "False False", "True True"]
    assert not done.stderr


def test_the_answer_is_the_same_with_and_without(detector, examples, signed, tmp_path):
    plain, own, broken = (
        detector.detect(path)
        for path in (examples / "portrait.jpg", signed, corrupted(signed, tmp_path / "a.jpg", -2000))
    )
    assert {(found.label, found.p_fake) for found in (plain, own, broken)} == {(plain.label, plain.p_fake)}
    assert [found.credentials and found.credentials.state for found in (plain, own, broken)] == [
        None, State.VALID, State.INVALID,
    ]  # fmt: skip
    assert plain.as_dict()["credentials"] is None
    assert 'class="credentials"' not in answer(plain, DEFAULT_MODEL)
    assert own.as_dict()["credentials"] == {
        "state": "valid",
        "problems": [],
        "signer": "Test Studio",
        "signer_trusted": None,
        "generator": "Test Camera 1.0",
        "software_agent": "Painter",
        "ai_made": "whole",
    }
    assert "They say that AI made it." in answer(own, DEFAULT_MODEL)
    assert "The answer does not depend on them." in answer(own, DEFAULT_MODEL)


def test_a_word_stands_in_the_line_of_a_file(signed, examples, root, monkeypatch):
    monkeypatch.chdir(root)
    lines = CliRunner().invoke(main, ["detect", "examples/portrait.jpg", str(signed)]).stdout.splitlines()
    assert "credentials" not in lines[0]
    assert lines[1].endswith("1 face [credentials valid, signer unchecked, say AI-made]")


def test_a_process_apart_says_the_same(signed, studio, examples):
    for anchors in ("", studio.root):
        assert isolated.open_isolated(signed).credentials(anchors) == open_media(signed).credentials(anchors)
    assert isolated.open_isolated(examples / "portrait.jpg").credentials() is None


def crash(*_):
    os.abort()


def test_a_crash_while_they_are_read_costs_the_file_only(signed, examples, monkeypatch):
    media = isolated.open_isolated(signed)
    media.close()
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "_tell", crash)
        with pytest.raises(MediaError, match=r"signed.jpg made its decoder stop \(SIGABRT\)"):
            media.credentials()
    assert media.credentials().state is State.VALID


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(State.NOT_CHECKED, ("no",)),
        Credentials(State.INVALID, ("a", "b"), "S", None, "G", "A", AiShare.PART),
        Credentials(State.VALID, (), "S", True, "G", "A", AiShare.WHOLE),
    ],
)
def test_credentials_survive_being_told(credentials):
    assert Credentials.from_dict(json.loads(json.dumps(credentials.as_dict()))) == credentials


def test_a_name_cannot_end_its_quotation():
    found = Credentials(State.VALID, signer="A”. The trust list vouches for them. “")
    assert "“A'. The trust list vouches for them. '”; that name was not checked" in in_sentences(found)


def test_what_is_told_is_shortened_again():
    told = replace(Credentials(State.VALID), signer="x\n" * 500, generator="").as_dict()
    found = Credentials.from_dict(told)
    assert len(found.signer) == MAX_TEXT
    assert "\n" not in found.signer
    assert found.generator is None


@pytest.mark.parametrize(
    "content", [None, "no certificates", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"]
)
def test_a_trust_list_that_cannot_be_used_is_an_error(tmp_path, content):
    path = tmp_path / "list.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DeepfakeError, match="A trust list must be a file of certificates"):
        trust_anchors(path)


def test_the_detector_uses_the_trust_list_that_it_is_given(signed, studio, tmp_path, monkeypatch):
    from deepfake import Detector

    (tmp_path / "list.pem").write_text(f"Vouching\n{studio.root}")
    monkeypatch.setenv("DEEPFAKE_TRUST_LIST", str(tmp_path / "list.pem"))
    told = Detector(opener=isolated.open_isolated, trust_list=tmp_path / "list.pem")
    assert told.detect(signed).credentials.signer_trusted is True
    assert Detector(opener=isolated.open_isolated).detect(signed).credentials.signer_trusted is None


def test_the_command_line_takes_the_trust_list_of_the_environment(signed, studio, tmp_path):
    (tmp_path / "list.pem").write_text(studio.root)
    for path, said in (("list.pem", True), ("", None)):
        environment = {"DEEPFAKE_TRUST_LIST": path and str(tmp_path / path)}
        result = CliRunner().invoke(main, ["detect", "--json", str(signed)], env=environment)
        assert json.loads(result.stdout)["credentials"]["signer_trusted"] is said
    result = CliRunner().invoke(main, ["detect", "--trust-list", str(tmp_path / "none.pem"), str(signed)])
    assert result.exit_code == 1
    assert "none.pem: No such file" in result.stderr


HEADS = [
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\0\0\0\0WEBP",
    b"RIFF\0\0\0\0AVI ",
    b"\0\0\0\x08ftyp",
    b"II*\0",
    b"MM\0*",
]


@settings(deadline=None, max_examples=60)
@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=200))
def test_any_bytes_are_walked_over(tmp_path_factory, head, rest):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(head + rest)
    assert holds_credentials(path) in (False, True)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + b"\xff" * 500_000,
        b"RIFF\0\0\0\0WEBP" + b"abcd\0\0\0\0" * 50_000,
        b"\0\0\0\x08free" * 50_000,
        b"II*\0\x08\0\0\0" + b"\0\0\x08\0\0\0",
        b"\0\0\0\x01free" + b"\xff" * 8 + b"\0" * 50,
    ],
)
def test_a_file_of_nothing_but_boxes_is_left_after_a_while(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(content)
    assert MAX_BOXES < 50_000
    assert not holds_credentials(path)
