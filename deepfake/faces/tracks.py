"""Faces over time -> the same Faces with a track number: one number a person.

A face continues the track whose last box it overlaps, or lies near with about the same size. A cut ends all
tracks: what follows is another picture, and position says nothing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from deepfake.records import Face, Floats, Image

MAX_MISSED = 3
"""A track that was not seen in so many frames in a row has ended."""
MAX_SIZE_RATIO = 1.6
"""Faces of one person in neighbouring samples differ less than this in size."""
MAX_DISTANCE = 0.6
"""Over the face's size: how far a face may move between samples where its boxes do not overlap."""
CUT_CORRELATION = 0.4
"""Colour histograms of two samples that correlate less show different scenes."""


@dataclass(frozen=True, slots=True)
class _Track:
    number: int
    face: Face
    missed: int = 0


class Tracker:
    """Numbers the faces of one clip; frames must arrive in order of time.

    Example:

    >>> face = Face((0.0, 0.0, 9.0, 9.0), np.zeros((5, 2), np.float32), 1.0)
    >>> tracker = Tracker()
    >>> [tracker.follow(np.zeros((9, 9, 3), np.uint8), [face])[0].track for _ in range(2)]
    [0, 0]
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._count = 0
        self._colours: Floats | None = None

    def cut(self) -> None:
        """Ends all tracks: what follows is another picture."""
        self._tracks = []

    def follow(self, image: Image, faces: Sequence[Face]) -> list[Face]:
        """Returns the faces of the next frame, in the same order, each with its track number.

        Args:
            image: The frame, RGB uint8: it tells a cut.
            faces: Its faces.
        """
        colours = colour_histogram(image)
        if self._colours is not None and is_cut(self._colours, colours):
            self.cut()
        self._colours = colours

        pairs = sorted(
            (
                (affinity(track.face, face), place, slot)
                for place, track in enumerate(self._tracks)
                for slot, face in enumerate(faces)
            ),
            reverse=True,
        )
        continued: dict[int, int] = {}
        for likeness, place, slot in pairs:
            if likeness > 0 and place not in continued.values() and slot not in continued:
                continued[slot] = place
        numbered = []
        for slot, face in enumerate(faces):
            if slot in continued:
                number = self._tracks[continued[slot]].number
            else:
                number, self._count = self._count, self._count + 1
            numbered.append(replace(face, track=number))
        lost = [track for place, track in enumerate(self._tracks) if place not in continued.values()]
        self._tracks = [_Track(face.track or 0, face) for face in numbered]
        self._tracks += [replace(t, missed=t.missed + 1) for t in lost if t.missed < MAX_MISSED]
        return numbered


def affinity(before: Face, after: Face) -> float:
    """How well a face continues another: 0 for not at all, at most 2.

    Overlapping boxes score 1 plus their intersection over union; boxes that are merely near score less than 1.
    """
    ratio = max(before.size, after.size) / max(min(before.size, after.size), 1e-6)
    if ratio > MAX_SIZE_RATIO:
        return 0.0
    overlap = box_overlap(before.box_xyxy, after.box_xyxy)
    if overlap > 0:
        return 1.0 + overlap
    (l0, t0, r0, b0), (l1, t1, r1, b1) = before.box_xyxy, after.box_xyxy
    gap = np.hypot(max(l0 - r1, l1 - r0, 0.0), max(t0 - b1, t1 - b0, 0.0)) / max(before.size, after.size)
    return float(max(0.0, 1.0 - gap / MAX_DISTANCE))


def box_overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes, in [0, 1].

    Example:

    >>> box_overlap((0, 0, 2, 2), (0, 0, 2, 1))
    0.5
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def colour_histogram(image: Image) -> Floats:
    """A coarse colour histogram, shape `(512,)`: what a scene looks like, wherever things stand in it."""
    # Every pixel of a large frame says no more about its colours than 16 of each 64 by 64 part.
    coarse = cv2.resize(image, (256, 256), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_AREA)
    histogram = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return np.asarray(cv2.GaussianBlur(histogram.reshape(8, 64), (3, 1), 0).ravel(), np.float32)


def is_cut(before: Floats, after: Floats) -> bool:
    """Whether two colour histograms belong to different scenes."""
    if np.array_equal(before, after):
        return False
    return bool(cv2.compareHist(before, after, cv2.HISTCMP_CORREL) < CUT_CORRELATION)
