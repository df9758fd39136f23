"""Verdict -> what a person keeps: JSON, an annotated picture or clip, a timeline."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from deepfake.faces.crops import sample_square
from deepfake.media import Opener, open_media
from deepfake.media.encode import encode_clip
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.records import Frame, Image, Label, Note, Score, Verdict
from deepfake.report.drawing import LABEL_COLOURS, draw_label, jpeg
from deepfake.report.error_rates import rates_as_dict
from deepfake.report.heatmap import Span, overlay_crop, overlay_frame, span_of_all, timeline
from deepfake.report.words import face_label
from deepfake.system.files import write_bytes

MAX_STEM_BYTES = 200
"""Longest beginning of the name of a file that is written."""


def as_values(verdict: Verdict, name: str | None = None, model: Path = DEFAULT_MODEL) -> dict[str, Any]:
    """The verdict as plain values, with `error_rates`: how often the model errs on files like this one.

    Args:
        verdict: The answer.
        name: Stands in the place of the path, if given.
        model: Folder of the bundle that answered; of another, `error_rates` is None.

    Raises:
        BundleError: If the measures of the bundle cannot be read.
    """
    path = verdict.path if name is None else name
    return {**verdict.as_dict(), "path": path, "error_rates": rates_as_dict(verdict, model)}


def to_json(verdict: Verdict, name: str | None = None, model: Path = DEFAULT_MODEL) -> str:
    """What `as_values` answers as one line of JSON, which `detect --json` prints."""
    line = json.dumps(as_values(verdict, name, model), ensure_ascii=False)
    # What of a file's name is no text can be escaped in JSON, but not encoded.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def file_stem(name: str) -> str:
    """A file's name, cut where it would leave no room for an ending: file systems allow 255 bytes."""
    encoded = name.encode("utf-8", "replace")
    return name if len(encoded) <= MAX_STEM_BYTES else encoded[:MAX_STEM_BYTES].decode("utf-8", "ignore")


def annotate(image: Image, scores: Sequence[Score], verdict: Verdict, opacity: float = 0.5) -> Image:
    """A frame with its heat maps, and each face boxed and labelled with its number, answer and p_fake.

    The map of a face in a picture is drawn in its own range; those of a video share one, so that a frame that says
    little looks so beside one that says much.
    """
    span = span_of_all(verdict.scores) if verdict.kind == "video" else None
    return annotated_faces(image, scores, [face_label(score, verdict) for score in scores], opacity, span)


def annotated_faces(
    image: Image, scores: Sequence[Score], labels: Sequence[Label], opacity: float = 0.5, span: Span | None = None
) -> Image:
    """As `annotate`, of a frame without a verdict, with the answer about each face; `span` as for `heat_map`."""
    canvas = np.ascontiguousarray(overlay_frame(image, scores, opacity, span))
    thickness = max(1, round(min(image.shape[:2]) / 300))
    for score, label in zip(scores, labels, strict=True):
        colour = LABEL_COLOURS[label]
        left, top, right, bottom = (round(edge) for edge in score.face.box_xyxy)
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, thickness)
        draw_label(canvas, f"{(score.face.track or 0) + 1}: {label} {score.p_fake:.2f}", (left, top), colour, thickness)
    return canvas


def scored_frames(verdict: Verdict, opener: Opener = open_media) -> Iterator[tuple[Frame, list[Score]]]:
    """Reads the file again and yields each sampled frame with its scores; one frame in memory at a time.

    Args:
        verdict: Of a file that is still there.
        opener: What opens it.

    Raises:
        MediaError: If the file can no longer be read.
    """
    by_frame = defaultdict(list)
    for score in verdict.scores:
        by_frame[score.face.frame_index].append(score)
    with closing(opener(verdict.path, verdict.sampling)) as media:
        for frame in media:
            yield frame, by_frame[frame.index]


def annotated_frames(
    verdict: Verdict, opacity: float = 0.5, opener: Opener = open_media
) -> Iterator[tuple[Frame, list[Score]]]:
    """As `scored_frames`, with the heat maps, boxes and numbers drawn on each frame.

    Raises:
        MediaError: As `scored_frames`.
    """
    for frame, own in scored_frames(verdict, opener):
        yield Frame(annotate(frame.image, own, verdict, opacity), frame.index, frame.time), own


def suspicious_frames(verdict: Verdict, count: int) -> list[int]:
    """Indices of the frames with the most suspicious faces, the most suspicious first."""
    worst: dict[int, float] = {}
    for score in verdict.scores:
        index = score.face.frame_index
        worst[index] = max(worst.get(index, 0.0), score.p_fake)
    return sorted(worst, key=lambda index: (-worst[index], index))[:count]


def face_pictures(image: Image, scores: Sequence[Score], size: int = 224) -> list[tuple[Image, Image]]:
    """Each face as the network saw it, plain and with its heat map.

    Args:
        image: The frame that was scored, RGB uint8.
        scores: Its scores.
        size: Side of the pictures in pixels.
    """
    crops = [sample_square(image, score.to_frame, size) for score in scores]
    return [(crop, overlay_crop(crop, score.evidence)) for crop, score in zip(crops, scores, strict=True)]


def write_report(verdict: Verdict, directory: Path, model: Path = DEFAULT_MODEL) -> list[Path]:
    """Writes the annotated picture, each of its pages, or the annotated clip and its timeline, and the verdict as JSON.

    Names begin with the file's whole name, so that `a.jpg` and `a.png` do not collide; a name that is taken gets
    a number. Each file appears whole or not at all.

    Args:
        verdict: Of a file that is still there.
        directory: Made if absent.
        model: As for `as_values`.

    Returns:
        The paths that were written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stem = _free_stem(directory, Path(verdict.path).name)
    written = [write_bytes(directory / f"{stem}.json", to_json(verdict, model=model).encode() + b"\n")]
    if verdict.kind == "picture":
        for frame, _ in annotated_frames(verdict):
            page = f".page-{frame.index + 1}" if Note.PAGES in verdict.notes else ""
            written.append(write_bytes(directory / f"{stem}{page}.annotated.jpg", jpeg(frame.image, 92)))
        return written
    written.append(write_clip(verdict, directory / f"{stem}.annotated.mp4"))
    if verdict.scores:
        written.append(write_bytes(directory / f"{stem}.timeline.png", timeline(verdict)))
    return written


def write_clip(verdict: Verdict, path: Path) -> Path:
    """Writes the sampled frames of a video, annotated, as an H.264 MP4 that browsers play."""
    return encode_clip((frame for frame, _ in annotated_frames(verdict)), path)


def _free_stem(directory: Path, name: str) -> str:
    first = stem = file_stem(name)
    number = 2
    while (directory / f"{stem}.json").exists():
        stem, number = f"{first}-{number}", number + 1
    return stem
