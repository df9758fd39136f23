"""The page in a real browser: what a person sees and does."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import re
import shutil
import zipfile
from fractions import Fraction

import numpy as np
import PIL.Image
import pypdf
import pytest
from playwright.sync_api import expect, sync_playwright

import deepfake.face_scorer
import deepfake.faces.changes
from deepfake.media import read_picture
from deepfake.media.encode import encode_clip
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.page import fetching
from deepfake.page.place import own_folder
from deepfake.page.serve import Settings, serving
from deepfake.records import Change, Frame
from deepfake.report.catalogue import LANGUAGES, catalogue
from deepfake.report.words import ENGLISH, headline, of_hundred
from tests.page.conftest import free_port

pytestmark = pytest.mark.browser

WAIT_MS = 60_000
ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
ANSWERED = ".answer:not(.error):not(.busy)"
READY = "selector => document.querySelector(selector)?.readyState >= 1"
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


def opened(stack, browser, url, *, width=1280, **options):
    """The page at an address, open as one more visitor's until the stack is closed."""
    options = {"color_scheme": "light", "locale": "en-US", **options}
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    stack.callback(context.close)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    page.wait_for_selector("#analyse-picture")
    return page


@pytest.fixture
def visit(browser, address):
    """Opens the page as one more visitor."""
    with contextlib.ExitStack() as stack:
        yield functools.partial(opened, stack, browser, address)


def panel(page):
    return page.locator("[role=tabpanel]:visible")


def choose(page, kind, path):
    """Chooses a file on the tab of its kind."""
    page.get_by_role("tab", name=kind.capitalize(), exact=True).click()
    panel(page).locator("input[type=file]").first.set_input_files(path)
    panel(page).locator("img[src*='gradio_api/file'], video, .file-preview").first.wait_for()


def analyse(page, kind, path):
    """Chooses a file and presses the button."""
    choose(page, kind, path)
    page.click(f"#analyse-{kind}")


def line_of(page, which, name):
    """The line of a file in a table; Gradio keeps a hidden copy to measure widths."""
    return page.locator(f"#{which}-table").get_by_text(name).locator("visible=true").first


def answer(page, kind):
    return page.locator(f"#{kind}-answer {ANSWERED}").inner_text()


def test_a_picture_is_answered_in_words_and_kept(visit, examples, detector, tmp_path):
    page = visit()
    analyse(page, "picture", examples / "portrait.jpg")
    verdict = detector.detect(examples / "portrait.jpg")
    said = answer(page, "picture")
    assert headline(verdict) in said
    assert "How often it errs" in said
    assert "p_fake" not in said, "numbers are one click deeper"
    assert "The file has no word of its origin." in said
    page.locator("#picture-answer summary", has_text=ENGLISH("answer.numbers")).first.click()
    assert f"p_fake {verdict.p_fake:.2f}" in answer(page, "picture")
    assert page.locator("#picture-answer .scale .mark").is_visible()
    page.locator("#picture-answer .origin summary").click()
    assert page.locator("#picture-answer .origin").get_by_text("Content Credentials (C2PA)").is_visible()
    heat = panel(page).locator(".face img.heat")
    assert heat.evaluate("image => image.naturalWidth") == 224
    assert heat.evaluate("image => getComputedStyle(image).opacity") == "0.6"
    panel(page).get_by_label("range slider for Strength of the heat maps").press("Home")
    expect(heat).to_have_css("opacity", "0")
    with page.expect_download() as started:
        page.locator("#picture-pdf:enabled").click()
    started.value.save_as(tmp_path / "report.pdf")
    text = "".join(part.extract_text() for part in pypdf.PdfReader(tmp_path / "report.pdf").pages)
    assert "portrait.jpg" in text
    assert f"{verdict.p_fake:.2f}" in text


def test_another_picture_clears_the_answer(visit, examples):
    page = visit()
    analyse(page, "picture", examples / "portrait.jpg")
    answer(page, "picture")
    page.locator("#picture-pdf:enabled").wait_for()
    panel(page).get_by_label("Remove Image").or_(panel(page).get_by_label("Clear")).first.click()
    page.wait_for_selector("#picture-answer h2:has-text('No picture yet')")
    page.locator("#picture-pdf").wait_for(state="hidden")
    assert panel(page).locator(".face").count() == 0
    assert not page.locator("#picture-slider").is_visible()
    choose(page, "picture", examples / "no_face.jpg")
    assert "No picture yet" in page.locator("#picture-answer").inner_text()


