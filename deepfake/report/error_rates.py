"""metrics.json -> how often a model errs: in sentences beside an answer, and as the tables of a report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake.model.bundle import MANIFEST, METRICS
from deepfake.records import Label, Verdict
from deepfake.report.catalogue import Catalogue, catalogue
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


_UNKNOWN = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What is raised where there are no numbers, or not those that this version knows; it is told that there are none."""


def error_sentences(verdict: Verdict, model: Path, say: Catalogue | None = None) -> list[str]:
    """How often the model errs with such an answer, and on faces like this one: from its own measurements alone.

    Args:
        verdict: The answer.
        model: Folder of the bundle that answered.
        say: The language; the default is English.

    Returns:
        A sentence from the test on whole files of this kind, or that nothing was measured; and one for each corruption
        of the robustness test that this file resembles, with the level that is nearest.
    """
    say = say or catalogue()
    try:
        metrics = _metrics(model, verdict.model.sha256)
        video = verdict.kind == "video"
        counts = _counts(metrics["clips" if video else "test"]["all"], verdict.label)
        first = say(f"errs.{verdict.label}{'_video' if video else ''}", **counts)
    except _UNKNOWN:
        return [say("errs.not_measured")]
    under = (_under(metrics, doubt, say) for doubt in doubts(verdict) if doubt.corruption)
    return [first, *(sentence for sentence in under if sentence)]


def rate_tables(model: Path, sha256: str, say: Catalogue) -> list[RateTable]:
    """The error rates of a bundle; none where they were not measured for this graph, or are not there.

    Args:
        model: Folder of the bundle.
        sha256: Checksum of the graph that answered: the rates of another are not its own.
        say: The language.
    """
    try:
        metrics = _metrics(model, sha256)
        tables = []
        if "test" in metrics:
            found = metrics["test"]
            tables.append(_table(say("rates.faces"), found["sources"], found["all"], say))
        if "clips" in metrics:
            found, trained = metrics["clips"], metrics["training"]["data"]["counts"]
            unseen = "" if set(found["sources"]) & set(trained) else "_unseen"
            sources = ", ".join(source or say("rates.no_name") for source in found["sources"])
            tables.append(_table(say(f"rates.clips{unseen}", sources=sources), found["methods"], found["all"], say))
        return tables
    except _UNKNOWN:
        return []


def _metrics(model: Path, sha256: str) -> dict[str, Any]:
    """What was measured on this very graph; nothing if the bundle holds another."""
    manifest = json.loads((model / MANIFEST).read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads((model / METRICS).read_text(encoding="utf-8"))
    return found if sha256 in manifest["files"].values() else {}


def _counts(found: dict[str, Any], label: Label) -> dict[str, int]:
    """Of a hundred that were tested: how many got such an answer and should not have."""
    count = found["count"]
    if label is Label.FAKE:
        return {"wrong": _of_hundred(found["real_called"]["fake"]["share"]), "count": count["real"]}
    if label is Label.REAL:
        called = found["fake_called"]
        wrong, unsure = (_of_hundred(called[answer]["share"]) for answer in ("real", "inconclusive"))
        return {"wrong": wrong, "unsure": unsure, "count": count["fake"]}
    total = sum(count.values())
    unsure = sum(found[f"{truth}_called"]["inconclusive"]["share"] * count[truth] for truth in count) / total
    return {"unsure": _of_hundred(unsure), "count": total}


def _under(metrics: dict[str, Any], doubt: Doubt, say: Catalogue) -> str | None:
    """How many answers changed under the corruption that a doubt is like; None where that was not measured."""
    try:
        name, level = doubt.corruption or ("", 0.0)
        levels = [one for one in metrics["robustness"]["corruptions"][name]["levels"] if one["level"] is not None]
        nearest = min(levels, key=lambda one: abs(one["level"] - level))
        return say("errs.under", what=say(f"errs.{name}"), changed=_of_hundred(nearest["flip_rate"]))
    except _UNKNOWN:
        return None


def _of_hundred(share: float) -> int:
    return round(100 * share)


def _table(title: str, parts: dict[str, Any], whole: dict[str, Any], say: Catalogue) -> RateTable:
    rows = []
    for name, part in [*parts.items(), (say("rates.all"), whole)]:
        count = part["count"]
        shares = [_share(part, of, called) for of, called in (("real", "fake"), ("fake", "fake"), ("fake", "real"))]
        rows.append([name or say("rates.no_name"), f"{count['real']:,} + {count['fake']:,}", auc_text(part), *shares])
    wrong, found, missed = (text.split()[0] if text else "" for text in rows[-1][3:])
    told = [say("rates.summary_real", wrong=wrong)] if wrong else []
    told += [say("rates.summary_fake", found=found, missed=missed)] if found else []
    return RateTable(title, rows, " ".join(told))


def _share(part: dict[str, Any], of: str, called: str) -> str:
    return share_text(part[f"{of}_called"][called]) if f"{of}_called" in part else ""
