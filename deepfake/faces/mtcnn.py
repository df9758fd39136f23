"""Frames -> Faces: the MTCNN cascade on LiteRT.

P-Net looks for faces on a pyramid of small pictures, R-Net throws most of its proposals away, O-Net places the
box and five landmarks. Proposals of all frames of a batch go through R-Net and O-Net together.

The arithmetic, thresholds and non-maximum suppression (`nms`) follow the `mtcnn` 1.0 package, whose converted networks
run here.

Reference:
    Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional networks", 2016.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from deepfake.faces.pyramid import CELL, pyramid
from deepfake.records import Face, Floats, Frame, Image
from deepfake.system.quiet import quiet

Boxes = npt.NDArray[Any]
"""float64 `(n, 5 or more)`: left, top, right, bottom, score, and what follows."""

PNET, RNET, ONET = "pnet.tflite", "rnet.tflite", "onet.tflite"
"""Names of the three networks."""
STRIDE = 2
"""Distance in pixels between two of its neighbouring answers."""
MAX_PROPOSALS = 4000
"""Best proposals that are compared with each other: a bound on time, far above what a crowd gives."""
NMS_BLOCK = 256
"""Proposals that are compared with all better ones at once: few enough that what is compared stays in the cache."""
SHAPES_KEPT = 24
"""Input shapes that a network stays set up for: two pyramids."""
MAX_KEPT_PIXELS = 250_000
"""Larger inputs are set up anew each time: what stays set up stays in memory."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """What counts as a face."""

    min_face_share: float = 0.06
    """Smallest face searched for, as a share of the picture's short side, in (0, 1]. A second look goes below it."""
    pnet_threshold: float = 0.6
    """Least probability in [0, 1] of a proposal of P-Net."""
    rnet_threshold: float = 0.7
    """The same for R-Net."""
    onet_threshold: float = 0.8
    """The same for O-Net, and so of a `Face`."""

    def __post_init__(self) -> None:
        if not 0 < self.min_face_share <= 1:
            raise ValueError(f"`min_face_share` is a share in (0, 1]. Received: {self.min_face_share}.")


class FaceFinder:
    """Finds faces and their landmarks.

    One instance serves one thread: LiteRT interpreters are not thread-safe.

    Args:
        networks: The bytes of `pnet.tflite`, `rnet.tflite` and `onet.tflite`.
        settings: Smallest face and thresholds.
        threads: Number of threads a network may use.

    Raises:
        ValueError: If a network is absent.
    """

    def __init__(self, networks: Mapping[str, bytes], settings: FaceSettings | None = None, threads: int = 2) -> None:
        absent = {PNET, RNET, ONET} - set(networks)
        if absent:
            raise ValueError(f"The cascade needs three networks. Missing: {', '.join(sorted(absent))}.")
        self.settings = settings or FaceSettings()
        self._pnet = _Network(networks[PNET], threads, ("box", "probability"))
        self._rnet = _Network(networks[RNET], threads, ("box", "probability"))
        self._onet = _Network(networks[ONET], threads, ("box", "landmarks", "probability"))

    def find(self, frames: Sequence[Frame], *, min_face_share: float | None = None) -> list[list[Face]]:
        """Faces of each frame, the largest first.

        Args:
            frames: RGB uint8 frames of any sizes.
            min_face_share: Smallest face searched for instead of that of the settings; 0 for the smallest that can be.

        Returns:
            One list a frame, empty where no face was found.
        """
        images = [frame.image for frame in frames]
        share = self.settings.min_face_share if min_face_share is None else min_face_share
        proposals = [self._propose(image, share) for image in images]
        refined = self._refine(images, proposals)
        return [
            sorted(
                (
                    Face(
                        box_xyxy=(float(row[0]), float(row[1]), float(row[2]), float(row[3])),
                        landmarks=np.stack([row[5:10], row[10:15]], axis=1).astype(np.float32),
                        detector_score=float(row[4]),
                        frame_index=frame.index,
                    )
                    for row in rows
                ),
                key=lambda face: -face.size,
            )
            for frame, rows in zip(frames, self._place(images, refined), strict=True)
        ]

    def _propose(self, image: Image, min_face_share: float) -> Boxes:
        found = []
        for scale, level in pyramid(image, min_face_share):
            answer = self._pnet(_normalised(level)[None])
            rows = _grid_boxes(answer["box"][0], answer["probability"][0, ..., 1], self.settings.pnet_threshold)
            rows[:, :4] /= scale
            found.append(nms(rows, 0.5))
        rows = np.concatenate(found) if found else np.empty((0, 5))
        return _squared(nms(rows, 0.7))

    def _refine(self, images: Sequence[Image], proposals: Sequence[Boxes]) -> list[Boxes]:
        answer = self._rnet.in_parts(_patches(images, proposals, 24), 16)
        kept = []
        for rows, box, probability in _by_image(proposals, answer["box"], answer["probability"]):
            rows = _adjusted(rows, box, probability)
            rows = rows[rows[:, 4] > self.settings.rnet_threshold]
            kept.append(_squared(nms(rows, 0.7)))
        return kept

    def _place(self, images: Sequence[Image], proposals: Sequence[Boxes]) -> list[Boxes]:
        answer = self._onet.in_parts(_patches(images, proposals, 48), 4)
        placed = []
        for rows, box, marks, probability in _by_image(
            proposals, answer["box"], answer["landmarks"], answer["probability"]
        ):
            width, height = rows[:, 2:3] - rows[:, 0:1] + 1, rows[:, 3:4] - rows[:, 1:2] + 1
            marks_x = width * marks[:, :5] + rows[:, 0:1] - 1
            marks_y = height * marks[:, 5:] + rows[:, 1:2] - 1
            rows = np.concatenate([_adjusted(rows, box, probability), marks_x, marks_y], axis=1)
            rows = rows[rows[:, 4] > self.settings.onet_threshold]
            placed.append(nms(rows, 0.7, over="smaller"))
        return placed


