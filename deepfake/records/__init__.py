"""What travels between the stages: media -> Frame -> Face -> Crop -> Score -> Verdict.

Pictures are RGB uint8 `(height, width, 3)`; coordinates are pixels of the frame, x to the right and y down,
with (0, 0) the outer corner of the first pixel.

`frames`: a frame, and which of them are asked for.
`faces`: a face, its crop, and its score.
`verdict`: the answer about a file; `verdict_json` writes it as plain values.
`whole_picture`: the answer about a picture as a whole.
"""

from deepfake.records.faces import Change, Crop, CropSpec, Face, FaceQuality, Score, Step
from deepfake.records.frames import MAX_SAMPLES, Floats, Frame, Image, Sampling, Source
from deepfake.records.thresholds import Thresholds
from deepfake.records.verdict import Label, ModelId, Note, Part, Reason, Track, Verdict
from deepfake.records.whole_picture import Patch, PictureLabel, WholePicture

__all__ = [
    "MAX_SAMPLES",
    "Change",
    "Crop",
    "CropSpec",
    "Face",
    "FaceQuality",
    "Floats",
    "Frame",
    "Image",
    "Label",
    "ModelId",
    "Note",
    "Part",
    "Patch",
    "PictureLabel",
    "Reason",
    "Sampling",
    "Score",
    "Source",
    "Step",
    "Thresholds",
    "Track",
    "Verdict",
    "WholePicture",
]
