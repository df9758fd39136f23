"""Verdict -> all that is said of it in sentences, one after the other."""

from __future__ import annotations

from pathlib import Path

from deepfake.records import Verdict
from deepfake.report.catalogue import Catalogue
from deepfake.report.doubts import doubts
from deepfake.report.error_rates import error_sentences
from deepfake.report.whole_picture import whole_sentences
from deepfake.report.words import ENGLISH, sentences, spread


def explained(verdict: Verdict, model: Path, say: Catalogue = ENGLISH) -> list[str]:
    """The answer in sentences, whether it holds, how often the model errs with such, and what lowers certainty here.

    Args:
        verdict: The answer.
        model: Folder of the bundle that answered.
        say: The language.

    Raises:
        BundleError: If the measures of the bundle cannot be read.
    """
    errs = error_sentences(verdict, model, say) if verdict.p_fake is not None else []
    whole = whole_sentences(verdict.whole_picture, model, say) if verdict.whole_picture else []
    return [*sentences(verdict, say), *spread(verdict, say), *errs, *(doubt(say) for doubt in doubts(verdict)), *whole]
