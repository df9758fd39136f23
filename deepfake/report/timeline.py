"""Verdict -> a chart of its faces over time that can be hovered and clicked (Plotly)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from deepfake.records import Label, Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.drawing import LABEL_COLOURS, hex_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

LINE_COLOURS = ("#6366f1", "#0d9488", "#c026d3", "#ea580c", "#65a30d", "#0284c7")
"""Of the persons, in turn: seen on light and on dark ground."""
HEIGHT = 320
"""In pixels."""


def chart(verdict: Verdict, say: Catalogue) -> go.Figure:
    """A line a person over time, the band in which nothing can be told, and the part that looks fake.

    Every point carries its time in seconds, in `x`. Grounds are transparent, so that it fits any theme.

    Raises:
        ValueError: If no face was scored: there is nothing to draw.
    """
    if not verdict.scores:
        raise ValueError("A chart needs at least one scored face. Received a verdict without any.")
    import plotly.graph_objects as go

    by_track = defaultdict(list)
    for score in verdict.scores:
        by_track[score.face.track or 0].append((verdict.times[score.face.frame_index], 100 * score.p_fake))
    figure = go.Figure()
    for number, points in sorted(by_track.items()):
        times, scores = zip(*sorted(points), strict=True)
        figure.add_scatter(
            x=times,
            y=scores,
            name=say("timeline.face", face=number + 1),
            mode="lines+markers",
            line={"color": LINE_COLOURS[number % len(LINE_COLOURS)], "width": 2},
            hovertemplate=say("timeline.hover"),
        )
    low, high = verdict.face_thresholds.real_below, verdict.face_thresholds.fake_above
    figure.add_hrect(
        100 * low,
        100 * high,
        fillcolor=hex_of(LABEL_COLOURS[Label.INCONCLUSIVE]),
        opacity=0.12,
        line_width=0,
        annotation_text=say("timeline.band"),
        annotation_position="top left",
    )
    for part in verdict.parts:
        figure.add_vrect(
            part.from_s,
            part.to_s,
            fillcolor=hex_of(LABEL_COLOURS[Label.FAKE]),
            opacity=0.15,
            line_width=0,
            annotation_text=say("timeline.part", start=f"{part.from_s:.1f}", end=f"{part.to_s:.1f}"),
            annotation_position="bottom left",
        )
    figure.update_layout(
        height=HEIGHT,
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 48, "r": 12, "t": 12, "b": 44},
        xaxis={"title": say("timeline.x"), "gridcolor": "#8884", "zeroline": False},
        yaxis={"title": say("timeline.y"), "range": [-3, 103], "gridcolor": "#8884", "zeroline": False},
        legend={"orientation": "h", "y": 1.12},
        hovermode="closest",
        showlegend=len(by_track) > 1,
    )
    return figure