def nms(rows: Boxes, limit: float, over: str = "union") -> Boxes:
    """Drops each row that overlaps one of a higher score by more than `limit`.

    As in the `mtcnn` package, a row that was itself dropped still drops others.

    Args:
        rows: Shape `(n, 5 or more)`: left, top, right, bottom, score, and anything else.
        limit: Greatest overlap in [0, 1] that is kept.
        over: `union` divides the shared area by the union, `smaller` by the smaller box.

    Returns:
        The kept rows, by falling score.

    Example:

    >>> nms(np.array([[0, 0, 9, 9, 0.8], [0, 0, 9, 9, 0.9]]), 0.5)
    array([[0. , 0. , 9. , 9. , 0.9]])
    """
    rows = rows[np.argsort(-rows[:, 4], kind="stable")][:MAX_PROPOSALS]
    dropped = [_overlapped(rows[: start + NMS_BLOCK], start, limit, over) for start in range(0, len(rows), NMS_BLOCK)]
    return rows[~np.concatenate(dropped)] if dropped else rows


def _overlapped(rows: Boxes, start: int, limit: float, over: str) -> npt.NDArray[np.bool_]:
    """Whether each row from `start` on overlaps one before it by more than `limit`."""
    left, top, right, bottom = rows[:, :4].T
    area = (right - left) * (bottom - top)
    width = np.minimum(right[:, None], right[start:]) - np.maximum(left[:, None], left[start:])
    height = np.minimum(bottom[:, None], bottom[start:]) - np.maximum(top[:, None], top[start:])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    whole = area[:, None] + area[start:] - shared if over == "union" else np.minimum(area[:, None], area[start:])
    return np.asarray(np.triu(shared > limit * whole, k=1 - start).any(axis=0))


