"""How a bundle came about: its training, its calibration, its export, and what was tried on the way."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from deepfake.model.calibration import Calibration
from deepfake.model.measured import Counts, Measured, Record, Summary
from deepfake.records import Thresholds
from deepfake.system.settings import Count, Finite, NotNegative, Positive, Share, Whole


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
    half_weight: NotNegative = 0.0
    """Pictures of which a source weighed half of what an endless one does; 0: all the same."""

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


class PictureSample(Record, frozen=True):
    """What the expert in generated faces says of one labelled picture, before calibration."""

    picture: str
    """Name of the picture, unique within its source."""
    label: Annotated[str, Meta(pattern="^(real|fake)$")]
    """`real` for a photograph, `fake` for a generated picture."""
    source: str
    """Its data set."""
    method: str
    """What made it; empty for a photograph."""
    logit: Finite
    """The mean over its patches."""


class PictureCalibration(Record, frozen=True):
    """How the answer about a whole picture was calibrated."""

    calibration: Calibration
    samples: tuple[PictureSample, ...]
    """The pictures that it was fitted to."""


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
