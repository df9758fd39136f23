"""The page of web/ in Chromium: it answers as Python does, alone, and without a network."""

from __future__ import annotations

import subprocess

import cv2
import numpy as np
import pytest
from in_browser import ANSWERED, WEB, build, chromium, judged, missing, opened, served

from deepfake.report.catalogue import catalogue

pytestmark = pytest.mark.browser

DECODED = {"box_px": 1.5, "p_fake": 0.02}
"""How far the edge of a box and p_fake of one face may lie from Python's, as browsers decode files by themselves."""
SAME_PIXELS = {"box_px": 0.25, "p_fake": 0.005}
"""The same of what every decoder shows alike."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    with served(build(tmp_path_factory.mktemp("web"))) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, address):
    contexts = []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **options})
        contexts.append(context)
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        return opened(page, address)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def page(browser, address):
    """One visitor, for all tests that leave nothing behind."""
    page = opened(browser.new_page(locale="en-US"), address)
    yield page
    page.close()


def compared(page, detector, path, most=DECODED):
    here, there = detector.detect(path).as_dict(), judged(page, path)
    for key in ("kind", "verdict", "reason", "trace", "frames_read", "notes", "from_s", "to_s"):
        assert there[key] == here[key], key
    assert len(there["faces"]) == len(here["faces"])
    for one, other in zip(there["faces"], here["faces"], strict=True):
        assert one["box_xyxy"] == pytest.approx(other["box_xyxy"], abs=most["box_px"])
        assert one["p_fake"] == pytest.approx(other["p_fake"], abs=most["p_fake"])
        assert (one["track"], one["frame"]) == (other["track"], other["frame"])
        assert one["time_s"] == pytest.approx(other["time_s"], abs=0.002)
    return here, there


@pytest.mark.parametrize("name", ["portrait.jpg", "self_blend.jpg", "no_face.jpg", "half_fake.mp4"])
def test_an_example_is_answered_as_in_python(page, detector, examples, name):
    here, there = compared(page, detector, examples / name)
    if here["p_fake"] is not None:
        assert there["p_fake"] == pytest.approx(here["p_fake"], abs=DECODED["p_fake"])


def tilted(image):
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1.3)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


VIEWS = {
    "as it is": lambda image: image,
    "tilted": tilted,
    "at the edge": lambda image: image[60:, 185:],
    "large": lambda image: cv2.resize(image[20:240, 120:340], None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC),
    "odd sides": lambda image: cv2.resize(image, (1501, 1333)),
    "on its side": lambda image: np.rot90(image),
    "on its head": lambda image: np.rot90(image, 2),
    "too small": lambda image: cv2.resize(image, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA),
    "small in a wide picture": lambda image: cv2.copyMakeBorder(image, 700, 700, 900, 900, cv2.BORDER_REFLECT),
    "of two people": lambda image: np.hstack([image, image[:, ::-1]]),
    "of one colour": lambda image: np.full_like(image, 90),
}


@pytest.mark.parametrize("view", VIEWS)
def test_the_same_pixels_have_the_same_answer(page, detector, portrait, tmp_path, view):
    image = np.ascontiguousarray(VIEWS[view](portrait.image))
    cv2.imwrite(str(tmp_path / "view.png"), image[..., ::-1])
    compared(page, detector, tmp_path / "view.png", SAME_PIXELS)


def test_the_evidence_adds_up_and_lies_where_it_lies_in_python(page, detector, examples):
    score = detector.detect(examples / "self_blend.jpg").scores[0]
    face = judged(page, examples / "self_blend.jpg")["faces"][0]
    evidence = np.array(face["evidence"])
    assert evidence.mean() == pytest.approx(face["visual_logit"] + face["noise_logit"], abs=0.002)
    assert evidence.shape == score.evidence.shape
    assert np.corrcoef(evidence.ravel(), score.evidence.ravel())[0, 1] > 0.999


def test_a_word_in_a_picture_does_not_make_it_move(page, detector, portrait, tmp_path):
    jpeg = cv2.imencode(".jpg", portrait.image[..., ::-1])[1].tobytes()
    comment = b"acTL ANIM NETSCAPE2.0"
    (tmp_path / "word.jpg").write_bytes(jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + jpeg[2:])
    compared(page, detector, tmp_path / "word.jpg")


def test_what_is_transparent_is_white(page, detector, portrait, tmp_path):
    holes = np.dstack([portrait.image[..., ::-1], np.full(portrait.image.shape[:2], 255, np.uint8)])
    holes[300:, :, 3] = 0
    cv2.imwrite(str(tmp_path / "holes.png"), holes)
    compared(page, detector, tmp_path / "holes.png", SAME_PIXELS)


def test_nothing_that_is_given_is_sent(visit, address, examples):
    page = visit()
    asked = []
    page.context.on("request", lambda request: asked.append((request.method, request.url, request.post_data_buffer)))
    judged(page, examples / "portrait.jpg")
    ours = ("blob:", "data:", address)
    assert [one for one in asked if one[0] != "GET" or one[2] or not one[1].startswith(ours)] == []
    assert page.errors == []


def test_what_is_large_is_fetched_once(visit, address, browser):
    context = browser.new_context()
    page, asked = context.new_page(), []
    context.on("request", lambda request: asked.append(request.url.removeprefix(address)))
    opened(page, address)
    page.wait_for_selector("#state:has-text('without a network')")
    opened(page, address)
    page.wait_for_selector("#state:has-text('without a network')")
    large = sorted(name for name in asked if name.endswith(".gz"))
    assert large == ["litert_wasm_internal.wasm.gz", "model.gz", "onet.gz", "pnet.gz", "rnet.gz"]
    context.close()


def test_it_works_without_a_network_after_the_first_visit(visit, examples, detector):
    page = visit()
    page.wait_for_selector("#state:has-text('without a network')")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    compared(page, detector, examples / "portrait.jpg")


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("broken.jpg", b"\xff\xd8\xff\xe0 no picture", "try.unreadable"),
        ("broken.mp4", b"\x00\x00\x00\x18ftypmp42 no video", "try.unreadable"),
        ("moving.gif", b"GIF89a" + bytes(13) + b"\x21\xff\x0bNETSCAPE2.0", "try.moving"),
        ("moving.webp", b"RIFF\x00\x01\x00\x00WEBPVP8X" + bytes(14) + b"ANIM", "try.moving"),
    ],
)
def test_what_cannot_be_judged_has_no_answer(page, tmp_path, name, content, key):
    (tmp_path / name).write_bytes(content)
    page.set_input_files("#file", tmp_path / name)
    page.wait_for_selector("#said .error")
    assert catalogue()(key) in page.inner_text("#said")
    assert page.query_selector("a[download]") is None


def test_the_last_file_that_is_given_is_the_one_that_is_answered(page, examples):
    page.set_input_files("#file", examples / "half_fake.mp4")
    page.set_input_files("#file", examples / "no_face.jpg")
    page.wait_for_selector(ANSWERED)
    assert catalogue()("reason.no_face") in page.inner_text("#said")
    page.wait_for_timeout(300)
    assert page.query_selector("#shown video") is None


def test_a_camera_is_watched_until_it_is_stopped(visit):
    page = visit(permissions=["camera"])
    page.click("#camera")
    page.wait_for_selector("#said .live")
    assert "frames a second" in page.inner_text("#said")
    page.click("#stop")
    page.wait_for_selector("#said .live", state="detached")
    assert page.errors == []


def test_a_camera_that_is_refused_is_said_to_be(visit):
    page = visit()
    page.evaluate("""() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
    }""")
    page.click("#camera")
    page.wait_for_selector("#said .error")
    assert catalogue()("try.no_camera") in page.inner_text("#said")
    assert page.locator("#stop").is_hidden()


def test_a_point_of_the_chart_shows_its_face(page, examples):
    judged(page, examples / "half_fake.mp4")
    page.locator("circle").first.click()
    face = page.inner_text(".face figcaption strong")
    assert face.startswith("Face 1 at 0.08 s")
    assert catalogue()("answer.real_face") in face


def test_it_fits_a_phone_and_an_example_runs_at_once(visit):
    page = visit(viewport={"width": 390, "height": 844})
    page.click("[data-example=self_blend]")
    page.wait_for_selector(ANSWERED)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#said .fake h2").bounding_box()["y"] < 844 / 2, "the answer is scrolled into view"


@pytest.mark.parametrize(("scheme", "name"), [("light", "self_blend.jpg"), ("dark", "half_fake.mp4")])
def test_a_screen_reader_and_weak_eyes_can_use_it(visit, examples, scheme, name):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(color_scheme=scheme)
    judged(page, examples / name)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("language", ["fr", "zh", "ar"])
def test_it_speaks_the_browsers_language(visit, language):
    page = visit(locale=language)
    say = catalogue(language)
    assert say("try.introduction") in page.inner_text("header")
    assert page.evaluate("document.documentElement.dir") == ("rtl" if say.right_to_left else "ltr")


def test_threads_change_no_answer(browser, examples, detector, tmp_path):
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    with served(build(tmp_path), isolated=True) as address:
        page = opened(browser.new_page(), address)
        assert page.evaluate("crossOriginIsolated")
        compared(page, detector, examples / "portrait.jpg")
        page.close()


def test_its_types_are_sound():
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    subprocess.run(["node_modules/.bin/tsc", "--noEmit"], cwd=WEB, check=True)
