"""Draws the page as the documents show it, in a browser, with the model that ships: python -m scripts.screenshots."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import PIL.Image
from playwright.sync_api import Browser, Page, sync_playwright

from deepfake.page.place import own_folder

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZE = {"width": 1280, "height": 1320}
PORT = 7869
WAIT_MS = 120_000


def main() -> None:
    """Writes `docs/page-light.png`, a picture that was answered, and `docs/page-dark.png`, a video."""
    with own_folder() as folder:
        from deepfake.page.serve import Settings, serving

        with serving(Settings(port=PORT), folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            _draw(_answered(browser, address, "light", "Picture", "Fake: blended face"), DOCS / "page-light.png")
            _draw(_answered(browser, address, "dark", "Video", "Fake from the middle on"), DOCS / "page-dark.png")
            browser.close()


def _answered(browser: Browser, address: str, theme: str, tab: str, example: str) -> Page:
    """The page in a theme, after an example was chosen on a tab and everything about it is shown."""
    page = browser.new_page(viewport=SIZE, color_scheme=theme, locale="en-US")  # type: ignore[arg-type]
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator("[role=tabpanel]:visible").get_by_text(example).first.click()
    page.locator(f"#{tab.lower()}-pdf:enabled").wait_for()
    page.wait_for_timeout(2000)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(1000)
    return page


def _draw(page: Page, path: Path) -> None:
    """Writes what a page shows in 256 colours, which nobody sees and which takes a third."""
    picture = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(256, dither=PIL.Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