def test_an_example_is_answered_at_once(visit):
    page = visit()
    panel(page).get_by_role("button", name="Real photograph").click()
    assert answer(page, "picture")
    panel(page).get_by_role("button", name="No face").click()
    page.wait_for_selector("#picture-answer h2:has-text('no face found')")
    page.get_by_role("tab", name="Video", exact=True).click()
    panel(page).get_by_role("button", name="Fake from the middle on").click()
    assert answer(page, "video")


def test_the_heat_map_is_named_and_leads_to_why_it_adds_up(visit, examples):
    page = visit()
    analyse(page, "picture", examples / "self_blend.jpg")
    page.locator("#picture-slider img").nth(1).wait_for()
    caption = panel(page).locator(".caption")
    assert "Grad-CAM heat map" in caption.inner_text()
    caption.get_by_role("link").click()
    page.locator(".sidebar.open #equality").wait_for()


def test_a_click_on_a_face_chooses_its_card(visit, examples, detector):
    page = visit()
    analyse(page, "picture", examples / "portrait.jpg")
    panel(page).locator(".face").wait_for()
    left, top, right, bottom = detector.detect(examples / "portrait.jpg").scores[0].face.box_xyxy
    shown = panel(page).locator("img[src*='gradio_api/file']").first
    size = shown.bounding_box()
    scale = size["height"] / 512
    x = size["width"] / 2 + ((left + right) / 2 - 256) * scale
    shown.click(position={"x": x, "y": (top + bottom) / 2 * scale})
    panel(page).locator(".face.chosen").wait_for()


def test_a_video_shows_progress_and_the_player_jumps_to_what_is_clicked(visit, examples):
    page = visit()
    analyse(page, "video", examples / "half_fake.mp4")
    page.wait_for_selector("#video-answer .busy")
    assert answer(page, "video")
    page.locator("#timeline .js-plotly-plot .points").first.wait_for()
    page.locator("#clip video").wait_for()
    page.wait_for_function(READY, arg="#clip video")
    time = "document.querySelector('#video-input video').currentTime"
    moment = page.locator("[data-time]").last
    moment.click()
    page.wait_for_function(f"Math.abs({time} - {moment.get_attribute('data-time')}) < 0.1")
    points = page.locator("#timeline .points path")
    assert points.count() == 24
    points.first.click(force=True)
    page.wait_for_function(f"{time} < 0.3")
    assert panel(page).locator(".face").count() >= 1
    assert page.evaluate("document.scrollingElement.scrollHeight") < 2700


def test_a_video_can_be_cancelled_and_the_page_goes_on(visit, examples):
    page = visit()
    analyse(page, "video", examples / "half_fake.mp4")
    page.wait_for_selector("#video-answer .busy")
    page.click("#cancel-video")
    page.wait_for_selector("#video-answer h2:has-text('Stopped')")
    analyse(page, "picture", examples / "portrait.jpg")
    assert answer(page, "picture")
    assert "Stopped" in page.locator("#video-answer").inner_text() or page.locator("#video-answer").is_hidden()


def search_for_large_faces(page):
    """Opens the options and moves the smallest face to the slider's end; returns where it stood."""
    page.locator("#picture-options button").first.click()
    slider = page.locator("#picture-smallest input[type=range]")
    before = slider.input_value()
    # No key: the options are made when they open, and the focus may be lost meanwhile.
    slider.fill("50")
    return before


def test_the_smallest_face_is_one_click_deeper_and_clears_the_answer(visit, examples):
    page = visit()
    analyse(page, "picture", examples / "portrait.jpg")
    answer(page, "picture")
    assert not page.locator("#picture-smallest").is_visible()
    assert search_for_large_faces(page) == "6"
    page.wait_for_selector("#picture-answer h2:has-text('No picture yet')")
    page.click("#analyse-picture")
    assert answer(page, "picture")
    assert page.locator("#picture-address").count() == 0, "nothing is fetched unless whoever serves allows it"


