"""Scores -> pictures: the heat map on a face and on a frame, and p_fake over time."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np

from deepfake.records import Floats, Image, Label, Score, Verdict

FULL_HEAT = 4.0
"""Evidence, in steps of the logit, that is painted at full strength."""
FAKE_COLOUR = (214, 40, 40)
"""RGB of evidence for fake."""
REAL_COLOUR = (30, 110, 200)
"""RGB of evidence for real."""
LABEL_COLOURS = {Label.FAKE: FAKE_COLOUR, Label.REAL: REAL_COLOUR, Label.INCONCLUSIVE: (200, 140, 0)}
"""RGB of each answer; the three differ for readers who do not tell red from green."""


def heat_map(evidence: Floats, size: int) -> Floats:
    """The evidence of one crop at `(size, size)`, in [-1, 1]: above 0 speaks for fake, below for real."""
    fine = cv2.resize(evidence, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(fine / FULL_HEAT, -1, 1).astype(np.float32)


def overlay_crop(image: Image, evidence: Floats, opacity: float = 0.6) -> Image:
    """A crop with its heat map: red where the evidence speaks for fake, blue where it speaks for real.

    Args:
        image: RGB uint8 `(size, size, 3)`.
        evidence: `(h, w)`, of this crop.
        opacity: Strength of the colour in [0, 1] where the evidence is full.
    """
    return _painted(image, heat_map(evidence, image.shape[0]), opacity)


def overlay_frame(image: Image, scores: Sequence[Score], opacity: float = 0.5) -> Image:
    """A frame with the heat map of each of its faces, laid where the face was cut."""
    canvas, size = image.copy(), 112
    soft_edge = _soft_edge(size)
    for score in scores:
        corners = score.to_frame @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
        left, top = np.clip(np.floor(corners.min(axis=1)), 0, None).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(axis=1)), 0, None).astype(int)
        under = canvas[top:bottom, left:right]
        if not under.size:
            continue
        # From the map's pixels, counted at their centres, to those of the part of the frame that it covers.
        matrix = score.to_frame / size
        matrix[:, 2] = score.to_frame[:, 2] + (matrix[:, 0] + matrix[:, 1]) / 2 - 0.5 - (left, top)
        heat = cv2.warpAffine(heat_map(score.evidence, size) * soft_edge, matrix, under.shape[1::-1])
        under[:] = _painted(under, heat, opacity)
    return canvas


def timeline(verdict: Verdict, width: int = 900, height: int = 320) -> bytes:
    """A PNG of p_fake over time, a line a person, with the two thresholds and the band between them.

    Raises:
        ValueError: If no face was scored: there is nothing to draw.
    """
    if not verdict.scores:
        raise ValueError("A timeline needs at least one scored face. Received a verdict without any.")
    # Drawn by hand on a Figure: pyplot keeps global state and opens displays.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100), dpi=100, layout="constrained")
    axes = figure.subplots()
    low, high = verdict.thresholds.real_below, verdict.thresholds.fake_above
    axes.axhspan(low, high, color="0.9", label="inconclusive")
    for threshold, name in ((low, "real below"), (high, "fake above")):
        axes.axhline(threshold, color="0.5", linewidth=0.8)
        axes.annotate(f"{name} {threshold:.2f}", (1, threshold), xycoords=("axes fraction", "data"), fontsize=9)
    by_track = defaultdict(list)
    for score in verdict.scores:
        by_track[score.face.track or 0].append((verdict.times[score.face.frame_index], score.p_fake))
    for number, points in sorted(by_track.items()):
        axes.plot(
            *zip(*sorted(points), strict=True), marker="o", markersize=3, linewidth=1.2, label=f"face {number + 1}"
        )
    axes.set(title="p_fake over time", xlabel="time in seconds", ylabel="p_fake", ylim=(-0.02, 1.02))
    axes.legend(loc="upper left", fontsize=8, ncols=4)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)  # Gives the figure a canvas to draw on.
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _painted(image: Image, heat: Floats, opacity: float) -> Image:
    if not 0 <= opacity <= 1:
        raise ValueError(f"`opacity` is a share in [0, 1]. Received: {opacity}.")
    strength = (np.abs(heat) * opacity)[..., None]
    colour = np.where(heat[..., None] > 0, np.array(FAKE_COLOUR, np.float32), np.array(REAL_COLOUR, np.float32))
    return (image * (1 - strength) + colour * strength).round().astype(np.uint8)


def _soft_edge(size: int) -> Floats:
    ramp = np.clip((0.5 - np.abs(np.linspace(-0.5, 0.5, size))) * 8, 0, 1)
    return np.outer(ramp, ramp).astype(np.float32)
