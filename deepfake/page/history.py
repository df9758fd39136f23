"""What one browser has asked since it opened the page: kept with its session, shown to nobody else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from deepfake.page.language import words_for
from deepfake.records import Image, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.words import ICONS, headline, of_hundred, shown_name

MAX_ENTRIES = 20
"""Older ones are forgotten."""
PICTURE_SIDE = 960
"""Longer side in pixels of the picture that an entry keeps."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that was asked about."""

    name: str
    """Of the file, as it may be shown."""
    when: str
    """Time of day, `13:05`."""
    verdict: Verdict | None
    """The answer; its file may have been deleted since. None if the file was refused."""
    error: str
    """Why it was refused; empty if it was not."""
    picture: Image | None
    """What is shown when it is opened again: the annotated picture, or the most suspicious moment; RGB uint8."""
    cards: str
    """The faces, as HTML."""


def entry_of(verdict: Verdict, when: str, picture: Image | None, cards: str) -> Entry:
    """An entry about an answer."""
    return Entry(shown_name(Path(verdict.path).name), when, verdict, "", picture, cards)


def remember(entries: Sequence[Entry], entry: Entry) -> list[Entry]:
    """A new list with the entry first, and the oldest left out if there are too many."""
    return [entry, *entries][:MAX_ENTRIES]


def table(entries: Sequence[Entry], say: Catalogue) -> list[list[object]]:
    """The lines of a table of entries: number, name, answer in its colour, score, faces or people, time."""
    return [
        [number, html.escape(entry.name), *_cells(entry, say), entry.when] for number, entry in enumerate(entries, 1)
    ]


def listed(entries: list[Entry], request: gr.Request | None = None) -> list[list[object]]:
    """The lines of the history, in the language of its visitor."""
    return table(entries, words_for(request))


def _cells(entry: Entry, say: Catalogue) -> tuple[str, int | None, int | None]:
    verdict = entry.verdict
    if verdict is None:
        return f'<span class="said error">✖ {html.escape(entry.error)}</span>', None, None
    words = html.escape(headline(verdict, say))
    score = None if verdict.p_fake is None else of_hundred(verdict.p_fake)
    return f'<span class="said {verdict.label}">{ICONS[verdict.label]} {words}</span>', score, len(verdict.tracks)
