"""Numbers of quality -> PNG pictures.

Each function returns the bytes of one PNG at 100 dots per inch. The colours are those of Okabe and Ito, "Color
universal design", 2008, which readers tell apart whatever their colour vision. Unusable input is a `ValueError`.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deepfake.evaluation.metrics import Values
from deepfake.model.measured import Ranking
from deepfake.model.stress_tests import CorruptionLevel, Robustness
from deepfake.records import Floats, Image
from deepfake.report.heatmap import overlay_crop

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""Of the lines of a panel, in this order."""
MAP_SIDE = 224
"""Side in pixels of a heat map without its face."""

Log = Sequence[Mapping[str, str]]


def robustness_figure(robustness: Robustness) -> bytes:
    """What corruption does to a model: AUC and the share of changed verdicts over its strength, a panel a kind.

    Args:
        robustness: What was measured; levels are drawn in their order.

    Raises:
        ValueError: If there is no kind of corruption.
    """
    corruptions = robustness.corruptions
    if not corruptions:
        raise ValueError("A figure of robustness needs at least one kind of corruption. Received none.")
    columns = min(3, len(corruptions))
    rows = math.ceil(len(corruptions) / columns)
    figure = new_figure(5 * columns, 3.4 * rows + 0.3)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    levels = [level for corruption in corruptions.values() for level in corruption.levels]
    low = min(0.5, robustness.clean.auc, *(level.auc for level in levels))
    high = max(0.05, *(level.flip_rate for level in levels))
    for axes, (kind, corruption) in zip(panels, corruptions.items(), strict=False):
        lines = _corruption_panel(
            axes, kind, robustness.clean, corruption.levels, (low - 0.03, 1.03), (-0.05 * high, 1.05 * high)
        )
    for axes in panels[len(corruptions) :]:
        axes.set_axis_off()
    figure.legend(handles=lines, loc="outside upper center", ncols=3, fontsize=9)
    return png_of(figure)


def history_figure(log: Log) -> bytes:
    """Losses and AUCs over the epochs of a training run, the best epoch marked.

    Args:
        log: Rows as `csv.DictReader` gives them: `epoch` and any of `loss`, `val_loss`, `logit_auc`,
            `val_logit_auc` and `learning_rate`. An empty field, or `NA`, is a gap. The best epoch has the largest
            `val_logit_auc`, or, where that is absent, the least `val_loss`.

    Raises:
        ValueError: If there is no epoch with a value, or a field is not a number.
    """
    panels = {
        "loss": {"loss": "training", "val_loss": "validation"},
        "AUC": {"logit_auc": "training", "val_logit_auc": "validation"},
        "learning rate": {"learning_rate": "learning rate"},
    }
    known = {column: _column(log, column) for lines in panels.values() for column in lines}
    panels = {title: lines for title, lines in panels.items() if any(np.isfinite(known[c]).any() for c in lines)}
    if not panels:
        raise ValueError(
            "A figure of a training run needs a row with `epoch` and `loss` or `val_logit_auc`. "
            f"Received: {len(log)} rows with the columns {sorted(log[0]) if log else []}."
        )
    epochs = _column(log, "epoch")
    if not np.isfinite(epochs).all():
        raise ValueError(f"Each row of a training log must state its `epoch`. Received: {epochs.tolist()}.")
    best = _best_row(known)
    figure = new_figure(5.5 * len(panels), 4)
    for axes, (title, lines) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for (column, name), colour, marker in zip(lines.items(), (BLUE, VERMILION), "os", strict=False):
            if np.isfinite(known[column]).any():
                axes.plot(epochs, known[column], color=colour, marker=marker, markersize=4, label=name)
        if best is not None:
            axes.axvline(epochs[best], color="0.4", linestyle=":", label=f"best epoch, {epochs[best]:.0f}")
        axes.set(title=title, xlabel="epoch", ylabel=title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="0.9")
        axes.legend(fontsize=9)
    return png_of(figure)


