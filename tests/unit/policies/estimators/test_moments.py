"""Moments that merge, and the two values that stand for all."""

import numpy as np
import pytest

from policies.estimators.moments import Moments


@pytest.mark.parametrize("cut", [0, 1, 7, 150, 300])
def test_parts_merge_to_the_whole_far_from_zero_too(cut: int) -> None:
    x = 1e6 + np.random.default_rng(3).gamma(2.0, size=300)
    whole, merged = Moments.of(x), Moments.of(x[:cut]) + Moments.of(x[cut:])
    assert (merged.n, merged.lowest, merged.highest) == (whole.n, whole.lowest, whole.highest)
    for one, other in zip(
        (merged.mean, merged.second, merged.third), (whole.mean, whole.second, whole.third), strict=True
    ):
        assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("ones", [1, 20, 199])
@pytest.mark.parametrize("stretched", [1.0, 2.0])
def test_of_zeros_and_ones_they_are_zero_and_one(ones: int, stretched: float) -> None:
    x = np.arange(200) < ones
    assert Moments.of(x.astype(float)).two(stretched) == pytest.approx((0.0, 1.0))


def test_of_a_symmetric_spread_they_are_a_standard_deviation_to_each_side() -> None:
    x = np.array([-3.0, -1.0, 1.0, 3.0])
    assert Moments.of(x).two() == pytest.approx((-(5.0**0.5), 5.0**0.5))
    assert Moments.of(x).two(2.0) == (-3.0, 3.0)  # no further than was seen


def test_they_share_mean_variance_and_skewness() -> None:
    x = np.random.default_rng(5).gamma(1.5, size=4000)
    low, high = Moments.of(x).two()
    p = (x.mean() - low) / (high - low)
    two, chance = np.array([low, high]), np.array([1 - p, p])
    for power in (2, 3):
        assert float(chance @ (two - x.mean()) ** power) == pytest.approx(float(((x - x.mean()) ** power).mean()))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", [1e-120, 1e150])
def test_numbers_of_any_size_are_taken(size: float) -> None:
    x = size * np.array([0.0, 0.0, 1.0, 3.0])
    low, high = (Moments.of(x[:2]) + Moments.of(x[2:])).two()
    assert not low > high  # not a number where squares end; no error


def test_of_one_value_both_are_it() -> None:
    assert Moments.of(np.full(5, 2.5)).two() == (2.5, 2.5)
