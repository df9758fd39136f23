"""What one browser has asked since it opened the page: small pictures on the disk, shown to nobody else.

In memory a session keeps but the names; what they name is bounded for each session and in all.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deepfake.records import Image, Verdict
from deepfake.report.drawing import jpeg, shrunk
from deepfake.report.words import WORDS, shown_name

MAX_ENTRIES = 20
"""Most of one session; older ones are deleted."""
MAX_KEPT = 1000
"""Most of all sessions together; older ones are deleted."""
THUMBNAIL = 128
"""Longer side of a thumbnail in pixels."""
PICTURE = 1280
"""Longer side of the picture that is shown again, in pixels."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered file."""

    caption: str
    """Name and answer."""
    folder: Path
    """Where its thumbnail, picture and texts lie, until they are deleted."""

    @property
    def thumbnail(self) -> Path:
        """A JPEG."""
        return self.folder / "thumbnail.jpg"

    @property
    def picture(self) -> Path:
        """What is shown when it is opened again: a JPEG of the annotated picture, or of the timeline."""
        return self.folder / "picture.jpg"

    @property
    def answer(self) -> Path:
        """The answer, as HTML."""
        return self.folder / "answer.html"

    @property
    def cards(self) -> Path:
        """The faces, as HTML."""
        return self.folder / "cards.html"


class History:
    """The entries of all sessions.

    Args:
        folder: Where they lie; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remember(
        self, entries: Sequence[Entry], verdict: Verdict, *, image: Image, picture: Image, answer: str, cards: str
    ) -> list[Entry]:
        """The entries of a session with another first, and without the oldest if there are too many.

        Args:
            entries: The session's, the newest first.
            verdict: The answer.
            image: What the thumbnail shows.
            picture: What is shown when it is opened again.
            answer: The answer, as HTML.
            cards: The faces, as HTML.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        name = shown_name(Path(verdict.path).name)
        entry = Entry(f"{name}: {WORDS[verdict.label].lower()}", Path(tempfile.mkdtemp(dir=self._folder)))
        entry.thumbnail.write_bytes(jpeg(shrunk(image, THUMBNAIL)))
        entry.picture.write_bytes(jpeg(shrunk(picture, PICTURE)))
        entry.answer.write_text(answer, encoding="utf-8")
        entry.cards.write_text(cards, encoding="utf-8")
        self.forget(entries[MAX_ENTRIES - 1 :])
        self._bound()
        return [entry, *entries][:MAX_ENTRIES]

    def forget(self, entries: Sequence[Entry]) -> None:
        """Deletes what these name."""
        for entry in entries:
            shutil.rmtree(entry.folder, ignore_errors=True)

    def _bound(self) -> None:
        """Deletes the oldest of all sessions if there are too many."""
        ages = []
        for folder in self._folder.iterdir():
            with suppress(OSError):  # Another session may delete it first.
                ages.append((folder.stat().st_mtime_ns, folder))
        for _, folder in sorted(ages)[:-MAX_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)