def test_an_address_is_fetched_where_that_is_offered(browser, site, monkeypatch, detector, examples):
    monkeypatch.setattr(fetching, "PORTS", (site.port,))
    with own_folder() as folder, serving(Settings(port=free_port(), fetch=True), folder) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(url)
        field = page.get_by_label(ENGLISH("fetch.address"))
        field.fill("http://10.0.0.1/a.jpg")
        page.click("#fetch-picture")
        page.wait_for_selector("#picture-answer .error h2:has-text('cannot be fetched')")
        field.fill(f"{site.address}/portrait.jpg")
        field.press("Enter")
        assert headline(detector.detect(examples / "portrait.jpg")) in answer(page, "picture")
        panel(page).locator("img[src*='portrait.jpg']").first.wait_for()
        # The file stands where uploads do: it can be asked about again.
        search_for_large_faces(page)
        page.wait_for_selector("#picture-answer h2:has-text('No picture yet')")
        page.click("#analyse-picture")
        assert answer(page, "picture")
        context.close()


DROP = """([selector, name, content]) => {
    const files = new DataTransfer();
    // As dropped by a person: the browser has no type for the ending.
    files.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
    const drop = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files });
    document.querySelector(`${selector} button:has(input[type=file])`).dispatchEvent(drop);
}"""


@pytest.fixture(scope="module")
def unknown(tmp_path_factory, examples):
    """Files that Chromium has no type for, or cannot show."""
    import pillow_heif

    folder = tmp_path_factory.mktemp("unknown")
    with PIL.Image.open(examples / "portrait.jpg") as portrait:
        pillow_heif.from_pillow(portrait).save(folder / "phone.HEIC")
        portrait.save(folder / "scanned.tif")
        moved = [portrait.rotate(0, translate=(step, 0)) for step in range(1, 6)]
        portrait.save(folder / "moving.gif", save_all=True, append_images=moved, duration=100)
    for name in ("named.heif", "no_ending", "saved.jfif"):
        shutil.copy(examples / "portrait.jpg", folder / name)
    shutil.copy(examples / "half_fake.mp4", folder / "camera.mts")
    return folder


def drop(page, selector, path):
    page.evaluate(DROP, [selector, path.name, base64.b64encode(path.read_bytes()).decode()])


@pytest.mark.parametrize("name", ["phone.HEIC", "scanned.tif", "named.heif", "no_ending", "saved.jfif"])
def test_a_picture_of_any_ending_is_sent_judged_and_shown(visit, unknown, name):
    page = visit()
    field = panel(page).locator("input[type=file]").first
    # A chooser would hide what it has no type for.
    expect(field).to_have_js_property("accept", "")
    field.set_input_files(unknown / name)
    given = page.locator("#picture-input img")
    given.wait_for(state="attached")
    if name in ("phone.HEIC", "scanned.tif"):
        panel(page).get_by_text(ENGLISH("page.not_shown")).wait_for()
        assert not given.is_visible(), "no broken picture"
    page.click("#analyse-picture")
    assert answer(page, "picture")
    expect(given).to_have_js_property("naturalWidth", 512)
    panel(page).get_by_text(ENGLISH("page.not_shown")).wait_for(state="hidden")
    assert given.is_visible()
    assert page.locator(".toast-body").count() == 0


def test_what_is_dropped_is_sent_whatever_its_ending(visit, unknown):
    page = visit()
    drop(page, "#picture-input", unknown / "phone.HEIC")
    page.locator("#picture-input img").wait_for(state="attached")
    page.click("#analyse-picture")
    assert answer(page, "picture")
    page.get_by_role("tab", name="Compare", exact=True).click()
    drop(page, "#compare-first", unknown / "phone.HEIC")
    page.locator("#compare-second input[type=file]").set_input_files(unknown / "no_ending")
    for which in ("first", "second"):
        page.locator(f"#compare-{which} img").wait_for(state="attached")
    page.click("#analyse-pair")
    assert answer(page, "first")
    expect(page.locator("#compare-first img")).to_have_js_property("naturalWidth", 512)
    page.get_by_role("tab", name="Video", exact=True).click()
    drop(page, "#video-input", unknown / "camera.mts")
    page.locator("#video-input video").wait_for(state="attached")
    page.click("#analyse-video")
    assert answer(page, "video")
    assert page.locator(".toast-body").count() == 0


