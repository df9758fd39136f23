"""What a face and its file are like -> a few bins, the same where a model is measured and where it answers.

    face         longer side of the box in pixels of its picture   below 80 | 80 to 160 | from 160
    blur         `FaceQuality.blur` of the crop                    below 0.55 | 0.55 to 0.75 | from 0.75
    compression  JPEG quality of a picture                         below 60 | 60 to 85 | from 85
                 bits a second for each pixel of a video           below 1 | 1 to 3 | from 3

An edge belongs to the bin above it. Bins are few, so that each holds faces enough to count, and fixed, so that nobody
chooses them to flatter a model.
"""

from __future__ import annotations

from bisect import bisect_right
from statistics import median
from typing import Any, Literal, get_args

import msgspec

from deepfake.records import Source, Verdict

FaceSize = Literal["small", "medium", "large"]
"""By the longer side of its box."""
Blur = Literal["sharp", "soft", "blurred"]
"""By how little another blur would take away."""
Compression = Literal["strong", "medium", "light"]
"""By what the file says of itself."""
BINS: dict[str, tuple[Any, ...]] = {
    "face": get_args(FaceSize),
    "blur": get_args(Blur),
    "compression": get_args(Compression),
}
"""The names of the bins of each of `Conditions`, in the order of the table above."""
FACE_EDGES_PX = (80.0, 160.0)
BLUR_EDGES = (0.55, 0.75)
"""Of `FaceQuality.blur`: faces that were enlarged to the crop are often above the first, and sharp portraits that were
blurred by a Gaussian of 1 to 2 pixels above the second."""
JPEG_EDGES = (60, 85)
"""Of the quality as libjpeg counts."""
RATE_EDGES = (1.0, 3.0)
"""In bits a second for each pixel of a frame."""


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What one face and its file are like; None for what cannot be known of them, or does not matter.

    Example:

    >>> Conditions(face="small", blur="soft").lies_in(Conditions(blur="soft"))
    True
    """

    face: FaceSize | None = None
    blur: Blur | None = None
    compression: Compression | None = None

    @property
    def known(self) -> dict[str, Any]:
        """Those that are stated, by name."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}

    def lies_in(self, other: Conditions) -> bool:
        """Whether it has all that another states."""
        return other.known.items() <= self.known.items()


def conditions_of(
    *,
    face_px: float | None = None,
    blur: float | None = None,
    jpeg_quality: int | None = None,
    bits_per_s_and_pixel: float | None = None,
) -> Conditions:
    """The bins of what was measured; None for what was not, or where it is not true of the picture.

    Args:
        face_px: Longer side of the face's box in pixels of its picture.
        blur: `FaceQuality.blur` of its crop.
        jpeg_quality: Of a picture, from 1 to 100.
        bits_per_s_and_pixel: Of a video; a picture has none.

    Example:

    >>> conditions_of(face_px=80, jpeg_quality=59)
    Conditions(face='medium', blur=None, compression='strong')
    """
    compression = _bin("compression", jpeg_quality, JPEG_EDGES)
    return Conditions(
        face=_bin("face", face_px, FACE_EDGES_PX),
        blur=_bin("blur", blur, BLUR_EDGES),
        compression=compression or _bin("compression", bits_per_s_and_pixel, RATE_EDGES),
    )


def conditions_of_verdict(verdict: Verdict) -> Conditions | None:
    """The bins of the person who decided, in the middle over time, and of the file; None where nobody decided."""
    decisive = verdict.decisive
    own = [score for score in verdict.scores if decisive and (score.face.track or 0) == decisive.number]
    if not own:
        return None
    blurs = [score.quality.blur for score in own if score.quality]
    source = verdict.source
    return conditions_of(
        face_px=median(score.face.size for score in own),
        blur=median(blurs) if blurs else None,
        jpeg_quality=source.jpeg_quality if source else None,
        bits_per_s_and_pixel=_rate(source) if source else None,
    )


def _rate(source: Source) -> float | None:
    pixels = source.width * source.height
    return source.bits_per_s / pixels if source.bits_per_s is not None and pixels else None


def _bin(condition: str, value: float | None, edges: tuple[float, ...]) -> Any:
    return None if value is None else BINS[condition][bisect_right(edges, value)]
