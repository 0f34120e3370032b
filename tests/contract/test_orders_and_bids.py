"""Every rule that orders keeps the contract of policies/tasks/lost_sales.py, every one that bids that of
policies/bidding/flight.py: the baselines, ours, and its ablations alike. A new one joins by its name."""

from typing import Final

import numpy as np
import pytest

from infra.evaluate.bidding import POLICIES as BIDDERS
from infra.evaluate.bidding import Auction, bidder
from infra.evaluate.replenishment import MAKERS, SHELVES
from policies.baselines.lost_sales_exact import TooLargeError
from policies.linalg import Floats
from policies.tasks.auctions import FACTS, Auctions, draw
from policies.tasks.lost_sales import Demand, Instance, Rule, run

SHELF: Final = Instance(demand=Demand(family="poisson", mean=1.5), lead_time=2, penalty=7.0)
TOLD_ALL: Final = ("value-iteration", "policy-iteration")

orders = pytest.mark.parametrize(
    ("name", "unknown"),
    [(name, unknown) for name in MAKERS for unknown in (False, True) if not (unknown and name in TOLD_ALL)],
)
bids = pytest.mark.parametrize("auction", ["second-price", "first-price"])
bidders = pytest.mark.parametrize("name", BIDDERS)


class Watched:
    """A rule, and what it ordered."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.ordered = rule, list[Floats]()

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        quantity = self.rule.order(on_hand, pipeline)
        self.ordered.append(quantity.copy())
        return quantity

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        self.rule.observe(sold, on_hand)


def ordered(name: str, unknown: bool, periods: int) -> Floats:
    watched = Watched(MAKERS[name](SHELF, 0, unknown))
    run(SHELF, watched, periods, SHELVES, np.random.default_rng(3))
    return np.stack(watched.ordered)


@orders
def test_orders_are_whole_and_for_the_same_sales_the_same(name: str, unknown: bool) -> None:
    found = ordered(name, unknown, 3)
    assert found.shape == (3, SHELVES)
    assert np.isfinite(found).all()
    assert (found >= 0.0).all()
    assert (found == np.floor(found)).all()
    assert found.sum() > 0.0
    assert np.array_equal(ordered(name, unknown, 2), found[:2])  # and nothing of what is to come is known


@pytest.mark.parametrize("name", TOLD_ALL)
def test_what_needs_to_know_demand_says_so(name: str) -> None:
    with pytest.raises(TooLargeError, match="know the demand"):
        MAKERS[name](SHELF, 0, True)


def flown(name: str, given: Auctions, auction: Auction) -> tuple[Floats, Floats]:
    """All bids of a flight, and what was left at each: [T]."""
    rule, left, found = bidder(name, given, auction), given.budget, list[tuple[float, float]]()
    for value, price in zip(given.value.tolist(), given.price.tolist(), strict=True):
        bid = rule.bid(value, left)
        found.append((bid, left))
        paid = (bid if auction == "first-price" else price) if price <= bid <= left else None
        left -= paid or 0.0
        rule.learn(value, paid)
    bids, lefts = np.array(found).T
    return bids, lefts


@bids
@bidders
def test_a_bid_is_never_above_what_is_left_and_the_same_for_the_same_past(name: str, auction: Auction) -> None:
    given = draw(FACTS, 200, 0.2, np.random.default_rng(4))
    found, left = flown(name, given, auction)
    assert np.isfinite(found).all()
    assert (found >= 0.0).all()
    assert (found <= left).all()
    assert (found > 0.0).any()
    assert np.array_equal(flown(name, given, auction)[0], found)


@bidders
def test_money_may_be_counted_in_cents(name: str) -> None:
    """(In first price, ours counts values by cells of log value, and another unit moves their edges.)"""
    given = draw(FACTS, 200, 0.2, np.random.default_rng(5))
    cents = Auctions(value=128.0 * given.value, price=128.0 * given.price, budget=128.0 * given.budget)
    found = flown(name, cents, "second-price")[0]
    assert found == pytest.approx(128.0 * flown(name, given, "second-price")[0], rel=1e-6)
