"""A bundle's errors by skin tone, brightness, size of the face, and pose: whom is it wrong about?

What is measured of a face, and how far that can be trusted:

    skin         individual typology angle (ITA), atan((L* - 50) / b*), of the cheeks; it cannot tell a dark skin from
                 a dark room, nor a light one from a flash
    brightness   mean L* of the crop
    face_px      longer side of the face's box
    yaw          how far the head is turned, from the place of the nose between eyes and mouth

The sources of a split differ in all four, and in how hard they are. So each bin comes with its composition and with the
rate that its sources alone would give it, and each trait with the probability of such differences by chance.

Reference:
    Chardon et al., "Skin colour typology and suntanning pathways", Int. J. Cosmetic Science 1991; Del Bino and
    Bernerd, "Variations in skin colour and the biological consequences of ultraviolet radiation exposure", British
    J. Dermatology 2013.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from deepfake.bundle import load_bundle, load_detector
from deepfake.crops import cut_crop
from deepfake.errors import DatasetError
from deepfake.faces import FaceFinder
from deepfake.pipeline import Progress
from deepfake.records import Crop, Floats, Frame, Image, Label, Thresholds
from deepfake.scores import Scorer
from deepfake.training.evaluate import Sample, shares_of_answers
from deepfake.training.extract import LARGEST_FACE_PX, main_face
from deepfake.training.index import LABELS, Row, count_labels, read_indexes
from deepfake.training.loader import landmarks_of, read_face
from deepfake.training.metrics import Values
from deepfake.verdict import judge

CHEEK = 0.15
"""Half the side of a patch of cheek, over the distance from the eye to the corner of the mouth."""
COLOURLESS = 1.0
"""Skin whose b* is lower is shown in grey or in blue light: its typology angle means nothing."""
NOSE_DEPTH = 0.4
"""How far the tip of an average nose stands before the plane of eyes and mouth, over the distance of the eyes."""
UNKNOWN = "not known"
ROUNDS = 2000
"""Times that answers are dealt out anew, to see what chance does."""
ERRORS = {
    "reals_called_fake": ("real", Label.FAKE),
    "reals_inconclusive": ("real", Label.INCONCLUSIVE),
    "fakes_called_real": ("fake", Label.REAL),
}
"""What is compared between bins: a class, and an answer that is not right about it."""


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that faces differ in, and the bins it is divided into."""

    title: str
    """How the card calls it."""
    means: str
    """What was measured."""
    edges: tuple[float, ...]
    """Where bins meet, rising; an edge itself belongs to the bin below it."""
    bins: tuple[str, ...]
    """Their names, from the lowest, one more than there are edges."""


TRAITS = {
    "skin": Trait(
        "skin tone",
        "individual typology angle of the median CIE L* and b* of two patches of cheek, halfway between the eye and "
        "the corner of the mouth; the six classes of Chardon and Del Bino, in degrees",
        (-30, 10, 28, 41, 55),
        (
            "dark (up to -30)",
            "brown (-30 to 10)",
            "tan (10 to 28)",
            "intermediate (28 to 41)",
            "light (41 to 55)",
            "very light (above 55)",
        ),
    ),
    "brightness": Trait(
        "brightness",
        "mean CIE L* of the crop, of 100",
        (30, 40, 50),
        ("up to 30", "30 to 40", "40 to 50", "above 50"),
    ),
    "face_px": Trait(
        "size of the face",
        f"longer side of its box in pixels of the picture; of larger ones, {LARGEST_FACE_PX}, to which they were "
        "shrunk; not known of pictures that were crops already",
        (120, 160, 200),
        ("up to 120", "120 to 160", "160 to 200", "above 200"),
    ),
    "yaw": Trait(
        "pose",
        "degrees that the head is turned to either side, from how far the nose lies beside the line from the middle of "
        "the eyes to that of the mouth; a rough estimate",
        (10, 20, 30),
        ("up to 10", "10 to 20", "20 to 30", "above 30"),
    ),
}
"""What is looked at, by its name in `metrics.json`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One crop, what the bundle said of it, and what was measured of its face."""

    sample: Sample
    """Its class, its source, and its p_fake."""
    answer: Label
    """What that p_fake stands for."""
    values: dict[str, float | None]
    """Of each of `TRAITS`; None where it is not known."""


