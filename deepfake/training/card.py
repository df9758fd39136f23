"""metrics.json and bundle.json -> the model's card: its README.md, with no number typed by hand."""

from __future__ import annotations

import json
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
    path.write_text(card_text(bundle, metrics), encoding="utf-8")
    if readme is not None:
        text = readme.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            raise BundleError(f"{readme} must hold the lines {BEGIN} and {END}. Add them where the table belongs.")
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        readme.write_text(f"{before}{BEGIN}\n{quality_tables(metrics)}\n{END}{after}", encoding="utf-8")
    return path


def card_text(bundle: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The whole card, as Markdown."""
    config = metrics["training"]["config"]
    network = config["network"]
    thresholds = bundle["thresholds"]
    return f"""# {bundle["name"]}

A dual-stream deepfake detector: {network["backbone"]} (alpha {network["alpha"]}) on what the face shows, an SRM and
Bayar noise stream on what camera and codec left behind, a gate that weighs the two.
{metrics["export"]["parameters"]:,} parameters; crops of {bundle["crop"]["size"]} x {bundle["crop"]["size"]} pixels.

**Intended use.** To tell a person where to look twice. Its answer is evidence to be weighed with other evidence, not a
finding of fact, and not a ground for a decision about anybody by itself.

## How it answers

`p_fake = sigmoid(logit / {bundle["temperature"]:.3f} + {bundle["logit_shift"]:.3f})`, both fitted on the validation
split ({metrics["calibration"]["count"]} crops) with reals and fakes weighing the same.
`real` below {thresholds["real_below"]:.3f}, `fake` from {thresholds["fake_above"]:.3f}, `inconclusive` between: on the
validation split 5% of the reals pass the upper threshold, and 5% of the fakes stay under the lower one.
Crops that cover less than {bundle["min_face_px"]:.0f} pixels, and people seen in fewer than {bundle["min_frames"]}
frames of a video, get no answer.

## What it was trained on

{_sources_table(metrics["training"])}

Self-blended fakes are made from the real pictures themselves (Shiohara and Yamasaki, CVPR 2022). The visual stream
started from ImageNet weights. The code is under the MIT licence; the weights inherit the terms of the data: **research
use**. Crops are of single frames.

## How good it is

{quality_tables(metrics)}

Known flaws of these numbers: DFDC labels a video, not a face, so some `fake` crops show an untouched face; DFDC actors
repeat across originals, so its test figure is optimistic; in `diffusion` the fakes are sharper than the reals, which a
model can exploit; in `dfdc`, training crops are upright but not levelled by the eyes.
The recipe of the last stage was settled after earlier stages had been measured on the test split and on the clips, so
these figures are not those of data that nobody had looked at.

## Files

{_export_table(metrics["export"])}

Differences are in p_fake, from the Keras network, over {metrics["export"]["crops"]} crops. Static int8 is not offered:
it breaks the noise stream.

## What it cannot do

- It has seen face swaps of one collection, StyleGAN and Stable Diffusion 2.1. Other methods may leave traces it does
  not know; the table of clips above shows how it fares on four that it never saw.
- Strong compression, small faces, make-up, filters and retouching move its answer in both directions.
- It looks at single frames: lips out of step and unnatural motion are not seen, and sound is not heard.
- Nobody has tested it against people who try to deceive it.
"""


def quality_tables(metrics: dict[str, Any]) -> str:
    """The tables of quality, as Markdown."""
    blocks = []
    if "test" in metrics:
        named = [*metrics["test"]["sources"].items(), ("all", metrics["test"]["all"])]
        blocks.append("Crops of the test split:\n\n" + _quality_table("source", named))
    if "clips" in metrics:
        named = [*metrics["clips"]["methods"].items(), ("all", metrics["clips"]["all"])]
        blocks.append(
            "FaceForensics++ clips at heavy compression (c40), a data set that nothing was trained on, each method\n"
            "against all real clips:\n\n" + _quality_table("method", named)
        )
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
    auc = f"{found['auc']:.3f} {_interval(found['auc_interval'])}" if "auc" in found else "one class only"
    return [
        f"{count['real']} + {count['fake']}",
        auc,
        f"{found['ece']:.3f}" if "ece" in found else "",
        _share(found, "real_called"),
        _share(found, "fake_called"),
        f"{unsure / total:.1%}",
    ]


def _share(found: dict[str, Any], key: str) -> str:
    if key not in found:
        return ""
    called = found[key]["fake"]
    low, high = called["interval"]
    return f"{called['share']:.1%} ({low:.1%}-{high:.1%})"


def _interval(ends: Sequence[float]) -> str:
    return f"({ends[0]:.3f}-{ends[1]:.3f})"


def _sources_table(training: dict[str, Any]) -> str:
    terms = training["config"]["data"].get("terms", {})
    rows = [
        [name, f"{count['real']:,}", f"{count['fake']:,}", f"{count['self_blend']:,}", terms.get(name, "not stated")]
        for name, count in training["counts"].items()
    ]
    return _table(["source", "real", "fake", "of them self-blended", "terms"], rows)


def _export_table(export: dict[str, Any]) -> str:
    rows = [
        [name, f"{graph['size_bytes'] / 1e6:.2f} MB", f"{graph['max_difference']:.4f}"]
        for name, graph in export["graphs"].items()
    ]
    return _table(["file", "size", "largest difference"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)
