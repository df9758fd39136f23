"""Pictures and clips with a known face, drawn from the bundled portrait: what the other benchmarks look at."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from deepfake.media import read_picture
from deepfake.records import Image

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PORTRAIT = EXAMPLES / "portrait.jpg"
WIDTH, HEIGHT, FPS = 1280, 720, 30


def wide_portrait() -> Image:
    """The bundled portrait as a 1280 x 720 picture."""
    image = read_picture(PORTRAIT).image
    return np.asarray(cv2.resize(image[:288], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def portrait_variant(chance: np.random.Generator, longest: int = 720) -> Image:
    """Another part of an example, in another size, exposure and noise: of four pictures, three show a face."""
    name = ("portrait.jpg", "self_blend.jpg", "portrait.jpg", "no_face.jpg")[chance.integers(4)]
    image = _example(name)
    left, top = chance.integers(0, 60, 2)
    height, width = (edge - chance.integers(0, 60) for edge in image.shape[:2])
    part = image[top:height, left:width]
    scale = chance.uniform(0.3, 1.0) * longest / max(part.shape[:2])
    drawn = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.float32)
    drawn = drawn * chance.uniform(0.7, 1.2) + chance.normal(0, 3, drawn.shape).astype(np.float32)
    return np.clip(drawn[:, :: chance.choice([-1, 1])], 0, 255).astype(np.uint8)


def encoded(image: Image, suffix: str, quality: int = 90) -> bytes:
    """The picture as a file of this suffix."""
    pixels = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    options = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality], ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality]}
    return cv2.imencode(suffix, pixels, options.get(suffix, []))[1].tobytes()


@cache
def _example(name: str) -> Image:
    return read_picture(EXAMPLES / name).image


def write_clip(path: Path, seconds: int = 10, scale: int = 1) -> Path:
    """Writes an H.264 clip in which the portrait drifts and nears slowly, under a camera's noise.

    One keyframe in 250 frames, as the encoder likes it: the most that a reader can meet in the wild.

    Args:
        path: The file.
        seconds: Length.
        scale: Width and height of a frame over 1280 x 720: 3 is 4K, 6 is 8K.
    """
    chance = np.random.default_rng(0)
    portrait = read_picture(PORTRAIT).image
    width, height = scale * WIDTH, scale * HEIGHT
    noise = [np.tile(chance.normal(0, 2, (HEIGHT, WIDTH, 3)).astype(np.int8), (scale, scale, 1)) for _ in range(4)]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * FPS):
            phase = 2 * np.pi * number / (10 * FPS)
            zoom = scale * (2.8 + 0.15 * np.sin(phase))
            corner = (-10 * zoom * (1 + np.cos(phase)), -4 * zoom * (1 + np.sin(2 * phase)))
            shown = cv2.warpAffine(
                portrait,
                np.array([[zoom, 0, corner[0]], [0, zoom, corner[1]]]),
                (width, height),
                borderMode=cv2.BORDER_REPLICATE,
            )
            shown = cv2.add(shown, noise[number % len(noise)], dtype=cv2.CV_8U)
            frame = av.VideoFrame.from_ndarray(np.asarray(shown, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def repeat_clip(source: Path, path: Path, times: int, title: str = "") -> Path:
    """Writes a clip that shows another so many times in a row, without encoding it again.

    Clips of different titles are different files.
    """
    with av.open(str(source)) as first:
        length = first.streams.video[0].duration or 0
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        stream: Any = None
        for turn in range(times):
            with av.open(str(source)) as again:
                video = again.streams.video[0]
                stream = stream or container.add_stream_from_template(video)
                for packet in again.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = (packet.pts or 0) + turn * length, packet.dts + turn * length
                    packet.stream = stream
                    container.mux(packet)
    return path
