"""Augmentation: what happens to pictures on their way (geometry, colour, scaling, compression), both classes alike."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import av
import cv2
import numpy as np
import PIL.Image
from msgspec import structs

from deepfake.data.config import AugmentConfig
from deepfake.records import CropSpec, Face, Floats, Image

INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
SMALLEST_VIDEO = 16
"""Side in pixels below which the encoder takes nothing."""
TINT = 20.0
"""Largest shift of a channel, of 255."""
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)
"""From RGB to the browns of old photographs."""


def augment(image: Image, config: AugmentConfig, rng: np.random.Generator) -> Image:
    """Returns the crop as it might have come from elsewhere: mirrored, recoloured, shrunk, blurred, noisy, compressed.

    Args:
        image: RGB uint8, square.
        config: Ranges and probabilities.
        rng: The only source of chance.

    Returns:
        RGB uint8 of the same shape.
    """
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    image = _recoloured(image, config, rng)
    if rng.random() >= config.clean:
        image = _sent(image, config, rng)
    if rng.random() < config.border:
        image = _bordered(image, rng)
    if rng.random() < config.erase:
        image = _erased(image, rng)
    return image


def moved(
    face: Face, spec: CropSpec, config: AugmentConfig, rng: np.random.Generator, *, has_surroundings: bool
) -> tuple[Face, CropSpec]:
    """Turns, moves and zooms where a crop is cut, so that the picture is sampled once.

    Args:
        face: The face, as it was found.
        spec: The geometry that is served.
        config: Ranges.
        rng: The only source of chance.
        has_surroundings: Whether the picture shows more than the crop; if not, the new crop lies within it, but for
            the corners of a turned one.

    Returns:
        A face and a geometry for `cut_crop`, of one view.
    """
    zoom = rng.uniform(config.min_zoom, config.max_zoom)
    shift = rng.uniform(-config.move, config.move, size=2)
    turn = np.deg2rad(rng.uniform(-config.rotation_deg, config.rotation_deg)) if rng.random() < 0.5 else 0.0
    if not has_surroundings:
        zoom = min(zoom, 1.0)
        shift = np.clip(shift, -(1 - zoom) / 2, (1 - zoom) / 2)
    left, top, right, bottom = face.box_xyxy
    move_x, move_y = shift * face.size * spec.scale
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # The crop's centre stays on the same point of the face, whatever the zoom.
    landmarks = ((face.landmarks - centre) @ rotation.T + centre).astype(np.float32)
    box = (left + move_x, top + move_y, right + move_x, bottom + move_y)
    return replace(face, box_xyxy=box, landmarks=landmarks), structs.replace(
        spec, scale=spec.scale * zoom, shift=spec.shift / zoom, tta_scales=(1.0,)
    )


def as_video(image: Image, config: AugmentConfig, rng: np.random.Generator) -> Image:
    """What a crop will show, as a frame of a video: compressed at its own size; RGB uint8 of the same shape."""
    if rng.random() >= config.video or min(image.shape[:2]) < SMALLEST_VIDEO:
        return image
    return compress_video(image, int(rng.integers(23, 46)), preset="veryfast")


def _sent(image: Image, config: AugmentConfig, rng: np.random.Generator) -> Image:
    """The crop of a picture that was shrunk, blurred, noisy and compressed on its way, in this order.

    A face is small in the frame that is compressed, and enlarged when the crop is cut: so the shrunk crop goes through
    the encoders, and is stretched back after them.
    """
    height, width = image.shape[:2]
    if rng.random() < config.halve:
        image = rescale(image, 0.5, rng)
    if rng.random() < config.rescale:
        image = _resized(image, *_shrunk(width, height, rng.uniform(0.35, 0.9)), INTERPOLATIONS[:3], rng)
    if rng.random() < config.sharpen:
        image = sharpen(image, rng.uniform(0.2, 1.0))
    if rng.random() < config.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5) * image.shape[1] / width)
    if rng.random() < config.noise:
        image = add_noise(image, rng.uniform(1, 6), rng)
    if rng.random() < config.jpeg:
        image = compress(image, int(rng.integers(35, 96)))
    if rng.random() < config.webp:
        image = compress_webp(image, int(rng.integers(30, 96)))
    if rng.random() < config.h264:
        image = compress_video(image, int(rng.integers(20, 42)))
    if image.shape[:2] != (height, width):
        image = _resized(image, width, height, INTERPOLATIONS[1:3], rng)
    if rng.random() < config.palette:
        image = reduce_colours(image, int(rng.integers(32, 257)), dithered=bool(rng.random() < 0.5))
    return image


def rescale(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Shrinks by `factor` and stretches back, each by an interpolation drawn at random; the shape stays."""
    height, width = image.shape[:2]
    image = _resized(image, *_shrunk(width, height, factor), INTERPOLATIONS[:3], rng)
    return _resized(image, width, height, INTERPOLATIONS[1:], rng)


def _shrunk(width: int, height: int, factor: float) -> tuple[int, int]:
    return max(8, round(width * factor)), max(8, round(height * factor))


def _resized(image: Image, width: int, height: int, ways: tuple[int, ...], rng: np.random.Generator) -> Image:
    """Resized by an interpolation drawn from `ways`."""
    return cv2.resize(image, (width, height), interpolation=int(rng.choice(ways)))


