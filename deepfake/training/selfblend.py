"""Fakes made from real faces alone: a face blended with a slightly changed copy of itself.

What a face swap leaves behind is a seam between two pictures that differ in colour, sharpness and geometry. A face
pasted over itself after a small change has the same seam, and nothing else that a network could learn instead.

Reference:
    Shiohara and Yamasaki, "Detecting deepfakes with self-blended images", CVPR 2022. The mask here is the hull of an
    oval around MTCNN's five landmarks; the paper's comes from 81 landmarks.
"""

from __future__ import annotations

import cv2
import numpy as np

from deepfake.records import Floats, Image


def self_blend(image: Image, landmarks: Floats, rng: np.random.Generator) -> Image:
    """A fake of this face: the changed copy inside the mask, the picture outside, or the other way round.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        landmarks: Shape `(5, 2)`, pixels of the picture, as in `Face.landmarks`.
        rng: The only source of chance.

    Returns:
        RGB uint8 of the same shape.
    """
    changed = _recoloured(image, rng)
    source, target = (changed, image) if rng.random() < 0.5 else (image, changed)
    mask = face_mask(image.shape[0], image.shape[1], landmarks, rng)
    return blend(_displaced(source, landmarks, rng), target, mask)


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


def face_mask(height: int, width: int, landmarks: Floats, rng: np.random.Generator) -> Floats:
    """A soft-edged mask of the inner face, randomly shaped; shape `(height, width)`, in [0, 1]."""
    size = _face_size(landmarks)
    oval = _oval(landmarks, rng.uniform(0.85, 1.2), rng.uniform(0.85, 1.2))
    mask: Floats = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(oval.astype(np.int32)), 1.0)
    mask = _elastic(mask, size * 0.12, size * 0.35, rng)
    soft = size * rng.uniform(0.03, 0.15)
    mask = cv2.GaussianBlur(mask, (0, 0), soft)
    # Twice blurred with a cut between, so that the border differs from a plain Gaussian's.
    mask = cv2.GaussianBlur(np.where(mask > rng.uniform(0.3, 0.7), mask, 0).astype(np.float32), (0, 0), soft)
    strength = rng.choice([0.5, 0.75, 1.0, 1.0, 1.0])
    return np.clip(mask / max(float(mask.max()), 1e-6), 0, 1) * np.float32(strength)


def _recoloured(image: Image, rng: np.random.Generator) -> Image:
    pixels: Floats = image.astype(np.float32)
    if rng.random() < 0.75:
        shift = rng.uniform(-18, 18, size=3).astype(np.float32)
        pixels = pixels * np.float32(rng.uniform(0.88, 1.12)) + shift
    if rng.random() < 0.4:
        hsv = cv2.cvtColor(np.clip(pixels, 0, 255) / np.float32(255), cv2.COLOR_RGB2HSV)
        hsv[..., 1] = hsv[..., 1] * rng.uniform(0.7, 1.3)
        pixels = cv2.cvtColor(np.clip(hsv, 0, [360, 1, 1]).astype(np.float32), cv2.COLOR_HSV2RGB) * np.float32(255)
    if rng.random() < 0.5:
        height, width = image.shape[:2]
        factor = rng.uniform(0.3, 0.8)
        small = cv2.resize(pixels, (max(8, int(width * factor)), max(8, int(height * factor))))
        pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        amount = rng.uniform(0.3, 1.2)
        pixels = pixels + (pixels - cv2.GaussianBlur(pixels, (0, 0), 1.5)) * np.float32(amount)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def _displaced(image: Image, landmarks: Floats, rng: np.random.Generator) -> Image:
    size, centre = _face_size(landmarks), landmarks.mean(axis=0)
    scale = rng.uniform(0.96, 1.04)
    move = rng.uniform(-0.04, 0.04, size=2) * size
    matrix = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    matrix[:, 2] = centre * (1 - scale) + move
    height, width = image.shape[:2]
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _oval(landmarks: Floats, width: float, height: float) -> Floats:
    """Points of an oval from above the brows to the chin, turned as the face is."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    down = mouth - eyes
    size = _face_size(landmarks)
    down = down / max(float(np.hypot(*down)), 1e-6)
    across = np.array([down[1], -down[0]])
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)[:, None]
    centre = eyes * 0.45 + mouth * 0.55
    return centre + np.cos(turn) * across * size * width + np.sin(turn) * down * size * 1.3 * height


def _elastic(mask: Floats, strength: float, smoothness: float, rng: np.random.Generator) -> Floats:
    height, width = mask.shape
    grid = max(2, round(max(height, width) / max(smoothness, 1.0)))
    coarse = rng.uniform(-1, 1, size=(grid, grid, 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(strength)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return cv2.remap(mask, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR)


def _face_size(landmarks: Floats) -> float:
    """Distance from the eyes to the mouth in pixels, or between the eyes where that is larger."""
    drop = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    return float(max(np.hypot(*drop), np.hypot(*(landmarks[1] - landmarks[0])), 4.0))
