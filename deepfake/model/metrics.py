"""models/<name>/metrics.json <-> Metrics: what was measured of a bundle, and what it was trained on.

Whatever is said about a model's quality (card, page, report, README) is read from here. A section that was not measured
is absent; a key that is not known, or a value of another type, is an error and never a number that is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from deepfake.errors import BundleError
from deepfake.model.calibration import Calibration
from deepfake.model.conditions import Conditions
from deepfake.model.metrics_format import FORMAT, of_this_format
from deepfake.records import Thresholds
from deepfake.system.files import write_json
from deepfake.system.settings import Count, Finite, NotNegative, Positive, Share, Whole, read_settings

METRICS = "metrics.json"
"""The measures of a detector bundle, beside its manifest."""
Interval = tuple[Share, Share]
"""A 95% interval: its lower and its upper end."""
Error = Literal["reals_called_fake", "reals_inconclusive", "fakes_called_real"]
"""A class, and an answer that is not right about it."""
Attack = Literal["noise", "fgsm", "pgd"]
"""What is done to a crop by somebody who knows the network; noise is the control."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of `metrics.json`: unknown keys fail, and what is not defined is left out."""


class Counts(Record, frozen=True):
    """How many samples there are of either class."""

    real: Whole
    fake: Whole

    @property
    def total(self) -> int:
        """Of both."""
        return self.real + self.fake


class Proportion(Record, frozen=True):
    """A share of samples."""

    share: Share
    interval: Interval
    """Wilson's."""


class Answers(Record, frozen=True, kw_only=True):
    """How often each answer is given about one class."""

    real: Proportion
    fake: Proportion
    inconclusive: Proportion


class Ranking(Record, frozen=True, kw_only=True):
    """How well p_fake ranks fakes above reals."""

    auc: Share
    auc_interval: Interval


class Summary(Record, frozen=True, kw_only=True):
    """One set of samples; what is not defined for it, such as the AUC of one class, is None.

    Measures are over the samples with a number. `accuracy`, `precision`, `recall` and `f1` are those of two answers,
    divided at a p_fake of 0.5; the shares of the three answers are over all samples.
    """

    count: Counts
    without_number: Whole = 0
    """Samples that the bundle gave no p_fake: no face, too few frames."""
    auc: Share | None = None
    auc_interval: Interval | None = None
    average_precision: Share | None = None
    equal_error_rate: Share | None = None
    tpr_at_1_percent_fpr: Share | None = None
    tpr_at_5_percent_fpr: Share | None = None
    accuracy: Share | None = None
    precision: Share | None = None
    recall: Share | None = None
    f1: Share | None = None
    brier: Share | None = None
    ece: Share | None = None
    """Expected calibration error."""
    ece_even: Share | None = None
    """The same with reals and fakes weighing the same, as they do in what p_fake states."""
    ece_even_chance: Share | None = None
    """What `ece_even` would be on average if every p_fake were exactly right: few samples scatter."""
    real_called: Answers | None = None
    """What is said of reals."""
    fake_called: Answers | None = None
    """What is said of fakes."""


class FrameMean(Record, frozen=True, kw_only=True):
    """One data set, measured frame by frame, and with the plain mean of its frames as a video's score.

    This is how DeepfakeBench measures (Yan et al., NeurIPS 2023), and a video is judged otherwise here: by the robust
    mean of its frames.
    """

    frames: Counts
    frame: Ranking
    videos: Counts
    video: Ranking


class Species(Record, frozen=True, kw_only=True):
    """The fakes of one method: attack presentations of one species, in the terms of ISO/IEC 30107-3."""

    count: Count
    apcer: Proportion
    """Attack presentation classification error rate: the share that is called real."""
    apnrr: Proportion
    """Attack presentation non-response rate: the share that gets no answer, or an inconclusive one."""


class PresentationAttack(Record, frozen=True, kw_only=True):
    """Errors in the terms of ISO/IEC 30107-3: of reals, which are bona fide presentations, and of each species."""

    count: Count
    """Bona fide presentations."""
    bpcer: Proportion
    """Bona fide presentation classification error rate: the share that is called fake."""
    bpnrr: Proportion
    """Bona fide presentation non-response rate: the share that gets no answer, or an inconclusive one."""
    species: dict[str, Species]
    """By the name of the method."""


class AnswerCounts(Record, frozen=True):
    """How many samples of one class got each answer."""

    real: Whole = 0
    fake: Whole = 0
    inconclusive: Whole = 0

    @property
    def total(self) -> int:
        """Of all three."""
        return self.real + self.fake + self.inconclusive

    def __add__(self, other: AnswerCounts) -> AnswerCounts:
        return AnswerCounts(self.real + other.real, self.fake + other.fake, self.inconclusive + other.inconclusive)


class Cell(Record, frozen=True, kw_only=True):
    """Samples that are alike in all that is known of their conditions."""

    conditions: Conditions
    real_called: AnswerCounts = AnswerCounts()
    """What was said of reals."""
    fake_called: AnswerCounts = AnswerCounts()
    """What was said of fakes."""


