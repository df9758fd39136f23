"""What one browser has asked since it opened the page: small files on the disk, shown to nobody else.

In memory a session keeps but a line for each; what it names is bounded for each session and in all.
"""

from __future__ import annotations

import html
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deepfake.records import Image, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import jpeg, shrunk
from deepfake.report.words import ICONS, headline, of_hundred, shown_name

MAX_ENTRIES = 20
"""Most of one session; older ones are deleted."""
MAX_KEPT = 1000
"""Most of all sessions together; older ones are deleted."""
PICTURE = 1280
"""Longer side of the picture that is shown again, in pixels."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that was asked about: a line of a table."""

    name: str
    """Of the file, as it may be shown."""
    when: str
    """Time of day, `13:05`."""
    line: str
    """The answer in a few words, or why the file was refused; as HTML, in its colour."""
    score: int | None = None
    """Its p_fake in parts of a hundred; None without one."""
    people: int | None = None
    """Faces or people that were scored; None if the file was refused."""
    folder: Path | None = None
    """Where its picture, texts and report lie, until they are deleted; None if the file was refused."""

    def file(self, name: str) -> Path | None:
        """One of its files, if it is still there."""
        file = self.folder / name if self.folder else None
        return file if file and file.exists() else None


ANSWER, CARDS, PICTURE_FILE, REPORT = "answer.html", "cards.html", "picture.jpg", "report.pdf"
"""Names of an entry's files: the answer and the faces as HTML, the annotated picture or moment, and the PDF."""


class History:
    """The entries of all sessions.

    Args:
        folder: Where they lie; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def written(self, verdict: Verdict, say: Catalogue, *, picture: Image | None, answer: str, cards: str) -> Entry:
        """An entry about an answer, its files written.

        Args:
            verdict: The answer.
            say: The language of its line.
            picture: What is shown when it is opened again; None without.
            answer: The answer, as HTML.
            cards: The faces, as HTML.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        (folder / ANSWER).write_text(answer, encoding="utf-8")
        (folder / CARDS).write_text(cards, encoding="utf-8")
        if picture is not None:
            (folder / PICTURE_FILE).write_bytes(jpeg(shrunk(picture, PICTURE)))
        self._bound()
        return Entry(
            name=shown_name(Path(verdict.path).name),
            when=time_of_day(),
            line=f'<span class="said {verdict.label}">{ICONS[verdict.label]} '
            f"{html.escape(headline(verdict, say))}</span>",
            score=None if verdict.p_fake is None else of_hundred(verdict.p_fake),
            people=len(verdict.tracks),
            folder=folder,
        )

    def remembered(self, entries: Sequence[Entry], entry: Entry) -> list[Entry]:
        """The entries of a session with another first, and without the oldest if there are too many."""
        self.forget(entries[MAX_ENTRIES - 1 :])
        return [entry, *entries][:MAX_ENTRIES]

    def forget(self, entries: Sequence[Entry]) -> None:
        """Deletes what these name."""
        for entry in entries:
            if entry.folder:
                shutil.rmtree(entry.folder, ignore_errors=True)

    def _bound(self) -> None:
        """Deletes the oldest of all sessions if there are too many."""
        ages = []
        for folder in self._folder.iterdir():
            with suppress(OSError):  # Another session may delete it first.
                ages.append((folder.stat().st_mtime_ns, folder))
        for _, folder in sorted(ages)[:-MAX_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)


def refused_entry(name: str, error: str) -> Entry:
    """An entry about a file that was not answered."""
    return Entry(shown_name(name), time_of_day(), f'<span class="said error">✖ {html.escape(error)}</span>')


def table(entries: Sequence[Entry]) -> list[list[object]]:
    """The lines of a table of entries: number, name, answer in its colour, score, faces or people, time."""
    return [
        [number, html.escape(entry.name), entry.line, entry.score, entry.people, entry.when]
        for number, entry in enumerate(entries, 1)
    ]


def time_of_day() -> str:
    """Now, as a table shows it."""
    return f"{datetime.now().astimezone():%H:%M}"
