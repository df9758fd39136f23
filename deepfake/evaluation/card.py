"""metrics.json and bundle.json -> the model's card: its README.md, with no number typed by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepfake.errors import BundleError
from deepfake.evaluation.card_sections import attack_table, attack_words, audit_table
from deepfake.report.metrics_tables import (
    ablation_table,
    files_table,
    measures_table,
    quality_tables,
    robustness_table,
    rounds_table,
    sources_table,
)

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
    face, track = bundle["calibration"]["face"], bundle["calibration"]["track"]
    thresholds = face["thresholds"]
    # What every bundle allowed before this was written down with it.
    calibration = {"false_alarms": 0.05, "misses": 0.05} | metrics["calibration"]
    size = bundle["crop"]["size"]
    # The crop's width decides what the model sees; the rest of the geometry stands in bundle.json.
    return f"""# {bundle["name"]}

{_network(network)}
{metrics["export"]["parameters"]:,} parameters; crops of {size} x {size} pixels, {bundle["crop"]["scale"]:.2f} times as
wide as the face's box.{_views(bundle["crop"].get("tta_scales", [1.0]))}

**Intended use.** To tell a person where to look twice. Its answer is evidence to be weighed with other evidence, not a
finding of fact, and not a ground for a decision about anybody by itself.

## How it answers

A face: `p_fake = sigmoid(logit / {face["temperature"]:.3f} + {face["shift"]:.3f})`, both fitted on the validation
split ({calibration["count"]} crops) with reals and fakes weighing the same.
`real` below {thresholds["real_below"]:.3f}, `fake` from {thresholds["fake_above"]:.3f}, `inconclusive` between: on the
validation split {calibration["false_alarms"]:.0%} of the reals pass the upper threshold, and
{calibration["misses"]:.0%} of the fakes stay under the lower one.
{_over_time(track, metrics)}Crops that cover less than {bundle["min_face_px"]:.0f} pixels, and people seen in fewer than
{bundle["min_frames"]} frames of a video, get no answer.

## What it was trained on

{sources_table(metrics["training"])}

{_history(metrics["training"])}
The code is under the MIT licence; the weights inherit the terms of the data. Crops are of single frames.

## How good it is

{quality_tables(metrics)}

{measures_table(metrics)}
{_pictures(plots, "quality.png", "ROC, precision-recall, calibration, scores and answers on the test split")}
{_known_flaws(metrics)}
{robustness_table(metrics)}
{_pictures(plots, "robustness.png", "AUC and changed answers under corruption")}
{attack_table(metrics)}
{audit_table(metrics)}
{ablation_table(metrics)}
{rounds_table(metrics)}
## Files

{files_table(metrics["export"])}

Differences are in p_fake, from the Keras network, over {metrics["export"]["crops"]} crops. Static int8 is not offered:
it breaks the noise stream.

## What it cannot do

