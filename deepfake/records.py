"""What travels between the stages: media -> Frame -> Face -> Crop -> Score -> Verdict.

Pictures are RGB uint8 `(height, width, 3)`; coordinates are pixels of the frame, x to the right and y down,
with (0, 0) the outer corner of the first pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any

import numpy.typing as npt
from msgspec import Meta

from deepfake.provenance.credentials import Credentials
from deepfake.provenance.origin import Origin
from deepfake.system.settings import Settings, Share

# OpenCV's stubs know no dtypes, so these name what an array is rather than have it checked.
Image = npt.NDArray[Any]
"""RGB uint8 `(height, width, 3)`."""
Floats = npt.NDArray[Any]
"""float32 of the shape that is stated."""
MAX_SAMPLES = 500_000
"""Most frames of one video that are looked at: every frame of some hours."""


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


class Change(StrEnum):
    """What is done to a face before it is looked at again, and should change no answer: `deepfake.faces.changes`."""

    JPEG = "jpeg"
    SMALLER = "smaller"
    TINT = "tint"
    SHIFT = "shift"


class Note(StrEnum):
    """What a reader of the answer should know of how the file was looked at."""

    PAGES = "pages"
    STILL_OF_VIDEO = "still_of_video"
    SEVERAL_VIDEOS = "several_videos"
    TURNED = "turned"
    SMALL_FACES = "small_faces"


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, or one frame of a video."""

    image: Image
    """RGB uint8, upright."""
    index: int
    """Position among the frames that were asked for, or among the pages of a picture, from 0."""
    time: Fraction
    """Presentation time in seconds from the start of the video, exact; 0 for a picture."""

    @property
    def time_s(self) -> float:
        """`time` as a float."""
        return float(self.time)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video are looked at."""

    frames: int = 24
    """Their number, spread evenly over the time searched. Ignored where `fps` is set."""
    fps: float | None = None
    """One frame every 1 / fps seconds instead; any positive finite number."""
    start_s: float = 0.0
    """Where to begin, in seconds from the first frame."""
    end_s: float | None = None
    """Where to stop; None for the end of the video."""

    def __post_init__(self) -> None:
        if not 0 < self.frames <= MAX_SAMPLES:
            raise ValueError(
                f"`frames` counts the frames to look at and must be from 1 to {MAX_SAMPLES}. Received: {self.frames}."
            )
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise ValueError(f"`fps` must be positive and finite. Received: {self.fps}.")
        if not 0 <= self.start_s < math.inf or (self.end_s is not None and not self.start_s < self.end_s < math.inf):
            raise ValueError(
                f"`start_s` must be at least 0 and `end_s` above it, both finite. "
                f"Received: {self.start_s}, {self.end_s}."
            )

    def times(self, duration: Fraction) -> list[Fraction]:
        """Times in seconds to take frames at: the middle of each of `frames` equal parts.

        Raises:
            ValueError: If `fps` gives more than `MAX_SAMPLES`: a file may claim to last for a thousand years.

        Example:

        >>> [str(time) for time in Sampling(frames=2).times(Fraction(10))]
        ['5/2', '15/2']
        """
        start = Fraction(self.start_s)
        end = duration if self.end_s is None else min(duration, Fraction(self.end_s))
        span = max(end - start, Fraction(0))
        if self.fps is None:
            return [start + span * (2 * part + 1) / (2 * self.frames) for part in range(self.frames)] if span else []
        step = 1 / Fraction(self.fps)
        count = math.ceil(span / step)
        if count > MAX_SAMPLES:
            raise ValueError(
                f"At most {MAX_SAMPLES} frames can be looked at. Received: {float(span):.4g} s at `fps` {self.fps:.4g}."
            )
        return [start + step * part for part in range(count)]


@dataclass(frozen=True, slots=True)
class Face:
    """One face found in one frame."""

    box_xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels of the frame; may reach beyond its edges."""
    landmarks: Floats
    """Shape `(5, 2)`, float32 pixels: eyes, nose, mouth corners; the subject's right eye first."""
    detector_score: float
    """O-Net's face probability in [0, 1]."""
    frame_index: int = 0
    """The `index` of the frame it was found in."""
    track: int | None = None
    """Number of the person over time, from 0; None before tracking."""

    @property
    def size(self) -> float:
        """Longer side of the box in pixels."""
        left, top, right, bottom = self.box_xyxy
        return max(right - left, bottom - top)


