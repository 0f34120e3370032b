"""First-price bids: the shading is the best one, the landscape is found from bounds, and μ makes the money last."""

from dataclasses import replace

import numpy as np
import pytest

from policies.bidding.first_price import FirstPriceBidder
from policies.bidding.landscape import Landscape
from policies.bidding.markets import FLAT, shipped
from policies.bidding.shading import Shading
from policies.tasks.auctions import FACTS, Account, Auctions, draw, first_price_log_multiplier


@pytest.mark.parametrize("log_worth", [-3.0, -0.5, 0.0, 1.0, 4.0])
@pytest.mark.parametrize("deviation", [0.1, 0.6, 1.5])
def test_no_other_bid_earns_more(log_worth: float, deviation: float) -> None:
    landscape = Landscape(0.5, deviation, 100.0)
    worth, bid = float(np.exp(log_worth)), Shading.of(landscape).bid(log_worth)

    def earned(one: float) -> float:
        return (worth - one) * landscape.win_rate(one)

    best = max(earned(one) for one in np.linspace(0.0, worth, 4_001).tolist())
    assert earned(bid) == pytest.approx(best, rel=1e-3, abs=1e-9)


def test_the_cost_of_a_bid_is_the_bid_where_it_wins() -> None:
    shading, log_worth = Shading.of(Landscape(0.2, 0.7, 100.0)), np.array([-1.0, 0.3, 2.0])
    bids = [shading.bid(each) for each in log_worth.tolist()]
    expected = [bid * Landscape(0.2, 0.7, 100.0).win_rate(bid) for bid in bids]
    assert shading.cost(log_worth) == pytest.approx(np.array(expected), rel=1e-3)


def _flown(given: Auctions, landscape: Landscape) -> tuple[FirstPriceBidder, Account]:
    bidder = FirstPriceBidder(auctions=len(given.value), budget=given.budget, landscape=landscape)
    account = Account(given.budget)
    account.fly(bidder, given.value, given.price, first_price=True)
    return bidder, account


def test_the_prices_are_found_from_wins_and_losses_alone() -> None:
    given = draw(FACTS, 2_000, 0.3, np.random.default_rng(0))
    bidder, account = _flown(given, FLAT.landscape)
    assert bidder.landscape.mean + np.log(given.budget / 2_000) == pytest.approx(-2.0, abs=0.15)
    assert bidder.landscape.deviation == pytest.approx(0.6, abs=0.15)
    assert 0.99 * given.budget < account.spent <= given.budget


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_no_currency_matters(scale: float) -> None:
    given = draw(FACTS, 150, 0.3, np.random.default_rng(1))
    other = replace(given, price=given.price * scale, budget=given.budget * scale)
    first, second = (_flown(one, shipped().landscape)[1].won for one in (given, other))
    assert second == pytest.approx(first, rel=1e-6)


def test_a_budget_that_buys_all_buys_all() -> None:
    given = replace(draw(FACTS, 200, 0.3, np.random.default_rng(2)), budget=1e6)
    assert _flown(given, shipped().landscape)[1].wins == 200


def test_the_warm_multiplier_of_first_price_spends_the_budget() -> None:
    given = draw(FACTS, 3_000, 0.3, np.random.default_rng(3))
    bids = given.value * np.exp(-first_price_log_multiplier(given))
    assert bids[bids >= given.price].sum() == pytest.approx(given.budget, rel=0.01)