def audit(
    model: Path, indexes: Sequence[Path], split: str = "test", progress: Progress = lambda done, total: None
) -> dict[str, Any]:
    """Measures a bundle's answers in bins of each of `TRAITS`.

    Args:
        model: Folder of a bundle.
        indexes: Crops' indexes. Where landmarks are not given, the face is searched for.
        split: `val` or `test`.
        progress: Called after each crop.

    Returns:
        `split`, `count` of reals and fakes, and `traits`: for each, its `title`, what it `means`, its `bins` from the
        lowest, and `chance`, the answer of `chance_of_differences` for each of `ERRORS`. A bin has its `bin`, `count`,
        the count of each of its `sources`, `real_called`, `fake_called`, and `expected`: the share of each of
        `ERRORS` that it would have if each source had one rate.

    Raises:
        DatasetError: If the split has no real crop.
    """
    bundle = load_bundle(model)
    rows = [row for row in read_indexes(indexes) if row.split == split]
    if not any(row.label == "real" for row in rows):
        raise DatasetError(
            f"An audit needs real crops in the split {split!r}. Found {len(rows)} rows, none of them real. Pass "
            "another --index or --split."
        )
    scorer, finder, judged = Scorer(bundle), FaceFinder(load_detector()), []
    for number, row in enumerate(rows, start=1):
        image, face = read_face(row, bundle.crop)
        crop = cut_crop(image, face, bundle.crop)
        (score,) = scorer.score([crop])
        sample = Sample(row.label, row.source, row.method, score.p_fake)
        judged.append(Judged(sample, judge(score.p_fake, bundle.thresholds), _values(row, image, crop, finder)))
        progress(number, len(rows))
    traits = {name: _audited(name, judged, bundle.thresholds) for name in TRAITS}
    return {"split": split, "count": count_labels(rows), "traits": traits}


def typology_angle(lightness: float, yellowness: float) -> float:
    """Individual typology angle (ITA) of a skin in degrees: the lighter the skin, the larger.

    Args:
        lightness: CIE L*, in [0, 100].
        yellowness: CIE b*; below 0 is blue, which no skin is.

    Example:

    >>> round(typology_angle(lightness=70.0, yellowness=20.0), 6)
    45.0
    """
    return math.degrees(math.atan2(lightness - 50, yellowness))


def cheek_colour(image: Image, landmarks: Floats) -> tuple[float, float, float] | None:
    """Median L*, a* and b* (D65) of two patches of cheek, each halfway between an eye and its corner of the mouth.

    Args:
        image: RGB uint8 `(height, width, 3)`, taken for sRGB.
        landmarks: The five points of the face, `(5, 2)`, in pixels of `image`.

    Returns:
        Three numbers, L* in [0, 100]; None if the patches lie outside the picture.
    """
    patches = []
    for eye, mouth in ((0, 3), (1, 4)):
        middle = (landmarks[eye] + landmarks[mouth]) / 2
        half = max(1.0, CHEEK * float(np.hypot(*(landmarks[mouth] - landmarks[eye]))))
        (left, top), (right, bottom) = (np.maximum(np.round(middle + way * half), 0).astype(int) for way in (-1, 1))
        patches.append(image[top:bottom, left:right].reshape(-1, 3))
    pixels = np.concatenate(patches)
    if not len(pixels):
        return None
    lightness, redness, yellowness = np.median(_lab(pixels[None])[0], axis=0)
    return float(lightness), float(redness), float(yellowness)


def yaw(landmarks: Floats) -> float | None:
    """How far a head is turned, in degrees, from its five points; above 0 if its nose points to the picture's right.

    The nose stands out from the plane of eyes and mouth, so it leaves the line between their middles as the head turns,
    and the eyes move together: `tan(yaw) = offset / (NOSE_DEPTH * distance of the eyes)`. Turning the picture in its
    plane changes nothing. It is an average nose's: no more than coarse bins may be read off.

    Args:
        landmarks: Eyes, nose and corners of the mouth, `(5, 2)`; the subject's right eye first.

    Returns:
        In (-180, 180]; None if eyes and mouth lie in one place.

    Example:

    >>> yaw(np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 0.0], [-0.8, 1.0], [0.8, 1.0]]))
    0.0
    """
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    down = mouth - eyes
    length = float(np.hypot(*down))
    if length == 0:
        return None
    across = np.array([down[1], -down[0]]) / length
    offset = float((points[2] - eyes) @ across)
    return math.degrees(math.atan2(offset / NOSE_DEPTH, float((points[1] - points[0]) @ across)))


def bin_of(value: float | None, trait: Trait) -> str:
    """The name of the bin that a value falls into.

    Example:

    >>> bin_of(28.0, TRAITS["skin"]), bin_of(None, TRAITS["skin"])
    ('tan (10 to 28)', 'not known')
    """
    return UNKNOWN if value is None else trait.bins[int(np.searchsorted(trait.edges, value, side="left"))]


