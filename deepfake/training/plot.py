"""Numbers of quality -> PNG pictures.

Each function returns the bytes of one PNG at 100 dots per inch. The colours are those of Okabe and Ito, "Color
universal design", 2008, which readers tell apart whatever their colour vision. Unusable input is a `ValueError`.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from sklearn import metrics

from deepfake.evidence import overlay_crop
from deepfake.records import Floats, Image, Label, Thresholds
from deepfake.training.metrics import (
    Labels,
    Values,
    at_threshold,
    average_precision,
    brier_score,
    equal_error_rate,
    expected_calibration_error,
    hit_rate_at,
    reliability,
    roc_auc,
    share_interval,
)
from deepfake.verdict import judge

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""Of lines; where there are more lines, they begin again with the next of the styles."""
STYLES = ("-", "--", ":", "-.")
ALARM_RATE = 0.05
"""False alarm rate at which the table of `quality_figure` states the hit rate."""

Groups = Mapping[str, tuple[Labels, Values]]
Log = Sequence[Mapping[str, str]]


def quality_figure(groups: Groups, thresholds: Thresholds) -> bytes:
    """How good a model is, on six panels: ranking a group, calibration, scores and answers of all, and a table.

    Args:
        groups: By name, labels (0 real, 1 fake) and p_fake in [0, 1], both of shape `(n,)`. No sample is in two
            groups: all of them joined are "all". A group of one class has no curve, only its line in the table.
        thresholds: Of the model.

    Raises:
        ValueError: If there is no sample, a group's labels and probabilities do not fit together, or one of several
            groups is named "all".
    """
    groups = {name: (np.asarray(labels), np.asarray(p_fake)) for name, (labels, p_fake) in groups.items()}
    if not sum(labels.size for labels, _ in groups.values()):
        raise ValueError(f"A figure of quality needs at least one sample. Received: {len(groups)} groups, all empty.")
    if "all" in groups and len(groups) > 1:
        raise ValueError("The name 'all' is of the groups joined: give that group another name, or leave it out.")
    groups = {name: pair for name, pair in groups.items() if pair[0].size}
    for labels, p_fake in groups.values():
        brier_score(labels, p_fake)  # Raises where the two do not fit together.
    labels, p_fake = (np.concatenate(parts) for parts in zip(*groups.values(), strict=True))
    if len(groups) > 1:
        groups["all"] = (labels, p_fake)
    figure = _figure(17, 10)
    panels = figure.subplots(2, 3, width_ratios=(1, 1, 1.2)).ravel()
    _roc_panel(panels[0], groups)
    _precision_panel(panels[1], groups)
    _reliability_panel(panels[2], labels, p_fake)
    _histogram_panel(panels[3], labels, p_fake, thresholds)
    _answers_panel(panels[4], labels, p_fake, thresholds)
    _table_panel(panels[5], groups)
    return _png(figure)


def sweep_figure(sweep: Mapping[str, Sequence[Mapping[str, float | None]]]) -> bytes:
    """What harm does to a model: AUC and the share of changed verdicts over its strength, a panel a kind of harm.

    Args:
        sweep: By kind, such as "jpeg": first an entry of `level` None with the `auc` of unharmed samples, then one
            for each level, with `level`, `auc` and `flip_rate`, in the order to be drawn. An `auc` or a
            `flip_rate` that is None or absent is a gap.

    Raises:
        ValueError: If there is no kind, or one without the unharmed entry first and a level after it.
    """
    if not sweep:
        raise ValueError("A figure of a sweep needs at least one kind of harm. Received none.")
    for kind, entries in sweep.items():
        levels = [entry.get("level") for entry in entries]
        if len(levels) < 2 or levels[0] is not None or None in levels[1:]:
            raise ValueError(
                f"A sweep lists the unharmed entry, of level None, and then at least one level. "
                f"Received for {kind!r}: {levels}."
            )
    columns = min(3, len(sweep))
    rows = math.ceil(len(sweep) / columns)
    figure = _figure(5 * columns, 3.4 * rows + 0.3)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    aucs = [_number(entry.get("auc")) for entries in sweep.values() for entry in entries]
    flips = [_number(entry.get("flip_rate")) for entries in sweep.values() for entry in entries[1:]]
    low, high = np.nanmin([0.5, *aucs]), np.nanmax([0.05, *flips])
    for axes, (kind, entries) in zip(panels, sweep.items(), strict=False):
        lines = _sweep_panel(axes, kind, entries, (low - 0.03, 1.03), (-0.05 * high, 1.05 * high))
    for axes in panels[len(sweep) :]:
        axes.set_axis_off()
    figure.legend(handles=lines, loc="outside upper center", ncols=3, fontsize=9)
    return _png(figure)


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
    figure = _figure(5.5 * len(panels), 4)
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
    return _png(figure)


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
    figure = _figure(7.2 * abreast, 2.15 * rows + 0.5)
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
    return _png(figure)


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
    return _png(figure)