class CropSpec(Settings, frozen=True):
    """How a crop is cut around a face: fixed by the data a model was trained on."""

    size: Annotated[int, Meta(ge=1, le=2048)] = 224
    """Side of the crop in its own pixels."""
    scale: Annotated[float, Meta(gt=0, le=100)] = 0.83
    """Side of the crop over the longer side of the face's box."""
    shift: Annotated[float, Meta(ge=-1, le=1)] = 0.07
    """How far the crop's centre lies below the box's centre, along the face's own axis, over the crop's side."""
    tta_scales: Annotated[tuple[Annotated[float, Meta(ge=1, le=100)], ...], Meta(min_length=1, max_length=16)] = (1.0,)
    """Sides of the squares that are looked at, over the crop's, the first 1, then growing: the answer is the mean over
    those that lie in the picture."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tta_scales[:1] != (1.0,) or list(self.tta_scales) != sorted(set(self.tta_scales)):
            raise ValueError(f"`tta_scales` must be 1, then growing. Received: {self.tta_scales}.")


@dataclass(frozen=True, slots=True)
class Crop:
    """One face, upright and square."""

    image: Image
    """RGB uint8, `(size, size, 3)`."""
    face: Face
    """The face that it shows."""
    to_frame: Floats
    """Shape `(2, 3)`: from the crop's unit square, (0, 0) its top left corner, to pixels of the frame."""
    side: float
    """Side of the crop in pixels of the frame."""
    wider: tuple[Crop, ...] = ()
    """The same face in wider squares, from the narrowest to the widest."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How well one face can be seen: what makes its answer more or less certain, measured on its crop."""

    width: float
    """Of the face's box, in pixels of the frame."""
    blur: float
    """In [0, 1]: how little is lost when the crop is blurred once more. See `deepfake.faces.quality`."""
    turn: float
    """In [0, 1]: how far the nose lies from the middle of the eyes; 0 from the front, 1 and more of a profile is 1."""
    brightness: float
    """Mean of the luma in [0, 255]."""
    colour: float
    """Mean over the pixels of the largest less the smallest channel, in [0, 255]; 0 of black and white."""

    def as_dict(self) -> dict[str, float]:
        """Returns the measures as plain values."""
        return {
            "width": round(self.width, 1),
            "blur": round(self.blur, 3),
            "turn": round(self.turn, 3),
            "brightness": round(self.brightness, 1),
            "colour": round(self.colour, 1),
        }


@dataclass(frozen=True, slots=True)
class Source:
    """What a file is like, whoever is seen in it."""

    width: int
    """Of its frames, in pixels; 0 where none could be read."""
    height: int
    """Of its frames, in pixels."""
    jpeg_quality: int | None = None
    """From 1 to 100, as libjpeg counts; None of other formats."""
    bits_per_s: float | None = None
    """Of a video with all that it holds; None of pictures."""
    duration_s: float | None = None
    """Of a video in seconds; None of pictures."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the network says about one crop."""

    face: Face
    """The face that was scored."""
    p_fake: float
    """Calibrated probability in [0, 1] that the face is fake."""
    gate: tuple[float, float]
    """Weights in [0, 1] of the visual and of the noise stream."""
    visual_logit: float
    """What the visual stream added to the calibrated logit; above 0 for fake."""
    noise_logit: float
    """What the noise stream added to it."""
    evidence: Floats
    """Shape `(h, w)`, laid over the crop: where the logit comes from. Its mean plus a constant is the logit."""
    to_frame: Floats
    """Shape `(2, 3)`: the affine map from the unit square of the crop to pixels of the frame."""
    expert_logits: tuple[float, ...] = ()
    """What each expert of the model says, as a calibrated logit; their mean is the logit. Empty without experts."""
    quality: FaceQuality | None = None
    """How well the face can be seen; None where only its crop was scored."""
    changed: Mapping[Change, float] = field(default_factory=dict)
    """The p_fake after each harmless change; empty where the face was not looked at again."""

    @property
    def visual(self) -> float:
        """Share in [0, 1] of the visual stream in the evidence, for or against."""
        total = abs(self.visual_logit) + abs(self.noise_logit)
        return abs(self.visual_logit) / total if total else 0.5

    @property
    def noise(self) -> float:
        """Share in [0, 1] of the noise stream; `visual + noise` is 1."""
        return 1.0 - self.visual


