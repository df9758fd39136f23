"""A decoded frame of a video -> the picture that a player shows.

Fields become whole pictures, pixels square and colours those of an ordinary screen; it is turned as its container says.
A frame that needs none of this costs none of it.
"""

from __future__ import annotations

import math
from fractions import Fraction

import cv2
import numpy as np
from av import VideoFrame, VideoStream
from av.filter import Graph
from av.video.reformatter import Colorspace, VideoReformatter

from deepfake.media.formats import MAX_PIXELS
from deepfake.media.tone import HDR, tone_mapped
from deepfake.records import Image

WIDEST_PIXEL = 5
"""No camera's pixels are longer than this over their width, or wider over their height: what says so is damaged."""
_UNSPECIFIED = 2


class Display:
    """Shows the frames of one stream.

    Args:
        stream: The stream, open.
    """

    def __init__(self, stream: VideoStream) -> None:
        shape = Fraction(stream.sample_aspect_ratio or 1)
        self._pixel = shape if 1 / Fraction(WIDEST_PIXEL) <= shape <= WIDEST_PIXEL else Fraction(1)
        self._reformatter = VideoReformatter()

    def shown(self, frame: VideoFrame, before: VideoFrame | None = None, after: VideoFrame | None = None) -> Image:
        """The picture, RGB uint8, upright.

        Args:
            frame: What was decoded.
            before: The frame before it, of which an interlaced one is completed; None if there is none.
            after: The frame after it.

        Raises:
            FFmpegError, ValueError: If FFmpeg cannot convert it.
        """
        if frame.interlaced_frame:
            frame = _deinterlaced(before, frame, after)
        image = self._squared(self._coloured(frame))
        return np.ascontiguousarray(np.rot90(image, (round(frame.rotation) // 90) % 4))

    def _coloured(self, frame: VideoFrame) -> Image:
        matrix = None
        if frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb:
            # As players guess it.
            is_hd = frame.width >= 1280 or frame.height > 576
            matrix = Colorspace.ITU709 if is_hd else Colorspace.ITU601
        if frame.color_trc in HDR:
            codes = self._reformatter.reformat(frame, format="rgb48le", src_colorspace=matrix)
            return tone_mapped(codes.to_ndarray(), frame.color_trc)
        return self._reformatter.reformat(frame, format="rgb24", src_colorspace=matrix).to_ndarray()

    def _squared(self, image: Image) -> Image:
        if self._pixel == 1:
            return image
        height, width = image.shape[:2]
        # The shorter side of a pixel grows: nothing that was seen is lost.
        width, height = round(width * max(self._pixel, 1)), round(height / min(self._pixel, 1))
        shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)))
        size = max(1, int(width * shrink)), max(1, int(height * shrink))
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))


def _deinterlaced(before: VideoFrame | None, frame: VideoFrame, after: VideoFrame | None) -> VideoFrame:
    """The frame with whole pictures in the place of its two fields, its neighbours' lines considered."""
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=all"), graph.add("buffersink")).configure()
    fits = [near for near in (before, frame, after) if near is not None and _layout(near) == _layout(frame)]
    for near in (*fits, None):
        graph.push(near)
    whole = [graph.pull() for _ in fits]
    return whole[next(place for place, near in enumerate(fits) if near is frame)]


def _layout(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
