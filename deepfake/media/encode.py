"""Frames -> a video file that browsers play."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from deepfake.records import Frame, Image
from deepfake.system.files import replacing

MAX_CLIP_SIDE = 1280
"""Clips are shrunk to this longer side: they are to be looked at, not measured again."""
_TIME_BASE = Fraction(1, 90000)


def encode_clip(frames: Iterable[Frame], path: Path) -> Path:
    """Writes frames as an H.264 MP4; each stands until the next, so the clip lasts as long as what they show.

    Args:
        frames: In order of time, all of one size; read as they are needed.
        path: The file, which appears whole or not at all.

    Returns:
        `path`.
    """
    with (
        replacing(path) as scratch,
        av.open(str(scratch), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream = None
        for frame in frames:
            image = _even(frame.image)
            if stream is None:
                stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "20"})
                stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
                stream.time_base = stream.codec_context.time_base = _TIME_BASE
            shown = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            shown.pts, shown.time_base = int(frame.time / _TIME_BASE), _TIME_BASE
            container.mux(stream.encode(shown))
        if stream is not None:
            container.mux(stream.encode(None))
    return path


def _even(image: Image) -> Image:
    """The picture in a size that H.264 takes: even, and not too large."""
    scale = min(1.0, MAX_CLIP_SIDE / max(image.shape[:2]))
    width, height = (max(2, 2 * round(side * scale / 2)) for side in (image.shape[1], image.shape[0]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
