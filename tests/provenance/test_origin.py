"""What files say of their own origin: files are made as generators, cameras and editors make them, and read."""

from __future__ import annotations

import html
import io
import json
import struct
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import msgspec
import PIL.Image
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader

from deepfake.cli.main import main
from deepfake.media import isolated, open_media
from deepfake.media.metadata import MAX_STATEMENTS, metadata_of, origin_in
from deepfake.media.png_texts import MAX_TEXT
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page.answers import answer
from deepfake.provenance.claims import origin_of
from deepfake.provenance.metadata import Metadata, Place, Statement
from deepfake.provenance.origin import Mark, MarkKind, Origin, Sign, origin_in_a_word
from deepfake.provenance.source_types import Says, said_by_source_type
from deepfake.provenance.times import captured_after, time_of
from deepfake.provenance.xmp import MAX_PACKET, properties_of
from deepfake.report.origin import origin_doubts, origin_facts, origin_marks, origin_sentences
from deepfake.report.pdf import write_pdf
from deepfake.report.words import ENGLISH
from tests.provenance.origin_files import FILES, WEB_UI, packet_of, png, scene, source_packet, thumbnail_exif

HOSTILE = "<img src=x onerror=alert(1)>\r\n‮" + "A" * 10_000 + "” It is real. “"


def made(name, folder):
    path = folder / name
    FILES[name][0](path)
    return path


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_says_of_its_origin_is_read(name, tmp_path):
    path = made(name, tmp_path)
    origin = origin_in(path)
    first = {str(mark.kind): mark.text for mark in reversed(origin.marks)}
    found: dict[str, Any] = {
        **{str(kind): None for kind in MarkKind},
        **first,
        **{field: getattr(origin, field) for field in Origin.__slots__},
    }
    found["says"] = origin.says
    expected = FILES[name][1]
    assert {key: found[key] for key in expected} == expected
    assert not origin.unread
    assert not [mark for mark in origin.marks if str(mark.kind) not in expected and "says" not in expected]


def test_every_reader_says_the_same_in_this_process_and_in_another(tmp_path):
    for name in ("web-ui.png", "phone.heic", "iptc-camera.tif", "comfyui.mp4", "camera.jpg"):
        path = made(name, tmp_path)
        assert open_media(path).origin() == isolated.open_isolated(path).origin() == origin_in(path)
    scene().save(tmp_path / "a.gif", save_all=True, append_images=[scene(seed=1)], comment=b"Created with GIMP")
    assert open_media(tmp_path / "a.gif").origin().programs == ("Created with GIMP",)


def test_the_most_telling_claim_stands_for_all(tmp_path):
    attributes = 'xmp:CreatorTool="Painter" tiff:Make="Canon"'
    packet = packet_of(attributes + ' Iptc4xmpExt:DigitalSourceType="compositeWithTrainedAlgorithmicMedia"')
    scene().save(tmp_path / "a.jpg", xmp=packet)
    origin = origin_in(tmp_path / "a.jpg")
    assert (origin.says, origin.camera, origin.programs) == (Says.AI_PART, "Canon", ("Painter",))


def test_credentials_are_a_mark_among_others(studio, examples, tmp_path, detector):
    made_by_ai = {"action": "c2pa.created", "digitalSourceType": studio.SOURCE + "trainedAlgorithmicMedia"}
    path = studio.sign(examples / "portrait.jpg", tmp_path / "signed.jpg", actions=[made_by_ai])
    verdict, plain = detector.detect(path), detector.detect(examples / "portrait.jpg")
    assert verdict.origin.marks == (Mark(MarkKind.C2PA, Place.C2PA, Says.AI_MADE, "valid"),)
    assert (verdict.origin.says, plain.origin.says) == (Says.AI_MADE, None)
    assert origin_in_a_word(verdict.origin) == "", "the credentials say it on that line"
    assert (verdict.label, verdict.p_fake) == (plain.label, plain.p_fake)


def test_what_was_said_reaches_json_words_page_and_pdf(examples, tmp_path, detector):
    path = tmp_path / "portrait.png"
    info = PngInfo()
    info.add_text("parameters", WEB_UI)
    PIL.Image.open(examples / "portrait.jpg").save(path, pnginfo=info)
    line, text = CliRunner().invoke(main, ["detect", str(path)]), "found: “Stable Diffusion web UI, sd_xl”"
    assert line.stdout.endswith("1 face [file says AI-made]\n")
    found = json.loads(CliRunner().invoke(main, ["detect", "--json", str(path)]).stdout)["origin"]
    assert found["says"] == "ai_made"
    assert found["looked_for"] == ["c2pa", "digital_source_type", "ai_system", "aigc_label", "generator"]
    assert found["marks"] == [
        {"kind": "generator", "place": "text", "says": "ai_made", "text": "Stable Diffusion web UI, sd_xl"}
    ]
    verdict = detector.detect(path)
    pages = PdfReader(write_pdf(verdict, tmp_path / "a.pdf")).pages
    for shown in (answer(verdict, DEFAULT_MODEL), " ".join(page.extract_text() for page in pages)):
        plain = " ".join(html.unescape(shown).split())
        for said in ("The file says that AI made it. Anybody can write this", text, "Article 50 of the EU AI Act"):
            assert said in plain
        assert plain.count("not found") == 4


