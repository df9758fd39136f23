"""What a training run is told, read from TOML; a key that is not known fails. Reading it needs no Keras."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec.structs import replace

from deepfake.data.split import Link
from deepfake.errors import DatasetError
from deepfake.nn.config import NetworkConfig
from deepfake.records import CropSpec
from deepfake.system.settings import Count, NotNegative, Positive, Settings, Share, Whole, read_settings

Fakes = Literal["given", "self-blend", "both"]
"""Which fakes are trained on: those of the index, those made from its reals while they are loaded, or both."""
FAKES: tuple[Fakes, ...] = get_args(Fakes)
PairKind = Literal["given", "blend", "twin"]
"""What the fake of a pair is: one of the index, the real blended with itself, or the real's twin (see `twin`)."""


class PairConfig(Settings, frozen=True, kw_only=True):
    """One kind of pair, a real and a fake, of which an epoch is made."""

    kind: PairKind
    """`given` (a fake of the index), `blend` (the real, blended with itself), `twin` (its round trip through an
    autoencoder)."""
    share: Positive
    """How common it is, over the sum of all shares."""
    sources: dict[str, NotNegative]
    """Sources of the fake (of `given`) or of the real that it is made from, and how common each is."""
    reals: dict[str, NotNegative] = {}
    """Of `given`: sources of the real; empty for that of the fake, where the real shows the same person if it can."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(self.sources.values()) <= 0:
            raise ValueError(f"`sources` must name at least one source above 0. Received: {self.sources}.")
        if self.reals and self.kind != "given":
            raise ValueError(f"`reals` is for pairs of kind 'given'. Received it for {self.kind!r}.")


class DataConfig(Settings, frozen=True, kw_only=True):
    """Which crops are trained on."""

    index: str | tuple[str, ...]
    """Indexes of crops, as `extract` writes them; relative to the configuration file. One may stand alone."""
    weights: dict[str, NotNegative] = {}
    """How often each source is shown in one epoch, any number from 0; 1 where it is not named."""
    fakes: Fakes = "given"
    """Which fakes: `given` (those of the index), `self-blend` (made from its reals while they are loaded), `both`."""
    pairs: tuple[PairConfig, ...] = ()
    """What an epoch is made of, in place of `weights` and `fakes`; `fit.pairs` of them."""
    leave_out: tuple[str, ...] = ()
    """Sources that are kept from training and from validation, to be tried on what was never seen."""
    disjoint: Link = "identity"
    """What must not be divided between splits: `identity` (people, originals and clips) or `clip` alone."""
    terms: dict[str, str] = {}
    """What each source is and on which terms it may be used, in a sentence: the model's card repeats it."""
    flaws: dict[str, str] = {}
    """What must be known about a source wherever a number from it is quoted: the model's card repeats it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.index:
            raise ValueError("`index` must name at least one table of crops. Received none.")

    @property
    def indexes(self) -> tuple[str, ...]:
        """The tables that `index` names."""
        return (self.index,) if isinstance(self.index, str) else self.index

    @property
    def kept_pairs(self) -> tuple[PairConfig, ...]:
        """`pairs` without the sources that are left out, and without the pairs that have no source then."""
        kept = []
        for pair in self.pairs:
            sources = {source: weight for source, weight in pair.sources.items() if source not in self.leave_out}
            reals = {source: weight for source, weight in pair.reals.items() if source not in self.leave_out}
            if sources and (reals or not pair.reals):
                kept.append(replace(pair, sources=sources, reals=reals))
        return tuple(kept)


class AugmentConfig(Settings, frozen=True, kw_only=True):
    """What is done to the crops in training, to both classes alike: augmentation."""

    rotation_deg: NotNegative = 15.0
    """Largest rotation, either way."""
    min_zoom: Positive = 0.8
    """Smallest side of the crop, over that of the crop that is served."""
    max_zoom: Positive = 1.0
    """The largest, at least `min_zoom`. Pictures that are crops already show no more than they have."""
    move: NotNegative = 0.05
    """Largest move of the crop along either axis, over its side."""
    alike: Share = 0.0
    """Probability that both crops of a pair go through one and the same augmentation, so that it tells nothing."""
    colour: NotNegative = 0.15
    """Largest relative change of brightness, contrast and saturation."""
    tint: Share = 0.0
    """Probability that each channel is shifted by up to 20 of 255, as another white balance does."""
    hue: Share = 0.0
    """Probability that the hue is turned by up to 12 degrees."""
    gamma: Share = 0.0
    """Probability of a gamma from 0.6 to 1.7."""
    grey: Share = 0.0
    """Probability of black and white, or of sepia for a quarter of these."""
    video: Share = 0.0
    """Probability that what the crop shows is compressed by H.264 at its own size, before the crop is cut: as the face
    is small in the frame that is compressed. CRF 23 to 45; both crops of a pair at one CRF."""
    clean: Share = 0.0
    """Probability that a crop is spared all of the following but `erase`, so that fine traces are learned, too."""
    rescale: Share = 0.3
    """Probability of a shrink, to between 0.35 and 0.9 of the size; the crop is stretched back at the end."""
    halve: Share = 0.0
    """Probability of a plain round trip through half the size, before all else."""
    sharpen: Share = 0.0
    """Probability of an unsharp mask, strength 0.2 to 1."""
    blur: Share = 0.15
    """Probability of a Gaussian blur, 0.4 to 1.5 pixels of the served crop."""
    noise: Share = 0.15
    """Probability of Gaussian noise, 1 to 6 of 255."""
    jpeg: Share = 0.4
    """Probability of a JPEG compression, quality 35 to 95."""
    webp: Share = 0.0
    """Probability of a WebP compression, quality 30 to 95."""
    h264: Share = 0.1
    """Probability of an H.264 compression as a key frame, CRF 20 to 41."""
    palette: Share = 0.0
    """Probability that 32 to 256 colours are left, as in a GIF, dithered for half of these."""
    border: Share = 0.0
    """Probability of plain bars at edges, as screenshots have them."""
    erase: Share = 0.1
    """Probability that a rectangle of 2% to 15% of the crop is painted over."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_zoom > self.max_zoom:
            raise ValueError(
                f"Zooms must satisfy 0 < min_zoom <= max_zoom. Received: {self.min_zoom}, {self.max_zoom}."
            )


