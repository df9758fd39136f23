"""What one browser has asked since it opened the page: kept with its session, shown to nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepfake.records import Image, Verdict
from deepfake.report.words import WORDS, shown_name

MAX_ENTRIES = 20
"""Older ones are forgotten."""
THUMBNAIL = 128
"""Longer side of a thumbnail in pixels."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered file."""

    verdict: Verdict
    """The answer; its file may have been deleted since."""
    thumbnail: Image
    """RGB uint8."""
    picture: Image
    """What is shown when it is opened again: the annotated picture, or the timeline."""
    cards: str
    """The faces, as HTML."""

    @property
    def caption(self) -> str:
        """Name and answer."""
        return f"{shown_name(Path(self.verdict.path).name)}: {WORDS[self.verdict.label].lower()}"


def remember(entries: list[Entry], entry: Entry) -> list[Entry]:
    """A new list with the entry first, and the oldest left out if there are too many."""
    return [entry, *entries][:MAX_ENTRIES]
