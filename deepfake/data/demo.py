"""One photograph -> a small folder of `real` and `fake` pictures, to try the training path on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from deepfake.data.augment import augment
from deepfake.data.config import AugmentConfig
from deepfake.data.selfblend import self_blend
from deepfake.errors import DatasetError
from deepfake.faces.mesh import FaceMesh
from deepfake.faces.mtcnn import FaceFinder
from deepfake.media import read_picture
from deepfake.model.bundle import load_face_mesh
from deepfake.records import Frame
from deepfake.system.files import write_png
from deepfake.system.shipped import shipped

PORTRAIT = shipped("examples") / "portrait.jpg"
CHANGES = AugmentConfig(rescale=0, blur=0, noise=0, jpeg=0.5, h264=0, erase=0)
"""Reals differ in colour, side and compression; the face stays where it can be found."""
BLENDS = 4
"""How often a fake is blended with itself: seams that a small network finds in a few steps."""


def write_demo(folder: Path, finder: FaceFinder, count: int = 24, photograph: Path = PORTRAIT) -> Path:
    """Writes copies of a photograph as reals, and each of them blended with itself as a fake.

    All show one person, so what is measured on them says nothing about a model.

    Args:
        folder: Where `real` and `fake/blended` go; made if absent.
        finder: The face detector.
        count: Pictures of each kind.
        photograph: A picture with one face.

    Returns:
        The folder.

    Raises:
        MediaError: If the photograph cannot be read.
        DatasetError: If no face is found in it.
    """
    portrait = read_picture(photograph).image
    mesh = FaceMesh(load_face_mesh())
    for number in range(count):
        rng = np.random.default_rng(number)
        real = augment(portrait, CHANGES, rng)
        faces = finder.find([Frame(real, number, Fraction(0))])[0]
        points = mesh.points(real, faces[0]) if faces else None
        if points is None:
            raise DatasetError(f"A demo needs a photograph with a face. Found none in {photograph}.")
        fake = real
        for _ in range(BLENDS):
            _, fake = self_blend(fake, points, rng)
        write_png(folder / "real" / f"{number:02d}.png", real)
        write_png(folder / "fake" / "blended" / f"{number:02d}.png", fake)
    return folder
