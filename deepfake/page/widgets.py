"""The widgets that an answer fills, by name: actions answer `{widget: value}`, and leave the others as they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

Shown = dict[Any, Any]
"""What widgets are to show."""


@dataclass(slots=True)
class Asked:
    """What a tab of one browser was asked about: all its events share this, and an answer about another is dropped.

    A browser tells of a file that was chosen and of the button that was pressed in events of their own, and the first
    may come after the second: a file that is told of clears an answer only where the answer is about another.
    """

    about: object = None
    """The file, or the files; None after any was changed."""
    smallest: float | None = None
    """The smallest face that was searched for in it; None for the usual."""


@dataclass(frozen=True, slots=True)
class Widgets:
    """Gradio's components; tests put names in their place."""

    def all(self) -> list[Any]:
        """Every one of them: the outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]

    def cleared(self, *kept: str) -> Shown:
        """All of them empty, but those of these names, which are left as they are."""
        return {getattr(self, field.name): None for field in fields(self) if field.name not in kept}

    def unchanged(self) -> Shown:
        """All of them as they are: Gradio takes an empty answer for one that lacks every value."""
        return {self.all()[0]: gr.skip()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWidgets(Widgets):
    """Of the answer about one file."""

    said: Any
    """How far it has come, then the answer."""
    caption: Any
    """What the heat map is."""
    cards: Any
    """The faces: of a video, the most suspicious of each person."""
    numbers: Any
    """The verdict as JSON."""
    verdict: Any
    """The verdict, for what is downloaded."""
    pdf: Any
    """The report."""
    data: Any
    """The JSON file."""
    entries: Any
    """The history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureWidgets(FileWidgets):
    """Of the answer about a picture."""

    slider: Any
    """The picture beside itself with its heat maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoWidgets(FileWidgets):
    """Of the answer about a video."""

    plot: Any
    """The timeline."""
    moments: Any
    """The most suspicious moments."""
    clip: Any
    """The annotated clip."""


@dataclass(frozen=True, slots=True)
class OpenedWidgets(Widgets):
    """Of an answer that is opened again from a table."""

    said: Any
    """The answer."""
    picture: Any
    """The annotated picture, or the most suspicious moment."""
    cards: Any
    """Its faces."""
    pdf: Any
    """The report."""


@dataclass(frozen=True, slots=True)
class PairWidgets(Widgets):
    """Of two pictures side by side."""

    first_said: Any
    """The answer about the first."""
    first: Any
    """It, beside itself with its heat maps."""
    second_said: Any
    """The answer about the second."""
    second: Any
    """It, beside itself with its heat maps."""
    cards: Any
    """The most suspicious face of each."""
