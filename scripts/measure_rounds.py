"""Measures the rounds in which a model came about, all alike: python scripts/measure_rounds.py --help.

Validation split and clips alone: both chose between the rounds, and the test split did not.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import click
import keras

from deepfake.evaluation.evaluate import evaluate_clips, evaluate_crops, update_metrics
from deepfake.model.bundle import METRICS, write_manifest
from deepfake.nn.config import NetworkConfig
from deepfake.nn.network import build_network, serving_network
from deepfake.training.export import MIN_FACE_PX

PARTS = ("auc", "auc_interval", "count")


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
      python scripts/measure_rounds.py scripts/rounds.toml --index faces/index.csv \\
        --clips ../shared/data/clips.csv --model models/light-4
    """
    known = json.loads((model / METRICS).read_text(encoding="utf-8")).get("rounds", {}).get("rounds", ())
    measured = {(told["name"], told["changed"]): {key: told[key] for key in ("val", "clips")} for told in known}
    log = []
    for told in tomllib.loads(rounds.read_text(encoding="utf-8"))["round"]:
        words = {key: told[key] for key in ("name", "changed", "expected", "said")}
        if came := measured.get((told["name"], told["changed"])):
            log.append(words | came)
            continue
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / told["name"].replace(" ", "-")
            _export(rounds.parent / told["weights"], told["crop"], bundle)
            crops = evaluate_crops(bundle, [index], "val").measures["sources"]
            seen = evaluate_clips(bundle, clips).measures
        came = {
            "val": {name: _parts(found) for name, found in crops.items() if "auc" in found},
            "clips": {"all": _parts(seen["all"])} | {name: _parts(found) for name, found in seen["methods"].items()},
        }
        log.append(words | came)
        click.echo(f"{told['name']}: clips {came['clips']['all']['auc']:.3f}", err=True)
    update_metrics(model / METRICS, "rounds", {"rounds": log})


def _parts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in PARTS}


def _export(weights: Path, crop: dict[str, Any], bundle: Path) -> None:
    if weights.suffix == ".keras":
        network = keras.models.load_model(weights, compile=False)
    else:
        network = build_network(NetworkConfig(), crop["size"])
        network.load_weights(weights)
    bundle.mkdir()
    serving_network(network).export(bundle / "model.tflite", format="litert", verbose=False)
    settings = {
        "crop": crop,
        "min_face_px": round(MIN_FACE_PX * crop["scale"], 1),
        "min_frames": 3,
        "temperature": 1.0,
        "logit_shift": 0.0,
        "thresholds": {"real_below": 0.5, "fake_above": 0.5},
    }
    write_manifest(bundle, "detector", settings, ["model.tflite"])


if __name__ == "__main__":
    main()