@dataclass(frozen=True, slots=True)
class Step:
    """How far the analysis of a file has come: one frame."""

    done: int
    """Frames that were searched."""
    total: int
    """Frames that were asked for; fewer come where some cannot be decoded."""
    frame: Frame
    """This frame."""
    scores: tuple[Score, ...]
    """One for each of its faces."""


class Thresholds(Settings, frozen=True):
    """Where `real` ends and `fake` begins."""

    real_below: Share
    """A p_fake below this is `real`."""
    fake_above: Share
    """A p_fake of this or more is `fake`; what lies between is `inconclusive`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.real_below <= self.fake_above <= 1:
            raise ValueError(
                "Thresholds must satisfy 0 <= real_below <= fake_above <= 1. "
                f"Received: real_below={self.real_below}, fake_above={self.fake_above}."
            )


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
        part = self.decisive_part
        return {
            "path": self.path,
            "kind": self.kind,
            "verdict": str(self.label),
            "reason": str(self.reason) if self.reason else None,
            "p_fake": _rounded(self.p_fake),
            "trace": self.trace,
            "from_s": _rounded(part.from_s, 3) if part else None,
            "to_s": _rounded(part.to_s, 3) if part else None,
            "page": self.page,
            "thresholds": {"real_below": self.thresholds.real_below, "fake_above": self.thresholds.fake_above},
            "stability": _rounded_all(self.stability) if self.stability is not None else None,
            "unstable_under": [str(change) for change in self.unstable_under],
            "faces": [self._face_as_dict(score) for score in self.scores],
            "tracks": [
                {
                    "track": track.number,
                    "p_fake": _rounded(track.p_fake),
                    "experts": self._experts_as_dict(track.expert_logits),
                    "faces": track.faces,
                    "start_s": _rounded(track.start_s, 3),
                    "end_s": _rounded(track.end_s, 3),
                }
                for track in self.tracks
            ],
            "parts": [
                {
                    "track": own.track,
                    "from_s": _rounded(own.from_s, 3),
                    "to_s": _rounded(own.to_s, 3),
                    "p_fake": _rounded(own.p_fake),
                    "experts": self._experts_as_dict(own.expert_logits),
                }
                for own in self.parts
            ],
            "source": asdict(self.source) if self.source else None,
            "frames_read": self.frames_read,
            "frames_failed": self.frames_failed,
            "notes": [str(note) for note in self.notes],
            "credentials": self.credentials.as_dict() if self.credentials else None,
            "origin": self.origin.as_dict(),
            "model": {"name": self.model.name, "sha256": self.model.sha256},
            "elapsed_s": _rounded(self.elapsed_s, 3),
        }

    def _face_as_dict(self, score: Score) -> dict[str, Any]:
        return {
            "track": score.face.track,
            "frame": score.face.frame_index,
            "time_s": _rounded(self.times[score.face.frame_index], 3),
            "box_xyxy": [_rounded(edge, 1) for edge in score.face.box_xyxy],
            "p_fake": _rounded(score.p_fake),
            "visual": _rounded(score.visual, 3),
            "noise": _rounded(score.noise, 3),
            "visual_logit": _rounded(score.visual_logit, 3),
            "noise_logit": _rounded(score.noise_logit, 3),
            "experts": self._experts_as_dict(score.expert_logits),
            "quality": score.quality.as_dict() if score.quality else None,
            "changed": _rounded_all(score.changed) if score.changed else None,
        }

    def _experts_as_dict(self, logits: Sequence[float]) -> dict[str, float | None]:
        return {name: _rounded(logit, 3) for name, logit in zip(self.experts, logits, strict=True)}


def _rounded_all(p_fake: Mapping[Change, float]) -> dict[str, float | None]:
    return {str(change): _rounded(value) for change, value in p_fake.items()}


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(float(value), digits)
