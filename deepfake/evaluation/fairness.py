"""A bundle's errors by skin tone, brightness, size of the face, and pose: whom is it wrong about?

The sources of a split differ in all four, and in how hard they are. So each bin comes with its composition and with the
rate that its sources alone would give it, and each trait with the probability of such differences by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepfake.data.index import read_indexes
from deepfake.data.loader import read_face
from deepfake.errors import DatasetError
from deepfake.evaluation.evaluate import Sample, answers_about, counts_of
from deepfake.evaluation.face_attributes import TRAITS, UNKNOWN, bin_of, measure
from deepfake.evaluation.metrics import Values
from deepfake.faces.crops import cut_crop
from deepfake.faces.mtcnn import FaceFinder
from deepfake.model.bundle import load_bundle, load_detector
from deepfake.model.measured import Error
from deepfake.model.scorer import Scorer
from deepfake.model.stress_tests import Bin, Fairness, TraitErrors
from deepfake.pipeline import Progress
from deepfake.records import Label, Thresholds
from deepfake.verdict import judge

ROUNDS = 2000
"""Times that answers are dealt out anew, to see what chance does."""
ERRORS: dict[Error, tuple[str, Label]] = {
    "reals_called_fake": ("real", Label.FAKE),
    "reals_inconclusive": ("real", Label.INCONCLUSIVE),
    "fakes_called_real": ("fake", Label.REAL),
}
"""What is compared between bins: a class, and an answer that is not right about it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One crop, what the bundle said of it, and what was measured of its face."""

    sample: Sample
    """Its class, its source, and its p_fake."""
    answer: Label
    """What that p_fake stands for."""
    values: dict[str, float | None]
    """Of each of `TRAITS`; None where it is not known."""


def measure_fairness(
    model: Path, indexes: Sequence[Path], *, split: str = "test", progress: Progress = lambda done, total: None
) -> Fairness:
    """Measures a bundle's answers in bins of each of `TRAITS`.

    Args:
        model: Folder of a bundle.
        indexes: Crops' indexes. Where landmarks are not given, the face is searched for.
        split: `val` or `test`.
        progress: Called after each crop.

    Raises:
        DatasetError: If the split has no real crop.
    """
    bundle = load_bundle(model)
    rows = [row for row in read_indexes(indexes) if row.split == split]
    if not any(row.label == "real" for row in rows):
        raise DatasetError(
            f"Fairness needs real crops in the split {split!r}. Found {len(rows)} rows, none of them real. Pass "
            "another --index or --split."
        )
    scorer, finder, judged = Scorer(bundle), FaceFinder(load_detector()), []
    for number, row in enumerate(rows, start=1):
        image, face = read_face(row, bundle.crop)
        crop = cut_crop(image, face, bundle.crop)
        (score,) = scorer.score([crop])
        sample = Sample(row.label, row.source, row.method, score.p_fake)
        judged.append(
            Judged(sample, judge(score.p_fake, bundle.calibration.face.thresholds), measure(row, image, crop, finder))
        )
        progress(number, len(rows))
    traits = {name: _measured(name, judged, bundle.calibration.face.thresholds) for name in TRAITS}
    return Fairness(split=split, count=counts_of(rows), traits=traits)


def expected_rates(hits: Values, sources: Sequence[str]) -> Values:
    """For each item, the share of hits among all items of its source, float `(n,)`.

    Example:

    >>> expected_rates(np.array([1, 0, 0]), ["a", "a", "b"]).tolist()
    [0.5, 0.5, 0.0]
    """
    names = np.asarray(sources)
    rates = {name: float(np.mean(np.asarray(hits)[names == name])) for name in set(sources)}
    return np.array([rates[name] for name in sources], np.float64)


def chance_of_differences(
    hits: Values, bins: Sequence[str], sources: Sequence[str], *, rounds: int = ROUNDS, seed: int = 0
) -> float:
    """How probable differences between bins as large as these are if within a source the bin did not matter.

    The hits of each source are dealt out anew among its items, and the sum over the bins of `(hits - expected)^2 /
    expected` compared with what was found: a permutation test in strata. Items must be independent of each other.

    Args:
        hits: Shape `(n,)`, 1 where the error was made.
        bins: The bin of each item.
        sources: The source of each item.
        rounds: Times to deal.
        seed: Of the dealing.

    Returns:
        In (0, 1]; 1 if there is nothing to compare.
    """
    hits = np.asarray(hits, np.float64)
    places = np.unique(np.asarray(bins), return_inverse=True)[1]
    names = np.asarray(sources)
    strata = [np.flatnonzero(names == name) for name in sorted(set(sources))]
    expected = np.bincount(places, expected_rates(hits, sources))
    shares = np.where(expected > 0, expected, 1.0)
    rng = np.random.default_rng(seed)

    def distance(dealt: Values) -> float:
        return float((((np.bincount(places, dealt) - expected) ** 2) / shares).sum())

    found, dealt, as_large = distance(hits), hits.copy(), 1
    for _ in range(rounds):
        for own in strata:
            dealt[own] = rng.permutation(hits[own])
        as_large += distance(dealt) >= found - 1e-9
    return as_large / (rounds + 1)


def _measured(name: str, judged: Sequence[Judged], thresholds: Thresholds) -> TraitErrors:
    """One trait: its bins, and how probable such differences are by chance."""
    trait = TRAITS[name]
    binned = [(bin_of(item.values[name], trait), item) for item in judged]
    expected: dict[str, dict[Error, float]] = {}
    chance: dict[Error, float] = {}
    for error, (label, answer) in ERRORS.items():
        own = [(place, item) for place, item in binned if item.sample.label == label and place != UNKNOWN]
        if not own:
            continue
        hits = np.array([item.answer is answer for _, item in own], np.float64)
        sources = [item.sample.source for _, item in own]
        places = np.array([place for place, _ in own])
        rates = expected_rates(hits, sources)
        for place in set(places.tolist()):
            expected.setdefault(place, {})[error] = float(rates[places == place].mean())
        chance[error] = chance_of_differences(hits, places.tolist(), sources)
    bins = []
    for place in (*trait.bins, UNKNOWN):
        samples = [item.sample for found, item in binned if found == place]
        if samples:
            bins.append(_bin(place, samples, thresholds, expected.get(place, {})))
    return TraitErrors(title=trait.title, means=trait.means, bins=tuple(bins), chance=chance)


def _bin(name: str, samples: Sequence[Sample], thresholds: Thresholds, expected: dict[Error, float]) -> Bin:
    sources = sorted({sample.source for sample in samples})
    count = counts_of(samples)
    return Bin(
        bin=name,
        count=count,
        sources={source: counts_of(sample for sample in samples if sample.source == source) for source in sources},
        real_called=answers_about("real", samples, thresholds) if count.real else None,
        fake_called=answers_about("fake", samples, thresholds) if count.fake else None,
        expected=expected,
    )
