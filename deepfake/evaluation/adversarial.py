"""A bundle's Keras network against somebody who knows it: crops changed by a little, where its gradient says.

Every pixel of a crop may move by at most `eps` 8-bit steps, less than an eye sees. A real is pushed towards fake and a
fake towards real. Random noise of the same size is the control: what it does is not the attacker's merit.

    noise   uniform in [-eps, eps]
    fgsm    one step of eps along the sign of the gradient (Goodfellow et al.)
    pgd     many smaller steps from a random start, each projected back (Madry et al.)

It is the crop that is changed, after it was cut, and in fractions of a step: the attacker's best case. What such a
change survives (a saved file, a video codec, another crop) is not measured.

Reference:
    Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015; Madry et al., "Towards deep
    learning models resistant to adversarial attacks", ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake.data.index import LABELS, Row, read_indexes
from deepfake.data.loader import CropLoader
from deepfake.errors import DatasetError, DeepfakeError
from deepfake.evaluation.evaluate import Sample, answers_about, counts_of, ranking
from deepfake.evaluation.metrics import Values
from deepfake.model.bundle import load_bundle
from deepfake.model.stress_tests import Adversarial, Attack, Attacked
from deepfake.nn.saved import load_network
from deepfake.pipeline import Progress
from deepfake.records import Floats, Thresholds

Gradient = Callable[[Floats], Floats]
"""Crops `(n, h, w, 3)` in [0, 255] -> the gradient of each one's logit with respect to it, of the same shape."""
BATCH = 32
"""Crops that are attacked together."""
WHITE = 255.0


