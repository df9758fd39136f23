"""Measures the rounds in which a model came about, all alike: python scripts/measure_rounds.py --help.

Validation split and clips alone: both chose between the rounds, and the test split did not. ROUNDS lists the rounds:

    [[round]]
    name = "1 wider crops"
    weights = "runs/wider/best.keras"                       # relative to the file
    crop = { size = 224, scale = 1.0, shift = 0.058 }
    changed = "what was done."
    expected = "what it should bring."
    said = "what came, in words."
"""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

import click
from msgspec.structs import replace

from deepfake.evaluation.evaluate import evaluate_clips, evaluate_crops
from deepfake.model.bundle import GRAPHS, write_manifest
from deepfake.model.calibration import Calibration, Calibrations
from deepfake.model.lineage import Round
from deepfake.model.measured import Summary
from deepfake.model.metrics import read_metrics, write_metrics
from deepfake.nn.config import NetworkConfig
from deepfake.nn.network import build_network, serving_network
from deepfake.nn.saved import load_file
from deepfake.records import CropSpec, Thresholds
from deepfake.report.metrics_tables import auc_text
from deepfake.system.settings import read_settings
from deepfake.training.export import detector_settings


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("rounds", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--index", type=click.Path(exists=True, path_type=Path), required=True, help="Index of crops.")
@click.option("--clips", type=click.Path(exists=True, path_type=Path), required=True, help="Table of labelled videos.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), required=True, help="Bundle that keeps the log.")
def main(rounds: Path, index: Path, clips: Path, model: Path) -> None:
    """Measure each round of ROUNDS and keep the log in the metrics of a bundle, for its card.

    A round that the log holds already, of that name and with that change, is not measured again.

    \b
    Example:
      python scripts/measure_rounds.py rounds.toml --index faces/index.csv --clips clips.csv --model models/light-5
    """
    known = read_metrics(model)
    measured = {(own.name, own.changed): own for own in known.rounds}
    log = []
    for told in tomllib.loads(rounds.read_text(encoding="utf-8"))["round"]:
        words = {key: told[key] for key in ("name", "changed", "expected", "said")}
        if came := measured.get((told["name"], told["changed"])):
            log.append(replace(came, **words))
            continue
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / told["name"].replace(" ", "-")
            _export(rounds.parent / told["weights"], read_settings(told["crop"], CropSpec), bundle)
            crops = evaluate_crops(bundle, [index], "val").measures.sources
            seen = evaluate_clips(bundle, clips).measures
        val = {name: _ranked(found) for name, found in crops.items() if found.auc is not None}
        of_clips = {name: _ranked(found) for name, found in {"all": seen.all, **seen.methods}.items()}
        log.append(Round(**words, val=val, clips=of_clips))
        click.echo(f"{told['name']}: clips {auc_text(seen.all)}", err=True)
    write_metrics(model, replace(known, rounds=tuple(log)))


def _ranked(found: Summary) -> Summary:
    """The AUC and the counts alone."""
    return Summary(count=found.count, auc=found.auc, auc_interval=found.auc_interval)


def _export(weights: Path, crop: CropSpec, bundle: Path) -> None:
    if weights.suffix == ".keras":
        network = load_file(weights)
    else:
        network = build_network(NetworkConfig(), crop.size)
        network.load_weights(weights)
    bundle.mkdir()
    serving_network(network).export(bundle / GRAPHS[0], format="litert", verbose=False)
    even = Calibration(thresholds=Thresholds(real_below=0.5, fake_above=0.5))
    write_manifest(bundle, "detector", detector_settings(crop, Calibrations(face=even, track=even)), [GRAPHS[0]])


if __name__ == "__main__":
    main()
