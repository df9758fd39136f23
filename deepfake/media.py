"""A picture or a video -> Frames.

What a file is, its first bytes say, not its name. Pictures are refused by the size in their header, before they
are decoded. A video is decoded one frame at a time, so memory does not grow with its length.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.error
import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps

from deepfake.errors import MediaError
from deepfake.records import Frame, Image, Sampling

Kind = Literal["picture", "video"]

MAX_PIXELS = 50_000_000
"""Pictures and frames with more are refused before they are decoded."""
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"})

_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_TIFF_MAGIC = (b"II*\0", b"MM\0*")
_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_SEEK_GAP_S = Fraction(1)
"""A keyframe closer than this to the frame before is not worth a seek."""
_GRACE_S = Fraction(1, 4)
"""How long past its end a frame still counts as shown where the ones after it are lost."""


def kind_of(path: Path | str) -> Kind:
    """Says from a file's first bytes whether it is a picture or a video.

    Raises:
        MediaError: If the file cannot be opened, is empty, or is of none of the known formats.
    """
    return "picture" if _format_of(Path(path)) in (*_PILLOW_FORMATS, "TIFF") else "video"


def read_picture(path: Path | str) -> Frame:
    """Reads a JPEG, PNG, WebP, BMP or TIFF picture, upright, in 8-bit RGB.

    The EXIF orientation is applied; grey and palette become RGB; what is transparent becomes white; 16-bit
    values keep their high byte; of an animation the first frame is read.

    Raises:
        MediaError: If the file is no such picture, is damaged, or has more than 50 megapixels.
    """
    path = Path(path)
    if kind_of(path) != "picture":
        raise MediaError(f"{path} is a video, not a picture.")
    image = _read_tiff(path) if _format_of(path) == "TIFF" else _read_with_pillow(path)
    return Frame(image=np.ascontiguousarray(image), index=0, time=Fraction(0))


class VideoReader:
    """Iterates over the sampled frames of an MP4, MOV, AVI, MKV or WebM video.

    Times are exact fractions of a second from the video's first frame; rotation metadata is applied. A frame
    that cannot be decoded is counted in `frames_failed`, not replaced. Each iteration reads the file anew.

    Args:
        path: The video.
        sampling: Which frames to take.

    Raises:
        MediaError: On opening, if the file holds no video that can be decoded; on iterating, if not one of
            the sampled frames could be decoded.
    """

    def __init__(self, path: Path | str, sampling: Sampling | None = None) -> None:
        self.path = Path(path)
        self.sampling = sampling or Sampling()
        self.frames_failed = 0
        with _Opened(self.path) as (container, stream):
            self.size = (stream.codec_context.width, stream.codec_context.height)
            self._first = _time(stream.start_time or 0, stream)
            self.duration = self._duration(container, stream)
        self.times = self.sampling.times(self.duration)
        if not self.times:
            raise MediaError(
                f"{self.path} lasts {float(self.duration):.2f} s, so there is no frame after "
                f"{self.sampling.start_s} s. Choose an earlier --start."
            )

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Frame]:
        self.frames_failed = 0
        found = 0
        with _Opened(self.path) as (container, stream):
            for index, frame in self._sampled(container, stream):
                try:
                    image = frame.to_ndarray(format="rgb24")
                except (av.error.FFmpegError, ValueError):
                    continue
                found += 1
                turns = (round(frame.rotation) // 90) % 4
                yield Frame(
                    image=np.ascontiguousarray(np.rot90(image, turns)),
                    index=index,
                    time=_time(frame.pts, stream) - self._first,
                )
        self.frames_failed = len(self.times) - found
        if not found:
            raise MediaError(
                f"None of {len(self.times)} frames of {self.path} could be decoded: the video is damaged. "
                f"Copy it again, or try: ffmpeg -i {self.path.name} -c:v libx264 repaired.mp4"
            )

    def _sampled(self, container: Any, stream: Any) -> Iterator[tuple[int, Any]]:
        """The frame shown at each time to sample, with the time's number; times whose frame is lost are left out."""
        keyframes = [_time(e.timestamp, stream) for e in stream.index_entries if e.is_keyframe]
        decoded = _Decoded(container, stream)
        shown, following = None, next(decoded, None)
        for index, time in enumerate(self.times):
            target = time + self._first
            jump = max((key for key in keyframes if key <= target), default=Fraction(0))
            if index and shown is not None and jump > _time(shown.pts, stream) + _SEEK_GAP_S:
                container.seek(int(jump / stream.time_base), stream=stream)
                decoded = _Decoded(container, stream)
                shown, following = None, next(decoded, None)
            while following is not None and (shown is None or _time(following.pts, stream) <= target):
                decoded.broken = False
                shown, following = following, next(decoded, None)
            if shown is None:
                return
            lost = decoded.broken or following is None
            if not lost or target - _time(shown.pts, stream) < _length(shown, stream) + _GRACE_S:
                yield index, shown

    def _duration(self, container: Any, stream: Any) -> Fraction:
        if stream.duration:
            return _time(stream.duration, stream)
        if container.duration:
            return Fraction(container.duration, av.time_base)
        last = max((packet.pts for packet in container.demux(stream) if packet.pts is not None), default=None)
        if last is None:
            raise MediaError(f"{self.path} holds no video frame. Export it again.")
        return _time(last, stream) - self._first + 1 / Fraction(stream.average_rate or 25)


