"""A bundle's manifest and metrics -> the model's card: its README.md, with no number typed by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from deepfake.data.config import FitConfig, PairConfig, TrainingConfig
from deepfake.errors import BundleError
from deepfake.evaluation.card_metadata import card_metadata
from deepfake.evaluation.card_sections import (
    adversarial_sentence,
    adversarial_table,
    conditions_table,
    fairness_table,
    pictures_table,
    presentation_attack_table,
)
from deepfake.model.bundle import MISTAKES_PLOT, QUALITY_PLOT, ROBUSTNESS_PLOT, DetectorManifest, read_manifest
from deepfake.model.calibration import Calibration
from deepfake.model.lineage import InitialWeights, Member, TrackSample, Training
from deepfake.model.metrics import METRICS, Metrics, read_metrics
from deepfake.nn.config import NetworkConfig
from deepfake.report.metrics_tables import (
    ablation_table,
    files_table,
    markdown_table,
    measures_table,
    quality_tables,
    robustness_table,
    rounds_table,
)
from deepfake.system.settings import read_settings

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
        BundleError: If one of the files is missing or cannot be used, or the README has no markers.
    """
    manifest, metrics = read_manifest(directory), read_metrics(directory)
    path = directory / "README.md"
    plots = [name for name in (QUALITY_PLOT, MISTAKES_PLOT, ROBUSTNESS_PLOT) if (directory / name).exists()]
    path.write_text(re.sub(r"\n{3,}", "\n\n", card_text(manifest, metrics, plots)), encoding="utf-8")
    if readme is not None:
        text = readme.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            raise BundleError(f"{readme} must hold the lines {BEGIN} and {END}. Add them where the table belongs.")
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        readme.write_text(f"{before}{BEGIN}\n{quality_tables(metrics)}\n{END}{after}", encoding="utf-8")
    return path


