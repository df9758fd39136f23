"""A fitted, calibrated run -> models/<name>/: graphs that a laptop and a phone can run, checked against Keras.

    model.tflite           float32: what `detect` runs
    model_float16.tflite   float16 weights in the convolutions that are not depthwise, float32 arithmetic
    model_int8.tflite      the same with int8 weights in the largest of them
    model.keras            the whole network, to fine-tune

What is not offered, and why. Static int8: its rounded kernels no longer sum to zero, and the noise stream sees flat
pictures as noise. TensorFlow's dynamic range: it rounds activations too, to 8 bits a tensor, and every weight; scores
left their tolerance, and x86 ran it slower than float32. TensorFlow's float16: it rounds the fixed filters, too.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import qtyping, quantizer
from msgspec.structs import replace

from deepfake.data.config import TrainingConfig
from deepfake.data.index import read_indexes
from deepfake.data.loader import read_crop
from deepfake.errors import BundleError
from deepfake.evaluation.metrics import Labels, Values, roc_auc
from deepfake.model.bundle import GRAPHS, KERAS_NETWORK, MANIFEST, write_manifest
from deepfake.model.calibration import Calibration, Calibrations
from deepfake.model.lineage import Export, Graph, Parent
from deepfake.model.metrics import Metrics, read_training_of, write_metrics
from deepfake.nn.network import serving_network
from deepfake.records import CropSpec, Floats
from deepfake.system.settings import read_settings
from deepfake.training.calibrate import check_beats_chance, read_calibration
from deepfake.training.fingerprints import write_fingerprints
from deepfake.training.run import NETWORK, as_plain, load_run, read_run_config, read_training

TOLERANCES = dict(zip(GRAPHS, (0.001, 0.02, 0.03), strict=True))
"""Largest difference in p_fake from Keras that each graph may show."""
LARGE_CONVOLUTIONS = (16_000, 50_000, 100_000, 200_000)
"""Convolutions with fewer weights are not rounded to int8: they are small, and carry the fine differences. A graph that
differs by more than its tolerance with the first limit is written again with the next."""
MIN_FACE_PX = 48.0
"""Faces whose box in the frame has a smaller longer side are refused."""
MIN_FRAMES = 3
"""Frames that a person in a video must be scored in."""


def export(
    run: Path, directory: Path, crops: Floats, labels: Labels, spec: CropSpec, files: Sequence[str] = ()
) -> dict[str, Graph]:
    """Writes a bundle and proves that its graphs answer as the network does.

    Args:
        run: Folder with `best.keras` and `calibration.json`.
        directory: The bundle's folder; made if absent. Its name is the model's.
        crops: Crops `(n, size, size, 3)` in [0, 255] to compare on.
        labels: Shape `(n,)`, 1 for fake and 0 for real.
        spec: Geometry of the crops.
        files: Names of what else lies in the folder and belongs to the bundle.

    Returns:
        What each graph costs, by its file's name.

    Raises:
        DatasetError: If the network ranks the crops no better than chance could. Nothing is written.
        BundleError: If a graph needs Flex operators or differs by more than its tolerance. Nothing is then written
            to `bundle.json`, so the bundle cannot be loaded.
    """
    network = load_run(run)
    calibration = read_calibration(run).calibration
    serving = serving_network(network)
    expected = probabilities(serving.predict(crops, batch_size=16, verbose=0)["logit"], calibration)
    if 0 < labels.sum() < len(labels):
        check_beats_chance(run, labels, expected)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MANIFEST).unlink(missing_ok=True)
    exact, half, quarter = (directory / name for name in GRAPHS)
    with _quiet():
        serving.export(exact, format="litert", verbose=False)
    report = {exact.name: compare(exact, crops, labels, expected, calibration)}
    shrink_weights(exact, half)
    for smallest in LARGE_CONVOLUTIONS:
        shrink_weights(exact, quarter, smallest)
        if np.abs(answers(quarter, crops, calibration) - expected).max() <= TOLERANCES[quarter.name]:
            break
    for path in (half, quarter):
        report[path.name] = compare(path, crops, labels, expected, calibration)
    shutil.copyfile(run / NETWORK, directory / KERAS_NETWORK)
    # Over time nothing is known yet: the mean of a person's logits is taken for a face's.
    over_time = Calibration(thresholds=calibration.thresholds)
    settings = detector_settings(spec, Calibrations(face=calibration, track=over_time), read_training(run).experts)
    write_manifest(directory, "detector", settings, [*GRAPHS, KERAS_NETWORK, *files])
    return report


def detector_settings(spec: CropSpec, calibrations: Calibrations, experts: Sequence[str] = ()) -> dict[str, Any]:
    """What the manifest of a detector says beside its name and its files, as plain values."""
    return {
        "crop": msgspec.to_builtins(spec),
        "min_face_px": round(MIN_FACE_PX * spec.scale, 1),
        "min_frames": MIN_FRAMES,
        "calibration": msgspec.to_builtins(calibrations),
        "experts": list(experts),
    }


def export_run(run: Path, directory: Path, count: int = 500) -> Export:
    """Exports a run, compares on crops of its validation and test splits, and begins the bundle's metrics.

    Args:
        run: Folder with `best.keras`, `calibration.json` and `config.json`.
        directory: The bundle's folder.
        count: Crops to compare on, drawn evenly over the sources.

    Returns:
        What the graphs cost.
    """
    config = read_run_config(run)
    rows = read_indexes(config.data.indexes)
    held_out = [row for row in rows if row.split in ("val", "test")]
    chosen = held_out[:: max(1, len(held_out) // count)][:count]
    crops = np.stack([read_crop(row, config.crop).image for row in chosen]).astype(np.float32)
    labels = np.array([row.target for row in chosen])
    report = Export(
        graphs=export(run, directory, crops, labels, config.crop, write_fingerprints(config, directory)),
        crops=len(crops),
        parameters=load_run(run).count_params(),
    )
    begun_with, training = config.fit.initial_weights, read_training(run)
    training = replace(
        training,
        config=as_plain(_without_folders(config)),
        parent=_parent(Path(begun_with).parent) if begun_with.endswith(".keras") else training.parent,
    )
    # What was measured of another network in this folder is not true of this one.
    write_metrics(directory, Metrics(training=training, calibration=read_calibration(run), export=report))
    return report


def _without_folders(config: TrainingConfig) -> TrainingConfig:
    """The configuration with the names of its files alone: where they lay concerns nobody else."""

    def name(path: str) -> str:
        return Path(path).name

    fit = config.fit
    return replace(
        config,
        data=replace(config.data, index=tuple(map(name, config.data.indexes))),
        fit=replace(fit, backbone_weights=name(fit.backbone_weights), initial_weights=name(fit.initial_weights)),
    )


def _parent(bundle: Path) -> Parent:
    """The bundle that a run went on from: its data and their terms bind what comes of it."""
    training = read_training_of(bundle)
    told = read_settings(training.config, TrainingConfig).data.terms
    terms = {source: told.get(source, "not stated") for source in training.data.counts}
    return Parent(bundle.name, (training.parent.terms if training.parent else {}) | terms)


def compare(path: Path, crops: Floats, labels: Labels, expected: Values, calibration: Calibration) -> Graph:
    """Size of a graph, its largest difference in p_fake from what is expected, and what it loses in AUC.

    Raises:
        BundleError: If the graph needs Flex operators or differs by more than its tolerance.
    """
    check_operators(path.name, path.read_bytes())
    p_fake = answers(path, crops, calibration)
    found = float(np.abs(p_fake - expected).max())
    if not found <= TOLERANCES[path.name]:
        raise BundleError(
            f"{path.name} must answer within {TOLERANCES[path.name]} of Keras. Received: {found:.4f} over "
            f"{len(crops)} crops. The conversion lost something: do not ship it."
        )
    both = 0 < labels.sum() < len(labels)
    lost = roc_auc(labels, expected) - roc_auc(labels, p_fake) if both else None
    return Graph(size_bytes=path.stat().st_size, max_difference=found, auc_lost=lost)


def answers(path: Path, crops: Floats, calibration: Calibration) -> Values:
    """A graph's p_fake of each crop."""
    return probabilities(run_graph(path.read_bytes(), crops)["logit"], calibration)


