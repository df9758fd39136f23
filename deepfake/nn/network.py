"""The dual-stream detector: evidence that adds up.

    crop (B, 224, 224, 3) RGB in [0, 255]
      visual:  MobileNet                         -> F_v (7, 7, C_v) -> 1x1 conv -> e_v (7, 7)
      noise:   SRM bank + Bayar conv, small CNN  -> F_n (7, 7, C_n) -> 1x1 conv -> e_n (7, 7)
      gate:    [GAP F_v, GAP F_n] -> dense       -> (g_v, g_n) in [0, 1]
      logit  = mean(g_v * e_v) + mean(g_n * e_n) + b

The head is linear over the last maps. So Grad-CAM of the logit with respect to them, with the gate held
fixed and before its ReLU, is `g_v * e_v + g_n * e_n` up to a constant factor: the heat map is an output of
the network, and the share of each stream in a verdict is a number that can be read off.

An ensemble of such networks answers the mean of each of their answers, so its evidence adds up as theirs does.

Reference:
    Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation using deep ensembles", NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops
from msgspec.structs import replace

from deepfake.model.bundle import EXPERT_LOGITS, OUTPUTS
from deepfake.nn.blocks import BATCH_NORM_MOMENTUM, noise_stream, set_batch_norm_momentum
from deepfake.nn.config import NetworkConfig
from deepfake.nn.residual import BayarConv2D, ResidualBank

BACKBONES = {
    "mobilenet_v2": keras.applications.MobileNetV2,
    "mobilenet_v3_small": keras.applications.MobileNetV3Small,
    "mobilenet_v3_large": keras.applications.MobileNetV3Large,
}


MEMBER = "member_"
"""What the names of the networks in an ensemble begin with; their number follows."""


@keras.saving.register_keras_serializable(package="deepfake")
class EvidenceHead(layers.Layer):
    """Turns the streams' features into evidence maps, a gate, and the logit that they add up to.

    Args:
        gated: Whether a dense gate weighs the streams. Without it, or with one stream, they weigh 1.
        dropout: Share of feature channels dropped in training.

    Call arguments:
        features: Dict with `visual` `(B, h, w, C_v)`, `noise` `(B, h, w, C_n)`, or one of the two.

    Returns:
        Dict of float tensors:
        `logit` `(B,)`: mean(visual_evidence) + mean(noise_evidence) + bias, above 0 for fake;
        `gate` `(B, 2)` in [0, 1]: the weights of the visual and of the noise stream;
        `visual_evidence`, `noise_evidence` `(B, h, w)`: gated evidence, above 0 for fake;
        `visual_logit`, `noise_logit` `(B,)`: each stream's own, ungated opinion, for auxiliary losses.
        A stream that is absent answers zeros, and has no `*_logit`.

    Raises:
        ValueError: If `features` holds neither stream.

    Example:

    >>> head = EvidenceHead()
    >>> answers = head({"visual": np.ones((1, 7, 7, 8)), "noise": np.ones((1, 7, 7, 4))})
    >>> tuple(answers["visual_evidence"].shape)
    (1, 7, 7)
    """

    def __init__(self, *, gated: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        # Evidence is summed and compared: float32 under any precision policy.
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.gated = gated
        self.dropout = dropout

    def build(self, features: dict[str, tuple[int | None, ...]]) -> None:
        self.streams = [stream for stream in ("visual", "noise") if stream in features]
        if not self.streams:
            raise ValueError(f"`features` needs 'visual' or 'noise'. Received: {sorted(features)}.")
        self.drop = layers.SpatialDropout2D(self.dropout, dtype="float32")
        self.evidence = {}
        for stream in self.streams:
            conv = layers.Conv2D(1, 1, kernel_initializer="glorot_uniform", name=f"{stream}_evidence", dtype="float32")
            conv.build(features[stream])
            self.evidence[stream] = conv
        self.gate = None
        if self.gated and len(self.streams) == 2:
            self.gate = layers.Dense(2, activation="sigmoid", name="gate", dtype="float32")
            self.gate.build((None, sum(features[stream][-1] or 0 for stream in self.streams)))
        self.bias = self.add_weight(name="bias", shape=(), initializer="zeros")

    def call(self, features: dict[str, Any], training: bool = False) -> dict[str, Any]:
        pooled = [ops.mean(features[stream], axis=(1, 2)) for stream in self.streams]
        first = features[self.streams[0]]
        raw = {s: self.evidence[s](self.drop(features[s], training=training))[..., 0] for s in self.streams}
        zeros = ops.zeros_like(first[..., 0])
        if self.gate is not None:
            gate = self.gate(ops.concatenate(pooled, axis=-1))
        else:
            present = [1.0 if s in self.streams else 0.0 for s in ("visual", "noise")]
            gate = ops.zeros_like(pooled[0][:, :2]) + ops.convert_to_tensor(present, dtype="float32")
        visual = gate[:, 0, None, None] * raw["visual"] if "visual" in raw else zeros
        noise = gate[:, 1, None, None] * raw["noise"] if "noise" in raw else zeros
        answers = {
            "logit": ops.mean(visual, axis=(1, 2)) + ops.mean(noise, axis=(1, 2)) + self.bias,
            "gate": gate,
            "visual_evidence": visual,
            "noise_evidence": noise,
        }
        own = {f"{stream}_logit": ops.mean(raw[stream], axis=(1, 2)) for stream in self.streams}
        return answers | own

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gated": self.gated, "dropout": self.dropout}


def build_network(
    config: NetworkConfig, input_size: int | None = 224, backbone_weights: Path | None = None
) -> keras.Model:
    """Builds the detector; its outputs are the dict that `EvidenceHead` returns.

    Args:
        config: Which streams, which backbone, how wide, and what is beside it.
        input_size: Side of the square crops in pixels, a multiple of 32; None for any size.
        backbone_weights: A `.weights.h5` file of the MobileNet without its top (ImageNet), or
            None for random weights. Nothing is ever downloaded.

    Returns:
        A model from `(B, input_size, input_size, 3)` float32 RGB in [0, 255].

    Raises:
        ValueError: If `input_size` is no multiple of 32, or the weights do not fit the backbone.

    Example:

    >>> network = build_network(NetworkConfig(streams="noise"), input_size=64)
    >>> sorted(network.output)
    ['gate', 'logit', 'noise_evidence', 'noise_logit', 'visual_evidence']
    """
    if input_size is not None and (input_size < 32 or input_size % 32):
        raise ValueError(f"`input_size` must be a positive multiple of 32. Received: input_size={input_size}.")
    if config.beside:
        members = (replace(config, beside=(), sharpness=0.0), *config.beside)
        networks = [build_network(member, input_size, backbone_weights) for member in members]
        return ensemble(networks, config.sharpness)
    crop = layers.Input((input_size, input_size, 3), name="crop")
    features = {}
    if config.streams in ("both", "visual"):
        features["visual"] = _visual_stream(config, input_size, backbone_weights)(crop)
    if config.streams in ("both", "noise"):
        residual = layers.Concatenate(name="residual")(
            [ResidualBank(name="srm")(crop), BayarConv2D(6, name="bayar")(crop)]
        )
        features["noise"] = noise_stream(residual, config.noise_width)
    answers = EvidenceHead(gated=config.gated, dropout=config.dropout, name="head")(features)
    return keras.Model(crop, answers, name="deepfake_detector")


@keras.saving.register_keras_serializable(package="deepfake")
class ExpertJoin(layers.Layer):
    """One answer from those of several networks: their mean, in which one that is surer of a fake may weigh more.

        w = softmax(sharpness * logits)        every answer = sum(w * answers)

    With a sharpness of 0 it is the plain mean, without bounds the most suspicious answer. The evidence is weighed as
    the logit is. The members' biases, too, weigh otherwise in each crop: what they bring beyond their mean is spread
    over the maps, so that the evidence and one constant, the mean of the biases, add up to the logit of every crop.

    Args:
        sharpness: Float, not negative: how much more an expert counts whose logit is larger by 1.

    Call arguments:
        answers: A list of dicts of `EvidenceHead`, of which each has a `logit` `(B,)` and a map of evidence.

    Returns:
        A dict with each answer that all of them have, of the same shape, and `expert_logits` `(B, members)`.

    Raises:
        ValueError: If `sharpness` is negative.

    Example:

    >>> one, two = ({"logit": np.array([x]), "noise_evidence": np.full((1, 7, 7), x)} for x in (0.0, 2.0))
    >>> [round(float(ExpertJoin(sharpness)([one, two])["logit"][0]), 3) for sharpness in (0.0, 9.0)]
    [1.0, 2.0]
    """

    def __init__(self, sharpness: float = 0.0, **kwargs: Any) -> None:
        if sharpness < 0:
            raise ValueError(f"`sharpness` must not be negative. Received: sharpness={sharpness}.")
        # Evidence is summed and compared: float32 under any precision policy.
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.sharpness = float(sharpness)

    def call(self, answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        logits = ops.stack([answer["logit"] for answer in answers], axis=-1)
        weights = ops.softmax(self.sharpness * logits, axis=-1)
        joined = {}
        for name in (name for name in answers[0] if all(name in answer for answer in answers)):
            parts = ops.stack([answer[name] for answer in answers], axis=-1)
            own = ops.reshape(weights, (-1, *(1,) * (len(parts.shape) - 2), len(answers)))
            joined[name] = ops.sum(own * parts, axis=-1)
        maps = [name for name in joined if name.endswith("_evidence")]
        shown = [sum(ops.mean(answer[name], axis=(1, 2)) for name in maps) for answer in answers]
        biases = logits - ops.stack(shown, axis=-1)
        beyond = ops.sum((weights - 1 / len(answers)) * biases, axis=-1) / len(maps)
        for name in maps:
            joined[name] = joined[name] + beyond[:, None, None]
        return joined | {EXPERT_LOGITS: logits}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sharpness": self.sharpness}


def ensemble(members: Sequence[keras.Model], sharpness: float = 0.0) -> keras.Model:
    """One network that answers what several answer, joined by `ExpertJoin`.

    Args:
        members: Networks of `build_network`, for crops of one size. They are part of the new one: their names change.
        sharpness: How much more one counts that is surer of a fake; 0 for the mean.

    Returns:
        A model with each of the outputs that all members have, and `expert_logits` `(B, members)`, the logit of each.

    Example:

    >>> two = ensemble([build_network(NetworkConfig(streams="noise"), 64) for _ in range(2)])
    >>> sorted(two.output)
    ['expert_logits', 'gate', 'logit', 'noise_evidence', 'noise_logit', 'visual_evidence']
    """
    crop = layers.Input(members[0].input.shape[1:], name="crop")
    for number, member in enumerate(members):
        member.name = f"{MEMBER}{number}"
    answers = ExpertJoin(sharpness, name="join")([member(crop) for member in members])
    return keras.Model(crop, answers, name="deepfake_detector")


def scale_answers(network: keras.Model, factor: float, shift: float = 0.0) -> None:
    """Multiplies a network's logit and evidence, and adds to its logit, in place: its head is linear.

    Evidence is multiplied with the last weights, and the shift goes into the bias, so that both still add up.
    """
    head = network.get_layer("head")
    for weight in (head.bias, *(weight for conv in head.evidence.values() for weight in conv.weights)):
        weight.assign(weight * factor)
    head.bias.assign(head.bias + shift)


def backbones(network: keras.Model) -> Iterator[keras.Model]:
    """The MobileNets of a network, or of each member of an ensemble."""
    for layer in network.layers:
        if not isinstance(layer, keras.Model):
            continue
        if any(isinstance(inner, EvidenceHead) for inner in layer.layers):
            yield from backbones(layer)
        else:
            yield layer


def serving_network(network: keras.Model) -> keras.Model:
    """The same network with the outputs of `OUTPUTS` alone, and those of its experts: what is exported."""
    served = [name for name in (*OUTPUTS, EXPERT_LOGITS) if name in network.output]
    return keras.Model(network.input, {name: network.output[name] for name in served}, name="detector")


def training_network(network: keras.Model) -> keras.Model:
    """The same network with its logits alone: what losses are computed on."""
    logits = {name: tensor for name, tensor in network.output.items() if name.endswith("logit")}
    return keras.Model(network.input, logits, name="training")


def _visual_stream(config: NetworkConfig, input_size: int | None, weights: Path | None) -> keras.Model:
    backbone = BACKBONES[config.backbone](
        input_shape=(input_size, input_size, 3), alpha=config.alpha, include_top=False, weights=None
    )
    if weights is not None:
        backbone.load_weights(weights)
    set_batch_norm_momentum(backbone, BATCH_NORM_MOMENTUM)
    if config.backbone != "mobilenet_v2":
        return backbone  # MobileNetV3 rescales inside.
    crop = layers.Input((input_size, input_size, 3))
    scaled = layers.Rescaling(1 / 127.5, offset=-1.0)(crop)
    return keras.Model(crop, backbone(scaled), name="visual")
