"""A logit -> a probability and an answer, at each level at which answers are given."""

from __future__ import annotations

import math

from deepfake.records import Thresholds
from deepfake.system.settings import Finite, Positive, Settings


class Calibration(Settings, frozen=True, kw_only=True):
    """How a logit becomes a probability, and where `real` ends and `fake` begins.

    Reference:
        Platt, "Probabilistic outputs for support vector machines", 1999; with a shift of 0 it is temperature scaling.
    """

    temperature: Positive = 1.0
    """The logit is divided by it."""
    shift: Finite = 0.0
    """Added after the division, so that p_fake assumes that fakes are as common as reals."""
    thresholds: Thresholds
    """Where `real` ends and `fake` begins."""

    def logit(self, logit: float) -> float:
        """The calibrated logit of a raw one."""
        return logit / self.temperature + self.shift

    def raw(self, p_fake: float) -> float:
        """The raw logit of a probability: the inverse of `p_fake`."""
        return (logit_of(p_fake) - self.shift) * self.temperature

    def p_fake(self, logit: float) -> float:
        """The probability of a raw logit, in [0, 1].

        Example:

        >>> even = Thresholds(real_below=0.5, fake_above=0.5)
        >>> Calibration(temperature=2.0, shift=-1.0, thresholds=even).p_fake(2.0)
        0.5
        """
        return sigmoid(self.logit(logit))


class Calibrations(Settings, frozen=True, kw_only=True):
    """The calibration of each level: one face, one person over time, and a part of that time."""

    face: Calibration
    """Of the network's logit, the mean over a face's views."""
    track: Calibration
    """Of the robust mean over time of a person's calibrated logits: it is spread less than one face's."""
    part: Calibration | None = None
    """Of the most suspicious of the parts of that time: the highest of many means is higher than the mean. None where
    it was not measured: then no part decides."""

    picture: Calibration | None = None
    """Of what the expert in generated faces says of a whole picture, the mean over its patches. None where it was not
    measured: then nothing is said of whole pictures."""

    def of_person(self, *, in_video: bool) -> Calibration:
        """What turns the robust mean of a person's calibrated logits into the answer about that person.

        In a picture that mean is the face's own calibrated logit: nothing is left to be done.
        """
        return self.track if in_video else Calibration(thresholds=self.face.thresholds)


def sigmoid(logit: float) -> float:
    """Probability in [0, 1] of a logit, without overflow.

    Example:

    >>> sigmoid(0.0)
    0.5
    """
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def logit_of(p_fake: float) -> float:
    """The logit of a probability; of 0 and 1, of what comes just after or before them.

    Example:

    >>> logit_of(0.5)
    0.0
    """
    p_fake = min(max(p_fake, 1e-12), 1 - 1e-12)
    return math.log(p_fake / (1 - p_fake))
