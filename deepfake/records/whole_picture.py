"""What is said of a picture as a whole, beside what is said of its faces."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deepfake.records.thresholds import Thresholds


class PictureLabel(StrEnum):
    """The three answers about a whole picture."""

    GENERATED = "generated"
    NO_TRACES = "no_traces"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of the picture at its own resolution, and what was seen in it."""

    box_xyxy: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels; it reaches beyond the edges of a picture that is smaller than a patch."""
    logit: float
    """Calibrated; above 0 for generated. The mean of all is the picture's."""


@dataclass(frozen=True, slots=True)
class WholePicture:
    """Whether a picture as a whole was generated; a face that was only blended in leaves it as it is."""

    label: PictureLabel
    """`generated`, `no_traces` or `inconclusive`."""
    p_generated: float
    """Calibrated probability in [0, 1], as if generated pictures were as common as photographs."""
    thresholds: Thresholds
    """Where `no_traces` ends and `generated` begins."""
    patches: tuple[Patch, ...]
    """Where it was looked at."""
    page: int = 0
    """Of a file with several pages the most suspicious, from 0."""

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values: `whole_picture` in the JSON of a verdict."""
        return {
            "answer": str(self.label),
            "p_generated": round(self.p_generated, 4),
            "thresholds": {
                "no_traces_below": self.thresholds.real_below,
                "generated_above": self.thresholds.fake_above,
            },
            "page": self.page,
            "patches": [{"box_xyxy": list(patch.box_xyxy), "logit": round(patch.logit, 3)} for patch in self.patches],
        }