def _roc_panel(axes: Axes, groups: Groups) -> None:
    for name, line, labels, p_fake in _lines(groups):
        alarms, hits, _ = metrics.roc_curve(labels, p_fake)
        axes.plot(alarms, hits, **line, label=f"{_short(name)}  {roc_auc(labels, p_fake):.3f}  {_counts(labels)}")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, zorder=0)
    _share_axes(axes, "ROC", "false alarm rate (reals called fake)", "hit rate (fakes called fake)")
    _legend(axes, "lower right", "AUC  (real + fake)")


def _precision_panel(axes: Axes, groups: Groups) -> None:
    for name, line, labels, p_fake in _lines(groups):
        precision, recall, _ = metrics.precision_recall_curve(labels, p_fake)
        axes.step(
            recall, precision, where="post", **line, label=f"{_short(name)}  {average_precision(labels, p_fake):.3f}"
        )
    _share_axes(axes, "precision and recall", "recall (share of fakes that are found)", "precision (share of calls)")
    _legend(axes, "lower left", "average precision")


def _reliability_panel(axes: Axes, labels: Labels, p_fake: Values, bins: int = 15) -> None:
    stated, found, counts = reliability(labels, p_fake, bins)
    filled = counts > 0
    stated, found = stated[filled], found[filled]
    hits = np.round(found * counts[filled]).astype(int).tolist()
    ends = np.array([share_interval(*pair) for pair in zip(hits, counts[filled].tolist(), strict=True)])
    # At a share of 0 or 1 rounding can put an end of the interval a hair on the wrong side.
    spread = np.maximum([found - ends[:, 0], ends[:, 1] - found], 0)
    ece = expected_calibration_error(labels, p_fake, bins)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, zorder=0, label="perfect")
    axes.errorbar(
        stated, found, spread, color=BLUE, marker="o", markersize=4, linewidth=1.2, capsize=2, label="bin, 95% interval"
    )
    _share_axes(
        axes,
        f"calibration, n = {len(labels)}; above, the count of each bin",
        "p_fake stated (mean of the bin)",
        "share of fakes found",
    )
    # Above the panel, where no line can cross the counts.
    top = axes.secondary_xaxis("top")
    top.set_xticks((np.arange(bins) + 0.5) / bins, [str(count) for count in counts], rotation=90, fontsize=7)
    top.tick_params(length=2)
    _legend(axes, "upper left", f"ECE {ece:.3f}")


def _histogram_panel(axes: Axes, labels: Labels, p_fake: Values, thresholds: Thresholds) -> None:
    low, high = thresholds.real_below, thresholds.fake_above
    axes.axvspan(low, high, color="0.9", zorder=0, label=f"inconclusive, {low:.2f} to {high:.2f}")
    for threshold in (low, high):
        axes.axvline(threshold, color="0.3", linewidth=1, linestyle="--")
    edges = np.linspace(0, 1, 41).tolist()
    for label, name, colour, hatch in ((0, "real", BLUE, None), (1, "fake", VERMILION, "////")):
        own = p_fake[labels == label]
        axes.hist(
            own, edges, weights=np.full(len(own), 1 / max(len(own), 1)), histtype="stepfilled",
            facecolor=(colour, 0.3), edgecolor=colour, hatch=hatch, linewidth=1.3, label=f"{name}, n = {len(own)}",
        )  # fmt: skip
    axes.margins(y=0.3)  # Room for the legend.
    axes.set(title="scores", xlabel="p_fake", ylabel="share of the class", xlim=(0, 1))
    _legend(axes, "upper center", "")


def _answers_panel(axes: Axes, labels: Labels, p_fake: Values, thresholds: Thresholds) -> None:
    answers = (Label.REAL, Label.INCONCLUSIVE, Label.FAKE)
    places = np.array([answers.index(judge(p, thresholds)) for p in p_fake.tolist()])
    counts = np.array([np.bincount(places[labels == label], minlength=3) for label in (0, 1)])
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(2, 3):
        share = f"{shares[row, column]:.1%}" if totals[row] else "-"
        axes.text(
            column, row, f"{counts[row, column]}\n{share}", ha="center", va="center", fontsize=13,
            color="white" if shares[row, column] > 0.5 else "black",
        )  # fmt: skip
    axes.set_xticks(range(3), [str(answer) for answer in answers])
    axes.set_yticks((0, 1), [f"{name}\nn = {total}" for name, total in zip(("real", "fake"), totals, strict=True)])
    axes.set(title="answers, share of the row", xlabel="answer", ylabel="truth")


