"""The detector as deepsafe-bench wants it: any file with `predict(path) -> float`.

    pip install deepsafe-bench
    deepsafe eval --model examples/deepsafe_detector.py --tier small --out results

That benchmark counts a call that raises as a miss, and says how many there were. So what has no face counts against
this detector, which looks at faces alone, and no number is made up for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from deepfake import Detector


def predict(path: str | Path) -> float:
    """The probability in [0, 1] that a picture or a video is fake.

    Raises:
        ValueError: If there is no such number: no face, or too little of one.
        MediaError: If the file cannot be read.
    """
    verdict = _detector().detect(path)
    if verdict.p_fake is None:
        raise ValueError(f"A score needs a face. Received: {path}, where the answer is {verdict.reason}.")
    return verdict.p_fake


@cache
def _detector() -> Detector:
    """The shipped model, loaded once."""
    return Detector()
