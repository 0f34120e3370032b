"""A simulated flight by the live rule: the budget lasts, whatever the unit, the kind of auction and the lag."""

from dataclasses import replace

import numpy as np
import pytest

from policies.bidding.pacing import PRIOR
from policies.tasks.auctions import FACTS, Auctions, draw
from policies.tasks.campaigns import DAY, Campaign, campaign, drawn, fly


def _facts(seed: int = 0, *, lag: int = 0, first_price: bool = False) -> Campaign:
    rng = np.random.default_rng(seed)
    return campaign(rng, draw(FACTS, 600, 0.3, rng), lag=lag, first_price=first_price)


@pytest.mark.parametrize(("lag", "first_price", "most"), [(0, False, 0.04), (60, False, 0.09), (0, True, 0.32)])
def test_little_is_lost_and_no_budget_passed(lag: int, first_price: bool, most: float) -> None:
    flown = [fly(_facts(seed, lag=lag, first_price=first_price), PRIOR) for seed in range(4)]
    assert np.mean([each.lost for each in flown]) < most
    assert max(each.passed for each in flown) == 0.0


def test_values_in_another_unit_cost_next_to_nothing() -> None:
    given = _facts()
    strange = replace(given, auctions=replace(given.auctions, value=given.auctions.value * 1e-3))
    assert fly(strange, PRIOR).lost < fly(given, PRIOR).lost + 0.02


def test_who_bids_by_no_budget_stops_when_it_is_spent() -> None:
    free = Auctions(value=np.full(400, 1.0), price=np.full(400, 1e-9), budget=1.0)
    given = replace(_facts(first_price=True), auctions=free, at=[i * DAY // 400 for i in range(400)])
    assert fly(given, PRIOR | {"log_mu": -20.0}).passed == 0.0


def test_a_population_has_campaigns_of_every_kind() -> None:
    rng = np.random.default_rng(1)
    given = [drawn(rng, (100, 120)) for _ in range(60)]
    assert {each.first_price for each in given} == {each.tells for each in given} == {True, False}
    assert min(each.lag for each in given) == 0
    assert max(each.lag for each in given) > 16
    assert max(len(each.at) for each in given) <= 120
    assert 0.001 < np.median([each.click_rate for each in given]) < 0.05
