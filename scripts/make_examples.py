"""Writes examples/ from one public-domain photograph: a portrait, a self-blended fake of it, and a clip of both.

The portrait is NASA's of the astronaut Eileen Collins, as scikit-image ships it (`pip install scikit-image`):

    python scripts/make_examples.py "$(python -c 'import skimage; print(skimage.__path__[0])')/data/astronaut.png"
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from deepfake.data.selfblend import self_blend
from deepfake.faces.mesh import FaceMesh
from deepfake.faces.mtcnn import FaceFinder
from deepfake.media import read_picture
from deepfake.model.bundle import load_detector, load_face_mesh
from deepfake.records import Image

FPS = 12
SECONDS = 4


def main(portrait: Path, out: Path) -> None:
    """Writes portrait.jpg, self_blend.jpg, half_fake.mp4 and no_face.jpg."""
    out.mkdir(exist_ok=True)
    frame = read_picture(portrait)
    (face, *_) = FaceFinder(load_detector()).find([frame])[0]
    points = FaceMesh(load_face_mesh()).points(frame.image, face)
    if points is None:
        sys.exit(f"No face in {portrait}.")
    _, fake = self_blend(frame.image, points, np.random.default_rng(3))
    save(out / "portrait.jpg", frame.image)
    save(out / "self_blend.jpg", fake)
    save(out / "no_face.jpg", np.ascontiguousarray(frame.image[300:, 330:]))
    write_clip(out / "half_fake.mp4", frame.image, fake)


def save(path: Path, image: Image) -> None:
    """Writes a JPEG of quality 92."""
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])


def write_clip(path: Path, real: Image, fake: Image) -> None:
    """A slow pan: the portrait in the first half, the fake in the second."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 400, 400, "yuv420p"
        for number in range(FPS * SECONDS):
            image = real if number < FPS * SECONDS // 2 else fake
            left = round(20 + 40 * number / (FPS * SECONDS))
            shown = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:400, left : left + 400]), format="rgb24")
            shown.pts, shown.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(__file__).resolve().parent.parent / "examples")