def probabilities(logits: Values, calibration: Calibration) -> Values:
    """The p_fake of each raw logit, shape unchanged."""
    return np.array([calibration.p_fake(logit) for logit in np.ravel(logits).tolist()])


def shrink_weights(source: Path, target: Path, int8_from: int | None = None) -> None:
    """Writes a graph with fewer bits a weight: float16 in its convolutions, or int8 in the large ones.

    Depthwise convolutions, the SRM bank among them, stay float32, and so does the arithmetic.

    Args:
        source: A float32 graph.
        target: Where to write.
        int8_from: Convolutions with at least as many weights get int8, with a scale a channel; None for none.
    """
    with tempfile.TemporaryDirectory() as folder:
        if int8_from is not None:
            rounded = Path(folder) / "rounded.tflite"
            _round_weights(source, rounded, 8, int8_from)
            source = rounded
        _round_weights(source, target, 16, 0)


def _round_weights(source: Path, target: Path, bits: Literal[8, 16], smallest: int) -> None:
    """Rounds the weights of the convolutions that have at least `smallest`, and are not rounded yet."""
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=bits,
            symmetric=True,
            granularity=qtyping.QuantGranularity.CHANNELWISE if bits == 8 else qtyping.QuantGranularity.TENSORWISE,
            dtype=qtyping.TensorDataType.INT if bits == 8 else qtyping.TensorDataType.FLOAT,
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
        min_weight_elements=smallest,
    )
    with _quiet(), warnings.catch_warnings():
        # That is meant: what is rounded to int8 stays so.
        warnings.filterwarnings("ignore", "Input model is already partially quantized", UserWarning)
        tool = quantizer.Quantizer(str(source))
        tool.update_quantization_recipe(
            regex=".*",
            operation_name=qtyping.TFLOperationName.CONV_2D,
            op_config=config,
            algorithm_key="min_max_uniform_quantize" if bits == 8 else "float_casting",
        )
        tool.quantize().export_model(str(target), overwrite=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drops what the converter and the quantiser print and the bars that they draw: what fails, they raise."""
    log = logging.getLogger("tensorflow")
    before = log.level
    log.setLevel(logging.WARNING)
    nowhere = io.StringIO()
    try:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
    finally:
        log.setLevel(before)


def check_operators(name: str, graph: bytes) -> None:
    """Refuses a graph that needs operators which LiteRT's standard set lacks.

    Raises:
        BundleError: If it does; the message names them.
    """
    interpreter = Interpreter(model_content=graph)
    extra = sorted({op["op_name"] for op in interpreter._get_ops_details() if op["op_name"].startswith("Flex")})
    if extra:
        raise BundleError(f"{name} needs {', '.join(extra)}, which phones do not have. Change the layer it comes from.")


def run_graph(graph: bytes, crops: Floats) -> dict[str, Floats]:
    """All outputs of a graph, stacked over the crops."""
    runner = Interpreter(model_content=graph, num_threads=2).get_signature_runner("serving_default")
    (name,) = runner.get_input_details()
    answers: Sequence[dict[str, Floats]] = [
        {key: value.copy() for key, value in runner(**{name: crop[None]}).items()} for crop in crops
    ]
    return {key: np.concatenate([answer[key] for answer in answers]) for key in answers[0]}
