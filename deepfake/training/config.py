"""What a training run is told, read from TOML; a key that is not known fails."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from deepfake.errors import DatasetError
from deepfake.nn.network import NetworkConfig
from deepfake.records import CropSpec
from deepfake.training.split import Link

Config = TypeVar("Config")
Fakes = Literal["given", "self-blend", "both"]
"""Which fakes are trained on: those of the index, those made from its reals while they are loaded, or both."""


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which crops are trained on."""

    index: tuple[str, ...]
    """Indexes of crops, as `extract` writes them; relative to the configuration file. One may stand alone."""
    weights: dict[str, float] = field(default_factory=dict)
    """How often each source is shown in one epoch, any number from 0; 1 where it is not named."""
    fakes: Fakes = "given"
    """Which fakes: `given` (those of the index), `self-blend` (made from its reals while they are loaded), `both`."""
    disjoint: Link = "identity"
    """What must not be divided between splits: `identity` (people, originals and clips) or `clip` alone."""
    terms: dict[str, str] = field(default_factory=dict)
    """What each source is and on which terms it may be used, in a sentence: the model's card repeats it."""

    flaws: dict[str, str] = field(default_factory=dict)
    """What must be known about a source wherever a number from it is quoted: the model's card repeats it."""

    def __post_init__(self) -> None:
        index = (self.index,) if isinstance(self.index, str) else tuple(self.index)
        object.__setattr__(self, "index", index)
        if not self.index:
            raise ValueError("`index` must name at least one table of crops. Received none.")
        negative = {source: weight for source, weight in self.weights.items() if weight < 0}
        if negative:
            raise ValueError(f"`weights` must not be negative. Received: {negative}.")
        _one_of("fakes", self.fakes, ("given", "self-blend", "both"))
        _one_of("disjoint", self.disjoint, ("identity", "clip"))


