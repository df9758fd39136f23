"""Fakes made from real faces alone: a face blended with a slightly changed copy of itself.

What a face swap leaves behind is a seam between two pictures that differ in colour, sharpness and geometry. A face
pasted over itself after a small change has the same seam, and nothing else that a network could learn instead: the real
that it is compared with is the very picture that was pasted into, so that outside the mask the two are equal.

    real -> target, changed sometimes --------------------> the pair's real
         -> source, changed mostly, moved -> mask, blend -> the pair's fake

Reference:
    Shiohara and Yamasaki, "Detecting deepfakes with self-blended images", CVPR 2022; Li et al., "Face X-ray", 2020.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from deepfake.data.augment import apply_gamma, rescale, saturate, sharpen, shift_channels, turn_hue
from deepfake.faces import mesh
from deepfake.records import Floats, Image

MARGIN = 0.01
"""Least distance of a mask from the edges of the picture, over its side: a seam must be seen whole."""


def self_blend(
    image: Image, points: Floats, rng: np.random.Generator, source: Image | None = None
) -> tuple[Image, Image]:
    """A real and a fake of one face, equal outside the mask of the fake.

    Args:
        image: RGB uint8 `(height, width, 3)`, a real face.
        points: Shape `(468, 2)`, its face mesh in pixels of the picture.
        rng: The only source of chance.
        source: What is pasted, such as the picture's twin, of the same shape; the picture itself if absent.

    Returns:
        The real, which is the picture or the picture after a change that a camera or an editor makes, and the fake;
        both RGB uint8 of the same shape.
    """
    target = image
    source = image if source is None else source
    if rng.random() < 0.85:
        source = recolour(source, rng)
    if rng.random() < 0.30:
        target = recolour(target, rng)
    if rng.random() < 0.75:
        if rng.random() < 0.7:
            source = _refocused(source, rng)
        else:
            target = _refocused(target, rng)
    mask = face_mask(image.shape[0], image.shape[1], points, rng)
    source = _displaced(source, points, rng)
    if rng.random() < 0.12:
        return target, _poisson(source, target, mask)
    return target, blend(source, target, mask * np.float32(rng.uniform(0.35, 1.0) if rng.random() < 0.6 else 1.0))


def blend(source: Image, target: Image, mask: Floats) -> Image:
    """`source` where the mask is 1, `target` where it is 0.

    Args:
        source: RGB uint8 `(height, width, 3)`.
        target: The same.
        mask: Shape `(height, width)`, in [0, 1].

    Example:

    >>> int(blend(np.full((1, 1, 3), 9, np.uint8), np.zeros((1, 1, 3), np.uint8), np.ones((1, 1)))[0, 0, 0])
    9
    """
    weight = mask[..., None]
    return np.round(source * weight + target * (1 - weight)).astype(np.uint8)


def recolour(image: Image, rng: np.random.Generator) -> Image:
    """The picture in somewhat other colours: channels shifted, hue, saturation, brightness or contrast changed."""
    if rng.random() < 0.6:
        image = shift_channels(image, rng.uniform(-20, 20, size=3))
    if rng.random() < 0.4:
        image = saturate(turn_hue(image, rng.uniform(-10, 10)), rng.uniform(0.7, 1.3))
    if rng.random() < 0.5:
        image = apply_gamma(image, float(np.exp(rng.uniform(-0.25, 0.25))))
        mean = float(image.mean())
        image = shift_channels(
            np.clip(mean + (image.astype(np.float32) - mean) * rng.uniform(0.85, 1.15), 0, 255), np.zeros(3)
        )
    return image


def _refocused(image: Image, rng: np.random.Generator) -> Image:
    """A little less or more sharp, by a round trip through another size or an unsharp mask."""
    if rng.random() < 0.35:
        return sharpen(image, rng.uniform(0.2, 0.8))
    factor = rng.choice([0.5, 0.25, rng.uniform(0.25, 0.9)], p=[0.35, 0.1, 0.55])
    return rescale(image, float(factor), rng)


def _displaced(image: Image, points: Floats, rng: np.random.Generator) -> Image:
    """Moved by up to 3% of the face, scaled by 0.95 to 1.04 and turned by up to 2 degrees."""
    size, centre = _extent(points), points.mean(axis=0)
    matrix = cv2.getRotationMatrix2D(centre.tolist(), rng.uniform(-2, 2), rng.uniform(0.95, 1.04))
    matrix[:, 2] = matrix[:, 2] + rng.uniform(-0.03, 0.03, size=2) * size
    height, width = image.shape[:2]
    flags = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _poisson(source: Image, target: Image, mask: Floats) -> Image:
    """Gradient-domain blending (Perez et al., 2003): the source's detail in the target's light."""
    solid = (mask > 0.3).astype(np.uint8) * 255
    solid[[0, -1]] = solid[:, [0, -1]] = 0
    left, top, width, height = cv2.boundingRect(solid)
    if not width or not height:
        return target
    # OpenCV puts the middle of the mask's rectangle there.
    centre = (left + width // 2, top + height // 2)
    return np.asarray(cv2.seamlessClone(source, target, solid, centre, cv2.NORMAL_CLONE))


def face_mask(height: int, width: int, points: Floats, rng: np.random.Generator) -> Floats:
    """A soft-edged mask of the face or of a part of it, randomly shaped, away from the edges of the picture.

    Args:
        height: Of the picture in pixels.
        width: The same.
        points: Shape `(468, 2)`, the face mesh in pixels of the picture.
        rng: The only source of chance.

    Returns:
        Float32 `(height, width)` in [0, 1].
    """
    size = _extent(points)
    outline = _outline(height, width, points, rng)
    mask: Floats = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1.0)
    mask = _elastic(mask, size * rng.uniform(0.01, 0.06), size * rng.uniform(0.15, 0.4), rng)
    mask = cv2.GaussianBlur(mask, (0, 0), size * rng.uniform(0.005, 0.025))
    if rng.random() < 0.5:
        # Twice blurred with a cut between, so that the border differs from a plain Gaussian's.
        cut = (mask > rng.uniform(0.2, 0.8)).astype(np.float32)
        mask = cv2.GaussianBlur(cut, (0, 0), size * rng.uniform(0.005, 0.025))
    return np.clip(mask, 0, 1)


def _oval(points: Floats) -> Floats:
    return cv2.convexHull(points[list(mesh.OUTLINE)])[:, 0]


def _features(points: Floats) -> Floats:
    """Around eyes, brows, nose and mouth: what most swaps replace."""
    named = (mesh.MOUTH, mesh.NOSE, mesh.RIGHT_EYE, mesh.LEFT_EYE, mesh.RIGHT_BROW, mesh.LEFT_BROW)
    return _grown(cv2.convexHull(points[[number for part in named for number in part]])[:, 0], 1.08)


def _lower(points: Floats) -> Floats:
    """From below the eyes to the chin: what reenactment changes."""
    return np.concatenate([points[list(mesh.LOWER_OUTLINE)], points[[5]]])


def _mouth(points: Floats) -> Floats:
    return _grown(cv2.convexHull(points[list(mesh.MOUTH)])[:, 0], 1.5)


def _eyes(points: Floats) -> Floats:
    named = (mesh.RIGHT_EYE, mesh.LEFT_EYE, mesh.RIGHT_BROW, mesh.LEFT_BROW)
    return _grown(cv2.convexHull(points[[number for part in named for number in part]])[:, 0], 1.2)


def _with_forehead(points: Floats) -> Floats:
    """The oval, its upper half raised towards the hair."""
    oval, centre = _oval(points), points[list(mesh.OUTLINE)].mean(axis=0)
    up = points[10] - points[152]
    above = np.clip((oval - centre) @ up / max(float(up @ up), 1e-6), 0, None)[:, None]
    return oval + up * above * 0.45


MASKS: dict[str, tuple[float, Callable[[Floats], Floats]]] = {
    "oval": (0.34, _oval),
    "features": (0.20, _features),
    "lower": (0.16, _lower),
    "forehead": (0.12, _with_forehead),
    "mouth": (0.10, _mouth),
    "eyes": (0.08, _eyes),
}
"""What a mask covers, by name: how common it is, and its outline from the face mesh."""


def _outline(height: int, width: int, points: Floats, rng: np.random.Generator) -> Floats:
    """The outline of a random mask, of those that lie within the picture; the smallest if none does."""
    shares = [share for share, _ in MASKS.values()]
    order = rng.choice(list(MASKS), size=len(MASKS), replace=False, p=np.array(shares) / sum(shares))
    low, high = MARGIN * np.array([width, height]), (1 - MARGIN) * np.array([width, height])
    outlines = [_grown(MASKS[name][1](points), rng.uniform(0.94, 1.06)) for name in order]
    within = [one for one in outlines if (one >= low).all() and (one <= high).all()]
    return within[0] if within else min(outlines, key=lambda one: float(np.ptp(one, axis=0).prod()))


def _grown(outline: Floats, factor: float) -> Floats:
    centre = outline.mean(axis=0)
    return centre + (outline - centre) * np.float32(factor)


def _elastic(mask: Floats, strength: float, smoothness: float, rng: np.random.Generator) -> Floats:
    height, width = mask.shape
    grid = max(2, round(max(height, width) / max(smoothness, 1.0)))
    coarse = rng.uniform(-1, 1, size=(grid, grid, 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(strength)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return cv2.remap(mask, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR)


def _extent(points: Floats) -> float:
    """Height of the face in pixels, from the forehead to the chin."""
    return max(float(np.hypot(*(points[10] - points[152]))), 4.0)
