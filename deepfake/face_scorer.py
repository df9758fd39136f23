"""A face that was found already -> its answer: all that a phone has to do.

picture, box, landmarks -> crops -> their logits -> the mean -> p_fake -> `real`, `fake` or `inconclusive`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from deepfake.faces.changes import changed
from deepfake.faces.crops import cut_crop
from deepfake.model.bundle import DEFAULT_MODEL, GRAPHS, load_bundle
from deepfake.model.scorer import Scorer
from deepfake.records import Change, Crop, Face, Image, Label, Reason, Score
from deepfake.verdict import judge


@dataclass(frozen=True, slots=True)
class FaceAnswer:
    """The answer about one face of one picture."""

    label: Label
    """`real`, `fake` or `inconclusive`."""
    reason: Reason | None
    """Why it is inconclusive; None for `real` and `fake`."""
    p_fake: float | None
    """Calibrated probability that the face is fake; None of a face that is too small."""


class FaceScorer:
    """Judges faces that something else has found, such as a phone's own face detector.

    One instance serves one thread.

    Args:
        model: Folder of a bundle.
        graph: Which of its graphs to run, such as `model_int8.tflite`, which is for phones.
        trust: Whether to use a bundle whose files differ from their checksums.
        threads: Number of threads that the graph may use.

    Raises:
        BundleError: If the bundle is missing, damaged or made for another version.
        ValueError: If no bundle has such a graph.
    """

    def __init__(
        self, model: Path | str = DEFAULT_MODEL, *, graph: str = GRAPHS[0], trust: bool = False, threads: int = 2
    ) -> None:
        self.bundle = load_bundle(model, graph=graph, trust=trust)
        self.scorer = Scorer(self.bundle, threads)

    def cut(self, image: Image, faces: Iterable[Face]) -> list[Crop]:
        """The crops of those faces of a picture that are large enough to be judged, RGB uint8 `(height, width, 3)`."""
        crops = (cut_crop(image, face, self.bundle.crop) for face in faces)
        return [crop for crop in crops if crop.side >= self.bundle.min_face_px]

    def score(self, crops: Sequence[Crop]) -> list[Score]:
        """Scores each crop, in order: the calibrated mean over its views (test-time augmentation)."""
        return self.scorer.score(crops)

    def look_again(
        self,
        image: Image,
        scores: Iterable[Score],
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
        *,
        answered_only: bool = False,
    ) -> tuple[Score, ...]:
        """The same scores, each with its face's p_fake after each harmless change.

        Args:
            image: The picture that was scored.
            scores: Of faces of it.
            turn: Entered for each face while the network is used.
            answered_only: Whether to leave out faces that are `inconclusive` by themselves: they have no answer that
                could flip.
        """
        thresholds = self.bundle.calibration.face.thresholds
        return tuple(
            score
            if answered_only and judge(score.p_fake, thresholds) is Label.INCONCLUSIVE
            else replace(score, changed=self._after_changes(image, score.face, turn))
            for score in scores
        )

    def _after_changes(
        self, image: Image, face: Face, turn: Callable[[], AbstractContextManager[object]]
    ) -> dict[Change, float]:
        spec = self.bundle.crop
        crops = [cut_crop(*changed(image, face, spec, change), spec) for change in Change]
        with turn():
            scored = self.score(crops)
        return {change: score.p_fake for change, score in zip(Change, scored, strict=True)}

    def judge(self, image: Image, box_xyxy: Sequence[float], landmarks: ArrayLike) -> FaceAnswer:
        """The answer about one face.

        Args:
            image: RGB uint8 `(height, width, 3)`, upright or not: the crop is turned until the eyes are level.
            box_xyxy: Left, top, right and bottom in pixels, as MTCNN draws them: the crop is cut by it.
            landmarks: Shape `(5, 2)`, x and y in pixels: eyes, nose, mouth corners; the subject's right eye first.

        Raises:
            ValueError: If the box is empty, or there are not five landmarks.

        Example:

        >>> from deepfake.media import read_picture
        >>> image = read_picture("examples/portrait.jpg").image
        >>> eyes_nose_mouth = [(204.1, 100.4), (246.0, 102.8), (224.8, 127.8), (201.0, 138.4), (245.0, 140.3)]
        >>> str(FaceScorer().judge(image, (180.2, 63.3, 265.4, 171.0), eyes_nose_mouth).label)
        'real'
        """
        points = np.asarray(landmarks, np.float32)
        left, top, right, bottom = map(float, box_xyxy)
        if points.shape != (5, 2) or not (left < right and top < bottom):
            raise ValueError(
                "A face needs a box (left, top, right, bottom) that is not empty, and five landmarks. "
                f"Received: {tuple(box_xyxy)} and landmarks of shape {points.shape}."
            )
        crops = self.cut(image, [Face((left, top, right, bottom), points, detector_score=1.0)])
        if not crops:
            return FaceAnswer(Label.INCONCLUSIVE, Reason.FACE_TOO_SMALL, None)
        (score,) = self.score(crops)
        label = judge(score.p_fake, self.bundle.calibration.face.thresholds)
        return FaceAnswer(label, Reason.UNCERTAIN if label is Label.INCONCLUSIVE else None, score.p_fake)
