"""What happens to pictures on their way: geometry, colour, scaling, blur, noise, JPEG. Both classes alike."""

from __future__ import annotations

import cv2
import numpy as np

from deepfake.records import Image
from deepfake.training.config import DegradeConfig

INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


def degrade(image: Image, size: int, config: DegradeConfig, rng: np.random.Generator) -> Image:
    """Returns the crop as it might have come from elsewhere: moved, recoloured, shrunk, blurred, noisy, compressed.

    Args:
        image: RGB uint8, square.
        size: Side of the answer in pixels.
        config: Ranges and probabilities.
        rng: The only source of chance.

    Returns:
        RGB uint8 `(size, size, 3)`.
    """
    image = _moved(image, size, config, rng)
    if config.colour:
        image = _recoloured(image, config.colour, rng)
    if rng.random() < config.rescale:
        image = rescale(image, rng.uniform(0.35, 0.9), rng)
    if rng.random() < config.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < config.noise:
        noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(1, 6))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < config.jpeg:
        image = compress(image, int(rng.integers(35, 96)))
    return image


def fit_to(image: Image, size: int) -> Image:
    """The crop at another size, untouched where it fits: averaged when it shrinks, bilinear when it grows."""
    if image.shape[:2] == (size, size):
        return image
    shrinks = image.shape[0] > size
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def rescale(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Shrinks by `factor` and stretches back, each by an interpolation drawn at random; the shape stays."""
    height, width = image.shape[:2]
    small = (max(8, round(width * factor)), max(8, round(height * factor)))
    down, up = rng.choice(INTERPOLATIONS[:3]), rng.choice(INTERPOLATIONS[1:])
    image = cv2.resize(image, small, interpolation=int(down))
    return cv2.resize(image, (width, height), interpolation=int(up))


def compress(image: Image, quality: int) -> Image:
    """The picture after a JPEG of this quality, 1 to 100; shape and dtype stay."""
    encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))


def _moved(image: Image, size: int, config: DegradeConfig, rng: np.random.Generator) -> Image:
    side = image.shape[0]
    if config.rotation_deg and rng.random() < 0.5:
        angle = rng.uniform(-config.rotation_deg, config.rotation_deg)
        matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1.0)
        image = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    kept = round(side * rng.uniform(config.min_scale, 1.0))
    left, top = rng.integers(0, side - kept + 1, size=2)
    image = image[top : top + kept, left : left + kept]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    return fit_to(np.ascontiguousarray(image), size)


def _recoloured(image: Image, strength: float, rng: np.random.Generator) -> Image:
    brightness, contrast, saturation = 1 + rng.uniform(-strength, strength, size=3)
    pixels = image.astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * np.float32(saturation)
    mean = pixels.mean()
    pixels = (mean + (pixels - mean) * np.float32(contrast)) * np.float32(brightness)
    return np.clip(pixels, 0, 255).astype(np.uint8)
