"""metrics.json -> how often a model errs, as the tables of a report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake.model.bundle import MANIFEST, METRICS
from deepfake.report.metrics_tables import auc_text, share_text

RATE_COLUMNS = ["of", "real + fake", "AUC", "reals called fake", "fakes called fake", "fakes called real"]


@dataclass(frozen=True, slots=True)
class RateTable:
    """What was measured on one collection."""

    title: str
    """Which collection it was."""
    rows: list[list[str]]
    """A row for each part and one for all, of the cells that `RATE_COLUMNS` names; empty where a class is absent."""
    summary: str
    """The last row in a sentence; empty where there is nothing to say."""


def rate_tables(model: Path, sha256: str) -> list[RateTable]:
    """The error rates of a bundle; none where they were not measured for this graph, or are not there.

    Args:
        model: Folder of the bundle.
        sha256: Checksum of the graph that answered: the rates of another are not its own.
    """
    try:
        manifest = json.loads((model / MANIFEST).read_text(encoding="utf-8"))
        metrics = json.loads((model / METRICS).read_text(encoding="utf-8"))
        if sha256 not in manifest["files"].values():
            return []
        tables = []
        if "test" in metrics:
            found = metrics["test"]
            tables.append(_table("Faces that were kept out of the training:", found["sources"], found["all"]))
        if "clips" in metrics:
            found, trained = metrics["clips"], metrics["training"]["data"]["counts"]
            unseen = "" if set(found["sources"]) & set(trained) else ", none of them used for training"
            sources = ", ".join(source or "no name" for source in found["sources"])
            title = f"Whole clips of {sources}{unseen}; each method of forgery against all reals:"
            tables.append(_table(title, found["methods"], found["all"]))
        return tables
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        # No numbers, or not the ones that this version knows: the report then says so.
        return []


def _table(title: str, parts: dict[str, Any], whole: dict[str, Any]) -> RateTable:
    rows = []
    for name, part in [*parts.items(), ("all", whole)]:
        count = part["count"]
        shares = [_share(part, of, called) for of, called in (("real", "fake"), ("fake", "fake"), ("fake", "real"))]
        rows.append([name or "no name", f"{count['real']:,} + {count['fake']:,}", auc_text(part), *shares])
    *_, wrong_real, found, missed = rows[-1]
    said = [f"{wrong_real.split()[0]} of the real ones were called fake"] if wrong_real else []
    if found:
        said.append(f"{found.split()[0]} of the fakes were called fake, {missed.split()[0]} real")
    return RateTable(title, rows, f"In all, {'; '.join(said)}." if said else "")


def _share(part: dict[str, Any], of: str, called: str) -> str:
    return share_text(part[f"{of}_called"][called]) if f"{of}_called" in part else ""
