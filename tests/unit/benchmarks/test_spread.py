"""Medians and ratios of what was measured."""

import pytest

from tests.benchmarks.engine.spread import Spread, percentile, ratios


def test_a_ratio_is_taken_within_its_round() -> None:
    slow_round, fast_round = {"ours": 300.0, "theirs": 100.0}, {"ours": 6_000.0, "theirs": 1_000.0}
    assert ratios([slow_round, fast_round], "ours", "theirs") == [3.0, 6.0]


def test_the_spread_is_from_the_least_to_the_greatest() -> None:
    assert Spread.of([5.0, 1.0, 9.0, 2.0]) == Spread(median=3.5, low=1.0, high=9.0, repeats=4)


def test_nothing_measured_is_no_number() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)])
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile(map(float, range(100, 0, -1)), share) == expected
