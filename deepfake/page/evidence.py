"""What is drawn of a video that was judged: the clip, and the faces and moments that matter most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfake.media.encode import encode_clip
from deepfake.media.isolated import open_isolated
from deepfake.records import Frame, Image, Score, Verdict
from deepfake.report.drawing import shrunk
from deepfake.report.files import annotate, scored_frames, suspicious_frames

MOMENTS = 6
"""Suspicious frames that are shown."""
MOMENT_SIDE = 360
"""Their longer side in pixels."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame that is worth a look."""

    image: Image
    """RGB uint8, annotated and small."""
    time_s: float
    """When it is shown, in seconds."""
    p_fake: float
    """Of its most suspicious face."""


@dataclass(frozen=True, slots=True)
class VideoEvidence:
    """The evidence of one video, in files and in memory."""

    clip: Path
    """The annotated clip."""
    moments: list[Moment]
    """The most suspicious frames, in order of time."""
    faces: list[tuple[Image, Score, float]]
    """The most suspicious face of each person: its frame, its score, and when it was seen in seconds."""

    @property
    def worst(self) -> Image | None:
        """The most suspicious moment; None where no face was scored."""
        return max(self.moments, key=lambda moment: moment.p_fake).image if self.moments else None


def draw_evidence(verdict: Verdict, folder: Path) -> VideoEvidence:
    """Draws a video's evidence, reading it once more.

    Args:
        verdict: Of a video that is still there.
        folder: Where the clip is written.

    Raises:
        MediaError: If the video can no longer be read.
    """
    chosen = suspicious_frames(verdict, MOMENTS)
    best = {score.face.track: score for score in sorted(verdict.scores, key=lambda score: score.p_fake)}
    faces: dict[int, tuple[Image, Score, float]] = {}
    moments: list[Moment] = []

    def drawn() -> Iterator[Frame]:
        for frame, scores in scored_frames(verdict, open_isolated):
            marked = annotate(frame.image, scores, verdict)
            if frame.index in chosen:
                high = max(score.p_fake for score in scores)
                moments.append(Moment(shrunk(marked, MOMENT_SIDE), frame.time_s, high))
            for score in scores:
                if best[score.face.track] is score:
                    faces[score.face.track or 0] = (frame.image, score, frame.time_s)
            yield Frame(marked, frame.index, frame.time)

    clip = encode_clip(drawn(), folder / "annotated.mp4")
    return VideoEvidence(clip, moments, [faces[track.number] for track in verdict.tracks if track.number in faces])
