"""An A4 document that is filled from top to bottom: what the report is written on."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake import __version__
from deepfake.records import Image
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import GREY, INK, Colour, jpeg, shrunk

if TYPE_CHECKING:
    from fpdf import FPDF

MAX_PICTURE_SIDE = 1100
"""Pictures are shrunk to this longer side: on paper that is 160 dots an inch."""
_FONT, _OTHERS = "text", "others"
SCRIPT_FAMILIES = {
    "hi": ("Noto Sans Devanagari", "Nirmala UI", "Kohinoor Devanagari", "Mangal", "Lohit Devanagari"),
    "zh": ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "SimHei", "WenQuanYi Zen Hei"),
}
"""Fonts, the best first, for the languages that the report's own cannot write."""
_SHAPED = ("ar", "hi")
"""Languages whose letters join: they need a shaping engine (uharfbuzz)."""


def can_write(language: str) -> bool:
    """Whether this machine has what it takes to print a language: a font, and for some a shaping engine.

    Example:

    >>> can_write("en"), can_write("fr")
    (True, True)
    """
    shapes = language not in _SHAPED or find_spec("uharfbuzz") is not None
    return shapes and (language not in SCRIPT_FAMILIES or _script_font(language) is not None)


class Sheet:
    """An A4 document that is filled from top to bottom.

    Args:
        name: The file that it is about, for the title in its metadata.
        footer: What stands at the foot of each page, beside its number.
        made: The date in its metadata.
        say: The language that it is written in.
    """

    def __init__(self, name: str, footer: str, made: datetime, say: Catalogue) -> None:
        self.say = say
        self.pdf = _blank(footer, say)
        self.pdf.set_title(f"{say('report.title')}: {name}")
        self.pdf.set_lang(say.language)
        self.pdf.set_creator(f"deepfake {__version__}")
        self.pdf.set_creation_date(made)
        self.pdf.add_page()

    def close(self) -> None:
        """Closes the files of the fonts."""
        from fpdf.fonts import TTFFont

        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def style(self, size: float = 9, *, bold: bool = False, colour: Colour = INK) -> None:
        """Sets how what follows is written."""
        self.pdf.set_font(_FONT, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)

    def text(self, text: str, size: float = 9, *, bold: bool = False, colour: Colour = INK) -> None:
        """Writes a paragraph."""
        self.style(size, bold=bold, colour=colour)
        align = "R" if self.say.right_to_left else "L"
        self.pdf.multi_cell(0, size * 0.52, text, align=align, new_x="LMARGIN", new_y="NEXT")
        self.pdf.ln(1.5)

    def room(self, height: float) -> None:
        """Goes to the next page if `height` millimetres are no longer free on this one."""
        if self.pdf.will_page_break(height):
            self.pdf.add_page()

    def heading(self, text: str, room: float = 32.0) -> None:
        """Writes a heading that stays on one page with the first `room` millimetres of what follows."""
        self.room(room)
        self.pdf.ln(3)
        self.text(text, 13, bold=True)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Writes names and values in two columns."""
        right_to_left, label_width = self.say.right_to_left, 32
        value_left = self.pdf.l_margin + (0 if right_to_left else label_width)
        label_left = self.pdf.w - self.pdf.r_margin - label_width if right_to_left else self.pdf.l_margin
        align = "R" if right_to_left else "L"
        for label, value in rows:
            # Neither may fall on another page than the other.
            self.room(10)
            top = self.pdf.get_y()
            self.style(9, colour=GREY)
            self.pdf.set_x(label_left)
            self.pdf.cell(label_width, 5, label, align=align)
            self.style(9)
            self.pdf.set_xy(value_left, top)
            width = self.pdf.epw - label_width
            self.pdf.multi_cell(width, 5, value, align=align, new_x="LMARGIN", new_y="NEXT")

    def table(self, names: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """Writes a table; its first column is aligned left, the others right."""
        from fpdf import FontFace

        self.style(7.5)
        self.pdf.set_draw_color(200)
        self.pdf.set_fill_color(255)
        with self.pdf.table(
            col_widths=tuple(widths),
            text_align=("LEFT", *["RIGHT"] * (len(names) - 1)),
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(emphasis="BOLD", fill_color=(242, 242, 242)),
            line_height=3.8,
            padding=(0.7, 0.3),
        ) as table:
            for row in (names, *rows):
                table.row(row)
        self.pdf.ln(3)

    def pictures(self, cells: Sequence[tuple[Image, str]], columns: int, max_height: float) -> None:
        """Puts pictures side by side, each with its caption; a row is not torn apart."""
        pdf, gap = self.pdf, 6.0
        width = (pdf.epw - gap * (columns - 1)) / columns
        for start in range(0, len(cells), columns):
            row = cells[start : start + columns]
            sizes = [_fitted(image, width, max_height) for image, _ in row]
            tallest = max(height for _, height in sizes)
            self.room(tallest + 16)
            top, bottom = pdf.get_y(), 0.0
            for place, ((image, caption), (drawn, _)) in enumerate(zip(row, sizes, strict=True)):
                left = pdf.l_margin + place * (width + gap)
                pdf.image(
                    io.BytesIO(jpeg(shrunk(image, MAX_PICTURE_SIDE))),
                    left,
                    top,
                    drawn,
                    alt_text=" ".join(caption.split()),
                )
                pdf.set_xy(left, top + tallest + 1)
                self.style(8)
                pdf.multi_cell(width, 4, caption, align="L", new_x="LMARGIN", new_y="NEXT")
                bottom = max(bottom, pdf.get_y())
            pdf.set_y(bottom + 3)


def _blank(footer: str, say: Catalogue) -> FPDF:
    """An empty document with its fonts and its footer."""
    import matplotlib as mpl
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    class Report(FPDF):
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font(_FONT, "", 7.5)
            self.set_text_color(*GREY)
            self.cell(self.epw - 25, 5, footer, align="L")
            self.cell(25, 5, f"{say('report.page')} {self.page_no()} / {{nb}}", align="R")

        def normalize_text(self, text: str) -> str:
            return "".join(sign if sign == "\n" or ord(sign) in known else "?" for sign in text)

    # It tells of every table of a font that it cuts, in the log of whoever listens at this level.
    logging.getLogger("fontTools.subset").setLevel(logging.WARNING)
    pdf = Report(format="A4")
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    # Each emphasis of a script is its one file. What it lacks, such as the icons, comes from the font of all others.
    script = _script_font(say.language)
    pdf.add_font(_FONT, "", script or fonts / "DejaVuSans.ttf")
    pdf.add_font(_FONT, "B", script or fonts / "DejaVuSans-Bold.ttf")
    if script:
        pdf.add_font(_OTHERS, "", fonts / "DejaVuSans.ttf")
        pdf.add_font(_OTHERS, "B", fonts / "DejaVuSans-Bold.ttf")
        pdf.set_fallback_fonts([_OTHERS])
    if say.language in _SHAPED:
        pdf.set_text_shaping(True)
    known = set.union(*(set(font.cmap) for font in pdf.fonts.values() if isinstance(font, TTFFont)))
    pdf.set_margin(20)
    pdf.set_auto_page_break(True, margin=20)
    # Text then begins where headings and pictures do.
    pdf.c_margin = 0
    return pdf


def _script_font(language: str) -> Path | None:
    """The file of the first of a language's fonts that this machine has."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager

    if language == "hi" and (package := find_spec("fontpkg_noto_sans_devanagari")) and package.origin:
        for file in (Path(package.origin).parent / "files").glob("*.ttf"):
            fontManager.addfont(file)
    for family in SCRIPT_FAMILIES.get(language, ()):
        try:
            return Path(findfont(FontProperties(family=[family]), fallback_to_default=False))
        except ValueError:
            continue
    return None


def _fitted(image: Image, width: float, height: float) -> tuple[float, float]:
    """Width and height of the largest such picture that fits."""
    scale = min(width / image.shape[1], height / image.shape[0])
    return image.shape[1] * scale, image.shape[0] * scale
