"""A bundle's metrics -> the first lines of its card, which the Hugging Face Hub reads: terms, tags, and results.

The Hub shows the results beside the card and compares models by them (`model-index`). They are those of `metrics.json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from huggingface_hub import EvalResult, ModelCardData

from deepfake.model.measured import Summary
from deepfake.model.metrics import Metrics

CROPS, FILES = "image-classification", "video-classification"
"""The Hub's names of tasks: one face in one picture, and whole files."""
TAGS = ["deepfake-detection", "face-forensics", "image-forensics", CROPS, FILES, "tflite", "keras"]
"""What the model is found by."""
LICENSE = "terms-of-the-training-data"
"""The Hub knows no licence that says it: the weights inherit the terms of their data, which the card names."""


def card_metadata(name: str, metrics: Metrics) -> str:
    """The metadata of a card as YAML between its two marks, with a line break at the end.

    Sources and methods with one class have no AUC, so they are no results. Data sets are not named as data sets of the
    Hub, for they are not there.

    Args:
        name: The model's.
        metrics: What is known about it.

    Example:

    >>> print(card_metadata("mine-1", Metrics()).splitlines()[1])
    library_name: litert
    """
    results = list(_results(metrics)) or None
    data = ModelCardData(
        license="other",
        license_name=LICENSE,
        library_name="litert",
        pipeline_tag=CROPS,
        tags=TAGS,
        metrics=["roc_auc"],
        model_name=name if results else None,
        eval_results=results,
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _results(metrics: Metrics) -> Iterator[EvalResult]:
    """An AUC for each part that has one: the test split and its sources, the clips and their methods."""
    if test := metrics.test:
        for name, own in {"all": test.all, **test.sources}.items():
            yield from _auc(own, CROPS, name, f"{name}, faces", test.split)
    if clips := metrics.clips:
        source = " and ".join(name for name in clips.sources if name) or "clips"
        for name, own in {"all": clips.all, **clips.methods}.items():
            # Clips may have chosen between models, so they are in no split.
            yield from _auc(own, FILES, f"{source}-{name}", f"{source}, whole files, {name}", clips.split)


def _auc(found: Summary, task: str, dataset: str, title: str, split: str) -> Iterator[EvalResult]:
    if found.auc is None or found.auc_interval is None:
        return
    low, high = found.auc_interval
    count = found.count
    yield EvalResult(
        task_type=task,
        task_name="Deepfake detection",
        dataset_type=dataset,
        dataset_name=f"{title} ({count.real} real + {count.fake} fake)",
        dataset_split=split or None,
        metric_type="roc_auc",
        metric_name=f"AUC (95% interval {low:.3f}-{high:.3f})",
        metric_value=found.auc,
    )