def add_noise(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Adds Gaussian noise of this standard deviation, in steps of 255."""
    noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(strength)
    return _bytes(image + noise)


def sharpen(image: Image, strength: float) -> Image:
    """An unsharp mask: the picture and what a blur of 1.5 pixels takes from it, this many times."""
    return cv2.addWeighted(image, 1 + strength, cv2.GaussianBlur(image, (0, 0), 1.5), -strength, 0)


def compress(image: Image, quality: int) -> Image:
    """The picture after a JPEG of this quality, 1 to 100; shape and dtype stay."""
    return _encoded(image, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def compress_webp(image: Image, quality: int) -> Image:
    """The picture after a lossy WebP of this quality, 1 to 100; shape and dtype stay."""
    return _encoded(image, ".webp", [cv2.IMWRITE_WEBP_QUALITY, quality])


def reduce_colours(image: Image, colours: int, *, dithered: bool) -> Image:
    """The picture in so many colours of its own, 2 to 256, as in a GIF; shape and dtype stay."""
    whole = PIL.Image.fromarray(image)
    reduced = whole.quantize(colours)
    if dithered:
        reduced = whole.quantize(palette=reduced, dither=PIL.Image.Dither.FLOYDSTEINBERG)
    return np.asarray(reduced.convert("RGB"))


def _encoded(image: Image, suffix: str, options: list[int]) -> Image:
    encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))


def compress_video(image: Image, crf: int, preset: str = "ultrafast") -> Image:
    """The picture after H.264 as a key frame of this constant rate factor, 0 to 51; shape and dtype stay.

    An odd side grows by a repeated pixel before the encoder, and is cut again after it.
    """
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": preset})
        stream.height, stream.width, stream.pix_fmt = *even.shape[:2], "yuv420p"
        stream.thread_count = 1
        container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, format="h264") as container:
        decoded = next(iter(container.decode(video=0))).to_ndarray(format="rgb24")
    return np.ascontiguousarray(decoded[:height, :width])


def shift_channels(image: Image, shift: Floats) -> Image:
    """Adds three numbers, of 255, to the three channels: a tint, as another white balance gives."""
    return _bytes(image + np.asarray(shift, np.float32))


def turn_hue(image: Image, degrees: float) -> Image:
    """Turns every hue by an angle."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] = hsv[..., 0] + np.uint8(round(degrees / 360 * 256) % 256)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL))


def saturate(image: Image, factor: float) -> Image:
    """Colours this many times as far from grey."""
    pixels = image.astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    return _bytes(grey + (pixels - grey) * np.float32(factor))


def apply_gamma(image: Image, gamma: float) -> Image:
    """Every pixel to the power of gamma, over the range from black to white."""
    return np.asarray(cv2.LUT(image, _bytes(255 * (np.arange(256) / 255) ** gamma)))


def to_grey(image: Image) -> Image:
    """Black and white, in three equal channels."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def to_sepia(image: Image) -> Image:
    """The browns of an old photograph."""
    return _bytes(image.astype(np.float32) @ SEPIA.T)


def _recoloured(image: Image, config: AugmentConfig, rng: np.random.Generator) -> Image:
    if config.colour:
        brightness, contrast, saturation = 1 + rng.uniform(-config.colour, config.colour, size=3)
        pixels = saturate(image, saturation).astype(np.float32)
        mean = pixels.mean()
        image = _bytes((mean + (pixels - mean) * np.float32(contrast)) * np.float32(brightness))
    changes: tuple[tuple[float, Callable[[], Image]], ...] = (
        (config.tint, lambda: shift_channels(image, rng.uniform(-TINT, TINT, 3))),
        (config.hue, lambda: turn_hue(image, rng.uniform(-12, 12))),
        (config.gamma, lambda: apply_gamma(image, float(np.exp(rng.uniform(-0.5, 0.5))))),
        (config.grey, lambda: to_sepia(image) if rng.random() < 0.25 else to_grey(image)),
    )
    for probability, change in changes:
        if rng.random() < probability:
            image = change()
    return image


def _bordered(image: Image, rng: np.random.Generator) -> Image:
    """One or two plain bars over edges of the picture, 3% to 15% of its side."""
    image, side = image.copy(), image.shape[0]
    colour = rng.choice([0, 0, 255, int(rng.integers(256))])
    for edge in rng.permutation(4)[: rng.integers(1, 3)]:
        np.rot90(image, int(edge))[: max(1, round(side * rng.uniform(0.03, 0.15)))] = colour
    return image


def _erased(image: Image, rng: np.random.Generator) -> Image:
    """Random erasing (Zhong et al., AAAI 2020): a rectangle of the picture's mean colour."""
    side = image.shape[0]
    area, ratio = rng.uniform(0.02, 0.15), np.exp(rng.uniform(-1, 1))
    height, width = (max(1, round(side * float(np.sqrt(area * r)))) for r in (ratio, 1 / ratio))
    top, left = rng.integers(0, side - min(height, side - 1)), rng.integers(0, side - min(width, side - 1))
    image = image.copy()
    image[top : top + height, left : left + width] = image.mean(axis=(0, 1)).astype(np.uint8)
    return image


def _bytes(pixels: Floats) -> Image:
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)
