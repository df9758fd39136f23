"""Metrics -> the tables of the card, as Markdown; a section that was not measured has none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from deepfake.model.lineage import Ablation, Export, Round
from deepfake.model.measured import Answers, Interval, Measured, Proportion, Ranking, Summary
from deepfake.model.metrics import Metrics
from deepfake.model.stress_tests import Robustness

MEASURES: dict[str, Callable[[Summary], float | None]] = {
    "AUC": lambda found: found.auc,
    "average precision": lambda found: found.average_precision,
    "EER": lambda found: found.equal_error_rate,
    "TPR at 1% FPR": lambda found: found.tpr_at_1_percent_fpr,
    "TPR at 5% FPR": lambda found: found.tpr_at_5_percent_fpr,
    "accuracy": lambda found: found.accuracy,
    "precision": lambda found: found.precision,
    "recall": lambda found: found.recall,
    "F1": lambda found: found.f1,
    "Brier": lambda found: found.brier,
}
"""Columns of the table of all measures."""

QUALITY = (
    "real + fake", "AUC", "ECE", "ECE, even odds (by chance)", "reals called fake", "fakes called fake", "inconclusive",
)  # fmt: skip
"""Columns of the tables of quality."""


def quality_tables(metrics: Metrics) -> str:
    """The tables of quality, as Markdown."""
    blocks = []
    name, crops = ("test", metrics.test) if metrics.test else ("validation", metrics.val)
    if crops:
        blocks.append(f"Crops of the {name} split:\n\n" + quality_table("source", crops.sources, crops.all))
        if crops.frame_means:
            blocks.append(_frame_means_table(crops))
        if crops.trained_on:
            blocks.append(trained_on_sentence(crops))
    if clips := metrics.clips:
        sources = ", ".join(source or "no name" for source in clips.sources)
        table = quality_table("method", clips.methods, clips.all)
        blocks.append(f"Whole files of {sources}, each method against all reals:\n\n{table}")
    blocks.append(
        "AUC, calibration error (ECE) and shares of answers; 95% intervals in brackets. A p_fake is stated as if\n"
        "reals and fakes were alike common; at even odds both count the same. Beside it, what a perfectly\n"
        "calibrated p_fake would measure by chance alone: with few files it is far from 0."
    )
    return "\n\n".join(blocks)


def trained_on_sentence(measured: Measured) -> str:
    """How far measures may flatter, for some of what was measured was trained on."""
    count = measured.levels.get("frame", measured.all).count
    return (
        f"{measured.trained_on} of these {count.real + count.fake} look like one that it was trained on, or that their "
        "table keeps for training: the measures flatter it."
    )


def comparison_table(before: Summary, after: Summary) -> str:
    """What two models answer about the same faces, side by side, in columns that line up where it is read as it is."""
    rows = list(zip(("", *QUALITY), ("before", *_quality_row(before)), ("after", *_quality_row(after)), strict=True))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    first, _, *others = markdown_table(head, cells).splitlines()
    return "\n".join([first, "| " + " | ".join("-" * width for width in widths) + " |", *others])


def measures_table(metrics: Metrics) -> str:
    """Every other measure, of each level, source and method."""
    rows = [
        [name, *(_number(measure(found)) for measure in MEASURES.values())]
        for section, measured in (("test", metrics.test), ("clips", metrics.clips))
        if measured
        for name, found in _parts(section, measured)
    ]
    if not rows:
        return ""
    return (
        "Accuracy, precision, recall and F1 divide at a p_fake of 0.5; hits are shares of fakes found at 1% and 5%\n"
        "false alarms:\n\n" + markdown_table(["of", *MEASURES], rows)
    )


def robustness_table(robustness: Robustness | None) -> str:
    """What corruption does to the answers."""
    if robustness is None:
        return ""
    clean, count = robustness.clean, robustness.count
    rows = [
        [
            f"{name} ({corruption.level_means})",
            f"{entry.level:g}",
            auc_text(entry),
            f"{clean.auc - entry.auc:+.3f}",
            f"{entry.flip_rate:.1%}",
        ]
        for name, corruption in robustness.corruptions.items()
        for entry in corruption.levels
    ]
    return f"""
## Under corruption

Crops of the {robustness.split} split of {", ".join(robustness.sources)}, {count.real} real + {count.fake} fake.
Clean, the AUC is {auc_text(clean)}; an answer counts as changed when another of the three is given.

{markdown_table(["corruption", "level", "AUC", "AUC lost", "answers changed"], rows)}
"""


def ablation_table(ablation: Ablation | None) -> str:
    """What each part of the detector is worth."""
    if ablation is None:
        return ""
    budget = ablation.budget
    first = next(iter(ablation.variants.values()))
    sources = [name for name, own in first.test.sources.items() if own.auc is not None]
    head = ["variant", "parameters", *(f"{name} AUC" for name in sources), "unseen clips AUC"]
    rows = [
        [
            name,
            f"{own.parameters:,}",
            *(auc_text(own.test.sources[source]) for source in sources),
            auc_text(own.clips.all) if own.clips else "",
        ]
        for name, own in ablation.variants.items()
    ]
    return f"""
