from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def examples():
    return ROOT / "examples"


@pytest.fixture(scope="session")
def portrait(examples):
    from deepfake.media import read_picture

    return read_picture(examples / "portrait.jpg")


@pytest.fixture(scope="session")
def finder():
    from deepfake.bundle import load_detector
    from deepfake.faces import FaceFinder

    return FaceFinder(load_detector())


@pytest.fixture(scope="session")
def portrait_face(finder, portrait):
    (face,) = finder.find([portrait])[0]
    return face


@pytest.fixture(scope="session")
def detector():
    from deepfake.pipeline import Detector

    return Detector()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def write_video():
    """Writes frames as a video; `times` are in hundredths of a second, evenly 10 a second if absent."""

    def write(path, images, times=None, codec="libx264", **options):
        with av.open(str(path), "w", **options) as container:
            stream = container.add_stream(codec, rate=100, options={"crf": "12"} if codec == "libx264" else {})
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts = times[number] if times else number * 10
                frame.time_base = Fraction(1, 100)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def grey_ramp():
    """Frames of one grey each, 20, 30, 40, ...: a frame says which one it is."""
    return [np.full((64, 96, 3), 20 + 10 * number, np.uint8) for number in range(20)]


@pytest.fixture
def save_png():
    def save(path, image):
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return path

    return save
