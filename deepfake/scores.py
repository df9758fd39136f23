"""Crops -> Scores: the detector's graph on LiteRT, and the calibration of its logit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from deepfake.bundle import Bundle
from deepfake.errors import BundleError
from deepfake.records import Crop, Floats, Score

OUTPUTS = frozenset({"logit", "gate", "visual_evidence", "noise_evidence"})
"""What the graph answers, by name."""


class Scorer:
    """Scores crops with a bundle's graph.

    One instance serves one thread: LiteRT interpreters are not thread-safe.

    Args:
        bundle: The model.
        threads: Number of threads that the graph may use.

    Raises:
        BundleError: If the graph is none of a detector, or does not fit the bundle's crop size.
    """

    def __init__(self, bundle: Bundle, threads: int = 2) -> None:
        self.bundle = bundle
        try:
            self._interpreter: Any = Interpreter(model_content=bundle.graph, num_threads=threads)
            self._runner: Any = self._interpreter.get_signature_runner("serving_default")
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"The graph of {bundle.model.name} cannot be loaded ({error}).") from error
        (self._input,) = self._runner.get_input_details()
        shape = self._runner.get_input_details()[self._input]["shape_signature"]
        size = bundle.crop.size
        if not set(self._runner.get_output_details()) >= OUTPUTS or tuple(shape[1:]) != (size, size, 3):
            raise BundleError(
                f"The graph of {bundle.model.name} must take ({size}, {size}, 3) crops and answer "
                f"{', '.join(sorted(OUTPUTS))}. Received: {tuple(shape)}, {sorted(self._runner.get_output_details())}."
            )

    def score(self, crops: Sequence[Crop]) -> list[Score]:
        """Scores each crop, in order.

        A single crop is a batch: on a CPU larger batches are no faster, and each new size costs a set-up.
        """
        return [self._score(crop) for crop in crops]

    def logit(self, image: Floats) -> float:
        """The raw logit of one crop `(size, size, 3)`, before calibration."""
        return float(self._run(image)["logit"][0])

    def _score(self, crop: Crop) -> Score:
        answer = self._run(crop.image)
        temperature = self.bundle.temperature
        visual, noise = answer["visual_evidence"][0] / temperature, answer["noise_evidence"][0] / temperature
        logit = float(answer["logit"][0]) / temperature + self.bundle.logit_shift
        return Score(
            face=crop.face,
            p_fake=sigmoid(logit),
            gate=(float(answer["gate"][0, 0]), float(answer["gate"][0, 1])),
            visual_logit=float(visual.mean()),
            noise_logit=float(noise.mean()),
            evidence=visual + noise,
            to_frame=crop.to_frame,
        )

    def _run(self, image: Any) -> dict[str, Floats]:
        answer: dict[str, Floats] = self._runner(**{self._input: image[None].astype(np.float32)})
        if not np.isfinite(answer["logit"]).all():
            raise BundleError(f"The graph of {self.bundle.model.name} answered {answer['logit']}: it is damaged.")
        return answer


def sigmoid(logit: float) -> float:
    """Probability in [0, 1] of a logit, without overflow.

    Example:

    >>> sigmoid(0.0)
    0.5
    """
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))
