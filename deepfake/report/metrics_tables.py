"""metrics.json -> the tables of the card, as Markdown; a section that was not measured has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MEASURES = {
    "AUC": "auc",
    "average precision": "average_precision",
    "EER": "equal_error_rate",
    "TPR at 1% FPR": "tpr_at_1_percent_fpr",
    "TPR at 5% FPR": "tpr_at_5_percent_fpr",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "F1": "f1",
    "Brier": "brier",
}
"""Columns of the table of all measures, and their names in `metrics.json`."""


def quality_tables(metrics: dict[str, Any]) -> str:
    """The tables of quality, as Markdown."""
    blocks = []
    for split, name in (("test", "test"), ("val", "validation")):
        if split in metrics and not (split == "val" and "test" in metrics):
            named = [*metrics[split]["sources"].items(), ("all", metrics[split]["all"])]
            blocks.append(f"Crops of the {name} split:\n\n" + _quality_table("source", named))
    if "clips" in metrics:
        named = [*metrics["clips"]["methods"].items(), ("all", metrics["clips"]["all"])]
        sources = ", ".join(name or "no name" for name in metrics["clips"]["sources"])
        blocks.append(f"Whole files of {sources}, each method against all reals:\n\n" + _quality_table("method", named))
    blocks.append("AUC, calibration error (ECE) and shares of answers; 95% intervals in brackets.")
    return "\n\n".join(blocks)


def measures_table(metrics: dict[str, Any]) -> str:
    """Every other measure, of each level, source and method."""
    rows = []
    for section in ("test", "clips"):
        if section not in metrics:
            continue
        own = metrics[section]
        parts = [
            *((f"{section}, {level} level", found) for level, found in own.get("levels", {}).items()),
            *((f"{section}, {name}", found) for name, found in own["sources"].items() if len(own["sources"]) > 1),
            # The only method of a source repeats the line of the source.
            *(
                (f"{section}, {name}", found)
                for name, found in own.get("methods", {}).items()
                if found not in own["sources"].values()
            ),
        ]
        rows += [[name, *[_number(found, key) for key in MEASURES.values()]] for name, found in parts]
    if not rows:
        return ""
    return (
        "Accuracy, precision, recall and F1 divide at a p_fake of 0.5; hits are shares of fakes found at 1% and 5%\n"
        "false alarms:\n\n" + markdown_table(["of", *MEASURES], rows)
    )


def robustness_table(metrics: dict[str, Any]) -> str:
    """What corruption does to the answers."""
    if "robustness" not in metrics:
        return ""
    found = metrics["robustness"]
    rows = []
    for name, corruption in found["corruptions"].items():
        clean, *levels = corruption["levels"]
        rows += [
            [
                f"{name} ({corruption['level_means']})",
                f"{entry['level']:g}",
                auc_text(entry),
                f"{clean['auc'] - entry['auc']:+.3f}",
                f"{entry['flip_rate']:.1%}",
            ]
            for entry in levels
        ]
    clean = next(iter(found["corruptions"].values()))["levels"][0]
    count = found["count"]
    return f"""
## Under corruption

Crops of the {found["split"]} split of {", ".join(found["sources"])}, {count["real"]} real + {count["fake"]} fake.
Clean, the AUC is {auc_text(clean)}; an answer counts as changed when another of the three is given.

{markdown_table(["corruption", "level", "AUC", "AUC lost", "answers changed"], rows)}
"""


def ablation_table(metrics: dict[str, Any]) -> str:
    """What each part of the detector is worth."""
    if "ablation" not in metrics:
        return ""
    found = metrics["ablation"]
    budget = found["budget"]
    first = next(iter(found["variants"].values()))
    sources = [name for name, own in first["test"]["sources"].items() if "auc" in own]
    head = ["variant", "parameters", *(f"{name} AUC" for name in sources), "unseen clips AUC"]
    rows = [
        [
            name,
            f"{own['parameters']:,}",
            *(auc_text(own["test"]["sources"][source]) for source in sources),
            auc_text(own["clips"]["all"]) if "clips" in own else "",
        ]
        for name, own in found["variants"].items()
    ]
    return f"""
## What each part is worth

