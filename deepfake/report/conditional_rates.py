"""Metrics -> how often a model errs on files like this one: both rates, with their counts and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from deepfake.model.conditions import BINS, Conditions, conditions_of_verdict
from deepfake.model.intervals import share_interval
from deepfake.model.measured import AnswerCounts, Answers, Cell
from deepfake.model.metrics import Metrics
from deepfake.records import Label, Verdict

FEWEST = 30
"""Fewer samples of a class give no rate: one error more or less would change it by more than three of a hundred."""
LIKENESS = (
    ("face", "blur", "compression"),
    ("face", "compression"),
    ("face", "blur"),
    ("blur", "compression"),
    ("face",),
    ("compression",),
    ("blur",),
)
"""In which conditions the samples that are quoted are like the file, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """What was said of the samples that are like a file."""

    like: Conditions
    """What they have in common with it; of the whole test, nothing."""
    reals: AnswerCounts | None
    """The answers about reals; None where there are too few."""
    fakes: AnswerCounts | None
    """The answers about fakes; None where there are too few."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the counts and rates as plain values: `error_rates` in JSON."""
        return {
            "like": self.like.known,
            "reals": self.reals and _class_as_dict(self.reals, "called_fake", self.reals.fake),
            "fakes": self.fakes and _class_as_dict(self.fakes, "called_real", self.fakes.real),
        }


def conditional_rates(verdict: Verdict, metrics: Metrics) -> ErrorRates | None:
    """How often the model errs on files like this one, of the class whose errors the answer may be.

    A `fake` may be a real that was called fake, so reals must be many enough to count; a `real` asks for fakes, and
    an `inconclusive` for both. The first of `LIKENESS` of which there are enough is taken, and the whole test where
    there is none.

    Args:
        verdict: The answer.
        metrics: What was measured of the model that gave it.

    Returns:
        None where nothing was measured, or no face was judged.
    """
    measured = metrics.clips if verdict.kind == "video" else metrics.test
    if measured is None or verdict.p_fake is None:
        return None
    known = like.known if (like := conditions_of_verdict(verdict)) else {}
    for names in LIKENESS:
        if known.keys() >= set(names):
            found = _rates_of(measured.cells, Conditions(**{name: known[name] for name in names}))
            if _answers(found, verdict.label):
                return found
    whole, count = measured.all, measured.all.count
    return ErrorRates(Conditions(), _counts(whole.real_called, count.real), _counts(whole.fake_called, count.fake))


def quotable_rates(cells: Sequence[Cell]) -> list[ErrorRates]:
    """All that may be quoted beside an answer: each likeness in which there are enough of a class.

    Args:
        cells: The counts of one collection.

    Returns:
        First those that have one condition in common, last those that have all.
    """
    found = []
    for names in reversed(LIKENESS):
        for values in product(*(BINS[name] for name in names)):
            rates = _rates_of(cells, Conditions(**dict(zip(names, values, strict=True))))
            found += [rates] if rates.reals or rates.fakes else []
    return found


def _answers(found: ErrorRates, label: Label) -> bool:
    """Whether there are enough of the class, or classes, whose errors such an answer may be."""
    needed = {Label.FAKE: (found.reals,), Label.REAL: (found.fakes,), Label.INCONCLUSIVE: (found.reals, found.fakes)}
    return None not in needed[label]


def _rates_of(cells: Sequence[Cell], like: Conditions) -> ErrorRates:
    own = [cell for cell in cells if cell.conditions.lies_in(like)]
    reals = sum((cell.real_called for cell in own), AnswerCounts())
    fakes = sum((cell.fake_called for cell in own), AnswerCounts())
    return ErrorRates(like, *(called if called.total >= FEWEST else None for called in (reals, fakes)))


def _counts(called: Answers | None, count: int) -> AnswerCounts | None:
    """The counts of which shares are kept, rounded to four digits."""
    if called is None:
        return None
    real, fake = round(called.real.share * count), round(called.fake.share * count)
    return AnswerCounts(real, fake, count - real - fake)


def _class_as_dict(called: AnswerCounts, error: str, errors: int) -> dict[str, Any]:
    return {
        "count": called.total,
        "called_real": called.real,
        "called_fake": called.fake,
        "inconclusive": called.inconclusive,
        f"share_{error}": round(errors / called.total, 4),
        "interval_95": [round(end, 4) for end in share_interval(errors, called.total)],
    }
