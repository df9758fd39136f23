"""Scores -> pictures: the heat map on a face and on a frame, and p_fake over time."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np

from deepfake.model.srm import residual
from deepfake.records import Floats, Image, Score, Verdict
from deepfake.report.drawing import heat_colours, outlined, painted

TIMELINE_WIDTH = 900
"""Width of a timeline in pixels."""
TIMELINE_AXES = (0.07, 0.86)
"""Where its time axis begins and ends, over the width."""
CONTOUR = 0.5
"""Strength of a heat map, of its strongest place, along which a line is drawn."""
MAX_GAIN = 64.0
"""How much stronger a residual is painted than it is, at most: it is often less than a step of 255."""


Span = tuple[float, float]
"""Evidence, in steps of the logit, from which on a place is painted, and at which it is painted at full strength."""


def span_of(evidence: Floats) -> Span:
    """The range of a map's own strengths. It begins at 0 where both signs occur: between them nothing speaks.

    Example:

    >>> span_of(np.array([[1.0, 3.0]])), span_of(np.array([[-1.0, 3.0]]))
    ((1.0, 3.0), (0.0, 3.0))
    """
    strength = np.abs(evidence)
    one_sign = bool((evidence > 0).all() or (evidence < 0).all())
    return float(strength.min()) if one_sign else 0.0, float(strength.max())


def heat_map(evidence: Floats, size: int, span: Span | None = None) -> Floats:
    """The evidence of one crop at `(size, size)`, in [-1, 1]: above 0 speaks for fake, below for real.

    Args:
        evidence: `(h, w)`, in steps of the logit.
        size: Side in pixels.
        span: What is painted how strongly; the default is the map's own, by which a map that speaks for fake everywhere
            still shows where it does most. Maps that are to be compared need one that they share.
    """
    low, high = span or span_of(evidence)
    fine = cv2.resize(evidence, (size, size), interpolation=cv2.INTER_CUBIC)
    # A flat map has no strongest place: all of it is.
    strength = np.clip((np.abs(fine) - low) / (high - low), 0, 1) if high > low else np.full_like(fine, high > 0)
    return np.asarray(np.sign(fine) * strength, np.float32)


def heat_layer(evidence: Floats, size: int, span: Span | None = None) -> Image:
    """The heat map alone, to be laid over a crop: RGBA uint8 `(size, size, 4)`, transparent where nothing speaks."""
    heat = heat_map(evidence, size, span)
    layer = np.dstack([heat_colours(heat), (np.abs(heat) * 255).round().astype(np.uint8)])
    return outlined(layer, heat, CONTOUR)


def noise_picture(image: Image) -> Image:
    """What the noise stream looks at: the residual of a crop around grey, made strong enough to be seen; same shape.

    Its 99th percentile is painted at half of the full range, but nothing is made more than `MAX_GAIN` times stronger.
    """
    found = residual(image)
    gain = min(64 / max(float(np.percentile(np.abs(found), 99)), 1e-6), MAX_GAIN)
    return np.clip(128 + gain * found, 0, 255).astype(np.uint8)


def overlay_crop(image: Image, evidence: Floats, opacity: float = 0.6, span: Span | None = None) -> Image:
    """A crop with its heat map: red where the evidence speaks for fake, blue for real; lines bound its stronger half.

    Args:
        image: RGB uint8 `(size, size, 3)`.
        evidence: `(h, w)`, of this crop.
        opacity: Strength of the colour in [0, 1] where the evidence is full.
        span: As for `heat_map`.
    """
    heat = heat_map(evidence, image.shape[0], span)
    return outlined(painted(image, heat, opacity), heat, CONTOUR)


def overlay_frame(image: Image, scores: Sequence[Score], opacity: float = 0.5, span: Span | None = None) -> Image:
    """A frame with the heat map of each of its faces, laid where the face was cut.

    Args:
        image: RGB uint8.
        scores: Of its faces.
        opacity: As for `overlay_crop`.
        span: As for `heat_map`: of the frames of a clip, the same.
    """
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
        heat = cv2.warpAffine(heat_map(score.evidence, size, span) * soft_edge, matrix, under.shape[1::-1])
        under[:] = outlined(painted(under, heat, opacity), heat, CONTOUR)
    return canvas


def span_of_all(scores: Sequence[Score]) -> Span:
    """The range in which the maps of all these scores are drawn, so that they can be compared."""
    return 0.0, max((float(np.abs(score.evidence).max()) for score in scores), default=0.0)


def timeline(verdict: Verdict, width: int = TIMELINE_WIDTH, height: int = 320) -> bytes:
    """A PNG of p_fake over time, a line a person, with the two thresholds and the band between them.

    Raises:
        ValueError: If no face was scored: there is nothing to draw.
    """
    if not verdict.scores:
        raise ValueError("A timeline needs at least one scored face. Received a verdict without any.")
    # Drawn by hand on a Figure: pyplot keeps global state and opens displays.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    left, right = TIMELINE_AXES
    axes = figure.add_axes((left, 0.17, right - left, 0.71))
    low, high = verdict.face_thresholds.real_below, verdict.face_thresholds.fake_above
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
    axes.set(
        title="p_fake over time",
        xlabel="time in seconds",
        ylabel="p_fake",
        ylim=(-0.02, 1.02),
        xlim=_time_range(verdict),
    )
    axes.legend(loc="upper left", fontsize=8, ncols=4)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)  # Gives the figure a canvas to draw on.
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _time_range(verdict: Verdict) -> tuple[float, float]:
    start, end = min(verdict.times.values()), max(verdict.times.values())
    margin = max((end - start) * 0.03, 0.02)
    return start - margin, end + margin


def _soft_edge(size: int) -> Floats:
    ramp = np.clip((0.5 - np.abs(np.linspace(-0.5, 0.5, size))) * 8, 0, 1)
    return np.outer(ramp, ramp).astype(np.float32)