def mistakes_figure(reals: Sequence[tuple[Image, Floats, str]], fakes: Sequence[tuple[Image, Floats, str]]) -> bytes:
    """Crops a model is most wrong about, each beside its evidence: reals on the left half, fakes on the right.

    Args:
        reals: The reals that look most fake: crop (RGB uint8, square), evidence `(h, w)` and caption.
        fakes: The fakes that look most real, likewise.

    Raises:
        ValueError: If both are empty, or a crop is not square.
    """
    if not reals and not fakes:
        raise ValueError("A figure of mistakes needs at least one crop. Received no reals and no fakes.")
    abreast = 1 if max(len(reals), len(fakes)) <= 3 else 2
    rows = math.ceil(max(len(reals), len(fakes)) / abreast)
    figure = new_figure(7.2 * abreast, 2.15 * rows + 0.5)
    grid = figure.add_gridspec(1, 2)
    halves = [figure.add_subfigure(grid[0, place]) for place in (0, 1)]
    titles = ("reals that look most fake", "fakes that look most real")
    for half, entries, title in zip(halves, (reals, fakes), titles, strict=True):
        half.suptitle(f"{title} ({len(entries)})", fontsize=12)
        panels = half.subplots(rows, abreast, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, (image, evidence, caption) in zip(panels, entries, strict=False):
            _check_picture(image)
            if image.shape[0] != image.shape[1]:
                raise ValueError(f"A crop with evidence must be square. Received: {image.shape} for {caption!r}.")
            gap = np.full((image.shape[0], max(1, image.shape[0] // 32), 3), 255, np.uint8)
            axes.imshow(np.hstack([image, gap, overlay_crop(image, evidence)]))
            axes.set_title(textwrap.fill(caption, 40), fontsize=9)
    return png_of(figure)


def mistake_maps_figure(entries: Sequence[tuple[Floats, Floats, str]]) -> bytes:
    """Heat maps of faces that a model is most wrong about, over drawn faces: whose they are is not shown.

    Args:
        entries: Of each face its evidence `(h, w)`, its five landmarks `(5, 2)` in the unit square of the map, and a
            caption.

    Raises:
        ValueError: If there are none.
    """
    if not entries:
        raise ValueError("A figure of mistakes needs at least one face. Received none.")
    figure = new_figure(2.4 * len(entries), 2.9)
    for axes, (evidence, landmarks, caption) in zip(
        figure.subplots(1, len(entries), squeeze=False).ravel(), entries, strict=True
    ):
        plain = np.full((MAP_SIDE, MAP_SIDE, 3), 235, np.uint8)
        axes.imshow(overlay_crop(plain, evidence))
        right_eye, left_eye, nose, *mouth = landmarks * MAP_SIDE
        line: dict[str, Any] = {"color": "0.15", "linewidth": 2, "solid_capstyle": "round"}
        for eye in (right_eye, left_eye):
            axes.plot(*eye, "o", color="0.15", markersize=8, fillstyle="none", markeredgewidth=2)
        axes.plot(*nose, "^", color="0.15", markersize=7, fillstyle="none", markeredgewidth=2)
        axes.plot(*np.transpose(mouth), **line)
        axes.set(xlim=(0, MAP_SIDE), ylim=(MAP_SIDE, 0))
        axes.set_axis_off()
        axes.set_title(textwrap.fill(caption, 26), fontsize=9)
    return png_of(figure)


def contact_sheet(rows: Sequence[Sequence[Image]], captions: Sequence[str], cell: int = 144) -> bytes:
    """Pictures in rows, each row under its caption.

    Args:
        rows: RGB uint8 pictures of any size, each drawn as large as its cell allows. A row may be empty.
        captions: One a row.
        cell: Side of a cell in pixels of the sheet.

    Raises:
        ValueError: If there is no picture, or rows and captions differ in number.
    """
    if len(rows) != len(captions):
        raise ValueError(f"Each row needs one caption. Received: {len(rows)} rows, {len(captions)} captions.")
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        raise ValueError(f"A contact sheet needs at least one picture. Received: {len(rows)} rows without any.")
    gap, band = 6, 26
    step = band + cell + gap
    # Wide enough for captions too, at about 7.5 pixels a letter.
    width = max(columns * (cell + gap) + gap, min(1600, int(7.5 * max(map(len, captions)) + 2 * gap)))
    sheet = np.full((len(rows) * step + gap, width, 3), 255, np.uint8)
    for number, row in enumerate(rows):
        for place, image in enumerate(row):
            top, left = number * step + band, gap + place * (cell + gap)
            sheet[top : top + cell, left : left + cell] = _fitted(image, cell)
    figure = Figure(figsize=(width / 100, sheet.shape[0] / 100), dpi=100)
    figure.figimage(sheet)
    for number, caption in enumerate(captions):
        middle = 1 - (number * step + band / 2) / sheet.shape[0]
        short = textwrap.shorten(caption, int(width / 7.5), placeholder=" ...")
        figure.text(gap / width, middle, short, fontsize=9, verticalalignment="center", parse_math=False)
    return png_of(figure)


def _corruption_panel(
    axes: Axes,
    kind: str,
    clean: Ranking,
    levels: Sequence[CorruptionLevel],
    auc_range: tuple[float, float],
    flip_range: tuple[float, float],
) -> list[Line2D]:
    places = range(len(levels))
    lines = axes.plot(places, [level.auc for level in levels], color=BLUE, marker="o", markersize=5, label="AUC")
    lines += [axes.axhline(clean.auc, color=BLUE, linestyle="--", linewidth=1, label="AUC clean")]
    right = axes.twinx()
    flips = [level.flip_rate for level in levels]
    lines += right.plot(
        places, flips, color=VERMILION, marker="s", markersize=5, linestyle=":", label="verdicts changed"
    )
    axes.set_xticks(places, [f"{level.level:g}" for level in levels])
    axes.set(
        title=f"{kind}, AUC clean {clean.auc:.3f}",
        xlabel="level",
        ylim=auc_range,
        xlim=(-0.3, len(levels) - 0.7),
    )
    axes.set_ylabel("AUC", color=BLUE)
    right.set_ylabel("share of verdicts changed", color=VERMILION)
    right.set_ylim(flip_range)
    return lines


def _column(log: Log, column: str) -> Values:
    fields = [row.get(column) or "" for row in log]
    try:
        return np.array([math.nan if field in ("", "NA") else float(field) for field in fields])
    except ValueError as error:
        raise ValueError(f"The column {column!r} of a training log must hold numbers: {error}.") from error


def _best_row(known: Mapping[str, Values]) -> int | None:
    if np.isfinite(known["val_logit_auc"]).any():
        return int(np.nanargmax(known["val_logit_auc"]))
    return int(np.nanargmin(known["val_loss"])) if np.isfinite(known["val_loss"]).any() else None


def _fitted(image: Image, cell: int) -> Image:
    """The picture at the middle of a white square, as large as fits."""
    _check_picture(image)
    scale = cell / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    square = np.full((cell, cell, 3), 255, np.uint8)
    top, left = (cell - height) // 2, (cell - width) // 2
    square[top : top + height, left : left + width] = small
    return square


def _check_picture(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"A picture is RGB uint8 (height, width, 3). Received: {image.dtype} {image.shape}.")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, with a canvas to draw on."""
    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def png_of(figure: Figure) -> bytes:
    """The bytes of a figure as a PNG."""
    FigureCanvasAgg(figure)  # Gives the figure a canvas to draw on: pyplot keeps global state and opens displays.
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
