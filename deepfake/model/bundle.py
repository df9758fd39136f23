"""models/<name>/ <-> Bundle: the graph, and all that is needed to read its answers.

A bundle is a folder. Its `bundle.json` says what the network expects and how its logit becomes a verdict, and
holds the SHA-256 of every file that is loaded; nothing is loaded whose checksum differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deepfake.errors import BundleError
from deepfake.model.calibration import Calibrations
from deepfake.records import CropSpec, ModelId
from deepfake.system.files import write_json
from deepfake.system.settings import Count, Positive, Settings, read_settings
from deepfake.system.shipped import shipped

MANIFEST = "bundle.json"
FORMAT = 2
"""Version of `bundle.json` that this package reads and writes."""
MODELS = shipped("models")
"""Where the bundles lie that ship with the package."""
DEFAULT_MODEL = MODELS / "light-5"
DETECTOR = MODELS / "mtcnn"
GRAPHS = ("model.tflite", "model_float16.tflite", "model_int8.tflite")
"""The graphs of a detector bundle: float32, float16 weights, int8 weights."""
DETECTOR_GRAPHS = ("pnet.tflite", "rnet.tflite", "onet.tflite")
OUTPUTS = ("logit", "gate", "visual_evidence", "noise_evidence")
"""What every graph of a detector answers, by name; a stream that is off answers zeros."""
EXPERT_LOGITS = "expert_logits"
"""What a graph of experts answers besides: the calibrated logit of each, `(1, experts)`."""
QUALITY_PLOT, ROBUSTNESS_PLOT = "plots/quality.png", "plots/robustness.png"
MISTAKES_PLOT = "plots/mistakes.png"
"""The pictures of a detector bundle's card."""
KERAS_NETWORK = "model.keras"
"""The whole network of a detector bundle, to fine-tune."""
FINGERPRINTS = "fingerprints.npy"
"""Of the pictures that a detector was trained on, uint8 `(n, 16)`; a bundle may lack them."""
FACE_MESH = MODELS / "face_mesh"
FACE_MESH_GRAPH = "face_landmark.tflite"


Kind = Literal["detector", "face_detector", "face_mesh", "autoencoder"]
"""What a bundle is of."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A detector, ready to be run."""

    model: ModelId
    """Its name and the checksum of the graph."""
    graph: bytes
    """The TFLite file."""
    crop: CropSpec
    """How crops are cut for it."""
    min_face_px: float
    """Crops whose side in the frame is smaller are not scored: too few pixels to tell."""
    min_frames: int
    """A person seen in fewer frames of a video gets no verdict."""
    calibration: Calibrations
    """How its logit becomes a probability and an answer, for a face and for a person over time."""
    experts: tuple[str, ...] = ()
    """The kind of trace that each of its experts looks for, such as `blended`, in order; empty without experts."""


class DetectorManifest(Settings, frozen=True, kw_only=True):
    """`bundle.json` of a detector."""

    format: int
    """Version of this record."""
    kind: Literal["detector"]
    """What the bundle is of."""
    name: str
    """Name of the model."""
    crop: CropSpec
    """How crops are cut for it."""
    min_face_px: Positive
    """Crops whose side in the frame is smaller are not scored."""
    min_frames: Count
    """A person seen in fewer frames of a video gets no verdict."""
    calibration: Calibrations
    """How its logit becomes a probability and an answer."""
    experts: tuple[str, ...] = ()
    """What each of its experts looks for."""
    files: dict[str, str]
    """SHA-256 of each file, by its name."""


def read_manifest(directory: Path) -> DetectorManifest:
    """Reads the `bundle.json` of a detector.

    Raises:
        BundleError: If it is missing, was written for another version, or a value is none that its key may have.
    """
    return _settings(read_files(directory, [], "detector")[0], directory)


def load_bundle(directory: Path | str = DEFAULT_MODEL, *, graph: str = GRAPHS[0], trust: bool = False) -> Bundle:
    """Reads a detector bundle and checks it.

    Args:
        directory: Folder with a `bundle.json`.
        graph: Which of its graphs to run.
        trust: Whether to use a file whose checksum differs.

    Raises:
        BundleError: If something is missing, does not match its checksum, or was written for another version.
        ValueError: If no bundle has such a graph.
    """
    if graph not in GRAPHS:
        raise ValueError(f"`graph` must be one of {', '.join(GRAPHS)}. Received: {graph!r}.")
    directory = Path(directory)
    manifest, files = read_files(directory, [graph], "detector", trust=trust)
    settings = _settings(manifest, directory)
    return Bundle(
        model=ModelId(settings.name, settings.files[graph]),
        graph=files[graph],
        crop=settings.crop,
        min_face_px=settings.min_face_px,
        min_frames=settings.min_frames,
        calibration=settings.calibration,
        experts=settings.experts,
    )


def load_detector(directory: Path | str = DETECTOR, *, trust: bool = False) -> dict[str, bytes]:
    """Reads the three networks of the face detector, by file name.

    Raises:
        BundleError: As `load_bundle`.
    """
    return read_files(Path(directory), DETECTOR_GRAPHS, "face_detector", trust=trust)[1]


def load_face_mesh(directory: Path | str = FACE_MESH, *, trust: bool = False) -> bytes:
    """Reads the network that finds the 468 points of a face.

    Raises:
        BundleError: As `load_bundle`.
    """
    return read_files(Path(directory), [FACE_MESH_GRAPH], "face_mesh", trust=trust)[1][FACE_MESH_GRAPH]


def read_files(
    directory: Path, names: Iterable[str], kind: Kind, *, trust: bool = False
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Reads a manifest and some of the files it lists.

    Returns:
        The manifest, and each file's bytes by its name.

    Raises:
        BundleError: As `load_bundle`.
    """
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(
            f"No {MANIFEST} in {directory}. Pass the folder of a bundle, such as models/light-5."
        ) from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({error}). Fetch the bundle again.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("kind") != kind:
        found = (manifest.get("kind"), manifest.get("format")) if isinstance(manifest, dict) else "no object"
        raise BundleError(
            f"{path} must describe a bundle of kind {kind!r}, format {FORMAT}. Received: {found}. "
            "Use a bundle made for this version of the package."
        )
    files = {}
    for name in names:
        listed = manifest.get("files")
        if not isinstance(listed, dict) or not isinstance(listed.get(name), str):
            raise BundleError(f"{path} must list the checksum of {name} in `files`. Received: {listed!r:.200}.")
        try:
            content = (directory / name).read_bytes()
        except OSError as error:
            raise BundleError(
                f"{directory / name} cannot be read ({error.strerror}). Fetch the bundle again."
            ) from error
        if not trust and hashlib.sha256(content).hexdigest() != manifest["files"][name]:
            raise BundleError(
                f"{directory / name} does not match its checksum in {MANIFEST}. "
                "Fetch the bundle again, or pass --trust to use it as it is."
            )
        files[name] = content
    return manifest, files


def _settings(manifest: dict[str, Any], directory: Path) -> DetectorManifest:
    try:
        return read_settings(manifest, DetectorManifest)
    except ValueError as error:
        raise BundleError(f"{directory / MANIFEST} cannot be used: {error} Fetch the bundle again.") from error


def write_manifest(directory: Path, kind: Kind, settings: Mapping[str, Any], files: Iterable[str]) -> Path:
    """Writes `bundle.json` with the checksums of `files`, which must already lie in `directory`.

    Returns:
        The path of the manifest.
    """
    checksums = {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in sorted(files)}
    manifest = {"format": FORMAT, "kind": kind, "name": directory.name, **settings, "files": checksums}
    return write_json(directory / MANIFEST, manifest)