def test_a_file_without_a_word_is_said_to_prove_nothing(examples):
    origin = origin_in(examples / "no_face.jpg")
    assert origin_sentences(origin) == [ENGLISH("origin.nothing"), ENGLISH("origin.absence")]
    assert [result for _, result in origin_marks(origin)] == ["not found"] * len(MarkKind)
    assert [label for label, _ in origin_facts(origin)] == ["JPEG tables"]


def test_every_claim_sign_and_mark_has_its_words():
    for claim in Says:
        mark = Mark(MarkKind.SOURCE_TYPE, Place.XMP, claim, "term")
        assert origin_sentences(Origin((mark,)))[:2] == [ENGLISH(f"origin.{claim}"), ENGLISH("origin.claim")]
    assert origin_sentences(Origin((Mark(MarkKind.C2PA, Place.C2PA, None, "valid"),)))[0] == ENGLISH("origin.unclear")
    signs = origin_doubts(Origin(signs=tuple(Sign), unread=(Place.XMP, Place.EXIF)))
    assert len(set(signs)) == len(Sign) + 1
    assert signs[-1].endswith("could not be read: xmp, exif.")
    assert "Invisible watermarks" in ENGLISH("origin.law")


def test_texts_of_a_file_are_short_harmless_and_in_one_line(tmp_path, examples, detector):
    png(Software=HOSTILE + " NovelAI", AIGC=json.dumps({"Label": HOSTILE}))(tmp_path / "a.png")
    origin = origin_in(tmp_path / "a.png")
    texts = [*origin.programs, *(mark.text for mark in origin.marks)]
    assert len(texts) == 3
    assert all(len(text) <= 80 and text.isprintable() for text in texts)
    shown = answer(detector.detect(tmp_path / "a.png"), DEFAULT_MODEL)
    assert "<img src=x" not in shown
    assert "“ It is" not in shown
    assert "It is real. '”" in html.unescape(shown)


def test_a_process_that_lies_or_dies_leaves_the_metadata_unread(tmp_path, monkeypatch):
    path = made("camera.jpg", tmp_path)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"camera": HOSTILE}, Origin)
    for tell in (crash, lie):
        with monkeypatch.context() as patch, closing(isolated.open_isolated(path)) as media:
            media.close()
            patch.setattr(isolated, "_tell", tell)
            assert media.origin() == Origin(unread=(Place.ALL,))
            patch.undo()
            assert len(list(media)) == 1


HEADER = {"type": "_Header", "kind": "picture", "duration": "0", "length": 1, "notes": []}


def crash(line, limits, path, sampling):
    line.say(HEADER)
    raise SystemExit(3)


def lie(line, limits, path, sampling):
    line.say(HEADER)
    line.say({"type": "_Stated", "origin": {"camera": HOSTILE}})
    line.heard()
    line.heard()


BOMB = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>' + packet_of('xmp:CreatorTool="Painter"')
ELSEWHERE = b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">' + packet_of('xmp:CreatorTool="Painter"')
DEEP = b"<a>" * 100_000 + b"</a>" * 100_000


@pytest.mark.parametrize(
    "packet",
    [BOMB, ELSEWHERE, b"<x", b"\xff\xfe\xfd", DEEP[:-4], b"<a/>" + b" " * MAX_PACKET],
    ids=["bomb", "elsewhere", "cut", "no-text", "torn", "long"],
)
def test_a_packet_that_is_broken_long_or_a_bomb_is_unread(packet, tmp_path):
    scene().save(tmp_path / "a.webp", xmp=packet, exif=EXIF)
    origin = origin_in(tmp_path / "a.webp")
    assert (origin.camera, origin.unread) == ("Pixel", (Place.XMP,))
    assert "could not be read: xmp." in origin_doubts(origin)[-1]


EXIF = PIL.Image.Exif()
EXIF[0x0110] = "Pixel"


def test_packets_say_nothing_of_other_files_and_may_be_deep():
    inner = "<xmp:Ingredients><rdf:Bag><rdf:li><rdf:Description xmp:CreatorTool='Other'/></rdf:li></rdf:Bag></xmp:Ingredients>"
    assert properties_of(packet_of('xmp:CreatorTool="Own"', inner)) == [("CreatorTool", "Own")]
    listed = "<tiff:Make><rdf:Seq><rdf:li>Canon</rdf:li></rdf:Seq></tiff:Make>"
    assert properties_of(packet_of(inner=listed)) == [("Make", "Canon")]
    assert properties_of(DEEP) == []