class Measured(Record, frozen=True, kw_only=True):
    """One collection of samples at its coarsest level, as a whole and in parts."""

    split: str = ""
    """`val` or `test`; empty for a table of clips."""
    all: Summary
    sources: dict[str, Summary] = {}
    """Each data set."""
    methods: dict[str, Summary] = {}
    """The fakes of each method, with the reals of their source; of clips, with all reals."""
    levels: dict[str, Summary] = {}
    """`frame` (one face in one picture), `track` (one person over a clip) and `clip`."""
    frame_means: dict[str, FrameMean] = {}
    """Each data set with frames of videos of both classes, as DeepfakeBench measures it."""
    presentation_attack: PresentationAttack | None = None
    """The same errors in the terms of ISO/IEC 30107-3."""
    cells: tuple[Cell, ...] = ()
    """Samples by what they are like: a face of each clip, or each whole video; empty where nobody measured it."""
    by_folds: Whole = 0
    """Clips that were judged by a calibration of their fold, for the bundle's own has seen their people."""
    trained_on: Whole | None = None
    """Faces that look like one that the bundle was trained on; None where it is not known what it was trained on."""


class FaceCalibration(Record, frozen=True, kw_only=True):
    """How the answer about one face was calibrated, on the validation split."""

    temperature: Positive
    shift: Finite
    thresholds: Thresholds
    count: Count
    """Crops."""
    false_alarms: Share
    """Share of reals called fake that the thresholds allow."""
    misses: Share
    """Share of fakes called real that they allow."""
    ece_before: Share
    """Calibration error of the network's own logit."""
    ece_after: Share

    @property
    def calibration(self) -> Calibration:
        """What it comes to."""
        return Calibration(temperature=self.temperature, shift=self.shift, thresholds=self.thresholds)


class TrackSample(Record, frozen=True):
    """The most suspicious person of one labelled clip, before the calibration over time."""

    clip: str
    """Name of the clip, unique within its source."""
    label: Annotated[str, Meta(pattern="^(real|fake)$")]
    source: str
    """Its data set."""
    identity: str
    """People in it, joined by `+` or `_`."""
    logit: Finite
    """The robust mean over time of the person's calibrated logits."""
    peak: Finite | None = None
    """The highest robust mean over a part of the clip of anyone's; None where nobody is seen for as long."""

    @property
    def target(self) -> int:
        """1 for fake, 0 for real."""
        return int(self.label == "fake")


class TrackCalibration(Record, frozen=True):
    """How the answer about a person over time was calibrated."""

    calibration: Calibration
    samples: tuple[TrackSample, ...]
    """The clips that it was fitted to: who measures on them judges each by what has not seen its people."""
    part: Calibration | None = None
    """That of a part of a person's time."""


class Graph(Record, frozen=True, kw_only=True):
    """One TFLite file, beside the Keras network."""

    size_bytes: Count
    max_difference: Share
    """Largest difference in p_fake."""
    auc_lost: Finite | None = None


class Export(Record, frozen=True, kw_only=True):
    """What the graphs cost."""

    graphs: dict[str, Graph]
    crops: Count
    """How many they were compared on."""
    parameters: Count


class CorruptionLevel(Ranking, frozen=True, kw_only=True):
    """Crops that were corrupted so far."""

    level: Finite
    flip_rate: Share
    """Share of answers that differ from those about clean crops."""


class Corruption(Record, frozen=True):
    """One way to corrupt crops."""

    level_means: str
    levels: tuple[CorruptionLevel, ...]


class Robustness(Record, frozen=True, kw_only=True):
    """A bundle under corruption."""

    split: str
    sources: tuple[str, ...]
    count: Counts
    clean: Ranking
    corruptions: dict[str, Corruption]


class Attacked(Ranking, frozen=True, kw_only=True):
    """Crops that were changed by an attack of one size."""

    eps: NotNegative = 0.0
    """How far each pixel moved, of 255."""
    real_called: Answers
    fake_called: Answers
    fakes_alone: Ranking
    """Where the reals are untouched."""
    sources: dict[str, Ranking]


class Adversarial(Record, frozen=True, kw_only=True):
    """A bundle against somebody who knows its network."""

    split: str
    seed: Whole
    steps: Count
    """Of PGD."""
    count: Counts
    sources: dict[str, Counts]
    left_out: tuple[str, ...]
    """Sources of one class only."""
    clean: Attacked
    attacks: dict[Attack, tuple[Attacked, ...]]


class Bin(Record, frozen=True, kw_only=True):
    """Faces that are alike in one trait."""

    bin: str
    count: Counts
    sources: dict[str, Counts]
    real_called: Answers | None = None
    fake_called: Answers | None = None
    expected: dict[Error, Share]
    """The share of each error that it would have if each source had one rate."""


