"""What is drawn of a video that was judged: the clip, and the faces and moments that matter most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfake.media.encode import encode_clip
from deepfake.records import Frame, Image, Score, Verdict
from deepfake.report.drawing import shrunk
from deepfake.report.files import annotate, suspicious_frames
from deepfake.report.kept import Keeper

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
    """The most suspicious face of each person: its crop, its score, and when it was seen in seconds."""

    @property
    def worst(self) -> Image | None:
        """The most suspicious moment; None where no face was scored."""
        return max(self.moments, key=lambda moment: moment.p_fake).image if self.moments else None


def draw_evidence(verdict: Verdict, kept: Keeper, folder: Path) -> VideoEvidence:
    """Draws a video's evidence.

    Args:
        verdict: Of the video.
        kept: What was kept of it.
        folder: Where the clip is written.
    """
    chosen = suspicious_frames(verdict, MOMENTS)
    moments: list[Moment] = []

    def drawn() -> Iterator[Frame]:
        for frame, scores in ((own.frame, own.scores) for own in kept.frames):
            marked = annotate(frame.image, scores, verdict)
            if frame.index in chosen:
                high = max(score.p_fake for score in scores)
                moments.append(Moment(shrunk(marked, MOMENT_SIDE), frame.time_s, high))
            yield Frame(marked, frame.index, frame.time)

    clip = encode_clip(drawn(), folder / "annotated.mp4")
    return VideoEvidence(clip, moments, [kept.faces[track.number] for track in verdict.tracks])
