"""What Frame -> Face -> Crop -> Score hands on: where a face is, how it is cut, and what the network says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from deepfake.records.frames import Floats, Frame, Image
from deepfake.system.settings import Settings


class Change(StrEnum):
    """What is done to a face before it is looked at again, and should change no answer: `deepfake.faces.changes`."""

    JPEG = "jpeg"
    SMALLER = "smaller"
    TINT = "tint"
    SHIFT = "shift"


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