def test_a_video_that_the_browser_cannot_play_is_judged_and_no_error(visit, unknown):
    page = visit()
    page.get_by_role("tab", name="Video", exact=True).click()
    panel(page).locator("input[type=file]").first.set_input_files(unknown / "moving.gif")
    panel(page).get_by_text(ENGLISH("page.not_shown")).wait_for()
    assert not page.locator("#video-input video").is_visible()
    page.click("#analyse-video")
    assert answer(page, "video")
    page.wait_for_function(READY, arg="#clip video")
    assert page.locator(".toast-body").count() == 0


def test_a_batch_takes_any_ending(visit, unknown):
    page = visit()
    page.get_by_role("tab", name="Batch", exact=True).click()
    names = ["phone.HEIC", "no_ending", "camera.mts"]
    panel(page).locator("input[type=file]").first.set_input_files([unknown / name for name in names])
    panel(page).locator(".file-preview").wait_for()
    page.click("#analyse-batch")
    page.locator("#batch-csv:enabled").wait_for()
    for name in names:
        line_of(page, "batch", name).wait_for()
    assert panel(page).locator(".said.error").count() == 0


def test_what_is_on_the_wrong_tab_or_nothing_known_is_refused_in_words(visit, unknown, tmp_path):
    page = visit()
    panel(page).locator("input[type=file]").first.set_input_files(unknown / "camera.mts")
    page.locator("#picture-input img").wait_for(state="attached")
    page.click("#analyse-picture")
    page.wait_for_selector("#picture-answer .error:has-text('camera.mts is a video, not a picture')")
    (tmp_path / "large.bin").write_bytes(bytes(range(256)) * 8000)
    page.get_by_role("tab", name="Video", exact=True).click()
    panel(page).locator("input[type=file]").first.set_input_files(tmp_path / "large.bin")
    said = page.locator(".toast-body").inner_text()
    assert "This is neither a picture nor a video that is known here." in said
    assert "{" not in said


def test_garbage_is_refused_with_a_reason(visit, tmp_path):
    (tmp_path / "letter.jpg").write_text("no picture")
    page = visit()
    panel(page).locator("input[type=file]").first.set_input_files(tmp_path / "letter.jpg")
    page.wait_for_timeout(500)
    page.click("#analyse-picture")
    page.wait_for_selector("#picture-answer .error h2:has-text('cannot be read')")
    said = page.locator("#picture-answer").inner_text()
    assert "letter.jpg is neither a picture" in said
    assert "/tmp" not in said


def test_a_batch_is_sorted_opened_and_packed(visit, examples, tmp_path):
    page = visit()
    page.get_by_role("tab", name="Batch", exact=True).click()
    names = ["portrait.jpg", "no_face.jpg"]
    panel(page).locator("input[type=file]").first.set_input_files([examples / name for name in names])
    page.get_by_text("no_face").first.wait_for()
    page.click("#analyse-batch")
    page.locator("#batch-csv:enabled").wait_for()
    with page.expect_download() as started:
        page.locator("#batch-csv:enabled").click()
    started.value.save_as(tmp_path / "sheet.csv")
    assert [line.split(",")[0] for line in (tmp_path / "sheet.csv").read_text().splitlines()] == ["file", *names]
    with page.expect_download() as started:
        page.locator("#batch-zip:enabled").click()
    started.value.save_as(tmp_path / "all.zip")
    assert {"deepfake.csv", "01/portrait.jpg.pdf"} <= set(zipfile.ZipFile(tmp_path / "all.zip").namelist())
    line_of(page, "batch", "no_face.jpg").click()
    page.wait_for_selector("#batch-opened h2:has-text('no face found')")


def test_two_pictures_are_compared(visit, examples):
    page = visit()
    page.get_by_role("tab", name="Compare", exact=True).click()
    for which, name in (("first", "portrait.jpg"), ("second", "self_blend.jpg")):
        page.locator(f"#compare-{which} input[type=file]").first.set_input_files(examples / name)
        page.locator(f"#compare-{which} img[src*='gradio_api/file']").wait_for()
    page.click("#analyse-pair")
    assert answer(page, "first") != answer(page, "second")
    page.locator("#second-slider img").first.wait_for()


