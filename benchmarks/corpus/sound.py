"""Sound files of every format that is read: small, each with a face."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import PIL.Image
import pillow_heif

from deepfake.records import Image

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
SIDE = 160
"""Side of the pictures in pixels."""
FRAMES = 12
"""Frames of the videos."""


@cache
def portrait() -> Image:
    """The bundled portrait, RGB uint8 `(SIDE, SIDE, 3)`."""
    with PIL.Image.open(EXAMPLES / "portrait.jpg") as picture:
        return np.asarray(picture.convert("RGB").crop((20, 0, 420, 400)).resize((SIDE, SIDE)))


@cache
def clip() -> tuple[Image, ...]:
    """The frames of the bundled clip, small."""
    with av.open(str(EXAMPLES / "half_fake.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return tuple(cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames[:: 48 // FRAMES])


def picture(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """The portrait in a format and mode of Pillow."""
    out = io.BytesIO()
    PIL.Image.fromarray(portrait()).convert(mode).save(out, kind, **options)
    return out.getvalue()


def by_opencv(suffix: str, image: Any, *options: int) -> bytes:
    """An array of any depth, in a format of OpenCV."""
    return bytes(cv2.imencode(suffix, image, options)[1])


def video(
    container: str,
    codec: str,
    images: Sequence[Image] | None = None,
    *,
    rate: Fraction | int = 12,
    times: Sequence[int] | None = None,
    pix_fmt: str = "yuv420p",
    muxer: dict[str, str] | None = None,
    streams: int = 1,
    sound: bool = False,
) -> bytes:
    """The clip, or other frames, as a video; the same bytes each time.

    Args:
        container: Name of an FFmpeg muxer.
        codec: Name of an FFmpeg encoder.
        images: RGB uint8 frames, all of one size.
        rate: Frames a second.
        times: When each frame is shown, in units of 1 / rate; evenly if absent.
        pix_fmt: What is encoded.
        muxer: Options of the container.
        streams: Video streams with the same frames.
        sound: Whether a second of silence comes before.
    """
    images = clip() if images is None else images
    with muxed(container, muxer) as (target, out):
        quiet = target.add_stream("aac" if container in ("mp4", "mov") else "mp2", rate=44100) if sound else None
        # The fast code of libx264 rounds by where its memory lies: without it, the bytes are the same each time.
        options = {"threads": "1", **({"crf": "30", "x264-params": "asm=0"} if codec == "libx264" else {})}
        shown = [target.add_stream(codec, rate=Fraction(rate), options=options) for _ in range(streams)]
        for stream in shown:
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = pix_fmt
            stream.time_base = stream.codec_context.time_base = 1 / Fraction(rate)
        if quiet:
            _encode_silence(target, quiet)
        for stream in shown:
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts, frame.time_base = times[number] if times else number, 1 / Fraction(rate)
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
    return bytes(out)


def sound_alone(container: str, codec: str) -> bytes:
    """A second of silence."""
    with muxed(container) as (target, out):
        _encode_silence(target, target.add_stream(codec, rate=44100))
    return bytes(out)


@contextmanager
def muxed(container: str, options: dict[str, str] | None = None) -> Iterator[tuple[Any, bytearray]]:
    """A container to write to, and what will hold its bytes once the context is left."""
    content = bytearray()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "muxed"
        with av.open(str(path), "w", format=container, options={"fflags": "+bitexact", **(options or {})}) as target:
            yield target, content
        content += path.read_bytes()


def _encode_silence(target: Any, stream: Any) -> None:
    kind = stream.codec_context.format.name
    dtype = np.float32 if kind.startswith("flt") else np.int16
    shape = (2, 44100) if kind.endswith("p") else (1, 88200)
    silence = av.AudioFrame.from_ndarray(np.zeros(shape, dtype), format=kind, layout="stereo")
    silence.sample_rate, silence.pts = 44100, 0
    target.mux(stream.encode(silence))
    target.mux(stream.encode(None))


@cache
def sound_files() -> dict[str, bytes]:
    """Every format and kind of coding that the broken files are made from, by the name of the file."""
    deep = portrait()[..., ::-1].astype(np.uint16) * 257
    moving = [PIL.Image.fromarray(frame) for frame in clip()[1:4]]
    return {
        "baseline.jpg": picture("JPEG", quality=85),
        "progressive.jpeg": picture("JPEG", quality=85, progressive=True, exif=_turned()),
        "rgb.png": picture("PNG"),
        "palette.png": picture("PNG", "P"),
        "deep.png": by_opencv(".png", deep),
        "lossy.webp": picture("WEBP", quality=80),
        "lossless.webp": picture("WEBP", lossless=True),
        "moving.webp": picture("WEBP", save_all=True, append_images=moving, duration=100),
        "plain.bmp": picture("BMP"),
        "raw.tif": picture("TIFF"),
        "lzw.tiff": picture("TIFF", compression="tiff_lzw"),
        "jpeg.tiff": picture("TIFF", compression="jpeg"),
        "pages.tif": picture("TIFF", save_all=True, append_images=moving),
        "moving.gif": picture("GIF", save_all=True, append_images=moving, duration=100),
        "moving.png": picture("PNG", save_all=True, append_images=moving, duration=100),
        "moving.avif": picture("AVIF", save_all=True, append_images=moving, duration=100, max_threads=1),
        "still.avif": picture("AVIF", max_threads=1),
        "still.heic": _heic(),
        "still.jp2": picture("JPEG2000"),
        "still.ppm": picture("PPM"),
        "still.tga": picture("TGA"),
        "still.ico": picture("ICO", sizes=[(SIDE, SIDE)]),
        "h264.mp4": video("mp4", "libx264", sound=True),
        "streamed.mp4": video("mp4", "libx264", muxer={"movflags": "+faststart"}),
        "mpeg4.mov": video("mov", "mpeg4"),
        "mpeg4.avi": video("avi", "mpeg4"),
        "h264.mkv": video("matroska", "libx264"),
        "vp8.webm": video("webm", "libvpx"),
        "vp9.webm": video("webm", "libvpx-vp9"),
        "h264.ts": video("mpegts", "libx264"),
        "mpeg2.mpg": video("mpeg", "mpeg2video", rate=25),
        "h264.flv": video("flv", "libx264"),
        "wmv2.wmv": video("asf", "wmv2"),
        "vp8.ogv": video("ogg", "libvpx"),
    }


def _heic() -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(PIL.Image.fromarray(portrait())).save(out, quality=80)
    return out.getvalue()


def _turned() -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    return exif
