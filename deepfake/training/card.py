"""metrics.json and bundle.json -> the model's card: its README.md, with no number typed by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepfake.errors import BundleError

BEGIN, END = "<!-- metrics: written by `python -m deepfake card` -->", "<!-- /metrics -->"
"""What stands between these lines of a README is replaced."""


def write_card(directory: Path, readme: Path | None = None) -> Path:
    """Writes the card of a bundle, and the table of a README that holds the two marker lines.

    Args:
        directory: The bundle's folder, with `bundle.json` and `metrics.json`.
        readme: A README whose table is brought up to date, or None.

    Returns:
        The path of the card.

    Raises:
        BundleError: If one of the files is missing, or the README has no markers.
    """
    try:
        bundle = json.loads((directory / "bundle.json").read_text(encoding="utf-8"))
        metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{directory} needs bundle.json and metrics.json: {error}. Run export and evaluate."
        ) from error
    path = directory / "README.md"
    plots = [plot.name for plot in (directory / "plots").glob("*.png")]
    path.write_text(re.sub(r"\n{3,}", "\n\n", card_text(bundle, metrics, plots)), encoding="utf-8")
    if readme is not None:
        text = readme.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            raise BundleError(f"{readme} must hold the lines {BEGIN} and {END}. Add them where the table belongs.")
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        readme.write_text(f"{before}{BEGIN}\n{quality_tables(metrics)}\n{END}{after}", encoding="utf-8")
    return path


def card_text(bundle: dict[str, Any], metrics: dict[str, Any], plots: Sequence[str] = ()) -> str:
    """The whole card, as Markdown.

    Args:
        bundle: What `bundle.json` holds.
        metrics: What `metrics.json` holds.
        plots: Names of the pictures in the bundle's folder `plots`.
    """
    config = metrics["training"]["config"]
    network = config["network"]
    thresholds = bundle["thresholds"]
    size = bundle["crop"]["size"]
    # The crop's width decides what the model sees; the rest of the geometry stands in bundle.json.
    return f"""# {bundle["name"]}

A dual-stream deepfake detector: {network["backbone"]} (alpha {network["alpha"]}) on what the face shows, an SRM and
Bayar noise stream on what camera and codec left behind, a gate that weighs the two.
{metrics["export"]["parameters"]:,} parameters; crops of {size} x {size} pixels, {bundle["crop"]["scale"]:.2f} times as
wide as the face's box.

**Intended use.** To tell a person where to look twice. Its answer is evidence to be weighed with other evidence, not a
finding of fact, and not a ground for a decision about anybody by itself.

## How it answers

`p_fake = sigmoid(logit / {bundle["temperature"]:.3f} + {bundle["logit_shift"]:.3f})`, both fitted on the validation
split ({metrics["calibration"]["count"]} crops) with reals and fakes weighing the same.
`real` below {thresholds["real_below"]:.3f}, `fake` from {thresholds["fake_above"]:.3f}, `inconclusive` between: on the
validation split at most 5% of the reals pass the upper threshold, and at most 5% of the fakes stay under the lower one.
Crops that cover less than {bundle["min_face_px"]:.0f} pixels, and people seen in fewer than {bundle["min_frames"]}
frames of a video, get no answer.

## What it was trained on

{_sources_table(metrics["training"])}

{_FAKES[config["data"]["fakes"]]} {_beginning(metrics["training"])}
The code is under the MIT licence; the weights inherit the terms of the data. Crops are of single frames.

## How good it is

{quality_tables(metrics)}

{_more_measures(metrics)}
{_pictures(plots, "quality.png", "ROC, precision-recall, calibration, scores and answers on the test split")}
{_known_flaws(metrics)}
{_robustness(metrics)}{_pictures(plots, "robustness.png", "AUC and changed answers under harm")}{_ablation(metrics)}
## Files

{_export_table(metrics["export"])}

Differences are in p_fake, from the Keras network, over {metrics["export"]["crops"]} crops. Static int8 is not offered:
it breaks the noise stream.

## What it cannot do