@pytest.mark.parametrize(
    ("tab", "button", "shown"),
    [
        ("Picture", "#analyse-picture", "#picture-pdf:enabled"),
        ("Batch", "#analyse-batch", "#batch-csv:enabled"),
        ("Compare", "#analyse-pair", "#second-slider img"),
    ],
)
def test_what_is_told_of_a_file_after_the_button_was_pressed_leaves_the_answer(visit, examples, tab, button, shown):
    page, told = visit(), []
    page.get_by_role("tab", name=tab, exact=True).click()
    page.wait_for_timeout(500)
    page.route("**/run/predict*", lambda route: told.append(route))
    for field in panel(page).locator("input[type=file]").all():
        field.set_input_files(examples / "portrait.jpg")
    while not told:
        page.wait_for_timeout(100)
    page.click(button)
    page.locator(shown).first.wait_for()
    for late in told:
        with page.expect_response(late.request.url):
            late.continue_()
    page.wait_for_timeout(500)
    assert page.locator(shown).first.is_visible()


def test_the_camera_is_judged_as_it_goes(visit):
    page = visit(permissions=["camera"])
    page.get_by_role("tab", name="Live", exact=True).click()
    panel(page).get_by_text("Click to Access Webcam").click()
    panel(page).get_by_role("button", name="Record").or_(panel(page).get_by_label("capture")).first.click()
    page.wait_for_selector("#live-answer .answer", timeout=WAIT_MS)


def test_two_visitors_do_not_see_each_others_files(visit, examples):
    one, two = visit(), visit()
    analyse(one, "picture", examples / "portrait.jpg")
    answer(one, "picture")
    # The history has the report as soon as it is written.
    one.locator("#picture-pdf:enabled").wait_for()
    for page in (one, two):
        page.get_by_role("tab", name="History", exact=True).click()
    line = line_of(one, "history", "portrait.jpg")
    line.wait_for()
    assert line_of(two, "history", "portrait.jpg").count() == 0
    line.click()
    one.wait_for_selector("#history-opened .answer")
    one.locator("#history-pdf:enabled").wait_for()
    one.click("#forget")
    line.wait_for(state="detached")


def test_the_theme_survives_a_reload(visit):
    page = visit()
    colour = "getComputedStyle(document.querySelector('h1')).color"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("body")).to_contain_class("dark")
    page.reload()
    page.wait_for_selector("#analyse-picture")
    expect(page.locator("body")).to_contain_class("dark")
    assert page.evaluate(colour) != light


def test_how_it_works_has_a_named_button_and_takes_no_tab_stop_while_closed(visit):
    page = visit(width=390)
    closed = page.locator(".sidebar-content")
    expect(closed).to_have_js_property("inert", True)
    page.get_by_role("button", name="How it works").click()
    expect(closed).to_have_js_property("inert", False)
    page.wait_for_timeout(600)
    wide = page.locator(".block.about").evaluate("found => found.getBoundingClientRect().width")
    assert wide <= 390
    assert page.locator(".block.about").evaluate("found => found.scrollWidth - found.clientWidth") <= 1


def edges(found):
    box = found.bounding_box()
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_sources_of_a_video_are_not_cut_off_by_a_tall_one(visit, tmp_path, width):
    black = np.zeros((640, 360, 3), np.uint8)
    tall = encode_clip((Frame(black, number, Fraction(number, 8)) for number in range(8)), tmp_path / "tall.mp4")
    page = visit(width=width)
    choose(page, "video", tall)
    page.wait_for_function(READY, arg="#video-input video")
    left, top, right, bottom = edges(page.locator("#video-input"))
    _, shown_top, _, shown_bottom = edges(page.locator("#video-input video"))
    for button in page.locator("#video-input .source-selection button").all():
        own_left, own_top, own_right, own_bottom = edges(button)
        assert left <= own_left < own_right <= right
        assert top <= shown_top < shown_bottom <= own_top < own_bottom <= bottom