The same data and the same budget for each ({budget["epochs"]} epochs of a sample of the crops at {budget["input_size"]}
pixels), far below that of the shipped model: only differences between the rows mean something.

{markdown_table(head, rows)}
"""


def rounds_table(metrics: dict[str, Any]) -> str:
    """The rounds in which the model came about: what was changed, what was expected, what came."""
    if "rounds" not in metrics:
        return ""
    rounds = metrics["rounds"]["rounds"]
    sources, methods = list(rounds[0]["val"]), list(rounds[0]["clips"])
    head = ["round", *(f"{name}, val" for name in sources), *(f"clips, {name}" for name in methods)]
    rows = [
        [
            told["name"],
            *(f"{told['val'][name]['auc']:.3f}" for name in sources),
            *(f"{told['clips'][name]['auc']:.3f}" for name in methods),
        ]
        for told in rounds
    ]
    clips = rounds[0]["clips"]["all"]["count"]
    words = "\n".join(
        f"- **{told['name']}**. Changed: {told['changed']} Expected: {told['expected']} Came: {told['said']}"
        for told in rounds
    )
    return f"""
## How it came about

AUC on the validation split and on the clips, with which the rounds were chosen; the test split chose nothing. With
{clips["real"]} real and {clips["fake"]} fake clips, differences below 0.1 may be chance.

{markdown_table(head, rows)}

{words}
"""


def sources_table(training: dict[str, Any]) -> str:
    """What was trained on, and on which terms."""
    data = training["config"]["data"]
    weights = [own["weights"] for own in training.get("members", [data]) if "weights" in own and not own.get("pairs")]
    rows = [
        [
            name,
            *(f"{count[split]['real']:,} + {count[split]['fake']:,}" for split in ("train", "val")),
            *(["; ".join(f"{own.get(name, 1):g}" for own in weights)] if weights else []),
            data["terms"].get(name, "not stated"),
        ]
        for name, count in training["data"]["counts"].items()
    ]
    often = ["times an epoch"] if weights else []
    return markdown_table(["source", "train: real + fake", "val: real + fake", *often, "terms"], rows)


def files_table(export: dict[str, Any]) -> str:
    """Sizes of the graphs, and what their rounding costs."""
    rows = [
        [
            name,
            f"{graph['size_bytes'] / 1e6:.2f} MB",
            f"{graph['max_difference']:.6f}",
            f"{graph['auc_lost']:+.5f}" if "auc_lost" in graph else "",
        ]
        for name, graph in export["graphs"].items()
    ]
    return markdown_table(["file", "size", "largest difference", "AUC lost"], rows)


def _quality_table(first: str, named: Sequence[tuple[str, dict[str, Any]]]) -> str:
    head = [first, "real + fake", "AUC", "ECE", "reals called fake", "fakes called fake", "inconclusive"]
    return markdown_table(head, [[name, *_quality_row(found)] for name, found in named])


def _quality_row(found: dict[str, Any]) -> list[str]:
    count = found["count"]
    total = sum(count.values())
    unsure = sum(
        found[f"{label}_called"]["inconclusive"]["share"] * count[label]
        for label in count
        if f"{label}_called" in found
    )
    return [
        f"{count['real']} + {count['fake']}",
        auc_text(found),
        f"{found['ece']:.3f}" if "ece" in found else "",
        _share(found, "real_called"),
        _share(found, "fake_called"),
        f"{unsure / total:.1%}",
    ]


def auc_text(found: dict[str, Any]) -> str:
    """The AUC with its 95% interval, or why there is none."""
    return f"{found['auc']:.3f} {_interval(found['auc_interval'])}" if "auc" in found else "one class only"


def _number(found: dict[str, Any], key: str) -> str:
    return f"{found[key]:.3f}" if key in found else ""


def _share(found: dict[str, Any], key: str) -> str:
    if key not in found:
        return ""
    return share_text(found[key]["fake"])


def share_text(found: dict[str, Any]) -> str:
    """A share with its 95% interval."""
    low, high = found["interval"]
    return f"{found['share']:.1%} ({low:.1%}-{high:.1%})"


def _interval(ends: Sequence[float]) -> str:
    return f"({ends[0]:.3f}-{ends[1]:.3f})"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A head and rows of cells, as Markdown."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)
