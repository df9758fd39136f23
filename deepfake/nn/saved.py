"""Networks as files: the Keras network of a bundle, without any code in it."""

from __future__ import annotations

from pathlib import Path

import keras

import deepfake.nn.network  # noqa: F401 - Keras must know the layers of the network
from deepfake.errors import BundleError
from deepfake.model.bundle import KERAS_NETWORK, read_files


def load_file(path: Path) -> keras.Model:
    """A network that this package saved on this machine, such as a run's: nothing proves what is in it."""
    return keras.models.load_model(path, compile=False)


def load_network(model: Path) -> keras.Model:
    """The Keras network of a bundle: of the file whose checksum stands in the manifest, and without any code in it.

    Raises:
        BundleError: If it is missing or damaged, or holds code.
    """
    read_files(model, [KERAS_NETWORK], "detector")
    try:
        return keras.models.load_model(model / KERAS_NETWORK, compile=False, safe_mode=True)
    except (ValueError, TypeError) as error:
        raise BundleError(
            f"{model / KERAS_NETWORK} cannot be loaded: {str(error).splitlines()[0]} Use a bundle that this package "
            "exported; layers that hold code (Lambda) are never run."
        ) from error