@pytest.mark.parametrize(("width", "locale"), [(360, "en-US"), (390, "de"), (390, "ar")])
def test_every_tab_is_seen_and_reached_with_the_keyboard_on_a_narrow_screen(visit, width, locale):
    page = visit(width=width, locale=locale)
    tabs = page.get_by_role("tab")
    tabs.nth(5).wait_for()
    for tab in tabs.all():
        left, _, right, _ = edges(tab)
        assert 0 <= left < right <= width
    assert page.get_by_label("More tabs").count() == 0
    tabs.first.focus()
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#history-table").wait_for()
    assert tabs.last.get_attribute("aria-selected") == "true"


BROKEN_WORDS = """(table) => {
    const broken = [], range = document.createRange();
    for (const head of table.querySelectorAll("th")) {
        const texts = document.createTreeWalker(head, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/\\S+/g)) {
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            if (range.getClientRects().length > 1) broken.push(word[0]);
        }
    }
    return broken;
}"""


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_the_table_of_a_batch_is_read_on_a_narrow_screen(visit, examples, locale):
    page = visit(width=390, locale=locale)
    page.get_by_role("tab").nth(2).click()
    table = page.locator("#batch-table")
    table.locator("th").first.wait_for()
    assert table.evaluate(BROKEN_WORDS) == []
    panel(page).locator("input[type=file]").first.set_input_files(examples / "self_blend.jpg")
    panel(page).locator(".file-preview").wait_for()
    page.click("#analyse-batch")
    page.locator("#batch-csv:enabled").wait_for()
    line_of(page, "batch", "self_blend.jpg").wait_for()
    assert table.evaluate(BROKEN_WORDS) == []
    widths = table.locator("th").evaluate_all("(heads) => heads.map((head) => head.offsetWidth)")
    assert widths[0] + widths[1] + widths[2] / 2 < 326, "the answer begins in what is seen of the table"
    assert table.locator("thead").bounding_box()["height"] < 100
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_what_has_nothing_to_do_is_not_shown(visit, examples):
    page = visit()
    strength = page.get_by_label("range slider for Strength of the heat maps").locator("visible=true")
    kept = page.locator("#picture-pdf, #video-pdf, #batch-csv, #batch-pdf, #forget").locator("visible=true")
    cancel = page.locator("#cancel-video, #cancel-batch").locator("visible=true")
    for name in ("Picture", "Video", "Batch", "History"):
        page.get_by_role("tab", name=name, exact=True).click()
        panel(page).locator(".answer, #history-table").first.wait_for()
        assert [strength.count(), kept.count(), cancel.count()] == [0, 0, 0], name
    analyse(page, "video", examples / "half_fake.mp4")
    cancel.wait_for()
    assert [strength.count(), kept.count()] == [0, 0]
    assert answer(page, "video")
    strength.wait_for()
    kept.wait_for()
    assert cancel.count() == 0
    page.get_by_role("tab", name="Batch", exact=True).click()
    panel(page).locator("input[type=file]").first.set_input_files([examples / "portrait.jpg", examples / "no_face.jpg"])
    panel(page).locator(".file-preview").wait_for()
    page.click("#analyse-batch")
    cancel.wait_for()
    page.locator("#batch-csv:enabled").wait_for()
    assert cancel.count() == 0


def test_the_score_is_explained_beside_the_headline(visit, examples, detector):
    page = visit()
    analyse(page, "picture", examples / "self_blend.jpg")
    score = of_hundred(detector.detect(examples / "self_blend.jpg").p_fake)
    told = page.get_by_text(ENGLISH("answer.score_means", score=score))
    page.locator("#picture-answer h2").get_by_text(f"{score} of 100").wait_for()
    assert not told.is_visible()
    page.get_by_text(ENGLISH("answer.score_title", score=score)).click()
    assert told.is_visible()
    caption = panel(page).locator(".caption").inner_text()
    assert not re.search(r"\d", caption), "it names no number that is nowhere else"


@pytest.fixture
def visit_own(browser):
    """Opens a page that is served with other settings or another model."""
    with contextlib.ExitStack() as stack:

        def open_page(*, model=DEFAULT_MODEL, **settings):
            folder = stack.enter_context(own_folder())
            url = stack.enter_context(serving(Settings(port=free_port(), **settings), folder, model))
            return opened(stack, browser, url)

        yield open_page


