"""Where one answer ends and the other begins."""

from __future__ import annotations

from deepfake.system.settings import Settings, Share


class Thresholds(Settings, frozen=True):
    """Where `real` ends and `fake` begins."""

    real_below: Share
    """A p_fake below this is `real`."""
    fake_above: Share
    """A p_fake of this or more is `fake`; what lies between is `inconclusive`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.real_below <= self.fake_above <= 1:
            raise ValueError(
                "Thresholds must satisfy 0 <= real_below <= fake_above <= 1. "
                f"Received: real_below={self.real_below}, fake_above={self.fake_above}."
            )
