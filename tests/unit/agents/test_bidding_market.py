"""The bidding agent in a market, by bidders and events that are late: it never overspends, and spends evenly."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records import AdEvent, BidAdjustment, Decision, Experience
from streams.times import DAY, HOUR
from tests.unit.agents import bidder


class _Market:
    """One flight. An adjustment reaches the bidder late, and an auction the agent; lags are in auctions."""

    def __init__(self, budget: float, *, first_price: bool, tolerance: float = 0.0, most: float = 50.0) -> None:
        self.worker = bidder.Worker()
        self.first_price = first_price
        self.spent = 0.0
        kind = "first-price" if first_price else "second-price"
        plan = bidder.campaign(budget=budget, bid_max=most, auction=kind, overspend_tolerance=tolerance)
        self.worker.feed(bidder.inputs([plan]))
        self.worker.feed([], bidder.START)
        self._coming: list[tuple[int, BidAdjustment]] = []
        self._heard = 0
        self._current: BidAdjustment | None = None
        self.hear(0)

    def hear(self, at: int) -> None:
        """The bidder will follow what is new from auction `at` on, and never an older adjustment after a newer one."""
        for adjustment in self.worker.adjustments[self._heard :]:
            self._coming.append((max([at, *(due for due, _ in self._coming)]), adjustment))
        self._heard = len(self.worker.adjustments)

    def auction(self, number: int, at: int, value: float, rival: float) -> AdEvent:
        while self._coming and self._coming[0][0] <= number:
            self._current = self._coming.pop(0)[1]
        now = self._current
        bid = min(now.max_bid, now.bid_multiplier * value) if now else 0.0
        won = bid > 0 and bid >= rival
        price = (bid if self.first_price else rival) if won else None
        self.spent += price or 0.0
        echo = now.decision_id if now else None
        return bidder.event(number, at, bid=bid, won=won, price=price, value=value, decision_id=echo)


def _fly(
    draws: Sequence[tuple[float, float, int, int]],
    budget: float,
    *,
    first_price: bool,
    order: Callable[[int], int],
    tolerance: float = 0.0,
    most: float = 50.0,
) -> tuple[float, bidder.Worker]:
    """A flight of (value, rival bid, lag of the bidder, lag of the event) per auction. Returns what was spent."""
    market = _Market(budget, first_price=first_price, tolerance=tolerance, most=most)
    unseen = list[tuple[int, AdEvent]]()
    for i, (value, rival, to_bidder, to_agent) in enumerate(draws):
        at = bidder.START + (i + 1) * (DAY // (len(draws) + 2))
        unseen.append((i + to_agent, market.auction(i, at, value, rival)))
        ready = sorted((x for x in unseen if x[0] <= i), key=lambda x: order(x[0]))
        unseen = [x for x in unseen if x[0] > i]
        market.worker.feed(bidder.inputs([event for _, event in ready]))
        market.hear(i + 1 + to_bidder)
    market.worker.feed(bidder.inputs([event for _, event in unseen]))
    market.worker.feed([], bidder.START + DAY)
    return market.spent, market.worker


def _as_sent(number: int) -> int:
    return number


def _newest_first(number: int) -> int:
    return -number


_AUCTION = st.tuples(st.floats(0.01, 2), st.floats(0, 2), st.integers(0, 7), st.integers(0, 7))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_AUCTION, min_size=1, max_size=120),
    st.floats(0.05, 30),
    st.booleans(),
    st.sampled_from([_as_sent, _newest_first]),
)
def test_never_overspends_within_the_lag_that_is_modelled(
    draws: list[tuple[float, float, int, int]], budget: float, first_price: bool, order: Callable[[int], int]
) -> None:
    spent, _ = _fly(draws, budget, first_price=first_price, order=order)
    assert spent <= budget


@pytest.mark.parametrize("lag", [0, 1, 5, 15])
def test_a_market_that_takes_all_it_can_gets_no_more_than_the_budget(lag: int) -> None:
    """Every auction is won, at exactly the bid, by a bidder that is late by up to what the prior expects."""
    spent, worker = _fly([(5.0, 0.0, lag, 0)] * 600, 10.0, first_price=True, order=_as_sent)
    assert 5.0 < spent <= 10.0
    assert worker.adjustments[-1].max_bid == 0.0
    assert worker.records(Experience)


def test_it_spends_the_budget_evenly_and_says_little() -> None:
    draws = [(0.2 + 0.1 * (i % 3), 0.05 + 0.02 * (i * 7 % 11), 0, 0) for i in range(1_500)]
    spent, worker = _fly(draws, 60.0, first_price=False, order=_as_sent)
    assert 58.0 < spent <= 60.0
    for made in worker.records(Decision):
        to_come = 1.0 - (made.decided_at - bidder.START) / DAY
        assert made.features.get("remaining", 0.0) / 60.0 == pytest.approx(to_come, abs=0.1)
    assert len(worker.adjustments) < 120


@pytest.mark.parametrize(("lag", "least"), [(0, 0.97), (60, 0.85)])
def test_a_tolerant_budget_is_spent_though_much_is_in_flight_and_hardly_passed(lag: int, least: float) -> None:
    rng = np.random.default_rng(lag)
    values, rivals = rng.beta(2, 8, 700).tolist(), rng.lognormal(-2, 0.6, 700).tolist()
    draws = [(value, rival, lag, 0) for value, rival in zip(values, rivals, strict=True)]
    budget = 0.3 * sum(rivals)
    tolerant, _ = _fly(draws, budget, first_price=False, order=_as_sent, tolerance=0.01)
    assert least * budget < tolerant <= 1.01 * budget
    if lag:
        never, _ = _fly(draws, budget, first_price=False, order=_as_sent)
        assert never < 0.9 * tolerant  # what the worst case costs


@pytest.mark.parametrize("first_price", [False, True])
@pytest.mark.parametrize("unit", [100.0, 1 / 7, 1e-6])
def test_the_unit_of_money_changes_no_adjustment(unit: float, first_price: bool) -> None:
    rng = np.random.default_rng(6)
    values, rivals = rng.beta(2, 8, 300).tolist(), rng.lognormal(-2, 0.6, 300).tolist()

    def said(money: float) -> list[tuple[float, float]]:
        draws = [(value * money, rival * money, 2, 0) for value, rival in zip(values, rivals, strict=True)]
        budget, most = 0.3 * money * sum(rivals), 5.0 * money
        _, worker = _fly(draws, budget, first_price=first_price, order=_as_sent, tolerance=0.01, most=most)
        return [(each.bid_multiplier, each.max_bid / money) for each in worker.adjustments]

    usual = said(1.0)
    assert len(usual) > 10
    assert np.array(said(unit)) == pytest.approx(np.array(usual), rel=1e-6)


def test_auctions_that_nobody_bid_in_are_no_reason_to_bid_more() -> None:
    worker = bidder.Worker()
    worker.feed(bidder.inputs([bidder.campaign()]))
    worker.feed([], bidder.START)
    silent = [
        bidder.event(i, bidder.START + i * HOUR // 20, bid=0.0, won=False, price=0.1, value=0.2) for i in range(200)
    ]
    worker.feed(bidder.inputs(silent))
    assert max(adjustment.bid_multiplier for adjustment in worker.adjustments) == 1.0  # lost, they would be one
    silence = worker.adjustments[-1].bid_multiplier
    worthless = [bidder.event(i + 200, bidder.START + (200 + i) * HOUR // 20, bid=0.0, value=0.0) for i in range(200)]
    worker.feed(bidder.inputs(worthless))  # no bid is right there: the rest may pay more
    assert worker.adjustments[-1].bid_multiplier > silence