class TraitErrors(Record, frozen=True, kw_only=True):
    """The errors of a bundle in bins of something that faces differ in."""

    title: str
    means: str
    """What was measured of each face."""
    bins: tuple[Bin, ...]
    """From the lowest."""
    chance: dict[Error, Share]
    """How probable differences between bins as large as these are, if within a source the bin did not matter."""


class Fairness(Record, frozen=True, kw_only=True):
    """Whom a bundle is wrong about."""

    split: str
    count: Counts
    traits: dict[str, TraitErrors]


class Budget(Record, frozen=True, kw_only=True):
    """What all variants of an ablation have in common."""

    epochs: Count
    input_size: Count
    weights: dict[str, NotNegative]
    batch_size: Count


class Variant(Record, frozen=True, kw_only=True):
    """One variant of an ablation."""

    parameters: Count
    test: Measured
    clips: Measured | None = None


class Ablation(Record, frozen=True):
    """What each part of the detector is worth."""

    budget: Budget
    variants: dict[str, Variant]


class Round(Record, frozen=True, kw_only=True):
    """One of the rounds in which a model came about."""

    name: str
    changed: str
    expected: str
    said: str
    """What came, in words."""
    val: dict[str, Summary]
    """AUC and counts of each source."""
    clips: dict[str, Summary]
    """AUC and counts of all clips, `all`, and of each method."""


class TrainingData(Record, frozen=True):
    """Which data a run saw."""

    sha256: str
    """Of what the tables say and of the sizes of their files."""
    counts: dict[str, dict[str, Counts]]
    """Of each source, by split: `train` and `val`."""


class InitialWeights(Record, frozen=True, kw_only=True):
    """The names of the files that a run began with; empty for none."""

    backbone_weights: str = ""
    initial_weights: str = ""


class Member(Record, frozen=True, kw_only=True):
    """One of the networks that a model is made of."""

    name: str
    share: Share
    """Of the answer."""
    trace: str = ""
    """What kind of trace an expert looks for; empty for one of equals."""
    fakes: str = ""
    weights: dict[str, NotNegative] | None = None
    pairs: tuple[dict[str, Any], ...] = ()
    """What an epoch was made of, each a `PairConfig` as plain values; empty where `fakes` and `weights` say it."""
    pairs_an_epoch: Whole = 0
    epochs: Whole = 0
    fit: InitialWeights


class Parent(Record, frozen=True):
    """The bundle that a model went on from."""

    name: str
    terms: dict[str, str]
    """On which terms each of its sources may be used: they bind what comes of it."""


class Training(Record, frozen=True, kw_only=True):
    """A training run: what it was told, what it saw, and what ran it."""

    config: dict[str, Any]
    """A `TrainingConfig` as plain values."""
    data: TrainingData
    versions: dict[str, str]
    members: tuple[Member, ...] = ()
    """The networks that it was joined from."""
    experts: tuple[str, ...] = ()
    """What each of its experts looks for."""
    averaged: tuple[str, ...] = ()
    """The runs whose weights it is the mean of."""
    parent: Parent | None = None


class Metrics(Record, frozen=True, kw_only=True):
    """All that is known about a bundle; None for what was not measured."""

    training: Training | None = None
    calibration: FaceCalibration | None = None
    track_calibration: TrackCalibration | None = None
    export: Export | None = None
    test: Measured | None = None
    """Crops of the test split."""
    val: Measured | None = None
    """Crops of the validation split."""
    clips: Measured | None = None
    """Whole files."""
    robustness: Robustness | None = None
    adversarial: Adversarial | None = None
    fairness: Fairness | None = None
    ablation: Ablation | None = None
    rounds: tuple[Round, ...] = ()


def read_metrics(model: Path) -> Metrics:
    """What is known about a bundle: nothing, where it has no `metrics.json`.

    Args:
        model: The bundle's folder.

    Raises:
        BundleError: If the file cannot be read, was written for another version, or holds what is not known.
    """
    path = model / METRICS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Metrics()
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({error}). Fetch the bundle again, or evaluate it anew.") from error
    try:
        return read_settings(of_this_format(values), Metrics)
    except ValueError as error:
        raise BundleError(f"{path} cannot be used: {error} Fetch the bundle again, or evaluate it anew.") from error


def read_training_of(model: Path) -> Training:
    """How a bundle came about.

    Raises:
        BundleError: As `read_metrics`, or if that is not known.
    """
    training = read_metrics(model).training
    if training is None:
        raise BundleError(f"{model / METRICS} must say how the network was trained. Export it again.")
    return training


def write_metrics(model: Path, metrics: Metrics) -> Metrics:
    """Writes what is known about a bundle, every number to four digits; the answer is what will be read.

    Raises:
        ValueError: If a value is none that may be read again, such as a share above 1.
    """
    values = _rounded(msgspec.to_builtins(metrics))
    kept = read_settings(values, Metrics)
    write_json(model / METRICS, {"format": FORMAT, **values})
    return kept


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