class FitConfig(Settings, frozen=True, kw_only=True):
    """How the network is fitted."""

    batch_size: Count = 32
    """Crops a step; a real and a fake of one person or original lie in one batch."""
    balance: Literal["weights", "batches"] = "weights"
    """How both classes count the same: by weights in the loss, or by showing the rarer one more often."""
    epochs: Count = 20
    """Most epochs; early stopping may end sooner."""
    pairs: Count = 4000
    """Pairs an epoch, where `data.pairs` says of which kinds."""
    frozen_epochs: Whole = 0
    """Epochs at the beginning in which the MobileNet does not change; the rest of the network does."""
    patience: Whole = 5
    """Epochs without a better validation AUC before stopping."""
    learning_rate: Positive = 5e-4
    """Its peak, after the warm-up."""
    schedule: Literal["cosine", "plateau"] = "cosine"
    """How it falls: along a cosine, or to a third after `plateau_patience` epochs without a better validation AUC."""
    plateau_patience: Count = 2
    """Epochs that `plateau` waits."""
    warmup_epochs: NotNegative = 1.0
    """Epochs of linear warm-up before the cosine."""
    weight_decay: NotNegative = 1e-4
    """AdamW's."""
    label_smoothing: Share = 0.05
    """Share of each label that is moved halfway to 0.5."""
    auxiliary_weight: NotNegative = 0.3
    """Weight of the loss of each stream's own logit, so that neither idles."""
    clip_norm: Positive = 1.0
    """Largest norm of a gradient."""
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto"
    """Arithmetic of the layers; `auto` is mixed where there is a GPU. What is saved is float32."""
    devices: Whole = 0
    """Devices that share each batch (TensorFlow or JAX); 0 for all GPUs, or the CPU where there is none."""
    tensorboard: bool = False
    """Whether to write logs for TensorBoard, too."""
    workers: Count = 2
    """Threads that prepare batches, or processes."""
    processes: bool = False
    """Whether `workers` are processes, forked: several times the batches where threads wait for each other."""
    seed: Whole = 0
    """Fixes order, augmentation and initial weights."""
    backbone_weights: str = ""
    """A `.weights.h5` file of the MobileNet without top; relative to the configuration file. Empty: random."""
    initial_weights: str = ""
    """The whole network's, to go on from: a `.weights.h5` file of another run, or a bundle's `.keras`. Empty: none."""
    initial_member: Whole = 0
    """Which network to take, counted from 0, where that bundle holds several in one and the run is to have one."""


class TrainingConfig(Settings, frozen=True, kw_only=True):
    """One training run."""

    data: DataConfig
    crop: CropSpec = CropSpec()
    network: NetworkConfig = NetworkConfig()
    augment: AugmentConfig = AugmentConfig()
    fit: FitConfig = FitConfig()
    remarks: str = ""
    """How the run came about, where a reader of its numbers must know: the model's card repeats it."""

    def __post_init__(self) -> None:
        super().__post_init__()
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
    except (OSError, tomllib.TOMLDecodeError, ValueError) as error:
        raise DatasetError(f"{path} is no valid training configuration: {error}") from error


def config_from(table: dict[str, Any], folder: Path) -> TrainingConfig:
    """A configuration from plain values, its paths resolved against a folder.

    Raises:
        ValueError: As `read_settings`.
    """
    config = read_settings(table, TrainingConfig)

    def resolved(name: str) -> str:
        return str(folder / name) if name else ""

    return replace(
        config,
        data=replace(config.data, index=tuple(resolved(name) for name in config.data.indexes)),
        fit=replace(
            config.fit,
            backbone_weights=resolved(config.fit.backbone_weights),
            initial_weights=resolved(config.fit.initial_weights),
        ),
    )