def card_text(manifest: DetectorManifest, metrics: Metrics, plots: Sequence[str] = ()) -> str:
    """The whole card, as Markdown.

    Args:
        manifest: The bundle's.
        metrics: What is known about it.
        plots: Which of `QUALITY_PLOT`, `MISTAKES_PLOT` and `ROBUSTNESS_PLOT` there are.

    Raises:
        BundleError: If it is not known how the bundle came about.
    """
    training, calibrated, exported = metrics.training, metrics.calibration, metrics.export
    if training is None or calibrated is None or exported is None:
        raise BundleError(
            f"The card of {manifest.name} needs the sections training, calibration and export of {METRICS}. "
            "Run export and evaluate."
        )
    config = read_settings(training.config, TrainingConfig)
    face, crop = manifest.calibration.face, manifest.crop
    thresholds = face.thresholds
    samples = metrics.track_calibration.samples if metrics.track_calibration else ()
    over_time = _over_time(manifest.calibration.track, samples) if samples else ""
    # The crop's width decides what the model sees; the rest of the geometry stands in bundle.json.
    return f"""{card_metadata(manifest.name, metrics)}
# {manifest.name}

{_network(config.network)}
{exported.parameters:,} parameters; crops of {crop.size} x {crop.size} pixels, {crop.scale:.2f} times as
wide as the face's box.{_views(crop.tta_scales)}

**Intended use.** To tell a person where to look twice. Its answer is evidence to be weighed with other evidence, not a
finding of fact, and not a ground for a decision about anybody by itself.

## How it answers

A face: `p_fake = sigmoid(logit / {face.temperature:.3f} + {face.shift:.3f})`, both fitted on the validation
split ({calibrated.count} crops) with reals and fakes weighing the same, {_weights_of_sources(calibrated.half_weight)}.
`real` below {thresholds.real_below:.3f}, `fake` from {thresholds.fake_above:.3f}, `inconclusive` between: on the
validation split {calibrated.false_alarms:.0%} of the reals pass the upper threshold, and
{calibrated.misses:.0%} of the fakes stay under the lower one.
{over_time}Crops that cover less than {manifest.min_face_px:.0f} pixels, and people seen in fewer than
{manifest.min_frames} frames of a video, get no answer.

## What it was trained on

{_sources_table(training, config)}

{_history(training, config)}
The code is under the MIT licence; the weights inherit the terms of the data. Crops are of single frames.

## How good it is

{quality_tables(metrics)}

{measures_table(metrics)}
{_pictures(plots, QUALITY_PLOT, "ROC, precision-recall, calibration, scores and answers on the test split")}
{_pictures(plots, MISTAKES_PLOT, "Heat maps of its five worst mistakes on the test split, over drawn faces")}
{_known_flaws(config)}
{presentation_attack_table(metrics)}
{conditions_table(metrics)}
{robustness_table(metrics.robustness)}
{_pictures(plots, ROBUSTNESS_PLOT, "AUC and changed answers under corruption")}
{pictures_table(metrics)}
{adversarial_table(metrics.adversarial)}
{fairness_table(metrics.fairness)}
{ablation_table(metrics.ablation)}
{rounds_table(metrics.rounds)}
## Files

{files_table(exported)}

Differences are in p_fake, from the Keras network, over {exported.crops} crops. Static int8 is not offered:
it breaks the noise stream.

## What it cannot do

- It has seen the fakes of the table above. Other methods may leave traces it does not know{_unseen(training, metrics)}.
- Strong compression, small faces, make-up, filters and retouching move its answer in both directions.
- It learned from photographs in colour. In black and white, sepia and strong tints fakes may pass as real; drawings,
  paintings and cartoons are not told from photographs, and may look fake.
- It looks at single frames: lips out of step and unnatural motion are not seen, and sound is not heard.
- {adversarial_sentence(metrics.adversarial)}
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


def _sources_table(training: Training, config: TrainingConfig) -> str:
    """What was trained on, and on which terms."""
    members = [own.weights for own in training.members if own.weights is not None]
    weights = members if training.members else [] if config.data.pairs else [config.data.weights]
    rows = [
        [
            name,
            *(f"{count[split].real:,} + {count[split].fake:,}" for split in ("train", "val")),
            *(["; ".join(f"{own.get(name, 1):g}" for own in weights)] if weights else []),
            config.data.terms.get(name, "not stated"),
        ]
        for name, count in training.data.counts.items()
    ]
    often = ["times an epoch"] if weights else []
    return markdown_table(["source", "train: real + fake", "val: real + fake", *often, "terms"], rows)


def _known_flaws(config: TrainingConfig) -> str:
    known = [f"`{source}`: {text}" for source, text in config.data.flaws.items()]
    remarks = " ".join(config.remarks.split())
    known += [remarks] if remarks else []
    return "\n".join(["Known flaws of these numbers:", "", *(f"- {text}" for text in known), ""]) if known else ""


def _network(network: NetworkConfig) -> str:
    """What looks at the face."""
    members = [network, *network.beside]
    seeing = " and ".join(f"{member.backbone} (alpha {member.alpha})" for member in members)
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


def _history(training: Training, config: TrainingConfig) -> str:
    """Which fakes the weights were trained on, and what they were before; of each member where there are several."""
    if training.members:
        lines = [_member(own) for own in training.members]
        return "\n".join(["Its members were trained apart, in this order:", "", *lines, ""])
    if parent := training.parent:
        data = "; ".join(f"{source} ({terms})" for source, terms in parent.terms.items())
        beginning = f"It goes on from the model {parent.name}, which was trained on {data}."
    else:
        beginning = _beginning(config.fit)
    return f"{_FAKES[config.data.fakes]} {beginning}"


def _member(own: Member) -> str:
    """One network of several: what it looks for, on which fakes it was trained, and what it was before."""
    head = f"- `{own.name}`, {own.share:.0%} of the answer"
    if not own.pairs:
        return f"{head}: {_FAKES[own.fakes]} {_beginning(own.fit)}"
    pairs = [read_settings(pair, PairConfig) for pair in own.pairs]
    total = sum(pair.share for pair in pairs)
    kinds = "; ".join(f"{pair.share / total:.0%} {_PAIRS[pair.kind]} ({', '.join(pair.sources)})" for pair in pairs)
    looks = f", looks for what is {own.trace}" if own.trace else ""
    amount = f"{own.epochs} epochs of {own.pairs_an_epoch:,} pairs of a real and a fake"
    return f"{head}{looks}: {amount}, {kinds}. {_beginning(own.fit)}"


def _beginning(fit: FitConfig | InitialWeights) -> str:
    if fit.initial_weights:
        return "It goes on from the weights of an earlier run."
    return f"The visual stream started from {'ImageNet' if fit.backbone_weights else 'random'} weights."


def _unseen(training: Training, metrics: Metrics) -> str:
    sources = metrics.clips.sources if metrics.clips else ()
    unseen = [name for name in sources if name not in training.data.counts]
    return f"; nothing was trained on {', '.join(unseen)}, and the table shows how it fares there" if unseen else ""


def _pictures(plots: Sequence[str], name: str, caption: str) -> str:
    return f"\n![{caption}]({name})\n" if name in plots else ""


def _weights_of_sources(half_weight: float) -> str:
    """How the sources of one class were weighed against each other."""
    if not half_weight:
        return "and each source as much as another"
    return f"and a source\nof n pictures by n / (n + {half_weight:g})"


def _over_time(track: Calibration, samples: Sequence[TrackSample]) -> str:
    """How the answer about a person in a video is calibrated."""
    fakes = sum(one.target for one in samples)
    return (
        "A person over the time of a video: the robust mean of the calibrated logits, divided by "
        f"{track.temperature:.3f}, plus {track.shift:.3f};\n"
        f"`real` below {track.thresholds.real_below:.3f}, `fake` from {track.thresholds.fake_above:.3f}. "
        f"Fitted to {len(samples) - fakes} real and {fakes} fake clips of people that nothing was trained on;\n"
        "where these are measured below, each is judged by a calibration that has not seen its people.\n"
    )


def _views(views: Sequence[float]) -> str:
    """What is said of the views of a face beside the crop."""
    if len(views) == 1:
        return ""
    widths = " and ".join(f"{view:g}" for view in views[1:])
    return f" It looks at each face {widths} times as wide, too, where the picture reaches, and answers the mean."
