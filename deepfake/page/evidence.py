"""What is drawn of a video that was judged: its frames, the clip, and the faces and frames that matter most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfake.media.encode import encode_clip
from deepfake.media.isolated import open_isolated
from deepfake.records import Frame, Image, Score, Verdict
from deepfake.report.drawing import jpeg
from deepfake.report.files import annotate, scored_frames, suspicious_frames

GALLERY_FRAMES = 6
"""Suspicious frames that are shown."""


@dataclass(frozen=True, slots=True)
class VideoEvidence:
    """The evidence of one video, in files and in memory."""

    clip: Path
    """The annotated clip."""
    gallery: list[tuple[str, str]]
    """File and caption of the most suspicious frames, the most suspicious first."""
    faces: list[tuple[Image, Score, str]]
    """The most suspicious face of each person: its frame, its score, and when it was seen."""


def draw_evidence(verdict: Verdict, folder: Path) -> VideoEvidence:
    """Draws a video's evidence, reading it once more.

    Args:
        verdict: Of a video that is still there.
        folder: Where each annotated frame is written, see `frame_file`, and the clip.

    Raises:
        MediaError: If the video can no longer be read.
    """
    chosen = suspicious_frames(verdict, GALLERY_FRAMES)
    best = {score.face.track: score for score in sorted(verdict.scores, key=lambda score: score.p_fake)}
    faces: dict[int, tuple[Image, Score, str]] = {}
    gallery: dict[int, tuple[str, str]] = {}

    def drawn() -> Iterator[Frame]:
        for frame, scores in scored_frames(verdict, open_isolated):
            marked = annotate(frame.image, scores, verdict)
            file = _path_of(folder, frame.index)
            file.write_bytes(jpeg(marked, 92))
            if frame.index in chosen:
                high = max(score.p_fake for score in scores)
                gallery[frame.index] = (str(file), f"{frame.time_s:.2f} s: p_fake {high:.2f}")
            for score in scores:
                if best[score.face.track] is score:
                    faces[score.face.track or 0] = (frame.image, score, f" at {frame.time_s:.2f} s")
            yield Frame(marked, frame.index, frame.time)

    clip = encode_clip(drawn(), folder / "annotated.mp4")
    return VideoEvidence(
        clip,
        [gallery[index] for index in chosen if index in gallery],
        [faces[track.number] for track in verdict.tracks if track.number in faces],
    )


def frame_file(folder: Path, index: int) -> str | None:
    """The annotated frame of that index; None if there is none."""
    file = _path_of(folder, index)
    return str(file) if file.exists() else None


def _path_of(folder: Path, index: int) -> Path:
    return folder / f"frame-{index:04d}.jpg"
