"""Verdict -> what a person keeps: JSON, an annotated picture or clip, a timeline."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
import cv2
import numpy as np

from deepfake.faces.crops import sample_square
from deepfake.media import Opener, open_media
from deepfake.records import Frame, Image, Label, Score, Verdict
from deepfake.report.heatmap import LABEL_COLOURS, jpeg, overlay_crop, overlay_frame, timeline
from deepfake.system.files import replacing, write_bytes
from deepfake.system.text import one_line
from deepfake.verdict import judge

MAX_CLIP_SIDE = 1280
"""Annotated clips are shrunk to this longer side: they are to be looked at, not measured again."""
ICONS = {Label.REAL: "✔", Label.FAKE: "⚠", Label.INCONCLUSIVE: "?"}
WORDS = {Label.REAL: "Looks real", Label.FAKE: "Looks fake", Label.INCONCLUSIVE: "Inconclusive"}
REASONS = {
    "no_face": "no face found",
    "face_too_small": "faces too small",
    "too_few_frames": "too few frames",
    "uncertain": "uncertain",
}
"""Each reason for an inconclusive answer, in words."""
PART_FRAMES = 5
"""Frames in a row that make a part of a video suspicious."""
MAX_NAME = 80
"""Longest name that is shown; the middle of longer ones is left out."""
MAX_STEM_BYTES = 200
"""Longest beginning of the name of a file that is written."""
_TIME_BASE = Fraction(1, 90000)


def to_json(verdict: Verdict, name: str | None = None) -> str:
    """The verdict as one line of JSON; with a `name`, that stands in the place of the path."""
    values = verdict.as_dict()
    line = json.dumps(values if name is None else {**values, "path": name}, ensure_ascii=False)
    # What of a file's name is no text can be escaped in JSON, but not encoded.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def sentence(verdict: Verdict) -> str:
    """The answer in words, and what it does not say.

    It says "looks like", never "is": the network measures traces, and traces can be faked, too.
    """
    part = suspicious_part(verdict) if verdict.kind == "video" and verdict.label is not Label.FAKE else None
    if part:
        number, start_s, end_s = part
        return (
            f"From {start_s:.1f} s to {end_s:.1f} s face {number + 1} looks manipulated or generated; over the whole "
            "time the traces do not speak clearly for fake. Look at that part."
        )
    if verdict.label is Label.INCONCLUSIVE:
        return {
            "no_face": "No face was found, so there is nothing to judge.",
            "face_too_small": "The faces are too small to judge. Try a larger picture.",
            "too_few_frames": "Nobody is seen in enough frames to judge. Try more frames, or a longer clip.",
            "uncertain": "The traces speak neither clearly for real nor clearly for fake.",
        }[str(verdict.reason)]
    persons = "The face" if len(verdict.tracks) == 1 else "The most suspicious face"
    if verdict.label is Label.FAKE:
        return f"{persons} looks manipulated or generated."
    return f"{persons} looks real. That is no proof: a new kind of fake may leave no trace that this model knows."


def suspicious_part(verdict: Verdict) -> tuple[int, float, float] | None:
    """The longest time through which each frame of one person looks fake: its number, begin and end in seconds.

    None if there are not `PART_FRAMES` such frames in a row: a mean over a whole video hides a part, but a frame or two
    say nothing.
    """
    by_track: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for score in verdict.scores:
        looks_fake = score.p_fake >= verdict.face_thresholds.fake_above
        by_track[score.face.track or 0].append((verdict.times[score.face.frame_index], looks_fake))
    best: tuple[int, float, float] | None = None
    longest = PART_FRAMES - 1
    for number, points in sorted(by_track.items()):
        for looks_fake, group in groupby(sorted(points), key=lambda point: point[1]):
            times = [time_s for time_s, _ in group]
            if looks_fake and len(times) > longest:
                best, longest = (number, times[0], times[-1]), len(times)
    return best


def advice(verdict: Verdict) -> str:
    """What could change the answer, in words."""
    if verdict.label is Label.FAKE:
        return "the original file, if this is a copy: filters, retouching and repeated compression leave traces, too."
    moment = " or another moment of the video" if verdict.kind == "video" else ""
    if verdict.label is Label.REAL:
        return f"a copy of better quality{moment}; a kind of fake that this model has not learned may look real, too."
    return {
        "no_face": "a picture in which a face is seen from the front and not covered.",
        "face_too_small": "a larger picture, or a cut-out of the face from the original.",
        "too_few_frames": "a longer clip, or more frames.",
        "uncertain": f"a copy of better quality, closer to the original{moment}.",
    }[str(verdict.reason)]


def shown_name(name: str, limit: int = MAX_NAME) -> str:
    """A file's name as it may be shown: one line, no folders, no invisible characters, not endless.

    Example:

    >>> shown_name("../a\\nb\\u202egpj.exe")
    'a b gpj.exe'
    """
    return one_line(re.split(r"[/\\]", name.rstrip("/\\"))[-1], limit) or "file"


def file_stem(name: str) -> str:
    """A file's name, cut where it would leave no room for an ending: file systems allow 255 bytes."""
    encoded = name.encode("utf-8", "replace")
    return name if len(encoded) <= MAX_STEM_BYTES else encoded[:MAX_STEM_BYTES].decode("utf-8", "ignore")


