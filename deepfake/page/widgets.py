"""The widgets that an answer fills, by name: actions answer `{widget: value}`, and leave the others as they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

Shown = dict[Any, Any]
"""What widgets are to show."""


@dataclass(frozen=True, slots=True)
class Widgets:
    """Gradio's components; tests put names in their place."""

    def all(self) -> list[Any]:
        """Every one of them: the outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True, slots=True)
class PictureWidgets(Widgets):
    """Of the answer about a picture."""

    said: Any
    """The answer."""
    marked: Any
    """The picture with its heat maps."""
    cards: Any
    """Its faces."""
    numbers: Any
    """The verdict as JSON."""
    verdict: Any
    """The verdict, for what is downloaded."""
    entries: Any
    """The history."""


@dataclass(frozen=True, slots=True)
class VideoWidgets(Widgets):
    """Of the answer about a video."""

    said: Any
    """How far the search has come, then the answer."""
    plot: Any
    """The timeline."""
    number: Any
    """The slider that chooses a frame."""
    frame: Any
    """The frame that is chosen."""
    cards: Any
    """The most suspicious face of each person."""
    gallery: Any
    """The most suspicious frames."""
    clip: Any
    """The annotated clip."""
    numbers: Any
    """The verdict as JSON."""
    verdict: Any
    """The verdict, for what is downloaded."""
    folder: Any
    """Where the annotated frames lie."""
    entries: Any
    """The history."""


@dataclass(frozen=True, slots=True)
class HistoryWidgets(Widgets):
    """Of the history."""

    entries: Any
    """The answers of this browser."""
    gallery: Any
    """Their thumbnails."""
    said: Any
    """The answer that is opened again."""
    picture: Any
    """Its picture, or its timeline."""
    cards: Any
    """Its faces."""