class _Opened:
    """A container and its video stream, as a context; what PyAV raises becomes a `MediaError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if kind_of(path) != "video":
            raise MediaError(f"{path} is a picture, not a video.")
        try:
            self._container: Any = av.open(str(path), format=_format_of(path))
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(
                f"{path} cannot be opened as a video ({_said(error)}): it is damaged or cut short. Copy it again."
            ) from error

    def __enter__(self) -> tuple[Any, Any]:
        container = self._container
        streams, sounds = list(container.streams.video), len(container.streams.audio)
        width, height = (streams[0].codec_context.width, streams[0].codec_context.height) if streams else (0, 0)
        if not 0 < width * height <= MAX_PIXELS:
            # Nothing of a closed container may be touched: PyAV would read freed memory.
            container.close()
            raise MediaError(
                _size_error(self._path, width, height)
                if streams
                else f"No video stream in {self._path} ({sounds} audio stream(s) found). Give one with pictures."
            )
        streams[0].thread_type = "AUTO"
        return container, streams[0]

    def __exit__(self, *_: object) -> None:
        self._container.close()


class _Decoded:
    """Iterates over the frames that could be decoded and have a time; `broken` says that some could not."""

    def __init__(self, container: Any, stream: Any) -> None:
        self.broken = False
        self._frames = self._decode(container.demux(stream))

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> Any:
        return next(self._frames)

    def _decode(self, packets: Iterator[Any]) -> Iterator[Any]:
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.broken = True
                continue
            for frame in frames:
                if frame.pts is None or frame.is_corrupt:
                    self.broken = True
                else:
                    yield frame


def _time(ticks: int, stream: Any) -> Fraction:
    return Fraction(ticks) * Fraction(stream.time_base)


def _length(frame: Any, stream: Any) -> Fraction:
    return _time(frame.duration, stream) if frame.duration else 1 / Fraction(stream.average_rate or 25)


def _format_of(path: Path) -> str:
    """A Pillow format, `TIFF`, or the name of an FFmpeg demuxer."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise MediaError(f"{path} cannot be opened: {error.strerror}. Check the path and its permissions.") from error
    if not head:
        raise MediaError(f"{path} is empty (0 bytes). Copy it again.")
    if head[:4] in _TIFF_MAGIC:
        return "TIFF"
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM":
        return "BMP"
    if head[4:8] in _MOV_ATOMS:
        return "mov"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    raise MediaError(
        f"{path} is neither a picture (JPEG, PNG, WebP, BMP, TIFF) nor a video (MP4, MOV, AVI, MKV, WebM), "
        "whatever its name says. Convert it first."
    )


def _read_with_pillow(path: Path) -> Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path, formats=_PILLOW_FORMATS) as picture:
                _check_size(path, *picture.size)
                return np.asarray(_flattened(PIL.ImageOps.exif_transpose(picture)))
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(f"{path} has far more than {MAX_PIXELS // 10**6} megapixels. Shrink it first.") from error
    except (OSError, ValueError, SyntaxError, KeyError, IndexError, struct.error, EOFError, OverflowError) as error:
        raise MediaError(f"{path} is damaged or cut short ({_said(error)}). Copy it again.") from error


def _flattened(picture: PIL.Image.Image) -> PIL.Image.Image:
    """8-bit RGB, with white where it was transparent."""
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = np.asarray(picture, dtype=np.float64)
        return PIL.Image.fromarray((grey / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _read_tiff(path: Path) -> Image:
    """TIFF goes through OpenCV, which reads 16-bit RGB; Pillow does not."""
    content = path.read_bytes()
    _check_size(path, *_tiff_size(path, content))
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise MediaError(f"{path} is damaged or of an unknown kind of TIFF. Convert it to PNG.") from error
    if image is None:
        raise MediaError(f"{path} is damaged or of an unknown kind of TIFF. Convert it to PNG.")
    return np.asarray(image, np.uint8)


def _tiff_size(path: Path, content: bytes) -> tuple[int, int]:
    order = "<" if content[:2] == b"II" else ">"
    sizes = {}
    try:
        (start,) = struct.unpack_from(f"{order}I", content, 4)
        (count,) = struct.unpack_from(f"{order}H", content, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", content, place)
            sizes[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", content, place + 8)[0]
        return sizes[256], sizes[257]
    except (struct.error, KeyError) as error:
        raise MediaError(f"{path} is damaged: its TIFF header has no size. Copy it again.") from error


def _check_size(path: Path, width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise MediaError(_size_error(path, width, height))


def _size_error(path: Path, width: int, height: int) -> str:
    return (
        f"{path} must have at most {MAX_PIXELS // 10**6} megapixels. "
        f"Received: {width} x {height} ({width * height / 1e6:.0f} megapixels). Shrink it first."
    )


def _said(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
