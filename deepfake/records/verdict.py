"""What Score -> Verdict hands on: the answer about a file, with all that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deepfake.provenance.credentials import Credentials
from deepfake.provenance.origin import Origin
from deepfake.records.faces import Change, Score
from deepfake.records.frames import Sampling, Source
from deepfake.records.thresholds import Thresholds
from deepfake.records.verdict_json import verdict_as_dict
from deepfake.records.whole_picture import WholePicture


class Label(StrEnum):
    """The three answers."""

    REAL = "real"
    FAKE = "fake"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """Why an answer is inconclusive."""

    NO_FACE = "no_face"
    FACE_TOO_SMALL = "face_too_small"
    TOO_FEW_FRAMES = "too_few_frames"
    UNCERTAIN = "uncertain"
    UNSTABLE = "unstable"


class Note(StrEnum):
    """What a reader of the answer should know of how the file was looked at."""

    PAGES = "pages"
    STILL_OF_VIDEO = "still_of_video"
    SEVERAL_VIDEOS = "several_videos"
    TURNED = "turned"
    SMALL_FACES = "small_faces"


@dataclass(frozen=True, slots=True)
class Track:
    """One person over time."""

    number: int
    """From 0, in order of first appearance."""
    p_fake: float
    """Robust mean over the frames in which the person was scored."""
    faces: int
    """Number of scored faces."""
    start_s: float
    """Time of the first scored face."""
    end_s: float
    """Time of the last."""
    expert_logits: tuple[float, ...] = ()
    """The robust mean over time of what each expert says."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a video through which one person clearly looks fake."""

    track: int
    """Number of the person."""
    from_s: float
    """Time of its first scored face."""
    to_s: float
    """Time of its last."""
    p_fake: float
    """Of the most suspicious second of it."""
    expert_logits: tuple[float, ...] = ()
    """The robust mean over that second of what each expert says."""


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which model answered."""

    name: str
    """Name of the bundle."""
    sha256: str
    """Checksum of the graph that ran, as hex."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer about one file."""

    path: str
    """The file, as it was given."""
    kind: str
    """`picture` or `video`."""
    label: Label
    """`real`, `fake` or `inconclusive`."""
    reason: Reason | None
    """Why it is inconclusive; None for `real` and `fake`."""
    p_fake: float | None
    """Calibrated probability of the most suspicious person, or of the part that decided; None where no face could be
    scored."""
    thresholds: Thresholds
    """Where `real` ends and `fake` begins for this p_fake: for one face of a picture, for a person over the time of a
    video, or for the part of it that decided."""
    face_thresholds: Thresholds
    """The same for the face in a single frame."""
    scores: tuple[Score, ...]
    """One for each face that was scored, in order of time."""
    times: dict[int, float]
    """Time in seconds of each sampled frame, by its index."""
    tracks: tuple[Track, ...]
    """One for each person, the most suspicious first."""
    sampling: Sampling
    """Which frames of a video were asked for."""
    frames_read: int
    """Frames that were decoded and searched."""
    frames_failed: int
    """Frames that could not be decoded."""
    credentials: Credentials | None
    """What the file says about its own origin (C2PA), which changes no answer; None if it carries nothing."""
    model: ModelId
    """Which model answered."""
    elapsed_s: float
    """Wall time of the analysis."""
    experts: tuple[str, ...] = ()
    """The kind of trace that each expert of the model looks for, such as `blended` or `generated`."""
    parts: tuple[Part, ...] = ()
    """The parts of a video that clearly look fake, the most suspicious first: one is enough for `fake`."""
    notes: tuple[Note, ...] = ()
    """What should be known of how the file was looked at."""
    source: Source | None = None
    """What the file is like; None where it was not measured."""
    origin: Origin = field(default_factory=Origin)
    """What the file says about its own origin in all its metadata, the credentials included; it changes no answer."""
    stability: Mapping[Change, float] | None = None
    """The file's p_fake after each harmless change; None where nothing was looked at again, or nothing could flip."""
    unstable_under: tuple[Change, ...] = ()
    """The changes after which the answer would be another: with one, it is `inconclusive`."""
    unstable_tracks: frozenset[int] = frozenset()
    """Numbers of the people of whom a change would have another answer given, whether or not that flips the file's."""
    whole_picture: WholePicture | None = None
    """Whether the picture as a whole was generated, which changes no answer about faces; None where nobody asked."""

    @property
    def decisive(self) -> Track | None:
        """The person whose p_fake, or whose part's, is the file's; None where nobody could be judged."""
        if part := self.decisive_part:
            return next(track for track in self.tracks if track.number == part.track)
        # People who were seen too briefly are listed, too, but decide nothing.
        return next((track for track in self.tracks if track.p_fake == self.p_fake), None)

    @property
    def decisive_part(self) -> Part | None:
        """The part that made a video `fake`; None where a person was judged over the whole time."""
        return next((part for part in self.parts if part.p_fake == self.p_fake), None)

    @property
    def page(self) -> int | None:
        """The page with the face that decided, from 1 as viewers count; None of files with one page, or no face."""
        if Note.PAGES not in self.notes or self.decisive is None:
            return None
        decisive = self.decisive.number
        return next(score.face.frame_index for score in self.scores if (score.face.track or 0) == decisive) + 1

    @property
    def trace(self) -> str | None:
        """The kind of trace of a fake: that of the expert that says more; None of other answers, or without experts."""
        if self.label is not Label.FAKE:
            return None
        decisive = self.decisive_part or self.decisive
        return self.trace_of(decisive.expert_logits) if decisive else None

    def trace_of(self, expert_logits: Sequence[float]) -> str | None:
        """The kind of trace that the expert looks for which says more; None without experts."""
        pairs = list(zip(expert_logits, self.experts, strict=True)) if self.experts else []
        return max(pairs)[1] if pairs else None

    def as_dict(self) -> dict[str, Any]:
        """Returns the verdict as plain values: what `detect --json` prints, but for the model's error rates."""
        return verdict_as_dict(self)
