from __future__ import annotations

import pytest
from scipy import stats

from deepfake.model.intervals import share_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 1), (1, 1), (0, 20), (3, 30), (17, 214), (500, 1000)])
def test_the_interval_is_that_of_scipy(hits, count):
    expected = stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert share_interval(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_share_has_an_interval_even_when_nothing_was_seen():
    low, high = share_interval(0, 20)
    assert low == pytest.approx(0, abs=1e-12)
    assert 0.1 < high < 0.25
    with pytest.raises(ValueError, match="must be positive"):
        share_interval(0, 0)
