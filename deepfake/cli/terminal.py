"""What people see in a terminal: colour, lines that fit, a progress line that goes away.

A pipe or a file gets the same words whole: no colour, no shortened name, and one line a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from deepfake.system.text import printable

if TYPE_CHECKING:
    from deepfake.report.brief import Brief

COLOURS = {"fake": "bold red", "real": "green", "inconclusive": "yellow"}
SCORE_CELLS = 4
"""Of `98%`, right-aligned."""
DETAIL_CELLS = 34
"""A line has its detail beside the name where this much is left for it, and below otherwise."""
NAME_CELLS = (20, 40)
"""Least that a name gets in a narrow terminal, before it has a line of its own; most that it is padded to."""
BAR_CELLS = 44
"""What a progress line takes beside its label."""


def console(stream: TextIO) -> Console:
    """What writes to a stream: in colour if it is a terminal; see https://no-color.org and https://force-color.org."""
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=stream, color_system=None if plain else "auto", highlight=False, markup=False, emoji=False)


def tell(text: str, style: str = "", *, stream: TextIO | None = None) -> None:
    """Writes a line for people to stderr, or to another stream; a terminal breaks it, nothing else does."""
    stream = stream or sys.stderr
    console(stream).print(_encodable(Text(text, style), stream), soft_wrap=not stream.isatty())


def tell_error(text: str) -> None:
    """Writes what went wrong to stderr, as one line with nothing in it that steers a terminal."""
    line = _encodable(Text(f"Error: {printable(text)}"), sys.stderr)
    line.stylize(COLOURS["fake"], 0, len("Error:"))
    console(sys.stderr).print(line, soft_wrap=not sys.stderr.isatty())


def bar_with(*columns: ProgressColumn) -> Progress:
    """A bar on stderr, with how much is done, those columns, and the time that is left."""
    first = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), MofNCompleteColumn())
    return Progress(
        *first,
        *columns,
        TimeRemainingColumn(compact=True),
        console=console(sys.stderr),
        transient=True,
        # What goes to stdout is data: it does not pass through here.
        redirect_stdout=False,
        redirect_stderr=False,
    )


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A line of progress on stderr, gone when it is done; nothing where that is no terminal.

    Args:
        label: What is done; shortened where the terminal is narrow.

    Yields:
        What is called with how much is done, and of how much.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with bar_with() as progress:
        text = shortened(_encodable(Text(label), sys.stderr).plain, max(progress.console.width - BAR_CELLS, 8))
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def duration(seconds: float) -> str:
    """A time as hours, minutes and seconds.

    Example:

    >>> duration(3725.4)
    '1:02:05'
    """
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


class AnswerList:
    """Writes the answers about files to stdout, in columns where they fit.

    Args:
        names: Of all files, as they will be shown.
        answers: All answers that there are, in words.
    """

    def __init__(self, names: Sequence[str], answers: Sequence[str]) -> None:
        self._stream = sys.stdout
        self._console = console(self._stream)
        self._width = self._console.width if self._stream.isatty() else None
        self._answer = max(map(cell_len, answers))
        self._name = max(map(cell_len, map(printable, names)))

    def add(self, name: str, found: Brief, sentences: Sequence[str] = ()) -> None:
        """Writes one answer.

        Args:
            name: The file's, of any characters.
            found: What to say of it.
            sentences: What to say besides, below; the notes are among them.
        """
        name = printable(name)
        notes = [] if sentences else found.notes
        detail = " ".join([found.detail, *(f"[{note}]" for note in notes)])
        for line, indent in self._laid_out(name, found, detail):
            self._print(line, indent)
        if sentences:
            self._print(Text(printable(" ".join(sentences))), 4)

    def _laid_out(self, name: str, found: Brief, detail: str) -> list[tuple[Text, int]]:
        """The lines of one answer, with their indents."""
        answer = found.answer + " " * (self._answer - cell_len(found.answer))
        head = Text.assemble(
            (answer, COLOURS[found.label]), "  ", (found.score.rjust(SCORE_CELLS), COLOURS[found.label]), "  "
        )
        if self._width is None:
            column = min(self._name, NAME_CELLS[1])
            return [(head + Text(f"{_padded(name, column)}  {detail}".rstrip()), 0)]
        room = self._width - cell_len(head.plain)
        column = min(self._name, max(NAME_CELLS[1], room - 2 * DETAIL_CELLS))
        if column + 2 + max(cell_len(detail), DETAIL_CELLS) <= room:
            return [(head + Text.assemble(_padded(shortened(name, column), column), "  ", (detail, "dim")), 0)]
        if room >= NAME_CELLS[0]:
            return [(head + Text(shortened(name, room)), 0), (Text(detail, "dim"), 4)]
        return [(head, 0), (Text(shortened(name, self._width - 4)), 4), (Text(detail, "dim"), 4)]

    def _print(self, line: Text, indent: int) -> None:
        line = _encodable(line, self._stream)
        if self._width is None:
            self._console.print(Text(" " * indent) + line, soft_wrap=True)
        else:
            self._console.print(Padding(line, (0, 0, 0, indent), expand=False))


def shortened(text: str, cells: int) -> str:
    """A text that takes no more cells of a terminal; the middle of a longer one is left out.

    Example:

    >>> shortened("holiday.jpg", 7), shortened("假期照片.jpg", 8)
    ('hol…jpg', '假 ….jpg')
    """
    if cell_len(text) <= cells:
        return text
    tail = cells // 2
    return f"{set_cell_size(text, cells - tail - 1)}…{set_cell_size(text[::-1], tail)[::-1]}"


def _padded(text: str, cells: int) -> str:
    return text + " " * (cells - cell_len(text))


def _encodable(text: Text, stream: TextIO) -> Text:
    """The text with escapes for what a stream cannot encode, as on consoles of the old days."""
    coding = stream.encoding or "utf-8"
    plain = text.plain.encode(coding, "backslashreplace").decode(coding)
    return text if plain == text.plain else Text(plain, text.style)