class _Network:
    """One graph, ready for several input shapes; the outputs by name.

    Setting a graph up for a shape costs more than running it, so the shapes seen last stay set up: the levels of the
    pyramid of a video, or of a folder of pictures from one camera.
    """

    def __init__(self, graph: bytes, threads: int, outputs: tuple[str, ...]) -> None:
        self._graph, self._threads, self._outputs = graph, threads, outputs
        self._ready: OrderedDict[tuple[int, ...], Any] = OrderedDict()
        first = Interpreter(model_content=graph)
        found = first.get_signature_runner("serving_default").get_output_details()
        absent = set(outputs) - set(found)
        if absent:
            raise ValueError(f"A network of the cascade has no output {sorted(absent)}. It has {sorted(found)}.")
        self._indices = {name: found[name]["index"] for name in outputs}
        self._shapes = {name: tuple(found[name]["shape"][1:]) for name in outputs}

    def __call__(self, batch: Floats) -> dict[str, Floats]:
        """Runs a batch of any shape."""
        interpreter = self._ready.pop(batch.shape, None) or self._set_up(batch.shape)
        if batch[..., 0].size <= MAX_KEPT_PIXELS:
            self._ready[batch.shape] = interpreter
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in self._indices.items()}

    def in_parts(self, batch: Floats, size: int) -> dict[str, Floats]:
        """Runs a batch of any length, `size` at a time, so that there is one shape to set up."""
        empty = {name: np.empty((0, *shape), np.float32) for name, shape in self._shapes.items()}
        parts = [empty]
        for start in range(0, len(batch), size):
            part = batch[start : start + size]
            full = np.zeros((size, *batch.shape[1:]), np.float32)
            full[: len(part)] = part
            parts.append({name: value[: len(part)] for name, value in self(full).items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _set_up(self, shape: tuple[int, ...]) -> Any:
        while len(self._ready) >= SHAPES_KEPT:
            self._ready.popitem(last=False)
        interpreter = Interpreter(model_content=self._graph, num_threads=self._threads)
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], shape)
        with quiet():
            interpreter.allocate_tensors()
        return interpreter


def _normalised(image: Image) -> Floats:
    return (image.astype(np.float32, copy=False) - 127.5) / 128


def _grid_boxes(offsets: Floats, probability: Floats, threshold: float) -> Boxes:
    y, x = np.nonzero(probability > threshold)
    corner = np.stack([x, y, x, y], axis=1) * STRIDE + np.array([1, 1, CELL, CELL])
    boxes = corner + offsets[y, x].astype(np.float64) * (CELL - 1)
    return np.concatenate([boxes, probability[y, x, None]], axis=1)


def _squared(rows: Boxes) -> Boxes:
    width, height = rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1]
    side = np.maximum(width, height)
    squared = rows.copy()
    squared[:, 0] += (width - side) / 2
    squared[:, 1] += (height - side) / 2
    squared[:, 2:4] = squared[:, 0:2] + side[:, None]
    return squared


def _adjusted(rows: Boxes, offsets: Floats, probability: Floats) -> Boxes:
    width, height = rows[:, 2] - rows[:, 0] + 1, rows[:, 3] - rows[:, 1] + 1
    boxes = rows[:, :4] + offsets * np.stack([width, height, width, height], axis=1)
    return np.concatenate([boxes, probability[:, 1:2]], axis=1)


def _patches(images: Sequence[Image], proposals: Sequence[Boxes], side: int) -> Floats:
    """Bilinear samples of each box, corners on corners, as `tf.image.crop_and_resize` takes them."""
    patches = [
        cv2.warpAffine(
            image,
            np.array([[step_x, 0, left], [0, step_y, top]]),
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(128, 128, 128),
        )
        for image, rows in zip(images, proposals, strict=True)
        for left, top, step_x, step_y in _sampling(rows, image.shape[0], image.shape[1], side)
    ]
    return _normalised(np.stack(patches)) if patches else np.empty((0, side, side, 3), np.float32)


def _sampling(rows: Boxes, height: int, width: int, side: int) -> Boxes:
    shrink = np.array([(width - 1) / width, (height - 1) / height])
    corner = rows[:, :2] * shrink
    return np.concatenate([corner, (rows[:, 2:4] - rows[:, :2]) * shrink / (side - 1)], axis=1)


def _by_image(proposals: Sequence[Boxes], *answers: Floats) -> Iterator[tuple[Any, ...]]:
    start = 0
    for rows in proposals:
        yield rows, *(answer[start : start + len(rows)] for answer in answers)
        start += len(rows)
