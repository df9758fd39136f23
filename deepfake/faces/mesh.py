"""(Frame, Face) -> 468 points on the face: MediaPipe's face mesh on LiteRT.

The points say where brows, eyes, nose, lips and the outline of a face lie. Training takes the masks of its blends from
them.

Reference:
    Kartynnik et al., "Real-time facial surface geometry from monocular video on mobile GPUs", 2019.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from deepfake.faces.crops import cut_crop
from deepfake.records import CropSpec, Face, Floats, Image
from deepfake.system.quiet import quiet

POINTS = 468
"""Points of a face."""
VIEW = CropSpec(size=192, scale=1.4, shift=0.0)
"""The square that the network sees: upright, 1.4 times as wide as the face's box."""

OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Points around the face, from the middle of the forehead."""
MOUTH = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
RIGHT_EYE = (33, 133, 159, 145)
"""The subject's right eye, which lies on the left of the picture."""
LEFT_EYE = (263, 362, 386, 374)
RIGHT_BROW = (70, 63, 105, 66, 107)
LEFT_BROW = (336, 296, 334, 293, 300)
NOSE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 98, 327)
LOWER_OUTLINE = (93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323)
"""The part of the outline below the ears, from the picture's left to its right."""


class FaceMesh:
    """Finds the points of a face that was found already.

    One instance serves one thread: LiteRT interpreters are not thread-safe.

    Args:
        graph: The bytes of `face_landmark.tflite`, see `deepfake.model.bundle.load_face_mesh`.
        threads: Number of threads that the graph may use.
    """

    def __init__(self, graph: bytes, threads: int = 1) -> None:
        with quiet():
            self._interpreter = Interpreter(model_content=graph, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = {int(np.prod(one["shape"])): one["index"] for one in self._interpreter.get_output_details()}
        self._points, self._score = outputs[POINTS * 3], outputs[1]

    def points(self, image: Image, face: Face) -> Floats | None:
        """The points of one face, in pixels of the picture.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            face: A face of this picture; its box and landmarks say where to look.

        Returns:
            Float32 `(468, 2)`, x and y; None where the network sees no face.

        Example:

        >>> from deepfake.faces.crops import face_of_crop
        >>> from deepfake.model.bundle import load_face_mesh
        >>> FaceMesh(load_face_mesh()).points(np.zeros((64, 64, 3), np.uint8), face_of_crop(64, VIEW)) is None
        True
        """
        crop = cut_crop(image, face, VIEW)
        self._interpreter.set_tensor(self._input, crop.image[None].astype(np.float32) / np.float32(255))
        self._interpreter.invoke()
        if float(self._interpreter.get_tensor(self._score).ravel()[0]) < 0:
            return None
        unit = self._interpreter.get_tensor(self._points).reshape(POINTS, 3)[:, :2] / VIEW.size
        return np.asarray(unit @ crop.to_frame[:, :2].T + crop.to_frame[:, 2], np.float32)
