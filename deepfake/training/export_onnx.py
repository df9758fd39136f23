"""A bundle -> its network as one ONNX file, for runtimes other than LiteRT, checked against Keras.

It has the input and the outputs of `model.tflite`, but takes any number of crops at once. How a face is cut and how a
logit becomes p_fake stand in its metadata, so that the file can travel by itself.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from deepfake.errors import BundleError
from deepfake.faces.crops import cut_crop
from deepfake.faces.mtcnn import FaceFinder
from deepfake.faces.search import find_faces
from deepfake.media import open_media
from deepfake.model.bundle import DetectorManifest, load_detector, read_manifest
from deepfake.nn.network import serving_network
from deepfake.nn.saved import load_network
from deepfake.records import CropSpec, Floats, Sampling
from deepfake.system.files import replacing
from deepfake.system.shipped import shipped

OPSET = 17
"""Version of the ONNX operators: ONNX Runtime reads it since 1.12."""
TOLERANCE = 1e-4
"""Largest difference from Keras that an output may show, as a share of its largest number where that is above 1:
evidence runs to some tens, and float32 has seven digits."""
EXAMPLE_FRAMES = 6
"""Frames taken from each example to compare on."""


class OnnxFile(msgspec.Struct, frozen=True):
    """An ONNX file, beside the Keras network."""

    size_bytes: int
    crops: int
    """How many they were compared on."""
    max_difference: dict[str, float]
    """Largest difference of each output, by its name."""


def export_onnx(model: Path, path: Path, crops: Floats | None = None) -> OnnxFile:
    """Writes the network of a bundle as an ONNX file, and proves that it answers as Keras does.

    Args:
        model: Folder of a bundle with its Keras network.
        path: The file to write.
        crops: Crops `(n, size, size, 3)` in [0, 255] to compare on; those of `example_crops` if absent.

    Returns:
        How large it is, and how far it is from Keras.

    Raises:
        BundleError: If a package is not there, the bundle cannot be read, or an output differs by more than
            `TOLERANCE`. Nothing is written then.
    """
    try:
        import onnxruntime
        import tf2onnx  # noqa: F401 - Keras imports it, and would answer with advice that does not fit here
    except ModuleNotFoundError as error:
        raise BundleError(f"ONNX needs {error.name}: pip install 'deepfake[train,onnx]'") from error
    manifest = read_manifest(model)
    serving = serving_network(load_network(model))
    crops = example_crops(manifest.crop) if crops is None else crops
    expected = serving.predict(crops, batch_size=16, verbose=0)
    serving(crops[:1])  # Keras exports what was called, and `predict` does not count.
    with replacing(path) as scratch:
        with _quiet():
            serving.export(scratch, format="onnx", verbose=False, opset_version=OPSET)
        _describe(scratch, manifest)
        session = onnxruntime.InferenceSession(scratch, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        answers = dict(zip(names, session.run(names, {"crop": crops}), strict=True))
        differences = _differences(path.name, answers, expected)
        return OnnxFile(scratch.stat().st_size, len(crops), differences)


def example_crops(spec: CropSpec) -> Floats:
    """Crops of the faces in the examples that ship, float32 `(n, size, size, 3)` in [0, 255].

    Example:

    >>> example_crops(CropSpec(size=64)).shape[1:]
    (64, 64, 3)
    """
    finder = FaceFinder(load_detector())
    return np.stack(
        [
            cut_crop(frame.image, face, spec).image.astype(np.float32)
            for file in ("portrait.jpg", "self_blend.jpg", "half_fake.mp4")
            for frame, faces in find_faces(
                open_media(shipped("examples") / file, Sampling(EXAMPLE_FRAMES)), finder.find
            )
            for face in faces
        ]
    )


def _differences(name: str, answers: dict[str, Floats], expected: dict[str, Floats]) -> dict[str, float]:
    """The largest difference of each output; refuses one that is too large, or not a number."""
    found = {}
    for output, values in sorted(expected.items()):
        found[output] = float(np.abs(answers[output] - values).max())
        allowed = TOLERANCE * max(1.0, float(np.abs(values).max()))
        if not found[output] <= allowed:
            raise BundleError(
                f"{name} must answer as Keras does. Received: a difference of {found[output]:.6f} in {output}, where "
                f"{allowed:.6f} is allowed. The conversion lost something: do not ship it."
            )
    return found


def _describe(path: Path, manifest: DetectorManifest) -> None:
    """Names the free dimension, and writes into a file what is needed to use it: that of the manifest."""
    import onnx

    graph = onnx.load(path)
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    told: dict[str, Any] = {"crop": manifest.crop, "calibration": manifest.calibration, "experts": manifest.experts}
    encoded = {key: msgspec.json.encode(value).decode() for key, value in told.items()}
    onnx.helper.set_model_props(graph, {"name": manifest.name, **encoded})
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps stdout for data, and what the converter says of itself from stderr."""
    log = logging.getLogger("tf2onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            # Of Keras 3.15, where it makes tf2onnx fit NumPy 2.
            warnings.filterwarnings("ignore", "In the future `np.object` will be defined", FutureWarning)
            yield
    finally:
        log.setLevel(before)