- It has seen the fakes of the table above. Other methods may leave traces it does not know{_unseen(metrics)}.
- Strong compression, small faces, make-up, filters and retouching move its answer in both directions.
- It looks at single frames: lips out of step and unnatural motion are not seen, and sound is not heard.
- {attack_words(metrics)}
"""


_PAIRS = {
    "given": "of the data sets",
    "blend": "blends of a real with itself (Shiohara and Yamasaki, CVPR 2022), masked by a face mesh",
    "twin": "autoencoder twins of a real",
}
_FAKES = {
    "given": "Fakes are those of the data sets.",
    "self-blend": "Its fakes are made from the real pictures themselves (Shiohara and Yamasaki, CVPR 2022).",
    "both": "To the fakes of the data sets come fakes made from the real pictures themselves (Shiohara and Yamasaki,\n"
    "CVPR 2022).",
}


def _known_flaws(metrics: dict[str, Any]) -> str:
    config = metrics["training"]["config"]
    known = [f"`{source}`: {text}" for source, text in config["data"].get("flaws", {}).items()]
    remarks = " ".join(config.get("remarks", "").split())
    known += [remarks] if remarks else []
    return "\n".join(["Known flaws of these numbers:", "", *(f"- {text}" for text in known), ""]) if known else ""


def _network(network: dict[str, Any]) -> str:
    """What looks at the face."""
    members = [network, *network.get("beside", ())]
    seeing = " and ".join(f"{member['backbone']} (alpha {member['alpha']})" for member in members)
    if len(members) == 1:
        return (
            f"A dual-stream deepfake detector: {seeing} on what the face shows, an SRM and\n"
            "Bayar noise stream on what camera and codec left behind, a gate that weighs the two."
        )
    return (
        f"An ensemble of {len(members)} dual-stream deepfake detectors, whose answers and evidence are averaged:\n"
        f"{seeing} on what the face shows, each with an SRM and\n"
        "Bayar noise stream on what camera and codec left behind, and a gate that weighs the two."
    )


def _history(training: dict[str, Any]) -> str:
    """Which fakes the weights were trained on, and what they were before; of each member where there are several."""
    config = training["config"]
    if members := training.get("members"):
        lines = [_member(own) for own in members]
        return "\n".join(["Its members were trained apart, in this order:", "", *lines, ""])
    if parent := training.get("parent"):
        data = "; ".join(f"{source} ({terms})" for source, terms in parent["terms"].items())
        beginning = f"It goes on from the model {parent['name']}, which was trained on {data}."
    else:
        beginning = _beginning(config["fit"])
    return f"{_FAKES[config['data']['fakes']]} {beginning}"


def _member(own: dict[str, Any]) -> str:
    """One network of several: what it looks for, on which fakes it was trained, and what it was before."""
    head = f"- `{own['name']}`, {own['share']:.0%} of the answer"
    if "pairs" not in own:
        return f"{head}: {_FAKES[own['fakes']]} {_beginning(own['fit'])}"
    total = sum(pair["share"] for pair in own["pairs"])
    kinds = "; ".join(
        f"{pair['share'] / total:.0%} {_PAIRS[pair['kind']]} ({', '.join(pair['sources'])})" for pair in own["pairs"]
    )
    looks = f", looks for what is {own['trace']}" if "trace" in own else ""
    amount = f"{own['epochs']} epochs of {own['pairs_an_epoch']:,} pairs of a real and a fake"
    return f"{head}{looks}: {amount}, {kinds}. {_beginning(own['fit'])}"


def _beginning(fit: dict[str, Any]) -> str:
    if fit["initial_weights"]:
        return "It goes on from the weights of an earlier run."
    return f"The visual stream started from {'ImageNet' if fit['backbone_weights'] else 'random'} weights."


def _unseen(metrics: dict[str, Any]) -> str:
    trained = metrics["training"]["data"]["counts"]
    unseen = [name for name in metrics.get("clips", {}).get("sources", {}) if name not in trained]
    return f"; nothing was trained on {', '.join(unseen)}, and the table shows how it fares there" if unseen else ""


def _pictures(plots: Sequence[str], name: str, caption: str) -> str:
    return f"\n![{caption}](plots/{name})\n" if name in plots else ""


def _over_time(track: dict[str, Any], metrics: dict[str, Any]) -> str:
    """How the answer about a person in a video is calibrated; empty where it is that about a face."""
    samples = metrics.get("track_calibration", {}).get("samples", [])
    if not samples:
        return ""
    fakes, thresholds = sum(one["label"] == "fake" for one in samples), track["thresholds"]
    return (
        "A person over the time of a video: the robust mean of the calibrated logits, divided by "
        f"{track['temperature']:.3f}, plus {track['shift']:.3f};\n"
        f"`real` below {thresholds['real_below']:.3f}, `fake` from {thresholds['fake_above']:.3f}. "
        f"Fitted to {len(samples) - fakes} real and {fakes} fake clips of people that nothing was trained on;\n"
        "where these are measured below, each is judged by a calibration that has not seen its people.\n"
    )


def _views(views: Sequence[float]) -> str:
    """What is said of the views of a face beside the crop."""
    if len(views) == 1:
        return ""
    widths = " and ".join(f"{view:g}" for view in views[1:])
    return f" It looks at each face {widths} times as wide, too, where the picture reaches, and answers the mean."