def measure_adversarial(
    model: Path,
    indexes: Sequence[Path],
    *,
    split: str = "test",
    sources: Sequence[str] = (),
    crops: int = 200,
    sizes: Sequence[float] = (2.0, 4.0),
    steps: int = 10,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Adversarial:
    """Measures a bundle on a balanced sample of crops, untouched, with noise, and under each attack.

    Args:
        model: Folder of a bundle, with its `model.keras`.
        indexes: Crops' indexes.
        split: `val` or `test`.
        sources: Sources to take; all if empty. One without reals or without fakes is left out.
        crops: Most crops of a source, half of them real.
        sizes: How far each pixel may move, in 8-bit steps; positive.
        steps: Steps of PGD.
        seed: Another seed draws another sample, other noise and other starts.
        progress: Called after each batch with the number of crops done.

    Raises:
        DeepfakeError: If the backend is not TensorFlow.
        DatasetError: If no source has both reals and fakes.
        BundleError: If the bundle has no network to take a gradient of.
        ValueError: If a number is out of its range.
    """
    if crops < 2 or steps < 1 or not sizes or min(sizes) <= 0:
        raise ValueError(
            "`crops` must be at least 2, `steps` at least 1, and `sizes` positive, one at least. "
            f"Received: {crops}, {steps}, {tuple(sizes)}."
        )
    bundle, network = load_bundle(model), load_network(model)
    gradient = logit_gradient(network)
    given = [row for row in read_indexes(indexes) if row.split == split and (not sources or row.source in sources)]
    rows = balanced_sample(given, crops, seed)
    if not rows:
        raise DatasetError(
            f"An attack needs a source with real and fake crops in the split {split!r}. Found {len(given)} rows of "
            f"{sorted({row.source for row in given})}. Pass another --index, --split or --source."
        )
    calibration = bundle.calibration.face
    logits = keras.Model(network.input, network.output["logit"])

    def p_fake_of(crops: Floats) -> list[float]:
        return [calibration.p_fake(logit) for logit in logits.predict_on_batch(crops).astype(np.float64).tolist()]

    clean: list[float] = []
    found: dict[tuple[Attack, float], list[float]] = {}
    loader = CropLoader(rows, bundle.crop, BATCH)
    for number in range(len(loader)):
        batch, labels = loader[number]
        clean += p_fake_of(batch)
        for key, changed in _attacked(batch, labels["logit"], sizes, steps, gradient, [seed, number]).items():
            found.setdefault(key, []).extend(p_fake_of(changed))
        progress(min((number + 1) * BATCH, len(rows)), len(rows))
    attacks: dict[Attack, list[Attacked]] = {}
    for (name, eps), p_fake in found.items():
        attacks.setdefault(name, []).append(_measured(rows, p_fake, clean, calibration.thresholds, eps))
    taken = sorted({row.source for row in rows})
    return Adversarial(
        split=split,
        seed=seed,
        steps=steps,
        count=counts_of(rows),
        sources={name: counts_of(row for row in rows if row.source == name) for name in taken},
        left_out=tuple(sorted({row.source for row in given} - set(taken))),
        clean=_measured(rows, clean, clean, calibration.thresholds),
        attacks={name: tuple(own) for name, own in attacks.items()},
    )


def logit_gradient(network: keras.Model) -> Gradient:
    """The gradient of a network's `logit` with respect to its crops, in inference.

    The cross-entropy grows along it for a real and against it for a fake, so its sign is all that an attack needs.

    Raises:
        DeepfakeError: If the backend is not TensorFlow, which alone is asked for gradients.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise DeepfakeError(
            f"An attack takes gradients by TensorFlow. Received: the backend {backend!r}. Set KERAS_BACKEND=tensorflow."
        )
    import tensorflow as tf

    def gradient(crops: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(crops)
            logit = tf.reduce_sum(network(crops, training=False)["logit"])
        return tape.gradient(logit, crops)

    traced = tf.function(gradient, reduce_retracing=True, jit_compile=False)
    return lambda crops: np.asarray(traced(tf.convert_to_tensor(crops, tf.float32)))


def uniform_noise(crops: Floats, eps: float, rng: np.random.Generator) -> Floats:
    """Crops whose pixels moved by chance, evenly in [-eps, eps], and stay in [0, 255]."""
    return np.clip(crops + rng.uniform(-eps, eps, crops.shape), 0, WHITE).astype(np.float32)


def fgsm(crops: Floats, labels: Values, eps: float, gradient: Gradient) -> Floats:
    """Crops whose pixels moved by `eps` each, to where the logit is more wrong: the fast gradient sign method.

    Args:
        crops: Shape `(n, h, w, 3)`, in [0, 255].
        labels: Shape `(n,)`, 1 for fake and 0 for real.
        eps: How far a pixel may move, in 8-bit steps.
        gradient: Of the logit.

    Returns:
        float32, of the same shape, in [0, 255] and nowhere further than `eps` from `crops`.

    Example:

    >>> crops = np.full((1, 1, 1, 3), 100.0, np.float32)
    >>> fgsm(crops, np.array([1]), 2.0, lambda crops: np.array([[[[0.5, -3.0, 0.0]]]])).ravel().tolist()
    [98.0, 102.0, 100.0]
    """
    return _near(crops + eps * _wrong_way(labels) * np.sign(gradient(crops)), crops, eps)


def pgd(
    crops: Floats, labels: Values, eps: float, gradient: Gradient, rng: np.random.Generator, steps: int = 10
) -> Floats:
    """Crops after projected gradient descent: `steps` steps of `2.5 * eps / steps` from a random start.

    Args:
        crops: As `fgsm`.
        labels: As `fgsm`.
        eps: As `fgsm`.
        gradient: As `fgsm`.
        rng: Draws the start, evenly in [-eps, eps].
        steps: Number of steps; after each, what went too far is brought back.

    Returns:
        As `fgsm`.
    """
    changed = uniform_noise(crops, eps, rng)
    for _ in range(steps):
        step = 2.5 * eps / steps * _wrong_way(labels) * np.sign(gradient(changed))
        changed = _near(changed + step, crops, eps)
    return changed


def balanced_sample(rows: Sequence[Row], crops: int, seed: int) -> list[Row]:
    """At most so many rows of each source, as many reals as fakes, in the order of `rows`.

    Args:
        rows: Rows of an index.
        crops: Most rows of a source.
        seed: Another seed draws others. What is drawn of a source does not depend on which others there are.

    Returns:
        The rows; none of a source that lacks reals or fakes.
    """
    chosen: list[int] = []
    for source in sorted({row.source for row in rows}):
        own = [[n for n, row in enumerate(rows) if row.source == source and row.label == label] for label in LABELS]
        each = min(crops // 2, *map(len, own))
        rng = np.random.default_rng([seed, *source.encode()])
        chosen += [int(place) for places in own for place in rng.permutation(places)[:each]]
    return [rows[place] for place in sorted(chosen)]


def _attacked(
    batch: Floats, labels: Values, sizes: Sequence[float], steps: int, gradient: Gradient, seed: list[int]
) -> dict[tuple[Attack, float], Floats]:
    changed: dict[tuple[Attack, float], Floats] = {}
    for eps in sizes:
        rng = np.random.default_rng(seed)
        changed["noise", eps] = uniform_noise(batch, eps, rng)
        changed["fgsm", eps] = fgsm(batch, labels, eps, gradient)
        changed["pgd", eps] = pgd(batch, labels, eps, gradient, rng, steps)
    return changed


def _wrong_way(labels: Values) -> Floats:
    """Which way the logit of each crop is pushed: up for a real, down for a fake."""
    return np.where(np.asarray(labels) == 1, -1.0, 1.0).astype(np.float32)[:, None, None, None]


def _near(changed: Floats, crops: Floats, eps: float) -> Floats:
    """What is nowhere further than `eps` from `crops`, and stays in [0, 255]."""
    return np.clip(np.clip(changed, crops - eps, crops + eps), 0, WHITE).astype(np.float32)


def _measured(
    rows: Sequence[Row], p_fake: Sequence[float], clean: Sequence[float], thresholds: Thresholds, eps: float = 0.0
) -> Attacked:
    samples = [Sample(row.label, row.source, row.method, p) for row, p in zip(rows, p_fake, strict=True)]
    labels, changed, untouched = np.array([row.target for row in rows]), np.array(p_fake), np.array(clean)
    places = {name: np.array([row.source == name for row in rows]) for name in sorted({row.source for row in rows})}
    whole = ranking(labels, changed)
    return Attacked(
        eps=eps,
        auc=whole.auc,
        auc_interval=whole.auc_interval,
        real_called=answers_about("real", samples, thresholds),
        fake_called=answers_about("fake", samples, thresholds),
        fakes_alone=ranking(labels, np.where(labels == 1, changed, untouched)),
        sources={name: ranking(labels[own], changed[own]) for name, own in places.items()},
    )