def expected_rates(hits: Values, sources: Sequence[str]) -> Values:
    """For each item, the share of hits among all items of its source, float `(n,)`.

    Example:

    >>> expected_rates(np.array([1, 0, 0]), ["a", "a", "b"]).tolist()
    [0.5, 0.5, 0.0]
    """
    names = np.asarray(sources)
    rates = {name: float(np.mean(np.asarray(hits)[names == name])) for name in set(sources)}
    return np.array([rates[name] for name in sources], np.float64)


def chance_of_differences(
    hits: Values, bins: Sequence[str], sources: Sequence[str], rounds: int = ROUNDS, seed: int = 0
) -> float:
    """How probable differences between bins as large as these are if within a source the bin did not matter.

    The hits of each source are dealt out anew among its items, and the sum over the bins of `(hits - expected)^2 /
    expected` compared with what was found: a permutation test in strata. Items must be independent of each other.

    Args:
        hits: Shape `(n,)`, 1 where the error was made.
        bins: The bin of each item.
        sources: The source of each item.
        rounds: Times to deal.
        seed: Of the dealing.

    Returns:
        In (0, 1]; 1 if there is nothing to compare.
    """
    hits = np.asarray(hits, np.float64)
    places = np.unique(np.asarray(bins), return_inverse=True)[1]
    names = np.asarray(sources)
    strata = [np.flatnonzero(names == name) for name in sorted(set(sources))]
    expected = np.bincount(places, expected_rates(hits, sources))
    shares = np.where(expected > 0, expected, 1.0)
    rng = np.random.default_rng(seed)

    def distance(dealt: Values) -> float:
        return float((((np.bincount(places, dealt) - expected) ** 2) / shares).sum())

    found, dealt, as_large = distance(hits), hits.copy(), 1
    for _ in range(rounds):
        for own in strata:
            dealt[own] = rng.permutation(hits[own])
        as_large += distance(dealt) >= found - 1e-9
    return as_large / (rounds + 1)


def _values(row: Row, image: Image, crop: Crop, finder: FaceFinder) -> dict[str, float | None]:
    """What is known of each of `TRAITS`."""
    points = landmarks_of(row) if row.landmarks else _searched(image, finder)
    colour = None if points is None else cheek_colour(image, points)
    return {
        "skin": None if colour is None or colour[2] < COLOURLESS else typology_angle(colour[0], colour[2]),
        "brightness": float(_lab(crop.image)[..., 0].mean()),
        "face_px": crop.face.size if row.box else None,
        "yaw": None if points is None else _absolute(yaw(points)),
    }


def _searched(image: Image, finder: FaceFinder) -> Floats | None:
    (faces,) = finder.find([Frame(image, 0, Fraction(0))])
    return main_face(faces).landmarks if faces else None


def _absolute(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _lab(image: Image) -> Floats:
    """CIE L*a*b* (D65) of sRGB pixels, float32 of the same shape."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def _audited(name: str, judged: Sequence[Judged], thresholds: Thresholds) -> dict[str, Any]:
    """One trait: its bins, and how probable such differences are by chance."""
    trait = TRAITS[name]
    binned = [(bin_of(item.values[name], trait), item) for item in judged]
    expected: dict[str, dict[str, float]] = {}
    chance = {}
    for error, (label, answer) in ERRORS.items():
        own = [(place, item) for place, item in binned if item.sample.label == label and place != UNKNOWN]
        if not own:
            continue
        hits = np.array([item.answer is answer for _, item in own], np.float64)
        sources = [item.sample.source for _, item in own]
        places = np.array([place for place, _ in own])
        rates = expected_rates(hits, sources)
        for place in set(places.tolist()):
            expected.setdefault(place, {})[error] = float(rates[places == place].mean())
        chance[error] = chance_of_differences(hits, places.tolist(), sources)
    entries = []
    for place in (*trait.bins, UNKNOWN):
        samples = [item.sample for found, item in binned if found == place]
        if samples:
            entries.append({"bin": place, **_bin(samples, thresholds), "expected": expected.get(place, {})})
    return {"title": trait.title, "means": trait.means, "bins": entries, "chance": chance}


def _bin(samples: Sequence[Sample], thresholds: Thresholds) -> dict[str, Any]:
    def counted(own: Sequence[Sample]) -> dict[str, int]:
        return {label: sum(sample.label == label for sample in own) for label in LABELS}

    return {
        "count": counted(samples),
        "sources": {
            source: counted([sample for sample in samples if sample.source == source])
            for source in sorted({sample.source for sample in samples})
        },
        **shares_of_answers(samples, thresholds),
    }
