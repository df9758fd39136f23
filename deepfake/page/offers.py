"""What the page offers only where whoever serves it says so."""

from __future__ import annotations

from dataclasses import dataclass

from deepfake.page.feedback import Feedback
from deepfake.page.fetching import Fetching


@dataclass(frozen=True, slots=True)
class Offers:
    """What is offered beside what always is; None for what is not."""

    feedback: Feedback | None = None
    """Where wrong answers are kept."""
    fetching: Fetching | None = None
    """What fetches the file that an address names."""