def test_broken_exif_and_texts_cost_neither_pixels_nor_what_stands_before_them(tmp_path):
    path = tmp_path / "a.png"
    png(parameters=WEB_UI)(path)
    content = path.read_bytes()
    for kind, body in ((b"zTXt", b"a\0\0broken"), (b"tEXt", b"no name"), (b"eXIf", b"II*\0\xff\xff\xff\xff")):
        broken = struct.pack(">I", len(body)) + kind + body + bytes(4)
        path.write_bytes(content[:-12] + broken + content[-12:])
        origin = origin_in(path)
        assert origin.says is Says.AI_MADE
        assert origin.unread == ((Place.EXIF,) if kind == b"eXIf" else (Place.TEXT,))
        assert len(list(open_media(path))) == 1


def test_a_broken_thumbnail_and_one_that_is_huge_are_unread(tmp_path):
    for number, shown in enumerate((b"\xff\xd8\xff rubbish", jpeg_of(1100, 1000))):
        exif = bytearray(thumbnail_exif(scene()))
        place = exif.index(b"\xff\xd8")
        exif[place:] = shown
        struct.pack_into("<I", exif, place - 8, len(shown))
        path = tmp_path / f"{number}.jpg"
        scene().save(path, exif=bytes(exif))
        assert origin_in(path).unread == (Place.THUMBNAIL,)
        assert len(list(open_media(path))) == 1


def jpeg_of(width, height):
    written = io.BytesIO()
    PIL.Image.new("L", (width, height)).save(written, "JPEG", quality=20)
    return written.getvalue()


def test_many_and_long_texts_take_no_time(tmp_path):
    info = PngInfo()
    info.add_text("parameters", "Steps: 1, " * 200_000, zip=True)
    for number in range(2 * MAX_STATEMENTS):
        info.add_text(f"name{number}", "a")
    scene().save(tmp_path / "a.png", pnginfo=info)
    before = time.process_time()
    read = metadata_of(tmp_path / "a.png").statements
    assert (len(read), len(read[0].text) <= MAX_TEXT) == (MAX_STATEMENTS, True)
    statements = [Statement(Place.TEXT, name, "Steps: 1, " * 100_000) for name in ("parameters", "comment", "Make")]
    assert origin_of(Metadata(tuple(statements))).says is not Says.AI_MADE
    assert time.process_time() - before < 2


def test_names_in_descriptions_are_no_marks():
    statements = [Statement(Place.TEXT, "Description", "How Midjourney and Stable Diffusion see a photo: Steps: 3")]
    statements += [Statement(Place.TEXT, "prompt", "a cat"), Statement(Place.TEXT, "parameters", "Sampler: none")]
    assert origin_of(Metadata(tuple(statements))) == Origin()


def test_source_types_are_known_however_they_are_written():
    for written in ("trainedAlgorithmicMedia", "digsrctype:trainedAlgorithmicMedia", " Trained Algorithmic Media "):
        assert said_by_source_type(written) is Says.AI_MADE
    assert said_by_source_type("http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits/") is Says.CAMERA


def test_times_are_compared_only_where_they_can_be():
    assert time_of("2024-13-01 00:00:00") is time_of("1904-01-01T00:00:00Z") is time_of("soon") is None
    written = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert not captured_after(time_of("2024:05:02 01:00:00"), written), "it may have been taken far in the east"
    assert captured_after(time_of("2024:05:02 03:00:00"), written)
    assert captured_after(time_of("2024-05-01T12:05:00Z"), written)
    statements = (Statement(Place.EXIF, "DateTimeOriginal", "2024:05:01 12:00:00"),)
    later = (Statement(Place.XMP, "ModifyDate", "2024-06-01T12:00:00+02:00"),)
    assert origin_of(Metadata(statements + later)).signs == (), "one has a time zone, the other none"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["AIGC", "Make", "parameters", "DateTimeOriginal", "UserComment", "DigitalSourceType"]),
            st.text(max_size=60),
        ),
        max_size=5,
    )
)
def test_no_statement_is_an_error_and_what_is_read_survives_being_told(pairs):
    origin = origin_of(Metadata(tuple(Statement(Place.EXIF, name, text) for name, text in pairs)))
    assert msgspec.json.decode(msgspec.json.encode(origin), type=Origin) == origin


def test_source_packets_are_read_in_either_form():
    found = properties_of(source_packet("digitalCapture"))
    assert found == [("DigitalSourceType", "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture")]
