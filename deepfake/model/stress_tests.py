"""What was measured of a bundle under corruption, under attack, and on faces that differ in one trait."""

from __future__ import annotations

from typing import Literal

from deepfake.model.measured import Answers, Counts, Error, Ranking, Record
from deepfake.system.settings import Count, Finite, NotNegative, Share, Whole

Attack = Literal["noise", "fgsm", "pgd"]
"""What is done to a crop by somebody who knows the network; noise is the control."""


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
