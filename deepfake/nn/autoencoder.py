"""A tiny autoencoder that mimics FLUX.2's: a picture through it carries what every picture of such a generator carries.

    picture (B, H, W, 3) in [0, 1] -> encoder -> latents (B, H / 8, W / 8, 32) -> decoder -> picture

The weights are those of TAEF2, which lie in `models/taef2`; the layers here are ours, named as its arrays are.

Reference:
    O. Boer Bohan, "Tiny autoencoders", github.com/madebyollin/taesd.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from deepfake.errors import BundleError
from deepfake.model.bundle import MODELS, read_files
from deepfake.records import Floats, Image

TAEF2 = MODELS / "taef2"
CHANNELS = 64
LATENTS = 32
FACTOR = 8
"""Pixels of the picture along one side of a latent."""


def build_encoder() -> keras.Model:
    """The network from pictures `(B, H, W, 3)` in [0, 1] to latents `(B, H / 8, W / 8, 32)`, its weights random."""
    x = picture = layers.Input((None, None, 3))
    x = _convolution(x, CHANNELS, "0")
    x = _block(x, "1")
    for first in (2, 6, 10):
        x = _convolution(x, CHANNELS, str(first), stride=2, bias=False)
        for number in range(first + 1, first + 4):
            x = _block(x, str(number), pooled=first == 10)
    return keras.Model(picture, _convolution(x, LATENTS, "14"), name="encoder")


def build_decoder() -> keras.Model:
    """The network from latents `(B, h, w, 32)` to pictures `(B, 8 h, 8 w, 3)`, about in [0, 1], its weights random."""
    latents = layers.Input((None, None, LATENTS))
    x = layers.ReLU()(_convolution(3 * ops.tanh(latents / 3), CHANNELS, "1"))
    for first in (3, 8, 13):
        for number in range(first, first + 3):
            x = _block(x, str(number), pooled=first == 3)
        x = layers.UpSampling2D(2, interpolation="nearest")(x)
        x = _convolution(x, CHANNELS, str(first + 4), bias=False)
    return keras.Model(latents, _convolution(_block(x, "18"), 3, "19"), name="decoder")


def load_autoencoder(folder: Path = TAEF2) -> keras.Model:
    """The whole round trip, with its weights: pictures `(B, H, W, 3)` in [0, 1], sides divisible by 8, to the same.

    Raises:
        BundleError: If the weights are missing or damaged.
    """
    files = read_files(folder, ["encoder.npz", "decoder.npz"], "autoencoder")[1]
    picture = layers.Input((None, None, 3))
    parts = []
    for network, name in ((build_encoder(), "encoder.npz"), (build_decoder(), "decoder.npz")):
        with np.load(io.BytesIO(files[name]), allow_pickle=False) as arrays:
            _fill(network, dict(arrays))
        parts.append(network)
    return keras.Model(picture, parts[1](parts[0](picture)), name="autoencoder")


def round_trip(network: keras.Model, image: Image) -> Image:
    """The picture as the autoencoder gives it back; RGB uint8 of any size, the same shape."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % FACTOR), (0, -width % FACTOR), (0, 0)), mode="edge")
    answer = network(padded[None].astype(np.float32) / 255, training=False)
    pixels: Floats = ops.convert_to_numpy(ops.cast(answer, "float32"))[0, :height, :width]
    return np.clip(np.round(pixels * 255), 0, 255).astype(np.uint8)


def _convolution(x: Any, filters: int, name: str, stride: int = 1, bias: bool = True) -> Any:
    """A 3 x 3 convolution with one pixel of zeros on each side, as PyTorch pads."""
    if stride > 1:
        x = layers.ZeroPadding2D(1)(x)
    padding = "valid" if stride > 1 else "same"
    return layers.Conv2D(filters, 3, stride, padding=padding, use_bias=bias, name=_key(name))(x)


def _block(x: Any, name: str, pooled: bool = False) -> Any:
    """Three convolutions beside the identity; at the lowest resolution after a look at the whole picture."""
    if pooled:
        seen = layers.Conv2D(256, 1, use_bias=False, name=_key(f"{name}.pool.0"))(x)
        seen = layers.GroupNormalization(4, epsilon=1e-5, name=_key(f"{name}.pool.1"))(seen)
        seen = layers.Conv2D(CHANNELS, 1, use_bias=False, name=_key(f"{name}.pool.3"))(layers.ReLU()(seen))
        x = layers.Add()([x, seen])
    y = layers.ReLU()(_convolution(x, CHANNELS, f"{name}.conv.0"))
    y = layers.ReLU()(_convolution(y, CHANNELS, f"{name}.conv.2"))
    return layers.ReLU()(layers.Add()([_convolution(y, CHANNELS, f"{name}.conv.4"), x]))


def _key(name: str) -> str:
    """The name of a layer whose arrays are `name` and `.weight` or `.bias`."""
    return f"l{name.replace('.', '_')}"


def _fill(network: keras.Model, arrays: dict[str, Any]) -> None:
    """Gives each layer its arrays; convolutions turn from (out, in, h, w) to (h, w, in, out)."""
    names = sorted({name.rpartition(".")[0] for name in arrays})
    for name in names:
        weight, bias = arrays[f"{name}.weight"].astype(np.float32), arrays.get(f"{name}.bias")
        weight = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight
        try:
            network.get_layer(_key(name)).set_weights([weight] if bias is None else [weight, bias.astype(np.float32)])
        except ValueError as error:
            raise BundleError(f"The weights of the autoencoder do not fit at {name}: {error}") from error
