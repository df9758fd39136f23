"""How sure a share is that was counted."""

from __future__ import annotations

import math
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)


def share_interval(hits: int, count: int) -> tuple[float, float]:
    """95% Wilson interval of a share.

    Raises:
        ValueError: If `count` is not positive.

    Reference:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Example:

    >>> [round(end, 3) for end in share_interval(0, 100)]
    [0.0, 0.037]
    """
    if count < 1:
        raise ValueError(f"`count` must be positive. Received: {count}.")
    share, weight = hits / count, Z_95**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = Z_95 * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)
