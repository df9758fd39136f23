"""One configuration and its variants -> bundles, measured alike: what each part of the detector is worth.

The file is a training configuration with tables `[[variant]]`: a `name`, and what differs from the rest of the file.

    [[variant]]
    name = "noise only"
    network = { streams = "noise" }
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from deepfake.data.config import TrainingConfig, config_from
from deepfake.errors import DatasetError
from deepfake.evaluation.evaluate import evaluate_clips, evaluate_crops
from deepfake.model.lineage import Ablation, Budget, Variant
from deepfake.model.measured import Measured
from deepfake.system.files import write_json
from deepfake.training.calibrate import calibrate
from deepfake.training.export import export_run
from deepfake.training.fit import fit


def ablate(
    path: Path, folder: Path, clips: Path | None = None, say: Callable[[str], object] = lambda text: None
) -> Ablation:
    """Fits, exports and measures each variant; one that is done already is not done again.

    Args:
        path: The configuration with its variants.
        folder: Where the runs and the bundles go, a folder a variant.
        clips: A table of labelled videos, of a data set that was not trained on.
        say: Called with a line for people as each variant begins.

    Raises:
        DatasetError: If the file is no such configuration, or the data cannot be trained on.
    """
    found: dict[str, Variant] = {}
    variants = read_variants(path)
    for name, config in variants.items():
        say(f"{name}: {len(found) + 1} of {len(variants)}")
        home = folder / re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        record = home / "measures.json"
        if not record.exists():
            write_json(record, msgspec.to_builtins(_variant(config, home, clips)))
        found[name] = msgspec.json.decode(record.read_bytes(), type=Variant)
    first = next(iter(variants.values()))
    budget = Budget(
        epochs=first.fit.epochs,
        input_size=first.crop.size,
        weights=first.data.weights,
        batch_size=first.fit.batch_size,
    )
    return Ablation(budget, found)


def _variant(config: TrainingConfig, home: Path, clips: Path | None) -> Variant:
    run, bundle = home / "run", home / "bundle"
    fit(config, run)
    calibrate(run)
    report = export_run(run, bundle, count=100)
    tested = evaluate_crops(bundle, [Path(index) for index in config.data.indexes], "test").measures
    seen = None if clips is None else evaluate_clips(bundle, clips).measures
    return Variant(
        parameters=report.parameters,
        test=Measured(all=tested.all, sources=tested.sources),
        clips=None if seen is None else Measured(all=seen.all, methods=seen.methods),
    )


def read_variants(path: Path) -> dict[str, TrainingConfig]:
    """The configurations in a file, by name.

    Raises:
        DatasetError: If the file cannot be read, or has no variants, or two of one name.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
        variants: Sequence[dict[str, Any]] = table.pop("variant", [])
        found = {
            variant["name"]: config_from(
                _merged(table, {key: value for key, value in variant.items() if key != "name"}), path.parent
            )
            for variant in variants
        }
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError, KeyError) as error:
        raise DatasetError(f"{path} is no valid configuration with variants: {error!r}") from error
    if not variants or len(found) < len(variants):
        raise DatasetError(
            f"{path} needs tables [[variant]], each with its own name. Received: {[v['name'] for v in variants]}."
        )
    return found


def _merged(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return table | {
        key: _merged(table.get(key, {}), value) if isinstance(value, dict) else value for key, value in changes.items()
    }
