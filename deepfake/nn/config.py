"""Which network to build. Reading it needs no Keras."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

from deepfake.system.settings import Count, NotNegative, Positive, Settings

Backbone = Literal["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]
"""MobileNets for the visual stream."""
Streams = Literal["both", "visual", "noise"]
BACKBONES: tuple[Backbone, ...] = get_args(Backbone)


class NetworkConfig(Settings, frozen=True):
    """Which network to build."""

    backbone: Backbone = "mobilenet_v3_small"
    """The visual stream's MobileNet."""
    alpha: Positive = 1.0
    """Width multiplier of the MobileNet."""
    streams: Streams = "both"
    """Which streams are there; the others are the ablation."""
    gated: bool = True
    """Whether a gate weighs the streams; without it both weigh 1."""
    noise_width: Count = 32
    """Channels of the noise stream's first block; its features have four times as many."""
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    """Share of feature channels dropped in training, before the evidence."""
    beside: tuple[NetworkConfig, ...] = ()
    """Networks that answer beside this one: an ensemble, whose answer is the mean of theirs. None holds any itself."""
    sharpness: NotNegative = 0.0
    """How much more a network of these counts in the mean that is surer of a fake: weights are a softmax of this times
    their logits; 0 for the plain mean."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(member.beside for member in self.beside):
            raise ValueError("A network in `beside` must hold none itself. Put all of them in the first's.")
