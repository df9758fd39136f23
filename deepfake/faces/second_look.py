"""Where no face is found: the picture turned, then smaller faces.

A photo without its EXIF may lie on its side or stand on its head, and in a crowd every face is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from deepfake.faces.mtcnn import FaceFinder
from deepfake.records import Face, Frame, Note

LEAST_SCORE = 0.95
"""Least O-Net probability of a face that is found by a second look: the more is looked for, the more looks like it."""
SURE_SCORE = 0.995
"""Least O-Net probability that settles how a picture lies: a face on its side may be taken for a worse one upright."""
PROBED_PIXELS = 3_000_000
"""Most pixels of a picture that is turned to see whether it shows a face then."""
_VIEWS: tuple[tuple[int, float | None, Note], ...] = (
    (1, None, Note.TURNED),
    (3, None, Note.TURNED),
    (2, None, Note.TURNED),
    (0, 0.0, Note.SMALL_FACES),
)
"""Quarter turns, the smallest face, and what is said of it, in the order in which they are tried."""


class SecondLook:
    """Finds the faces of the frames of one file.

    Until a face is surely found, each batch without one is looked at again, by one of its frames; what shows a face
    then is kept to for the rest of the file.

    Args:
        finder: What finds faces upright, of the usual size.
        min_face_share: The smallest face of the first look; None for that of the finder's settings.
    """

    def __init__(self, finder: FaceFinder, min_face_share: float | None = None) -> None:
        self.notes: tuple[Note, ...] = ()
        self._finder = finder
        self._usual = min_face_share
        self._is_found = False
        self._turns = 0
        self._min_face_share = self._usual

    def find(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """As `FaceFinder.find`, the faces in pixels of the frames as they are, turned or not."""
        found = self._seen(frames)
        self._is_found = self._is_found or _best(found) >= SURE_SCORE
        if self._is_found or not frames:
            return found
        seen, probe = any(found), frames[len(frames) // 2]
        for turns, min_face_share, note in _VIEWS:
            if seen and note is Note.SMALL_FACES:
                break
            self._turns, self.notes = turns, (note,)
            self._min_face_share = self._usual if min_face_share is None else min_face_share
            # A face of the usual size is as well seen in a smaller picture, which is turned sooner.
            seen_first = probe if note is Note.SMALL_FACES else _shrunk(probe)
            if _best(self._seen([seen_first])) >= (SURE_SCORE if seen else LEAST_SCORE):
                self._is_found = True
                return self._seen(frames)
        self._turns, self._min_face_share, self.notes = 0, self._usual, ()
        self._is_found = seen
        return found

    def _seen(self, frames: Sequence[Frame]) -> list[list[Face]]:
        turned = [
            replace(frame, image=np.ascontiguousarray(np.rot90(frame.image, self._turns))) if self._turns else frame
            for frame in frames
        ]
        found = self._finder.find(turned, min_face_share=self._min_face_share)
        if not self.notes:
            return found
        return [
            [turned_back(face, self._turns, frame.image.shape) for face in faces if face.detector_score >= LEAST_SCORE]
            for frame, faces in zip(frames, found, strict=True)
        ]


def _shrunk(frame: Frame) -> Frame:
    height, width = frame.image.shape[:2]
    scale = math.sqrt(PROBED_PIXELS / (height * width))
    if scale >= 1:
        return frame
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return replace(frame, image=cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))


def _best(found: Sequence[Sequence[Face]]) -> float:
    return max((face.detector_score for faces in found for face in faces), default=0.0)


def turned_back(face: Face, turns: int, shape: tuple[int, ...]) -> Face:
    """A face that was found in a picture turned by `numpy.rot90`, in pixels of the picture before.

    Args:
        face: The face.
        turns: Quarter turns, anticlockwise.
        shape: Of the picture before, height and width first.

    Example:

    >>> face = Face((0.0, 0.0, 2.0, 3.0), np.zeros((5, 2), np.float32), 1.0)
    >>> turned_back(face, 1, (10, 20)).box_xyxy
    (17.0, 0.0, 20.0, 2.0)
    """
    height, width = shape[:2]
    left, top, right, bottom = face.box_xyxy
    points = np.array([(left, top), (right, bottom), *face.landmarks], np.float64)
    x, y = points.T
    x, y = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turns % 4]
    box = (float(min(x[:2])), float(min(y[:2])), float(max(x[:2])), float(max(y[:2])))
    return replace(face, box_xyxy=box, landmarks=np.stack([x[2:], y[2:]], axis=1).astype(np.float32))