def annotate(image: Image, scores: Sequence[Score], verdict: Verdict, opacity: float = 0.5) -> Image:
    """A frame with its heat maps, and each face boxed and labelled with its number, answer and p_fake."""
    canvas = np.ascontiguousarray(overlay_frame(image, scores, opacity))
    thickness = max(1, round(min(image.shape[:2]) / 300))
    for score in scores:
        label = judge(score.p_fake, verdict.face_thresholds)
        colour = LABEL_COLOURS[label]
        left, top, right, bottom = (round(edge) for edge in score.face.box_xyxy)
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, thickness)
        _write(canvas, f"{(score.face.track or 0) + 1}: {label} {score.p_fake:.2f}", (left, top), colour, thickness)
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
    for frame in opener(verdict.path, verdict.sampling):
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


def write_report(verdict: Verdict, directory: Path) -> list[Path]:
    """Writes the annotated picture, or the annotated clip and its timeline, and the verdict as JSON.

    Names begin with the file's whole name, so that `a.jpg` and `a.png` do not collide; a name that is taken gets
    a number. Each file appears whole or not at all.

    Args:
        verdict: Of a file that is still there.
        directory: Made if absent.

    Returns:
        The paths that were written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stem = _free_stem(directory, Path(verdict.path).name)
    written = [write_bytes(directory / f"{stem}.json", to_json(verdict).encode() + b"\n")]
    if verdict.kind == "picture":
        (image,) = (frame.image for frame, _ in annotated_frames(verdict))
        written.append(write_bytes(directory / f"{stem}.annotated.jpg", jpeg(image, 92)))
        return written
    written.append(write_clip(verdict, directory / f"{stem}.annotated.mp4"))
    if verdict.scores:
        written.append(write_bytes(directory / f"{stem}.timeline.png", timeline(verdict)))
    return written


def write_clip(verdict: Verdict, path: Path) -> Path:
    """Writes the sampled frames of a video, annotated, as an H.264 MP4 that browsers play."""
    return encode_clip((frame for frame, _ in annotated_frames(verdict)), path)


def encode_clip(frames: Iterable[Frame], path: Path) -> Path:
    """Writes frames as an H.264 MP4; each stands until the next, so the clip lasts as long as what was searched."""
    with (
        replacing(path) as scratch,
        av.open(str(scratch), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream = None
        for frame in frames:
            image = _even(frame.image)
            if stream is None:
                stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "20"})
                stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
                stream.time_base = stream.codec_context.time_base = _TIME_BASE
            shown = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            shown.pts, shown.time_base = int(frame.time / _TIME_BASE), _TIME_BASE
            container.mux(stream.encode(shown))
        if stream is not None:
            container.mux(stream.encode(None))
    return path


def _even(image: Image) -> Image:
    scale = min(1.0, MAX_CLIP_SIDE / max(image.shape[:2]))
    width, height = (max(2, 2 * round(side * scale / 2)) for side in (image.shape[1], image.shape[0]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _write(canvas: Image, text: str, corner: tuple[int, int], colour: tuple[int, int, int], thickness: int) -> None:
    scale = 0.4 + 0.15 * thickness
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    left = min(max(corner[0], 0), max(canvas.shape[1] - width - 4, 0))
    bottom = corner[1] - base if corner[1] - height - 2 * base >= 0 else corner[1] + height + 2 * base
    cv2.rectangle(canvas, (left, bottom - height - base), (left + width + 4, bottom + base), colour, -1)
    cv2.putText(
        canvas, text, (left + 2, bottom), cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), thickness, cv2.LINE_AA
    )


def _free_stem(directory: Path, name: str) -> str:
    first = stem = file_stem(name)
    number = 2
    while (directory / f"{stem}.json").exists():
        stem, number = f"{first}-{number}", number + 1
    return stem