@dataclass(frozen=True, slots=True)
class DegradeConfig:
    """What is done to the crops in training, to both classes alike."""

    rotation_deg: float = 15.0
    """Largest rotation, either way."""
    min_zoom: float = 0.8
    """Smallest side of the crop, over that of the crop that is served; positive."""
    max_zoom: float = 1.0
    """The largest, at least `min_zoom`. Pictures that are crops already show no more than they have."""
    move: float = 0.05
    """Largest move of the crop along either axis, over its side."""
    colour: float = 0.15
    """Largest relative change of brightness, contrast and saturation."""
    clean: float = 0.0
    """Probability that a crop is spared all of the following but `erase`, so that fine traces are learned, too."""
    rescale: float = 0.3
    """Probability of a shrink, to between 0.35 and 0.9 of the size; the crop is stretched back at the end."""
    blur: float = 0.15
    """Probability of a Gaussian blur, 0.4 to 1.5 pixels of the served crop."""
    noise: float = 0.15
    """Probability of Gaussian noise, 1 to 6 of 255."""
    jpeg: float = 0.4
    """Probability of a JPEG compression, quality 35 to 95."""
    h264: float = 0.1
    """Probability of an H.264 compression as a key frame, CRF 20 to 41."""
    erase: float = 0.1
    """Probability that a rectangle of 2% to 15% of the crop is painted over."""

    def __post_init__(self) -> None:
        if not 0 < self.min_zoom <= self.max_zoom:
            raise ValueError(
                f"Zooms must satisfy 0 < min_zoom <= max_zoom. Received: {self.min_zoom}, {self.max_zoom}."
            )
        for name in ("clean", "rescale", "blur", "noise", "jpeg", "h264", "erase"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` is a probability in [0, 1]. Received: {getattr(self, name)}.")


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How the network is fitted."""

    batch_size: int = 32
    """Crops a step; a real and a fake of one person or original lie in one batch."""
    balance: Literal["weights", "batches"] = "weights"
    """How both classes count the same: by weights in the loss, or by showing the rarer one more often."""
    epochs: int = 20
    """Most epochs; early stopping may end sooner."""
    frozen_epochs: int = 0
    """Epochs at the beginning in which the MobileNet does not change; the rest of the network does."""
    patience: int = 5
    """Epochs without a better validation AUC before stopping."""
    learning_rate: float = 5e-4
    """Its peak, after the warm-up."""
    schedule: Literal["cosine", "plateau"] = "cosine"
    """How it falls: along a cosine, or to a third after `plateau_patience` epochs without a better validation AUC."""
    plateau_patience: int = 2
    """Epochs that `plateau` waits."""
    warmup_epochs: float = 1.0
    """Epochs of linear warm-up before the cosine."""
    weight_decay: float = 1e-4
    """AdamW's."""
    label_smoothing: float = 0.05
    """Share of each label that is moved halfway to 0.5."""
    auxiliary_weight: float = 0.3
    """Weight of the loss of each stream's own logit, so that neither idles."""
    clip_norm: float = 1.0
    """Largest norm of a gradient."""
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto"
    """Arithmetic of the layers; `auto` is mixed where there is a GPU. What is saved is float32."""
    devices: int = 0
    """Devices that share each batch (TensorFlow or JAX); 0 for all GPUs, or the CPU where there is none."""
    tensorboard: bool = False
    """Whether to write logs for TensorBoard, too."""
    workers: int = 2
    """Threads that prepare batches."""
    seed: int = 0
    """Fixes order, augmentation and initial weights."""
    backbone_weights: str = ""
    """A `.weights.h5` file of the MobileNet without top; relative to the configuration file. Empty: random."""
    initial_weights: str = ""
    """The whole network's, to go on from: a `.weights.h5` file of another run, or a bundle's `.keras`. Empty: none."""

    def __post_init__(self) -> None:
        _one_of("balance", self.balance, ("weights", "batches"))
        _one_of("schedule", self.schedule, ("cosine", "plateau"))
        _one_of("precision", self.precision, ("auto", "float32", "mixed_float16", "mixed_bfloat16"))


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One training run."""

    data: DataConfig
    crop: CropSpec = field(default_factory=CropSpec)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    degrade: DegradeConfig = field(default_factory=DegradeConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    remarks: str = ""
    """How the run came about, where a reader of its numbers must know: the model's card repeats it."""

    def __post_init__(self) -> None:
        if self.crop.size < 32 or self.crop.size % 32:
            raise ValueError(f"`crop.size` must be a positive multiple of 32. Received: {self.crop.size}.")


def read_config(path: Path | str) -> TrainingConfig:
    """Reads a run's configuration; paths in it are resolved against its folder.

    Raises:
        DatasetError: If the file cannot be read, or has a key or value that is not allowed.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return config_from(tomllib.load(file), path.parent)
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is no valid training configuration: {error}") from error


def config_from(table: dict[str, Any], folder: Path) -> TrainingConfig:
    """A configuration from plain values, its paths resolved against a folder.

    Raises:
        ValueError: As `filled_config`.
        TypeError: As `filled_config`.
    """
    config = filled_config(table)

    def resolved(name: str) -> str:
        return str(folder / name) if name else ""

    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, index=tuple(resolved(name) for name in config.data.index)),
        fit=dataclasses.replace(
            config.fit,
            backbone_weights=resolved(config.fit.backbone_weights),
            initial_weights=resolved(config.fit.initial_weights),
        ),
    )


def filled_config(table: dict[str, Any]) -> TrainingConfig:
    """A configuration from plain values; paths stay as they are.

    Raises:
        ValueError: If a key is not known, or a value not allowed.
        TypeError: If a key is missing.
    """
    return _filled(TrainingConfig, table, "")


def _filled(kind: type[Config], table: dict[str, Any], where: str) -> Config:
    known = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ValueError(f"Unknown key {where}{unknown[0]}. Known: {', '.join(sorted(known))}.")
    sections = {
        "data": DataConfig,
        "crop": CropSpec,
        "network": NetworkConfig,
        "degrade": DegradeConfig,
        "fit": FitConfig,
    }
    values = {
        name: _filled(sections[name], value, f"{name}.") if name in sections and isinstance(value, dict) else value
        for name, value in table.items()
    }
    return kind(**values)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(allowed)}. Received: {value!r}.")