- It has seen the fakes of the table above. Other methods may leave traces it does not know{_unseen(metrics)}.
- Strong compression, small faces, make-up, filters and retouching move its answer in both directions.
- It looks at single frames: lips out of step and unnatural motion are not seen, and sound is not heard.
- Nobody has tested it against people who try to deceive it.
"""


_FAKES = {
    "given": "Fakes are those of the data sets.",
    "self-blend": "Its fakes are made from the real pictures themselves (Shiohara and Yamasaki, CVPR 2022).",
    "both": "To the fakes of the data sets come fakes made from the real pictures themselves (Shiohara and Yamasaki,\n"
    "CVPR 2022).",
}


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


def _quality_table(first: str, named: Sequence[tuple[str, dict[str, Any]]]) -> str:
    head = [first, "real + fake", "AUC", "ECE", "reals called fake", "fakes called fake", "inconclusive"]
    return _table(head, [[name, *_quality_row(found)] for name, found in named])


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
        _auc(found),
        f"{found['ece']:.3f}" if "ece" in found else "",
        _share(found, "real_called"),
        _share(found, "fake_called"),
        f"{unsure / total:.1%}",
    ]


def _more_measures(metrics: dict[str, Any]) -> str:
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
        rows += [[name, *[_number(found, key) for key in _MEASURES.values()]] for name, found in parts]
    if not rows:
        return ""
    return (
        "Accuracy, precision, recall and F1 divide at a p_fake of 0.5; hits are shares of fakes found at 1% and 5%\n"
        "false alarms:\n\n" + _table(["of", *_MEASURES], rows)
    )


_MEASURES = {
    "AUC": "auc",
    "average precision": "average_precision",
    "EER": "equal_error_rate",
    "hits at 1%": "hit_rate_at_1_percent",
    "hits at 5%": "hit_rate_at_5_percent",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "F1": "f1",
    "Brier": "brier",
}


def _known_flaws(metrics: dict[str, Any]) -> str:
    config = metrics["training"]["config"]
    known = [f"`{source}`: {text}" for source, text in config["data"].get("flaws", {}).items()]
    remarks = " ".join(config.get("remarks", "").split())
    known += [remarks] if remarks else []
    return "\n".join(["Known flaws of these numbers:", "", *(f"- {text}" for text in known), ""]) if known else ""


def _robustness(metrics: dict[str, Any]) -> str:
    if "robustness" not in metrics:
        return ""
    found = metrics["robustness"]
    rows = []
    for name, harm in found["harms"].items():
        clean, *levels = harm["levels"]
        rows += [
            [
                f"{name} ({harm['level_means']})",
                f"{entry['level']:g}",
                _auc(entry),
                f"{clean['auc'] - entry['auc']:+.3f}",
                f"{entry['flip_rate']:.1%}",
            ]
            for entry in levels
        ]
    clean = next(iter(found["harms"].values()))["levels"][0]
    count = found["count"]
    return f"""
## Under harm

Crops of the {found["split"]} split of {", ".join(found["sources"])}, {count["real"]} real + {count["fake"]} fake.
Unharmed, the AUC is {_auc(clean)}; an answer counts as changed when another of the three is given.

{_table(["harm", "level", "AUC", "AUC lost", "answers changed"], rows)}
"""


def _ablation(metrics: dict[str, Any]) -> str:
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
            *(_auc(own["test"]["sources"][source]) for source in sources),
            _auc(own["clips"]["all"]) if "clips" in own else "",
        ]
        for name, own in found["variants"].items()
    ]
    return f"""
## What each part is worth

The same data and the same budget for each ({budget["epochs"]} epochs of a sample of the crops at {budget["input_size"]}
pixels), far below that of the shipped model: only differences between the rows mean something.

{_table(head, rows)}
"""


def _beginning(training: dict[str, Any]) -> str:
    """What the weights were before this run."""
    fit, parent = training["config"]["fit"], training.get("parent")
    if parent:
        data = "; ".join(f"{source} ({terms})" for source, terms in parent["terms"].items())
        return f"It goes on from the model {parent['name']}, which was trained on {data}."
    if fit["initial_weights"]:
        return "It goes on from the weights of an earlier run."
    return f"The visual stream started from {'ImageNet' if fit['backbone_weights'] else 'random'} weights."


def _unseen(metrics: dict[str, Any]) -> str:
    trained = metrics["training"]["data"]["counts"]
    unseen = [name for name in metrics.get("clips", {}).get("sources", {}) if name not in trained]
    return f"; nothing was trained on {', '.join(unseen)}, and the table shows how it fares there" if unseen else ""


def _pictures(plots: Sequence[str], name: str, caption: str) -> str:
    return f"\n![{caption}](plots/{name})\n" if name in plots else ""


def _auc(found: dict[str, Any]) -> str:
    return f"{found['auc']:.3f} {_interval(found['auc_interval'])}" if "auc" in found else "one class only"


def _number(found: dict[str, Any], key: str) -> str:
    return f"{found[key]:.3f}" if key in found else ""


def _share(found: dict[str, Any], key: str) -> str:
    if key not in found:
        return ""
    called = found[key]["fake"]
    low, high = called["interval"]
    return f"{called['share']:.1%} ({low:.1%}-{high:.1%})"


def _interval(ends: Sequence[float]) -> str:
    return f"({ends[0]:.3f}-{ends[1]:.3f})"


def _sources_table(training: dict[str, Any]) -> str:
    data = training["config"]["data"]
    rows = [
        [
            name,
            *(f"{count[split]['real']:,} + {count[split]['fake']:,}" for split in ("train", "val")),
            f"{data['weights'].get(name, 1):g}",
            data["terms"].get(name, "not stated"),
        ]
        for name, count in training["data"]["counts"].items()
    ]
    return _table(["source", "train: real + fake", "val: real + fake", "times an epoch", "terms"], rows)


def _export_table(export: dict[str, Any]) -> str:
    rows = [
        [name, f"{graph['size_bytes'] / 1e6:.2f} MB", f"{graph['max_difference']:.4f}"]
        for name, graph in export["graphs"].items()
    ]
    return _table(["file", "size", "largest difference"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)
