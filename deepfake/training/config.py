"""What a training run is told, read from TOML; a key that is not known fails."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from deepfake.errors import DatasetError
from deepfake.nn.network import NetworkConfig

Config = TypeVar("Config")


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which crops are trained on."""

    index: str
    """The crops' index, as `extract` writes it; relative to the configuration file."""
    repeat: dict[str, int] = field(default_factory=dict)
    """How often a source is shown in one epoch; 1 where it is not named."""
    without_method: str = ""
    """A method of the index whose training crops are left out, such as `self_blend`; empty for none."""
    terms: dict[str, str] = field(default_factory=dict)
    """What each source is and on which terms it may be used, in a sentence: the model's card repeats it."""


@dataclass(frozen=True, slots=True)
class DegradeConfig:
    """What is done to the crops in training, to both classes alike."""

    rotation_deg: float = 10.0
    """Largest rotation, either way."""
    min_scale: float = 0.8
    """Smallest part of the crop's side that is kept, in (0, 1]."""
    colour: float = 0.15
    """Largest relative change of brightness, contrast and saturation."""
    rescale: float = 0.3
    """Probability of a shrink and stretch, to between 0.35 and 0.9 of the size."""
    blur: float = 0.15
    """Probability of a Gaussian blur, 0.4 to 1.5 pixels."""
    noise: float = 0.15
    """Probability of Gaussian noise, 1 to 6 of 255."""
    jpeg: float = 0.5
    """Probability of a JPEG compression, quality 35 to 95."""

    def __post_init__(self) -> None:
        if not 0 < self.min_scale <= 1:
            raise ValueError(f"`min_scale` is a share in (0, 1]. Received: {self.min_scale}.")
        for name in ("rescale", "blur", "noise", "jpeg"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` is a probability in [0, 1]. Received: {getattr(self, name)}.")


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How the network is fitted."""

    input_size: int = 224
    """Side in pixels that crops are trained at, a multiple of 32."""
    batch_size: int = 32
    """Crops a step; reals and fakes of one clip lie in one batch."""
    epochs: int = 20
    """Most epochs; early stopping may end sooner."""
    patience: int = 5
    """Epochs without a better validation AUC before stopping."""
    learning_rate: float = 5e-4
    """Its peak, after the warm-up."""
    warmup_epochs: float = 1.0
    """Epochs of linear warm-up, before the cosine decay."""
    weight_decay: float = 1e-4
    """AdamW's."""
    label_smoothing: float = 0.05
    """Share of each label that is moved halfway to 0.5."""
    auxiliary_weight: float = 0.3
    """Weight of the loss of each stream's own logit, so that neither idles."""
    clip_norm: float = 1.0
    """Largest norm of a gradient."""
    workers: int = 2
    """Threads that prepare batches."""
    seed: int = 0
    """Fixes order, augmentation and initial weights."""
    backbone_weights: str = ""
    """A `.weights.h5` file of the MobileNet without top; relative to the configuration file. Empty: random."""
    initial_weights: str = ""
    """A `.weights.h5` file of the whole network, from another run, to go on from. Empty: none."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One training run."""

    data: DataConfig
    network: NetworkConfig = field(default_factory=NetworkConfig)
    degrade: DegradeConfig = field(default_factory=DegradeConfig)
    fit: FitConfig = field(default_factory=FitConfig)


def read_config(path: Path | str) -> TrainingConfig:
    """Reads a run's configuration; paths in it are resolved against its folder.

    Raises:
        DatasetError: If the file cannot be read, or has a key or value that is not allowed.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
        config: TrainingConfig = _filled(TrainingConfig, table, "")
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is no valid training configuration: {error}") from error

    def resolved(name: str) -> str:
        return str(path.parent / name) if name else ""

    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, index=resolved(config.data.index)),
        fit=dataclasses.replace(
            config.fit,
            backbone_weights=resolved(config.fit.backbone_weights),
            initial_weights=resolved(config.fit.initial_weights),
        ),
    )


def _filled(kind: type[Config], table: dict[str, Any], where: str) -> Config:
    known = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ValueError(f"Unknown key {where}{unknown[0]}. Known: {', '.join(sorted(known))}.")
    sections = {
        "data": DataConfig,
        "network": NetworkConfig,
        "degrade": DegradeConfig,
        "fit": FitConfig,
    }
    values = {
        name: _filled(sections[name], value, f"{name}.") if name in sections and isinstance(value, dict) else value
        for name, value in table.items()
    }
    return kind(**values)
