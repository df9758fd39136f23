"""Metrics -> how often a model errs, as the tables of a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepfake.model.bundle import read_manifest
from deepfake.model.metrics import Summary, read_metrics
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
    """The error rates of a bundle; none where they were not measured for this graph.

    Args:
        model: Folder of the bundle.
        sha256: Checksum of the graph that answered: the rates of another are not its own.

    Raises:
        BundleError: If the folder holds no bundle, or its measures cannot be read.
    """
    if sha256 not in read_manifest(model).files.values():
        return []
    metrics, tables = read_metrics(model), []
    if test := metrics.test:
        tables.append(_table("Faces that were kept out of the training:", test.sources, test.all))
    if clips := metrics.clips:
        trained = metrics.training.data.counts if metrics.training else {}
        unseen = ", none of them used for training" if trained and not set(clips.sources) & set(trained) else ""
        sources = ", ".join(source or "no name" for source in clips.sources)
        title = f"Whole clips of {sources}{unseen}; each method of forgery against all reals:"
        tables.append(_table(title, clips.methods, clips.all))
    return tables


def _table(title: str, parts: dict[str, Summary], whole: Summary) -> RateTable:
    rows = []
    for name, part in [*parts.items(), ("all", whole)]:
        real, fake = part.real_called, part.fake_called
        shares = [real and real.fake, fake and fake.fake, fake and fake.real]
        counts = f"{part.count.real:,} + {part.count.fake:,}"
        rows.append([name or "no name", counts, auc_text(part), *(share_text(own) if own else "" for own in shares)])
    said = [f"{whole.real_called.fake.share:.1%} of the real ones were called fake"] if whole.real_called else []
    if fake := whole.fake_called:
        said.append(f"{fake.fake.share:.1%} of the fakes were called fake, {fake.real.share:.1%} real")
    return RateTable(title, rows, f"In all, {'; '.join(said)}." if said else "")
