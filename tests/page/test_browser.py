"""The page in a real browser: what a person sees and does."""

from __future__ import annotations

import re
import shutil

import pypdf
import pytest

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
ANSWERED = ".answer:not(.error):not(.busy)"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Opens the page as one more visitor."""
    contexts = []

    def open_page(width=1280):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(address)
        page.wait_for_selector("#analyse-picture")
        return page

    yield open_page
    for context in contexts:
        context.close()


def analyse(page, kind, path):
    """Chooses a file on the tab of its kind and presses the button."""
    page.get_by_role("tab", name=kind.capitalize(), exact=True).click()
    panel = page.locator("[role=tabpanel]:visible")
    panel.locator("input[type=file]").first.set_input_files(path)
    panel.locator("img[src*='gradio_api/file'], video, .file-preview").first.wait_for()
    page.click(f"#analyse-{kind}")


def answer(page, kind):
    return page.locator(f"#{kind}-answer {ANSWERED}").inner_text()


def test_a_picture_is_answered_and_kept(visit, examples, detector, tmp_path):
    page = visit()
    analyse(page, "picture", examples / "portrait.jpg")
    verdict = detector.detect(examples / "portrait.jpg")
    assert f"p_fake {verdict.p_fake:.2f}" in answer(page, "picture")
    assert page.locator("#picture-answer .scale .mark").count() == 1
    panel = page.locator("[role=tabpanel]:visible")
    heat = panel.locator(".face img.heat")
    assert heat.evaluate("image => image.naturalWidth") == 224
    assert heat.evaluate("image => getComputedStyle(image).opacity") == "0.6"
    panel.get_by_label("range slider for Strength of the heat maps").press("Home")
    page.wait_for_function("getComputedStyle(document.querySelector('.face img.heat')).opacity === '0'")
    with page.expect_download() as started:
        page.locator("#picture-pdf:enabled").click()
    started.value.save_as(tmp_path / "report.pdf")
    text = "".join(part.extract_text() for part in pypdf.PdfReader(tmp_path / "report.pdf").pages)
    assert "portrait.jpg" in text
    assert f"{verdict.p_fake:.2f}" in text


def test_a_video_shows_progress_a_timeline_and_the_frame_that_is_clicked(visit, examples):
    page = visit()
    analyse(page, "video", examples / "half_fake.mp4")
    page.wait_for_selector("#video-answer .busy")
    assert "p_fake" in answer(page, "video")
    plot = page.locator("#timeline img")
    plot.wait_for()
    first = page.locator("#frame img").get_attribute("src")
    size = plot.bounding_box()
    plot.click(position={"x": size["width"] * 0.83, "y": size["height"] * 0.5})
    page.wait_for_function("old => document.querySelector('#frame img').src !== old", arg=first)
    assert page.locator("#frame img").get_attribute("src") != first
    assert page.locator("[role=tabpanel]:visible .face").count() >= 1
    assert page.locator("[role=tabpanel]:visible video").count() == 2


def test_a_video_can_be_cancelled_and_the_page_goes_on(visit, examples):
    page = visit()
    analyse(page, "video", examples / "half_fake.mp4")
    page.wait_for_selector("#video-answer .busy")
    page.click("#cancel-video")
    page.wait_for_selector("#video-answer h2:has-text('Stopped')")
    analyse(page, "picture", examples / "portrait.jpg")
    assert "p_fake" in answer(page, "picture")
    assert "Stopped" in page.locator("#video-answer").inner_text() or page.locator("#video-answer").is_hidden()


def test_garbage_is_refused_with_a_reason(visit, tmp_path):
    (tmp_path / "letter.jpg").write_text("no picture")
    page = visit()
    page.locator("[role=tabpanel]:visible input[type=file]").first.set_input_files(tmp_path / "letter.jpg")
    page.wait_for_timeout(500)
    page.click("#analyse-picture")
    page.wait_for_selector("#picture-answer .error h2:has-text('cannot be read')")
    said = page.locator("#picture-answer").inner_text()
    assert "letter.jpg is neither a picture" in said
    assert "/tmp" not in said


def test_a_batch_gives_a_table_and_a_sheet(visit, examples, tmp_path):
    page = visit()
    page.get_by_role("tab", name="Batch", exact=True).click()
    names = ["portrait.jpg", "no_face.jpg"]
    page.locator("[role=tabpanel]:visible input[type=file]").set_input_files([examples / name for name in names])
    page.get_by_text("no_face").first.wait_for()
    page.click("#analyse-batch")
    page.wait_for_function("document.querySelectorAll('#batch-answer tbody tr').length === 2")
    with page.expect_download() as started:
        page.locator("#batch-csv:enabled").click()
    started.value.save_as(tmp_path / "sheet.csv")
    assert [line.split(",")[0] for line in (tmp_path / "sheet.csv").read_text().splitlines()] == ["file", *names]


def test_two_visitors_do_not_see_each_others_files(visit, examples):
    one, two = visit(), visit()
    analyse(one, "picture", examples / "portrait.jpg")
    answer(one, "picture")
    for page in (one, two):
        page.get_by_role("tab", name="History", exact=True).click()
    one.locator("#history img").first.wait_for()
    assert one.locator("#history img").count() == 1
    assert two.locator("#history img").count() == 0
    one.locator("#history img").first.click()
    one.wait_for_selector("#history-answer .answer")
    one.click("#forget")
    one.wait_for_function("document.querySelectorAll('#history img').length === 0")


def test_the_theme_can_be_switched(visit):
    page = visit()
    colour = "getComputedStyle(document.querySelector('h1')).color"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_function("document.body.classList.contains('dark')")
    assert page.evaluate(colour) != light


def test_it_fits_a_narrow_screen(visit, examples):
    page = visit(width=390)
    analyse(page, "picture", examples / "portrait.jpg")
    answer(page, "picture")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True])
def test_a_screen_reader_finds_its_way(visit, examples, dark):
    from axe_playwright_python.sync_playwright import Axe

    page = visit()
    if dark:
        page.get_by_role("button", name="Light or dark").click()
    analyse(page, "picture", examples / "portrait.jpg")
    answer(page, "picture")
    # Buttons are pale until their files are written, and fade in then.
    page.locator("#picture-pdf:enabled").wait_for()
    page.wait_for_timeout(1000)
    found = Axe().run(page).response["violations"]
    grave = {
        f"{rule['id']}: {re.sub(chr(10), ' ', node['html'])[:120]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    }
    assert not grave
