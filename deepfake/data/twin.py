"""Twins: real pictures after a round trip through an autoencoder, fakes that differ from their reals in that alone.

Every picture from a latent diffusion model comes out of an autoencoder's decoder. A real picture that went through one
carries the decoder's traces and nothing else: same content, light, camera and compression.

Reference:
    Rajan et al., "Aligned datasets improve detection of latent diffusion-generated images", ICLR 2025; Chen et al.,
    "Dual data alignment makes AI-generated image detector easier generalizable", 2025.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import cv2
import numpy as np

from deepfake.data.augment import compress
from deepfake.data.index import read_index, write_index
from deepfake.data.selfblend import blend, face_mask
from deepfake.data.stored import read_stored
from deepfake.errors import DatasetError
from deepfake.records import Floats, Image
from deepfake.system.files import write_png


def twin_pair(image: Image, twin: Image, points: Floats | None, rng: np.random.Generator) -> tuple[Image, Image]:
    """A real and a fake made of it and its twin: the whole twin, soft patches of it on the face, or a mixture.

    Half of the pairs go through one JPEG quality first, both alike.

    Args:
        image: RGB uint8 `(height, width, 3)`, a real face.
        twin: The same after the round trip, of the same shape.
        points: Shape `(468, 2)`, its face mesh in pixels; None where it is not known: no patches then.
        rng: The only source of chance.

    Returns:
        The real and the fake, RGB uint8 of the same shape.
    """
    way = rng.choice(["whole", "patches", "mixed"], p=[0.55, 0.30, 0.15])
    fake = twin
    if way == "mixed":
        fake = cv2.addWeighted(twin, share := float(rng.uniform(0.2, 1)), image, 1 - share, 0)
    elif way == "patches" and points is not None:
        fake = blend(twin, image, patches(image.shape[0], image.shape[1], points, rng))
    if rng.random() < 0.5:
        quality = int(rng.integers(60, 98))
        return compress(image, quality), compress(fake, quality)
    return image, fake


def patches(height: int, width: int, points: Floats, rng: np.random.Generator) -> Floats:
    """A mask of soft blobs on a face, or of the face; float32 `(height, width)` in [0, 1], its maximum 1."""
    if rng.random() < 0.4:
        face = face_mask(height, width, points, rng)
        return face / max(float(face.max()), 1e-6)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    size = max(right - left, bottom - top, 8.0)
    mask: Floats = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        centre = rng.uniform((left, top), (right, bottom))
        axes = rng.uniform(0.1, 0.4, size=2) * size
        cv2.ellipse(mask, (centre.tolist(), (2 * axes).tolist(), float(rng.uniform(0, 180))), 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), size * rng.uniform(0.01, 0.06))
    return mask / max(float(mask.max()), 1e-6)


def make_twins(
    index: Path, sources: Sequence[str] = (), progress: Callable[[int, int], object] = lambda done, total: None
) -> int:
    """Writes the twin of each real face of an index beside its picture, and the index that names them.

    Called again after an interruption it goes on. A picture of 256 x 256 takes about half a second on one core with the
    PyTorch backend in bfloat16.

    Args:
        index: An index of faces, as `extract` writes it.
        sources: Sources to take; all if empty.
        progress: Called with the number of pictures done and their total.

    Returns:
        How many twins the index names now.

    Raises:
        DatasetError: If the index has no real face of these sources.
    """
    from deepfake.nn.autoencoder import load_autoencoder, round_trip
    from deepfake.nn.torch_layers import fast_inference

    rows = read_index(index)
    asked = {row.path for row in rows if row.label == "real" and (not sources or row.source in sources)}
    if not asked:
        raise DatasetError(f"{index} has no real face of {', '.join(sources) or 'any source'}.")
    names = {path: str(PurePath(path).with_suffix(".twin.png")) for path in asked}
    missing = [path for path in sorted(asked) if not (index.parent / names[path]).exists()]
    progress(len(asked) - len(missing), len(asked))
    with fast_inference():
        network = load_autoencoder()
        for number, path in enumerate(missing, start=1):
            write_png(index.parent / names[path], round_trip(network, read_stored(index.parent / path)))
            progress(len(asked) - len(missing) + number, len(asked))
    rows = [replace(row, twin=names[row.path]) if row.path in names else row for row in rows]
    write_index(index, rows)
    return sum(bool(row.twin) for row in rows)
