"""Verdict -> what lowers certainty in this file: measured on it, not supposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from deepfake.model.conditions import BLUR_EDGES, JPEG_EDGES, RATE_EDGES
from deepfake.records import FaceQuality, Verdict
from deepfake.report.catalogue import Catalogue

CROP_PX = 224
"""Side of the crop that the network looks at."""
SMALL_PX = 100
"""Narrower faces are called small: the card's test of faces shrunk by half changed many answers."""
LOW_QUALITY = JPEG_EDGES[0]
"""JPEG files below this quality are called heavily compressed."""
LOW_RATE = RATE_EDGES[0]
"""Videos with fewer bits a second for each pixel are, too."""
BLURRED = BLUR_EDGES[1]
"""Of `FaceQuality.blur`: a sharp portrait that is blurred by a Gaussian of 1 to 2 pixels."""
PROFILE, TURNED = 1.0, 0.7
"""Of `FaceQuality.turn`."""
GREY = 4.0
"""Of `FaceQuality.colour`: less is black and white."""
DARK = 60.0
"""Of `FaceQuality.brightness`: less is dark."""
FEW_FRAMES = 8
"""A person seen in fewer frames of a video is judged on little."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that lowers certainty."""

    key: str
    """Of its words, in the section `doubt` of the catalogue."""
    values: dict[str, object]
    """What was measured."""
    corruption: tuple[str, float] | None = None
    """The corruption of the card's robustness test that is like it, and its level."""

    def __call__(self, say: Catalogue) -> str:
        """It in words."""
        return say(f"doubt.{self.key}", **self.values)


def doubts(verdict: Verdict) -> list[Doubt]:
    """What lowers certainty in this file, for the person that decided; empty if nothing was found, or nobody judged."""
    decisive = verdict.decisive
    own = [
        score.quality
        for score in verdict.scores
        if decisive and score.quality and (score.face.track or 0) == decisive.number
    ]
    found = list(_of_face(own)) if own else []
    found += _of_file(verdict) if verdict.scores else []
    if verdict.kind == "video" and decisive and decisive.faces < FEW_FRAMES:
        found.append(Doubt("few_frames", {"frames": decisive.faces}))
    return found


def _of_face(own: Sequence[FaceQuality]) -> Iterator[Doubt]:
    """What is seen on the face: of a person over time, its middle."""
    width, turn = median(one.width for one in own), median(one.turn for one in own)
    if width < SMALL_PX:
        yield Doubt("small", {"pixels": round(width), "size": CROP_PX}, ("scale", width / CROP_PX))
    elif median(one.blur for one in own) > BLURRED:
        # A small face is blurred by what makes it large enough: that is told already.
        yield Doubt("blurred", {})
    if turn >= TURNED:
        yield Doubt("profile" if turn >= PROFILE else "turned", {})
    if median(one.colour for one in own) < GREY:
        yield Doubt("grey", {})
    if (brightness := median(one.brightness for one in own)) < DARK:
        yield Doubt("dark", {"brightness": round(brightness)})


def _of_file(verdict: Verdict) -> Iterator[Doubt]:
    source = verdict.source
    if source is None:
        return
    if source.jpeg_quality is not None and source.jpeg_quality < LOW_QUALITY:
        yield Doubt("compressed", {"quality": source.jpeg_quality}, ("jpeg", float(source.jpeg_quality)))
    if source.bits_per_s is not None and source.bits_per_s < LOW_RATE * source.width * source.height:
        rate = round(source.bits_per_s / 1000)
        yield Doubt("compressed_video", {"rate": rate, "width": source.width, "height": source.height})
