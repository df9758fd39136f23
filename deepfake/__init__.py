"""Tells whether the faces in a picture or a video were manipulated or generated.

    media -> Frame -> faces -> Face -> tracks -> crops -> Crop -> scores -> Score -> verdict -> Verdict -> report

Each file is named after the record it returns; `pipeline` joins them:

>>> from deepfake import detect
>>> verdict = detect("examples/portrait.jpg")
>>> verdict.kind, len(verdict.scores)
('picture', 1)

Training lives in `deepfake.nn` and `deepfake.training`, which need Keras; nothing else here does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfake.errors import BundleError, DatasetError, DeepfakeError, MediaError
    from deepfake.face_scorer import FaceAnswer, FaceScorer
    from deepfake.pipeline import Detector, detect
    from deepfake.records import Face, Label, Reason, Sampling, Score, Thresholds, Track, Verdict

__version__ = "0.6.0"

_HOMES = {
    "BundleError": "errors",
    "DatasetError": "errors",
    "DeepfakeError": "errors",
    "Detector": "pipeline",
    "Face": "records",
    "FaceAnswer": "face_scorer",
    "FaceScorer": "face_scorer",
    "Label": "records",
    "MediaError": "errors",
    "Reason": "records",
    "Sampling": "records",
    "Score": "records",
    "Thresholds": "records",
    "Track": "records",
    "Verdict": "records",
    "detect": "pipeline",
}
__all__ = [
    "BundleError",
    "DatasetError",
    "DeepfakeError",
    "Detector",
    "Face",
    "FaceAnswer",
    "FaceScorer",
    "Label",
    "MediaError",
    "Reason",
    "Sampling",
    "Score",
    "Thresholds",
    "Track",
    "Verdict",
    "detect",
]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that `import deepfake` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
