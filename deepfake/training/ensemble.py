"""Finished runs of networks of any kind -> a run whose network holds them all and answers their mean.

Where the networks err apart, their mean errs less: members that learned differently gain most. It costs what all of
them cost together. `average` costs nothing, but needs runs that went on from one another.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from deepfake.data.config import TrainingConfig
from deepfake.errors import DatasetError
from deepfake.nn.network import build_network, scale_answers
from deepfake.training.run import load_run, read_run_config, write_made


def join(runs: Sequence[Path], out: Path, shares: Sequence[float] = ()) -> Path:
    """Writes a run whose network is the ensemble of the networks of others.

    Args:
        runs: Folders of finished runs that cut crops alike. All but the network is configured as in the last: it says
            on which data the ensemble is calibrated, and on which terms its weights are.
        out: Folder for the ensemble; made if absent.
        shares: How much each counts, above 0, on any scale; absent: all the same. A network that is sure of more than
            it knows may need to count less.

    Returns:
        The path of its `best.keras`.

    Raises:
        DatasetError: If there are fewer than two, or another number of shares, one is not finished or is an ensemble
            itself, their crops differ, the last has not seen all sources that the others were trained on, or `out`
            holds a run.
    """
    if len(runs) < 2:
        raise DatasetError(f"An ensemble needs at least two runs. Received: {len(runs)}.")
    shares = shares or [1.0] * len(runs)
    if len(shares) != len(runs) or min(shares) <= 0:
        raise DatasetError(f"Give a share above 0 for each of the {len(runs)} runs. Received: {list(shares)}.")
    if (out / "config.json").exists():
        raise DatasetError(f"{out} holds a run already. Choose another folder.")
    networks = [load_run(run) for run in runs]
    configs = [read_run_config(run) for run in runs]
    last = configs[-1]
    description = json.loads((runs[-1] / "config.json").read_text(encoding="utf-8"))
    for run, config in zip(runs, configs, strict=True):
        if config.network.beside:
            raise DatasetError(f"{run} is an ensemble already. Join the runs that it was made of.")
        if replace(config.crop, tta_scales=(1.0,)) != replace(last.crop, tta_scales=(1.0,)):
            raise DatasetError(f"{run} cuts other crops than {runs[-1]}. Join runs with one `crop`.")
        known = json.loads((run / "config.json").read_text(encoding="utf-8"))["data"]["counts"]
        if unseen := sorted(set(known) - set(description["data"]["counts"])):
            raise DatasetError(f"{run} was trained on {unseen[0]}, and {runs[-1]} was not. Name it last.")
    joined = replace(configs[0].network, beside=tuple(config.network for config in configs[1:]))
    network = build_network(joined, last.crop.size)
    parts = [share / sum(shares) for share in shares]
    for member, part in zip(networks, parts, strict=True):
        scale_answers(member, part * len(networks))
    network.set_weights([weight for member in networks for weight in member.get_weights()])
    description["config"]["network"] = json.loads(msgspec.json.encode(joined))
    members = [_training(run.name, config, part) for run, config, part in zip(runs, configs, parts, strict=True)]
    return write_made(out, {**description, "members": members}, network)


def _training(name: str, config: TrainingConfig, share: float) -> dict[str, Any]:
    """What the card says of one member."""
    fit = {key: Path(getattr(config.fit, key)).name for key in ("backbone_weights", "initial_weights")}
    return {"name": name, "share": share, "fakes": config.data.fakes, "weights": config.data.weights, "fit": fit}