def _table_panel(axes: Axes, groups: Groups) -> None:
    heads = ("", "real", "fake", "AUC", "EER", f"hit@{ALARM_RATE:.0%}", "ECE", "Brier", "acc.", "F1")
    widths = (0.26, 0.08, 0.08, 0.08, 0.08, 0.1, 0.08, 0.08, 0.08, 0.08)
    cells = []
    for name, (labels, p_fake) in groups.items():
        fakes = int(labels.sum())
        measures = at_threshold(labels, p_fake)
        values: list[float | None] = [None, None, None]
        if 0 < fakes < len(labels):
            hits = hit_rate_at(labels, p_fake, ALARM_RATE)
            values = [roc_auc(labels, p_fake), equal_error_rate(labels, p_fake), hits]
        values += [expected_calibration_error(labels, p_fake), brier_score(labels, p_fake)]
        values += [measures["accuracy"], measures.get("f1")]
        numbers = ["-" if value is None else f"{value:.3f}" for value in values]
        cells.append([_short(name), str(len(labels) - fakes), str(fakes), *numbers])
    axes.set_axis_off()
    axes.set_title("a line a group; accuracy and F1 at p_fake 0.5")
    height = min(1.0, 0.075 * (len(cells) + 1))
    table = axes.table(
        cells, colLabels=heads, colWidths=widths, cellLoc="right", edges="horizontal",
        bbox=Bbox.from_bounds(0, 1 - height, 1, height),
    )  # fmt: skip
    table.auto_set_font_size(False)
    table.set_fontsize(8.5)
    for (_, column), cell in table.get_celld().items():
        cell.PAD = 0.02 if column == 0 else 0.05


def _sweep_panel(
    axes: Axes,
    kind: str,
    entries: Sequence[Mapping[str, float | None]],
    auc_range: tuple[float, float],
    flip_range: tuple[float, float],
) -> list[Line2D]:
    clean, levels = _number(entries[0].get("auc")), entries[1:]
    places = range(len(levels))
    lines = axes.plot(
        places, [_number(entry.get("auc")) for entry in levels], color=BLUE, marker="o", markersize=5, label="AUC"
    )
    lines += [axes.axhline(clean, color=BLUE, linestyle="--", linewidth=1, label="AUC unharmed")]
    right = axes.twinx()
    flips = [_number(entry.get("flip_rate")) for entry in levels]
    lines += right.plot(
        places, flips, color=VERMILION, marker="s", markersize=5, linestyle=":", label="verdicts changed"
    )
    axes.set_xticks(places, [f"{entry['level']:g}" for entry in levels])
    axes.set(
        title=kind if math.isnan(clean) else f"{kind}, AUC unharmed {clean:.3f}",
        xlabel="level",
        ylim=auc_range,
        xlim=(-0.3, len(levels) - 0.7),
    )
    axes.set_ylabel("AUC", color=BLUE)
    right.set_ylabel("share of verdicts changed", color=VERMILION)
    right.set_ylim(flip_range)
    return lines


def _lines(groups: Groups) -> Iterator[tuple[str, dict[str, Any], Labels, Values]]:
    """The groups that have a curve, each with how its line is drawn: the same on every panel."""
    for number, (name, (labels, p_fake)) in enumerate(groups.items()):
        style = STYLES[number // len(COLOURS) % len(STYLES)]
        line = {"color": COLOURS[number % len(COLOURS)], "linestyle": style, "linewidth": 1.4}
        if len(set(labels.tolist())) == 2:
            is_all = name == "all" and len(groups) > 1
            yield name, line | ({"color": "black", "linestyle": "-"} if is_all else {}), labels, p_fake


def _short(name: str) -> str:
    """A name cut in the middle: names of one family differ at the end."""
    return name if len(name) <= 20 else f"{name[:9]}..{name[-9:]}"


def _counts(labels: Labels) -> str:
    return f"({len(labels) - int(labels.sum())} + {int(labels.sum())})"


def _share_axes(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.grid(color="0.92")


def _legend(axes: Axes, place: Literal["lower left", "lower right", "upper left", "upper center"], title: str) -> None:
    lines = len(axes.get_legend_handles_labels()[0])
    if lines:
        small = {"fontsize": 6.5, "labelspacing": 0.2} if lines > 9 else {"fontsize": 8}
        axes.legend(loc=place, title=title or None, title_fontsize=9, **small)
    else:
        axes.text(0.5, 0.5, "no group has both classes", ha="center", transform=axes.transAxes)


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


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


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


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def _png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)  # Gives the figure a canvas to draw on: pyplot keeps global state and opens displays.
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
