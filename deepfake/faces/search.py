"""Frames -> the same Frames with their Faces, searched in batches: that is faster, and large frames make small ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from deepfake.records import Face, Frame

BATCH = 8
"""Most frames that are searched together."""
HELD_PIXELS = 25_000_000
"""A batch that holds more pixels is full, whatever their number: all of a batch is in memory at once."""
Find = Callable[[Sequence[Frame]], list[list[Face]]]
"""What finds the faces of each frame of a batch: `FaceFinder.find`."""


def find_faces(frames: Iterable[Frame], find: Find) -> Iterator[tuple[Frame, list[Face]]]:
    """Each frame with its faces, in order.

    Frames are read as they are needed: at most `HELD_PIXELS` and one frame more are held at any time, beside what the
    caller keeps.

    Args:
        frames: Of any sizes.
        find: What finds the faces.

    Example:

    >>> from deepfake.media import open_media
    >>> frames = open_media("examples/no_face.jpg")
    >>> [(frame.index, faces) for frame, faces in find_faces(frames, lambda batch: [[] for _ in batch])]
    [(0, [])]
    """
    reader = iter(frames)
    while batch := _next_batch(reader):
        for faces in find(batch):
            yield batch.pop(0), faces


def _next_batch(frames: Iterator[Frame]) -> list[Frame]:
    batch: list[Frame] = []
    held = 0
    for frame in frames:
        batch.append(frame)
        held += frame.image.shape[0] * frame.image.shape[1]
        if len(batch) == BATCH or held > HELD_PIXELS:
            break
    return batch
