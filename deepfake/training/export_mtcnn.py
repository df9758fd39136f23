"""The weights inside the `mtcnn` package -> models/mtcnn/: three TFLite files that need no TensorFlow to run."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path
from typing import Any

import joblib
import keras
from keras import layers

from deepfake.errors import DatasetError
from deepfake.model.bundle import DETECTOR_GRAPHS, write_manifest


def export_detector(directory: Path) -> Path:
    """Converts P-Net, R-Net and O-Net of the installed `mtcnn` package.

    Args:
        directory: Folder to write to; made if absent.

    Returns:
        The path of the `bundle.json` that was written.

    Raises:
        DatasetError: If the package's weights do not have the expected shapes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    assets = resources.files("mtcnn.assets.weights")
    networks = {"pnet": _proposal_network(), "rnet": _refinement_network(), "onet": _output_network()}
    for name, network in networks.items():
        with resources.as_file(assets / f"{name}.lz4") as path:
            weights = joblib.load(path)
        try:
            network.set_weights(weights)
        except ValueError as error:
            raise DatasetError(
                f"The weights of {name} in mtcnn {metadata.version('mtcnn')} do not fit ({error}). "
                "Install mtcnn==1.0.0."
            ) from error
        network.export(directory / f"{name}.tflite", format="litert", verbose=False)
    (directory / "LICENSE").write_text(_licence(), encoding="utf-8")
    settings = {"source": f"mtcnn {metadata.version('mtcnn')} (PyPI)", "license": "MIT, see LICENSE"}
    return write_manifest(directory, "face_detector", settings, DETECTOR_GRAPHS)


def _licence() -> str:
    found = [path for path in metadata.files("mtcnn") or [] if path.name.upper().startswith("LICENSE")]
    if not found:
        raise DatasetError("The installed mtcnn package carries no licence file. Install mtcnn==1.0.0.")
    return found[0].read_text()


def _conv(x: Any, filters: int, size: int, index: int) -> Any:
    x = layers.Conv2D(filters, size, name=f"conv{index}")(x)
    return layers.PReLU(shared_axes=[1, 2], name=f"prelu{index}")(x)


def _proposal_network() -> keras.Model:
    picture = layers.Input((None, None, 3), name="picture")
    x = _conv(picture, 10, 3, 1)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _conv(x, 16, 3, 2)
    x = _conv(x, 32, 3, 3)
    box = layers.Conv2D(4, 1, name="box")(x)
    probability = layers.Conv2D(2, 1, activation="softmax", name="probability")(x)
    return keras.Model(picture, {"box": box, "probability": probability}, name="pnet")


def _refinement_network() -> keras.Model:
    patch = layers.Input((24, 24, 3), name="patch")
    x = _conv(patch, 28, 3, 1)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    x = _conv(x, 48, 3, 2)
    x = layers.MaxPooling2D(3, 2)(x)
    x = _conv(x, 64, 2, 3)
    x = layers.Flatten()(layers.Permute((2, 1, 3))(x))
    x = layers.PReLU()(layers.Dense(128)(x))
    box = layers.Dense(4, name="box")(x)
    probability = layers.Dense(2, activation="softmax", name="probability")(x)
    return keras.Model(patch, {"box": box, "probability": probability}, name="rnet")


def _output_network() -> keras.Model:
    patch = layers.Input((48, 48, 3), name="patch")
    x = _conv(patch, 32, 3, 1)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    x = _conv(x, 64, 3, 2)
    x = layers.MaxPooling2D(3, 2)(x)
    x = _conv(x, 64, 3, 3)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _conv(x, 128, 2, 4)
    x = layers.Flatten()(layers.Permute((2, 1, 3))(x))
    x = layers.PReLU()(layers.Dense(256)(x))
    box = layers.Dense(4, name="box")(x)
    landmarks = layers.Dense(10, name="landmarks")(x)
    probability = layers.Dense(2, activation="softmax", name="probability")(x)
    return keras.Model(patch, {"box": box, "landmarks": landmarks, "probability": probability}, name="onet")
