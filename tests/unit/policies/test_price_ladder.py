"""Prices on a ladder: limits, the exactness of the probabilities, and what reviews teach."""

from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.price_ladder import FLAT, Belief, Evidence, Ladder, believe, choose, nearest, probabilities

LADDER = Ladder(floor=1.0, ceiling=5.2, step=0.5, max_steps=2)
BELIEF = Belief(centre=4.0, level=6.0, level_sd=1.0, slope=1.0, slope_sd=0.4)
PRICES = [3.0, 4.0, 5.0, 6.0, 7.0]


def learned(reviews: list[tuple[float, float]], periods: float = 1.0) -> Evidence:
    evidence = Evidence()
    for price, units in reviews:
        evidence.learn(price, units, periods, FLAT)
    return evidence


@pytest.mark.parametrize(
    ("price", "prices"),
    [
        (3.0, [2.0, 2.5, 3.0, 3.5, 4.0]),
        (1.0, [1.0, 1.5, 2.0]),
        (2.2, [1.5, 2.0, 2.5, 3.0]),  # a price off the ladder: nothing further than two steps from it
        (5.2, [4.5, 5.0]),  # the ceiling itself is no step
        (0.0, [1.0]),
        (9.0, [5.0]),
    ],
)
def test_what_may_be_next(price: float, prices: list[float]) -> None:
    assert LADDER.reachable(price) == prices


@settings(max_examples=50)
@given(
    floor=st.floats(0, 1e6),
    width=st.floats(0, 1e6),
    step=st.floats(1e-3, 1e5),
    max_steps=st.integers(1, 100),
    price=st.floats(0, 1e7),
)
def test_no_price_is_out_of_bounds_or_further_than_it_may(
    floor: float, width: float, step: float, max_steps: int, price: float
) -> None:
    ladder = Ladder(floor=floor, ceiling=floor + width, step=step, max_steps=max_steps)
    prices = ladder.reachable(price)
    assert prices
    assert prices == sorted(prices)
    assert len(prices) <= 2 * max_steps + 1
    for one in prices:
        assert ladder.floor <= one <= ladder.ceiling
        if len(prices) > 1:
            assert abs(one - price) <= max_steps * step * (1 + 1e-6) + 1e-6


def test_the_probabilities_are_those_of_the_draws_that_they_stand_for() -> None:
    """Against many draws of the continuous posterior, cut at b > 0: the nodes are fine enough."""
    rng = np.random.default_rng(1)
    slope = BELIEF.slope + BELIEF.slope_sd * rng.normal(size=200_000)
    slope = slope[slope > 0]
    level = BELIEF.level + BELIEF.level_sd * rng.normal(size=len(slope))
    best = (BELIEF.centre + 2.0) / 2 + level / (2 * slope)
    drawn = np.abs(best[:, None] - np.array(PRICES)).argmin(axis=1)
    shares = np.bincount(drawn, minlength=len(PRICES)) / len(drawn)
    assert probabilities(BELIEF, 2.0, PRICES) == pytest.approx(shares, abs=0.01)


def test_prices_are_drawn_as_often_as_their_propensity_says() -> None:
    found = [choose(BELIEF, 2.0, PRICES, seed) for seed in range(4_000)]
    counts = np.bincount([one.place for one in found], minlength=len(PRICES))
    expected = probabilities(BELIEF, 2.0, PRICES)
    assert np.all(np.abs(counts / 4_000 - expected) < 4 * np.sqrt(expected * (1 - expected) / 4_000) + 1e-12)
    assert all(one.propensity == expected[one.place] for one in found)


@settings(max_examples=50)
@given(
    level=st.floats(-1e6, 1e6),
    level_sd=st.floats(0, 1e6),
    slope=st.floats(-1e6, 1e6),
    slope_sd=st.floats(1e-9, 1e6),
    cost=st.floats(0, 1e6),
)
def test_no_belief_is_so_odd_that_there_is_no_distribution(
    level: float, level_sd: float, slope: float, slope_sd: float, cost: float
) -> None:
    belief = Belief(centre=4.0, level=level, level_sd=level_sd, slope=slope, slope_sd=slope_sd)
    shares = probabilities(belief, cost, PRICES)
    assert np.isfinite(shares).all()
    assert isclose(shares.sum(), 1.0, abs_tol=1e-9)
    assert 0 <= nearest(belief, cost, PRICES) < len(PRICES)


def test_much_data_leads_to_the_textbooks_price() -> None:
    rng = np.random.default_rng(2)
    prices = rng.uniform(4.0, 8.0, size=400)
    belief = believe(learned([(p, 20.0 - 2.0 * p + rng.normal()) for p in prices]), FLAT)
    assert belief.slope == pytest.approx(2.0, rel=0.1)
    assert belief.best(2.0) == pytest.approx((20.0 + 2.0 * 2.0) / (2 * 2.0), rel=0.05)


@settings(max_examples=40)
@given(money=st.floats(1e-3, 1e6), units=st.floats(0.1, 1e3))
def test_the_prior_fits_products_of_every_size(money: float, units: float) -> None:
    """Other money, other units of the same product: the same choice, scaled, as far as the noise scales too."""
    one, other, trusting = Evidence(), Evidence(), FLAT | {"doubt": 1e9}
    for price, sold in ((2.0, 12.0), (2.5, 9.0), (3.0, 8.0)):
        one.learn(price, sold, 1.0, trusting)
        other.learn(money * price, units * sold, 1.0, trusting)
    near, far = believe(one, FLAT), believe(other, FLAT | {"dispersion": units * FLAT["dispersion"]})
    assert far.best(money) == pytest.approx(money * near.best(1.0), rel=1e-6)
    assert far.slope_sd * money / units == pytest.approx(near.slope_sd, rel=1e-6)


def test_what_sold_nothing_is_tried_at_a_lower_price() -> None:
    belief = believe(learned([(5.0, 0.0), (5.0, 0.0), (5.0, 0.0)]), FLAT)
    assert nearest(belief, 1.0, [4.0, 4.5, 5.0, 5.5]) == 0


def test_a_review_of_many_periods_counts_for_as_many() -> None:
    week, days = learned([(3.0, 70.0)], periods=7.0), learned([(3.0, 10.0)] * 7)
    assert (week.n, week.y) == pytest.approx((days.n, days.y), rel=0.01)


def test_a_surprise_makes_room_for_a_change_of_demand() -> None:
    before = learned([(3.0 + 0.5 * (n % 3), 20.0 - n % 2) for n in range(60)])
    known = before.n
    before.learn(3.5, 19.0, 1.0, FLAT)
    assert before.n > known
    before.learn(3.5, 2.0, 1.0, FLAT)
    assert before.n < 0.1 * known


def test_forgetting_goes_toward_the_prior() -> None:
    sums = learned([(3.0, 20.0), (4.0, 5.0), (3.0, 21.0), (4.0, 6.0)])
    fading = FLAT | {"half_life": 1.0, "doubt": 1e9}
    steep = believe(sums, FLAT).slope
    for _ in range(40):
        sums.learn(3.5, 12.0, 1.0, fading)
    assert believe(sums, FLAT).slope == pytest.approx(FLAT["elasticity"] * 12.0 / 3.5, rel=0.02)
    assert steep > 1.5 * FLAT["elasticity"] * 12.0 / 3.5


@pytest.mark.parametrize("given", [(float("nan"), 1.0, 1.0), (1.0, float("inf"), 1.0), (1.0, 1.0, 0.0)])
def test_what_cant_be_learned_from_is_refused(given: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        Evidence().learn(*given, FLAT)
