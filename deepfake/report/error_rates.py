"""Metrics -> how often a model errs: in sentences beside an answer, and as the tables of a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake.model.bundle import read_manifest
from deepfake.model.conditions import Conditions
from deepfake.model.intervals import share_interval
from deepfake.model.measured import AnswerCounts, Summary
from deepfake.model.metrics import Metrics, read_metrics
from deepfake.records import Label, Reason, Verdict
from deepfake.report.catalogue import Catalogue, catalogue
from deepfake.report.conditional_rates import ErrorRates, conditional_rates
from deepfake.report.doubts import Doubt, doubts
from deepfake.report.metrics_tables import auc_text, share_text

RATE_COLUMNS = tuple(f"rates.{name}" for name in ("of", "count", "auc", "real_wrong", "fake_found", "fake_wrong"))
"""Keys of the words above the columns."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """What was measured on one collection."""

    title: str
    """Which collection it was."""
    rows: list[list[str]]
    """A row for each part and one for all, of the cells that `RATE_COLUMNS` names; empty where a class is absent."""
    summary: str
    """The last row in a sentence; empty where there is nothing to say."""


def error_sentences(verdict: Verdict, model: Path, say: Catalogue | None = None) -> list[str]:
    """How often the model errs with such an answer, and on faces like this one: from its own measurements alone.

    Args:
        verdict: The answer.
        model: Folder of the bundle that answered.
        say: The language; the default is English.

    Returns:
        A sentence from the test on faces or whole videos like this one, where enough of them were tested, else from all
        of that test, or that nothing was measured; and one for each corruption of the robustness test that this file
        resembles, with the level that is nearest. The first is missing where the answer would flip: in the test no
        face was looked at again.

    Raises:
        BundleError: As `rate_tables`.
    """
    say = say or catalogue()
    metrics = _metrics_of(model, verdict.model.sha256)
    video = verdict.kind == "video"
    measured = metrics and (metrics.clips if video else metrics.test)
    counts = _counts(measured.all, verdict.label, of_hundred=not video) if measured else None
    if not metrics or not counts:
        return [say("errs.not_measured")]
    rates = conditional_rates(verdict, metrics)
    if verdict.reason is Reason.UNSTABLE:
        first = []
    elif rates and rates.like.known:
        first = [_like_sentence(rates, verdict, say)]
    else:
        first = [say(f"errs.{verdict.label}{'_video' if video else ''}", **counts)]
    under = (_under(metrics, doubt, say) for doubt in doubts(verdict))
    return [*first, *(sentence for sentence in under if sentence)]


def rates_as_dict(verdict: Verdict, model: Path) -> dict[str, Any] | None:
    """How often the model errs on files like this one, or in its whole test, as plain values: `error_rates` in JSON.

    Args:
        verdict: The answer.
        model: Folder of the bundle that answered.

    Returns:
        None where that was not measured for this graph, or no face was judged.

    Raises:
        BundleError: As `rate_tables`.
    """
    metrics = _metrics_of(model, verdict.model.sha256)
    rates = conditional_rates(verdict, metrics) if metrics else None
    return rates.as_dict() if rates else None


def condition_words(like: Conditions, say: Catalogue) -> str:
    """What faces have in common, in a few words each.

    Example:

    >>> condition_words(Conditions(face="small", compression="strong"), catalogue())
    'face under 80 pixels, strong compression'
    """
    return ", ".join(say(f"errs.{name}_{value}") for name, value in like.known.items())


def rate_tables(model: Path, sha256: str, say: Catalogue) -> list[RateTable]:
    """The error rates of a bundle; none where they were not measured for this graph.

    Args:
        model: Folder of the bundle.
        sha256: Checksum of the graph that answered: the rates of another are not its own.
        say: The language.

    Raises:
        BundleError: If the folder holds no bundle, or its measures cannot be read.
    """
    tables: list[RateTable] = []
    if (metrics := _metrics_of(model, sha256)) is None:
        return tables
    if test := metrics.test:
        tables.append(_table(say("rates.faces"), test.sources, test.all, say))
    if clips := metrics.clips:
        trained = metrics.training.data.counts if metrics.training else {}
        unseen = "_unseen" if trained and not set(clips.sources) & set(trained) else ""
        sources = ", ".join(source or say("rates.no_name") for source in clips.sources)
        tables.append(_table(say(f"rates.clips{unseen}", sources=sources), clips.methods, clips.all, say))
    return tables


def _metrics_of(model: Path, sha256: str) -> Metrics | None:
    """What was measured on this very graph; None if the bundle holds another."""
    return read_metrics(model) if sha256 in read_manifest(model).files.values() else None


def _like_sentence(rates: ErrorRates, verdict: Verdict, say: Catalogue) -> str:
    """Both rates on files like this one in a sentence, and of an answer that leaves it open, how often that happens."""
    reals, fakes, told = rates.reals, rates.fakes, []
    if reals:
        told.append(say("errs.reals", **_counted(reals.fake, reals)))
    if fakes:
        told.append(say("errs.fakes", **_counted(fakes.real, fakes)))
    if verdict.label is Label.INCONCLUSIVE and reals and fakes:
        both = reals + fakes
        told.append(say("errs.unsure", **_counted(both.inconclusive, both)))
    key = "errs.like_video" if verdict.kind == "video" else "errs.like"
    return say(key, what=condition_words(rates.like, say), told="; ".join(told))


def _counted(hits: int, called: AnswerCounts) -> dict[str, object]:
    low, high = share_interval(hits, called.total)
    share = f"{hits / called.total:.0%}"
    return {"hits": hits, "count": called.total, "share": share, "low": f"{low:.0%}", "high": f"{high:.0%}"}


def _counts(found: Summary, label: Label, *, of_hundred: bool) -> dict[str, int] | None:
    """How many got such an answer and should not have; None where that is not known.

    Of a hundred, or of those that were tested: clips are few, and a share of a hundred would say more than was seen.
    """
    real, fake, count = found.real_called, found.fake_called, found.count

    def counts(tested: int, **shares: float) -> dict[str, int]:
        whole = 100 if of_hundred else tested
        return {"count": tested, **{name: round(whole * share) for name, share in shares.items()}}

    if label is Label.FAKE:
        return counts(count.real, wrong=real.fake.share) if real else None
    if label is Label.REAL:
        return counts(count.fake, wrong=fake.real.share, unsure=fake.inconclusive.share) if fake else None
    if not real or not fake:
        return None
    unsure = real.inconclusive.share * count.real + fake.inconclusive.share * count.fake
    return counts(count.total, unsure=unsure / count.total)


def _under(metrics: Metrics, doubt: Doubt, say: Catalogue) -> str | None:
    """How many answers changed under the corruption that a doubt is like; None where that was not measured."""
    if not doubt.corruption or not metrics.robustness:
        return None
    name, level = doubt.corruption
    if (found := metrics.robustness.corruptions.get(name)) is None:
        return None
    nearest = min(found.levels, key=lambda one: abs(one.level - level))
    return say("errs.under", what=say(f"errs.{name}"), changed=round(100 * nearest.flip_rate))


def _table(title: str, parts: dict[str, Summary], whole: Summary, say: Catalogue) -> RateTable:
    rows = []
    for name, part in [*parts.items(), (say("rates.all"), whole)]:
        real, fake = part.real_called, part.fake_called
        shares = [real and real.fake, fake and fake.fake, fake and fake.real]
        counts = f"{part.count.real:,} + {part.count.fake:,}"
        cells = (share_text(own) if own else "" for own in shares)
        rows.append([name or say("rates.no_name"), counts, auc_text(part), *cells])
    told = []
    if real := whole.real_called:
        told.append(say("rates.summary_real", wrong=f"{real.fake.share:.1%}"))
    if fake := whole.fake_called:
        told.append(say("rates.summary_fake", found=f"{fake.fake.share:.1%}", missed=f"{fake.real.share:.1%}"))
    return RateTable(title, rows, " ".join(told))
