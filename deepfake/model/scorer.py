"""Crops -> Scores: the detector's graph on LiteRT, the mean over a face's views, and the calibration of its logit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from deepfake.errors import BundleError
from deepfake.model.bundle import EXPERT_LOGITS, OUTPUTS, Bundle
from deepfake.records import Crop, Floats, Score
from deepfake.system.quiet import quiet

JOINED = 14
"""Cells along each side of the evidence of several views, joined."""


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
            with quiet():
                self._interpreter: Any = Interpreter(model_content=bundle.graph, num_threads=threads)
                self._interpreter.allocate_tensors()
            self._runner: Any = self._interpreter.get_signature_runner("serving_default")
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"The graph of {bundle.model.name} cannot be loaded ({error}).") from error
        (self._input,) = self._runner.get_input_details()
        shape = self._runner.get_input_details()[self._input]["shape_signature"]
        size = bundle.crop.size
        wanted = {*OUTPUTS, EXPERT_LOGITS} if bundle.experts else {*OUTPUTS}
        if not set(self._runner.get_output_details()) >= wanted or tuple(shape[1:]) != (size, size, 3):
            raise BundleError(
                f"The graph of {bundle.model.name} must take ({size}, {size}, 3) crops and answer "
                f"{', '.join(sorted(wanted))}. Received: {tuple(shape)}, {sorted(self._runner.get_output_details())}."
            )

    def score(self, crops: Sequence[Crop]) -> list[Score]:
        """Scores each crop, in order.

        A single crop is a batch: on a CPU larger batches are no faster, and each new size costs a set-up.
        """
        return [self._score(crop) for crop in crops]

    def logit(self, image: Floats) -> float:
        """The raw logit of one crop `(size, size, 3)`, before calibration."""
        return float(self._run(image)["logit"][0])

    def expert_logit(self, image: Floats, trace: str) -> float:
        """What the expert in one kind of trace says of one crop `(size, size, 3)`, as a logit."""
        return float(self._run(image)[EXPERT_LOGITS][0][self.bundle.experts.index(trace)])

    def _score(self, crop: Crop) -> Score:
        views = (crop, *crop.wider)
        answers = [self._run(view.image) for view in views]
        calibration = self.bundle.calibration.face
        visual, noise = (
            _joined(views, [answer[f"{stream}_evidence"][0] for answer in answers]) / calibration.temperature
            for stream in ("visual", "noise")
        )
        gate = np.mean([answer["gate"][0] for answer in answers], axis=0)
        return Score(
            face=crop.face,
            p_fake=calibration.p_fake(float(np.mean([answer["logit"][0] for answer in answers]))),
            gate=(float(gate[0]), float(gate[1])),
            visual_logit=float(visual.mean()),
            noise_logit=float(noise.mean()),
            evidence=visual + noise,
            to_frame=views[-1].to_frame,
            expert_logits=self._expert_logits(answers),
        )

    def _expert_logits(self, answers: Sequence[dict[str, Floats]]) -> tuple[float, ...]:
        """What each expert says, the mean over views; nothing where the bundle has no experts."""
        if not self.bundle.experts:
            return ()
        return tuple(np.mean([answer[EXPERT_LOGITS][0] for answer in answers], axis=0).tolist())

    def _run(self, image: Any) -> dict[str, Floats]:
        answer: dict[str, Floats] = self._runner(**{self._input: image[None].astype(np.float32)})
        if not np.isfinite(answer["logit"]).all():
            raise BundleError(f"The graph of {self.bundle.model.name} answered {answer['logit']}: it is damaged.")
        return answer


def _joined(views: Sequence[Crop], maps: Sequence[Floats]) -> Floats:
    """The views' evidence laid over the widest of them: its mean is the mean of theirs."""
    if len(views) == 1:
        return maps[0]
    widest = np.vstack([views[-1].to_frame, (0, 0, 1)])
    placed = []
    for view, own in zip(views, maps, strict=True):
        # From the cells of the view to those of the joined map, both counted from a cell's centre.
        to_widest = (np.linalg.inv(widest) @ np.vstack([view.to_frame, (0, 0, 1)]))[:2]
        scale = JOINED / own.shape[0]
        matrix = np.column_stack([to_widest[:, :2] * scale, to_widest[:, 2] * JOINED])
        matrix[:, 2] += (matrix[:, 0] + matrix[:, 1]) / 2 - 0.5
        within = cv2.warpAffine(np.ones_like(own), matrix, (JOINED, JOINED))
        laid = cv2.warpAffine(own, matrix, (JOINED, JOINED), borderMode=cv2.BORDER_REPLICATE) * within
        # On less room a narrow view weighs as much as a wide one; what sampling changed is given back.
        laid /= within.mean()
        placed.append(laid + within * (own.mean() - laid.mean()) / within.mean())
    return np.asarray(np.mean(placed, axis=0), np.float32)
