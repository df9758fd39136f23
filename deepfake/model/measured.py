"""What an evaluation measured of a bundle: counts, shares with their intervals, and how well it ranks."""

from __future__ import annotations

from typing import Literal

import msgspec

from deepfake.model.conditions import Conditions
from deepfake.system.settings import Count, Share, Whole

Interval = tuple[Share, Share]
"""A 95% interval: its lower and its upper end."""
Error = Literal["reals_called_fake", "reals_inconclusive", "fakes_called_real"]
"""A class, and an answer that is not right about it."""


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
