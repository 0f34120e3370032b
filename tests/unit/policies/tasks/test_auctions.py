"""Simulated auctions: what was asked for is drawn, and hindsight is the knapsack."""

from dataclasses import replace

import numpy as np
import pytest

from policies.baselines.dual_pacing import Additive, BidTheValue, Multiplicative
from policies.baselines.hindsight import hindsight_value
from policies.tasks.auctions import FACTS, Account, Auctions, draw, hindsight, log_multiplier, population


def test_hindsight_is_the_fractional_knapsack() -> None:
    rng = np.random.default_rng(0)
    given = Auctions(value=rng.random(50), price=rng.random(50) * (rng.random(50) > 0.1), budget=5.0)
    assert hindsight(given) == pytest.approx(hindsight_value(zip(given.value, given.price, strict=True), 5.0))


def test_bidding_by_the_least_value_for_money_spends_the_budget() -> None:
    given = draw(FACTS, 5_000, 0.3, np.random.default_rng(1))
    won = given.value * np.exp(-log_multiplier(given)) >= given.price
    assert given.price[won].sum() == pytest.approx(given.budget, rel=0.01)


def test_prices_jump_where_they_should() -> None:
    given = draw(replace(FACTS, jump=2.0, jumps_at=0.25), 4_000, 0.3, np.random.default_rng(2))
    assert np.median(given.price[1_000:]) / np.median(given.price[:1_000]) == pytest.approx(2.0, rel=0.1)


def test_a_population_has_campaigns_of_many_scales() -> None:
    rng = np.random.default_rng(3)
    scales = [population(rng)[0].price_scale for _ in range(200)]
    assert max(scales) / min(scales) > 1e4


def test_who_pays_its_bid_spends_more() -> None:
    given = replace(draw(FACTS, 500, 0.3, np.random.default_rng(4)), budget=1e9)
    second, first = Account(given.budget), Account(given.budget)
    second.fly(BidTheValue(), given.value, given.price)
    first.fly(BidTheValue(), given.value, given.price, first_price=True)
    assert first.won == second.won
    assert first.spent > second.spent


@pytest.mark.parametrize("kind", [Additive, Multiplicative])
def test_dual_pacing_spends_the_budget_evenly(kind: type[Additive] | type[Multiplicative]) -> None:
    given = draw(FACTS, 4_000, 0.3, np.random.default_rng(5))
    bidder, account = kind(auctions=4_000, budget=given.budget), Account(given.budget)
    account.fly(bidder, given.value[:2_000], given.price[:2_000])
    assert account.spent == pytest.approx(given.budget / 2, rel=0.1)