## What each part is worth

The same data and the same budget for each ({budget.epochs} epochs of a sample of the crops at {budget.input_size}
pixels), far below that of the shipped model: only differences between the rows mean something.

{markdown_table(head, rows)}
"""


def rounds_table(rounds: Sequence[Round]) -> str:
    """The rounds in which the model came about: what was changed, what was expected, what came."""
    if not rounds:
        return ""
    sources, methods = list(rounds[0].val), list(rounds[0].clips)
    head = ["round", *(f"{name}, val" for name in sources), *(f"clips, {name}" for name in methods)]
    rows = [
        [
            own.name,
            *(_number(own.val[name].auc) for name in sources),
            *(_number(own.clips[name].auc) for name in methods),
        ]
        for own in rounds
    ]
    clips = rounds[0].clips["all"].count
    words = "\n".join(
        f"- **{own.name}**. Changed: {own.changed} Expected: {own.expected} Came: {own.said}" for own in rounds
    )
    return f"""
## How it came about

AUC on the validation split and on the clips, with which the rounds were chosen; the test split chose nothing. With
{clips.real} real and {clips.fake} fake clips, differences below 0.1 may be chance.

{markdown_table(head, rows)}

{words}
"""


def files_table(export: Export) -> str:
    """Sizes of the graphs, and what their rounding costs."""
    rows = [
        [
            name,
            f"{graph.size_bytes / 1e6:.2f} MB",
            f"{graph.max_difference:.6f}",
            "" if graph.auc_lost is None else f"{graph.auc_lost:+.5f}",
        ]
        for name, graph in export.graphs.items()
    ]
    return markdown_table(["file", "size", "largest difference", "AUC lost"], rows)


def auc_text(found: Ranking | Summary) -> str:
    """The AUC with its 95% interval, or why there is none."""
    if found.auc is None or found.auc_interval is None:
        return "one class only"
    return f"{found.auc:.3f} {_interval(found.auc_interval)}"


def share_text(found: Proportion) -> str:
    """A share with its 95% interval."""
    low, high = found.interval
    return f"{found.share:.1%} ({low:.1%}-{high:.1%})"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A head and rows of cells, as Markdown."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def _parts(section: str, measured: Measured) -> Iterable[tuple[str, Summary]]:
    sources = measured.sources
    yield from ((f"{section}, {level} level", found) for level, found in measured.levels.items())
    if len(sources) > 1:
        yield from ((f"{section}, {name}", found) for name, found in sources.items())
    for name, found in measured.methods.items():
        # The only method of a source repeats the line of the source.
        if found not in sources.values():
            yield f"{section}, {name}", found


def quality_table(first: str, parts: dict[str, Summary], whole: Summary) -> str:
    """A table with a row for each part and one for all, as Markdown; `first` is the head of the names."""
    return markdown_table(
        [first, *QUALITY], [[name, *_quality_row(found)] for name, found in [*parts.items(), ("all", whole)]]
    )


def _frame_means_table(measured: Measured) -> str:
    """The data sets as DeepfakeBench measures them, beside the AUC of the answers that are given here."""
    rows = [
        [
            source,
            f"{own.frames.real} + {own.frames.fake}",
            auc_text(own.frame),
            f"{own.videos.real} + {own.videos.fake}",
            auc_text(own.video),
            auc_text(measured.sources[source]),
        ]
        for source, own in measured.frame_means.items()
    ]
    head = ["source", "frames: real + fake", "frame AUC", "videos: real + fake", "video AUC", "as answered here"]
    return (
        "As DeepfakeBench measures: each frame by itself, and each video by the plain mean of its frames. A video is\n"
        f"answered here by the robust mean of its frames.\n\n{markdown_table(head, rows)}"
    )


def _quality_row(found: Summary) -> list[str]:
    count = found.count
    called = ((found.real_called, count.real), (found.fake_called, count.fake))
    unsure = sum(answers.inconclusive.share * number for answers, number in called if answers)
    return [
        f"{count.real} + {count.fake}",
        auc_text(found),
        _number(found.ece),
        _even(found),
        _called_fake(found.real_called),
        _called_fake(found.fake_called),
        f"{unsure / count.total:.1%}",
    ]


def _called_fake(answers: Answers | None) -> str:
    return share_text(answers.fake) if answers else ""


def _even(found: Summary) -> str:
    return "" if found.ece_even is None else f"{_number(found.ece_even)} ({_number(found.ece_even_chance)})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(ends: Interval) -> str:
    return f"({ends[0]:.3f}-{ends[1]:.3f})"
