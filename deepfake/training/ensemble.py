"""Finished runs -> a run whose network holds them all: an ensemble of equals, or experts in one kind of trace each.

The network answers the mean of theirs, so that the evidence of all still adds up to the answer. Where networks err
apart, their mean errs less; it costs what all of them cost together. `average` costs nothing, but needs runs that went
on from one another. Experts are calibrated first, each on the kind of fake that it was trained on; the one that says
more names the trace of a fake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import msgspec
from msgspec.structs import replace

from deepfake.data.config import DataConfig, TrainingConfig
from deepfake.data.rows import training_rows
from deepfake.errors import DatasetError
from deepfake.model.calibration import Calibration
from deepfake.model.lineage import InitialWeights, Member
from deepfake.nn.network import build_network, scale_answers
from deepfake.records import CropSpec
from deepfake.training.calibrate import read_calibration
from deepfake.training.run import CONFIG, as_plain, describe, load_run, read_run_config, read_training, write_made


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
    configs = _configs(runs, out)
    shares = shares or [1.0] * len(runs)
    if len(shares) != len(runs) or min(shares) <= 0:
        raise DatasetError(f"Give a share above 0 for each of the {len(runs)} runs. Received: {list(shares)}.")
    training = read_training(runs[-1])
    for run in runs:
        if unseen := sorted(set(read_training(run).data.counts) - set(training.data.counts)):
            raise DatasetError(f"{run} was trained on {unseen[0]}, and {runs[-1]} was not. Name it last.")
    parts = [share / sum(shares) for share in shares]
    network, joined = _network(runs, configs, parts)
    members = tuple(_member(run.name, config, part) for run, config, part in zip(runs, configs, parts, strict=True))
    told = training.config | {"network": as_plain(joined.network)}
    return write_made(out, replace(training, config=told, members=members), network)


SHARPNESS = 0.5
"""How much more an expert counts that is surer of a fake: an expert knows nothing of the other kind of trace, and its
doubt must not silence the one that does."""


def join_experts(
    runs: Mapping[str, Path], out: Path, *, sharpness: float = SHARPNESS, crop: CropSpec | None = None
) -> Path:
    """Writes a run whose network holds experts, each calibrated on its own kind of trace, and answers their mean.

    Args:
        runs: Folders of calibrated runs that cut crops alike, by the kind of trace that each looks for, such as
            `blended`. The whole is configured as the first, on the data of all.
        out: Folder for the whole; made if absent.
        sharpness: How much more an expert counts in the mean that is surer of a fake; 0 for the plain mean.
        crop: The geometry to serve, of the size of theirs; theirs if absent. They were trained on many zooms: which is
            best is seen on validation data.

    Returns:
        The path of its `best.keras`.

    Raises:
        DatasetError: If there are fewer than two, one is not finished, not calibrated, not trained on pairs, or is an
            ensemble itself, their crops differ, or `out` holds a run.
    """
    folders = list(runs.values())
    configs = _configs(folders, out)
    if plain := [run for run, config in zip(folders, configs, strict=True) if not config.data.pairs]:
        raise DatasetError(f"{plain[0]} was not trained on pairs. Experts need `data.pairs`; join it as an ensemble.")
    calibrations = [read_calibration(run).calibration for run in folders]
    parts = [1 / len(folders)] * len(folders)
    network, joined = _network(folders, configs, parts, calibrations, sharpness)
    joined = replace(joined, data=_joint_data(configs), crop=crop or joined.crop)
    train, val = training_rows(joined)
    members = tuple(
        _member(run.name, config, part, trace)
        for (trace, run), config, part in zip(runs.items(), configs, parts, strict=True)
    )
    training = replace(describe(joined, [*train, *val]), members=members, experts=tuple(runs))
    return write_made(out, training, network)


def _configs(runs: Sequence[Path], out: Path) -> list[TrainingConfig]:
    """What the runs were told, after a check that they can be joined."""
    if len(runs) < 2:
        raise DatasetError(f"An ensemble needs at least two runs. Received: {len(runs)}.")
    if (out / CONFIG).exists():
        raise DatasetError(f"{out} holds a run already. Choose another folder.")
    configs = [read_run_config(run) for run in runs]
    last = configs[-1]
    for run, config in zip(runs, configs, strict=True):
        if config.network.beside:
            raise DatasetError(f"{run} is an ensemble already. Join the runs that it was made of.")
        if replace(config.crop, tta_scales=(1.0,)) != replace(last.crop, tta_scales=(1.0,)):
            raise DatasetError(f"{run} cuts other crops than {runs[-1]}. Join runs with one `crop`.")
    return configs


def _network(
    runs: Sequence[Path],
    configs: Sequence[TrainingConfig],
    parts: Sequence[float],
    calibrations: Sequence[Calibration] = (),
    sharpness: float = 0.0,
) -> tuple[keras.Model, TrainingConfig]:
    """The network of all runs, and its configuration; `parts` is what each counts, of 1."""
    networks = [load_run(run) for run in runs]
    others = tuple(config.network for config in configs[1:])
    network_config = replace(configs[0].network, beside=others, sharpness=sharpness)
    network = build_network(network_config, configs[-1].crop.size)
    for place, (member, part) in enumerate(zip(networks, parts, strict=True)):
        if calibrations:
            scale_answers(member, 1 / calibrations[place].temperature, calibrations[place].shift)
        # The network answers the mean, so equal parts are 1 each.
        scale_answers(member, part * len(networks))
    network.set_weights([weight for member in networks for weight in member.get_weights()])
    return network, replace(configs[-1], network=network_config)


def _joint_data(configs: Sequence[TrainingConfig]) -> DataConfig:
    """What experts were trained on, together: on its validation split the whole is calibrated."""
    data = [config.data for config in configs]
    return DataConfig(
        index=tuple(dict.fromkeys(name for own in data for name in own.indexes)),
        pairs=tuple(pair for own in data for pair in own.pairs),
        disjoint=data[-1].disjoint,
        terms={source: terms for own in data for source, terms in own.terms.items()},
        flaws={source: flaws for own in data for source, flaws in own.flaws.items()},
    )


def _member(name: str, config: TrainingConfig, share: float, trace: str = "") -> Member:
    """What the card says of one member."""
    member = Member(
        name=name,
        share=share,
        trace=trace,
        epochs=config.fit.epochs,
        fit=InitialWeights(
            backbone_weights=Path(config.fit.backbone_weights).name,
            initial_weights=Path(config.fit.initial_weights).name,
        ),
    )
    if config.data.pairs:
        pairs = tuple(msgspec.to_builtins(pair) for pair in config.data.pairs)
        return replace(member, pairs=pairs, pairs_an_epoch=config.fit.pairs)
    return replace(member, fakes=config.data.fakes, weights=config.data.weights)