def test_the_scale_has_the_thresholds_of_the_part_that_decided(visit_own, examples, tmp_path):
    model = shutil.copytree(DEFAULT_MODEL, tmp_path / "model")
    manifest = json.loads((model / "bundle.json").read_text())
    manifest["calibration"]["part"]["thresholds"] = {"real_below": 0.33, "fake_above": 0.81}
    (model / "bundle.json").write_text(json.dumps(manifest))
    page = visit_own(model=model)
    analyse(page, "video", examples / "half_fake.mp4")
    assert "that part decides" in answer(page, "video")
    page.locator("#video-answer summary", has_text=ENGLISH("answer.numbers")).click()
    assert "Real below 0.33, fake from 0.81" in answer(page, "video")
    assert page.locator("#video-answer .scale .tick.middle").all_inner_texts() == ["0.33", "0.81"]


def test_the_card_of_a_face_is_unstable_where_its_answer_is(visit_own, examples, monkeypatch):
    fake, real = read_picture(examples / "self_blend.jpg").image, deepfake.faces.changes.changed

    def other(image, face, spec, change):
        return (fake, face) if change is Change.TINT else real(image, face, spec, change)

    monkeypatch.setattr(deepfake.face_scorer, "changed", other)
    page = visit_own(stability=True)
    analyse(page, "picture", examples / "portrait.jpg")
    assert ENGLISH("reason.unstable") in answer(page, "picture")
    assert ENGLISH("reason.unstable") in panel(page).locator(".face.inconclusive figcaption").inner_text()


def test_it_fits_a_narrow_screen_and_brings_the_answer_into_view(visit, examples):
    page = visit(width=390)
    analyse(page, "picture", examples / "portrait.jpg")
    answer(page, "picture")
    page.wait_for_function(
        "Math.abs(document.querySelector('#picture-answer').getBoundingClientRect().top) < innerHeight / 3"
    )
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_and_its_answer_speak_the_browsers_language(visit, language, detector, examples):
    say = catalogue(language)
    page = visit(locale=language)
    page.get_by_role("heading", name=say("page.title"), exact=True).wait_for()
    direction = "rtl" if say.right_to_left else "ltr"
    expect(page.locator("html")).to_have_attribute("dir", direction)
    assert page.evaluate("document.documentElement.lang").split("-")[0] == language
    page.locator("#picture-answer h2").get_by_text(say("page.no_picture")).wait_for()
    panel(page).locator("input[type=file]").first.set_input_files(examples / "portrait.jpg")
    panel(page).locator("img[src*='gradio_api/file']").first.wait_for()
    page.get_by_role("button", name=say("page.analyse"), exact=True).click()
    assert headline(detector.detect(examples / "portrait.jpg"), say) in answer(page, "picture")
    assert "__i18n__" not in page.locator("body").inner_text()


def test_the_documentation_of_the_routes_needs_no_network(visit, address):
    page = visit()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/docs")
    page.get_by_text("/predict").first.wait_for()
    assert all(url.startswith((address, "data:")) for url in asked)


def test_the_footer_has_no_dot_that_separates_nothing(visit):
    footer = visit().locator("footer")
    footer.wait_for()
    assert not footer.inner_text().strip().endswith("·")


@pytest.mark.parametrize("dark", [False, True])
def test_a_screen_reader_finds_its_way(visit, examples, dark):
    from axe_playwright_python.sync_playwright import Axe

    page = visit()
    page.get_by_role("button", name="Real photograph", exact=True).wait_for()
    if dark:
        page.get_by_role("button", name="Light or dark").click()
    for kind, name in (("picture", "self_blend.jpg"), ("video", "half_fake.mp4")):
        analyse(page, kind, examples / name)
        answer(page, kind)
        # Buttons are pale until their files are written, and fade in then.
        page.locator(f"#{kind}-pdf:enabled").wait_for()
        page.wait_for_timeout(1000)
        found = Axe().run(page).response["violations"]
        grave = {
            f"{rule['id']}: {re.sub(chr(10), ' ', node['html'])[:120]}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        }
        assert not grave
