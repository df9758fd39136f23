"""How good a model is, on one page: ranking, calibration, scores, answers, and a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from sklearn import metrics

from deepfake.evaluation.metrics import (
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
)
from deepfake.evaluation.plots import BLUE, COLOURS, VERMILION, new_figure, png_of
from deepfake.model.intervals import share_interval
from deepfake.records import Label, Thresholds
from deepfake.verdict import judge

STYLES = ("-", "--", ":", "-.")
"""Of lines; where there are more lines than colours, the colours begin again with the next style."""
ALARM_RATE = 0.05
"""False alarm rate at which the table of `quality_figure` states the hit rate."""

Groups = Mapping[str, tuple[Labels, Values]]


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
    figure = new_figure(17, 10)
    panels = figure.subplots(2, 3, width_ratios=(1, 1, 1.2)).ravel()
    _roc_panel(panels[0], groups)
    _precision_panel(panels[1], groups)
    _reliability_panel(panels[2], labels, p_fake)
    _histogram_panel(panels[3], labels, p_fake, thresholds)
    _answers_panel(panels[4], labels, p_fake, thresholds)
    _table_panel(panels[5], groups)
    return png_of(figure)


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
