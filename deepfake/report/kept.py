"""What is kept of a file's pixels while it is judged: from it evidence is drawn, and the file is not read again."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepfake.faces.crops import sample_square
from deepfake.media import Opener
from deepfake.media.encode import MAX_CLIP_SIDE
from deepfake.records import Frame, Image, Score, Verdict
from deepfake.report.drawing import shrunk
from deepfake.report.files import scored_frames, suspicious_frames

FACE_SIDE = 224
"""Side in pixels of a face that is kept apart from its frame."""


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A frame, and the scores of its faces in its own pixels."""

    frame: Frame
    scores: tuple[Score, ...]


class Keeper:
    """Keeps the page of a picture with the most suspicious face; of a video, small frames and each person's worst face.

    Args:
        kind: What the file is: `picture` or `video`.
        only: Indices of the frames of a video to keep; None for all.

    Example:

    >>> from deepfake.pipeline import Detector
    >>> keeper, analysis = Keeper("picture"), Detector().analyse("examples/portrait.jpg")
    >>> for step in analysis:
    ...     keeper.keep(step.frame, step.scores)
    >>> keeper.worst_page.frame.image.shape
    (512, 512, 3)
    """

    def __init__(self, kind: str, only: Container[int] | None = None) -> None:
        self.frames: list[KeptFrame] = []
        """In order of time; of a picture, one page."""
        self.faces: dict[int, tuple[Image, Score, float]] = {}
        """Of a video, by the number of the track: its worst face, the score on it, and when it was seen in seconds."""
        self._kind = kind
        self._only = only

    @property
    def worst_page(self) -> KeptFrame:
        """The page of a picture with the most suspicious face, or the first."""
        return self.frames[0]

    def keep(self, frame: Frame, scores: Sequence[Score]) -> None:
        """Keeps of one frame what will be drawn.

        Args:
            frame: The next one.
            scores: Of its faces.
        """
        if self._kind == "picture":
            if not self.frames or _highest(scores) > _highest(self.worst_page.scores):
                self.frames = [KeptFrame(frame, tuple(scores))]
            return
        if self._only is None or frame.index in self._only:
            self.frames.append(_smaller(frame, scores))
        for score in scores:
            track = score.face.track or 0
            if track not in self.faces or score.p_fake >= self.faces[track][1].p_fake:
                self.faces[track] = (*_cut_out(frame.image, score), frame.time_s)


def keep_again(verdict: Verdict, opener: Opener, count: int) -> Keeper:
    """Reads the file of a verdict once more, for what there was no keeper at the time.

    Args:
        verdict: Of a file that is still there.
        opener: What opens it.
        count: How many frames of a video to keep: the most suspicious.

    Raises:
        MediaError: If the file can no longer be read.
    """
    keeper = Keeper(verdict.kind, suspicious_frames(verdict, count))
    for frame, scores in scored_frames(verdict, opener):
        keeper.keep(frame, scores)
    return keeper


def _highest(scores: Sequence[Score]) -> float:
    return max((score.p_fake for score in scores), default=-1.0)


def _smaller(frame: Frame, scores: Sequence[Score]) -> KeptFrame:
    """The frame no larger than a clip is, and the scores where they then lie."""
    image = shrunk(frame.image, MAX_CLIP_SIDE)
    factors = np.array(image.shape[1::-1]) / frame.image.shape[1::-1]
    return KeptFrame(Frame(image, frame.index, frame.time), tuple(_scaled(score, *factors) for score in scores))


def _scaled(score: Score, x: float, y: float) -> Score:
    """The score on its frame after that was stretched by these factors."""
    left, top, right, bottom = score.face.box_xyxy
    landmarks = score.face.landmarks * np.array([x, y], np.float32)
    face = replace(score.face, box_xyxy=(left * x, top * y, right * x, bottom * y), landmarks=landmarks)
    return replace(score, face=face, to_frame=score.to_frame * np.array([[x], [y]], np.float32))


def _cut_out(image: Image, score: Score) -> tuple[Image, Score]:
    """The square that was scored, alone, and the score with its map laid on that."""
    whole = np.array([[FACE_SIDE, 0, 0], [0, FACE_SIDE, 0]], np.float32)
    return sample_square(image, score.to_frame, FACE_SIDE), replace(score, to_frame=whole)
