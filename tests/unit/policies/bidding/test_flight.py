"""Bids for one flight: never over the budget, nothing but the past, no unit, and close to hindsight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.baselines.dual_pacing import Additive
from policies.bidding.blocks import CELLS, WIDTH
from policies.bidding.flight import Bidder, FlightBidder, within
from policies.bidding.markets import FLAT, shipped
from policies.bidding.spending import Spending, market_curve
from policies.tasks.auctions import FACTS, Account, Auctions, draw, hindsight

MONEY = st.one_of(st.just(0.0), st.floats(1e-9, 1e9))


def _ours(offered: Auctions) -> FlightBidder:
    return FlightBidder(auctions=len(offered.value), budget=offered.budget, prior=shipped())


def _fly(bidder: Bidder, offered: Auctions) -> Account:
    account = Account(offered.budget)
    account.fly(bidder, offered.value, offered.price)
    return account


def _share(bidder: Bidder, offered: Auctions) -> float:
    return _fly(bidder, offered).won / hindsight(offered)


def _facts(seed: int, *, auctions: int = 1_000, share: float = 0.3, jump: float = 1.0) -> Auctions:
    return draw(replace(FACTS, jump=jump), auctions, share, np.random.default_rng(seed))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=40), st.floats(1e-6, 1e10))
def test_no_auctions_can_make_it_spend_more_than_the_budget(offers: list[tuple[float, float]], budget: float) -> None:
    value, price = (np.array(each) for each in zip(*offers, strict=True))
    assert _fly(_ours(offered := Auctions(value=value, price=price, budget=budget)), offered).spent <= budget


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_bid_is_lowered_to_what_is_left(bid: float, spent: float, budget: float) -> None:
    assert spent > budget or spent + within(bid, spent, budget) <= budget


def test_neither_the_currency_nor_the_size_of_values_matters() -> None:
    offered = _facts(1, auctions=400)
    other = Auctions(value=offered.value * 2.0**30, price=offered.price * 2.0**-12, budget=offered.budget * 2.0**-12)
    assert _fly(_ours(other), other).won == pytest.approx(2.0**30 * _fly(_ours(offered), offered).won, rel=1e-9)


def test_prices_of_lost_auctions_are_not_used() -> None:
    offered = _facts(2, auctions=400)
    bidder, price = _ours(offered), offered.price.copy()
    account = Account(offered.budget)
    for i in range(len(price)):
        before = account.wins
        account.fly(bidder, offered.value[i : i + 1], offered.price[i : i + 1])
        price[i] *= 1.0 if account.wins > before else 1_000.0
    assert _fly(_ours(offered), replace(offered, price=price)) == account


def test_it_comes_close_to_hindsight() -> None:
    found = [_share(_ours(offered), offered) for offered in map(_facts, range(4))]
    assert np.mean(found) >= 0.985


def test_after_prices_treble_it_loses_less_than_half_of_what_cold_dual_pacing_loses() -> None:
    flights = [_facts(seed, jump=3.0) for seed in range(2)]  # a smaller jump needs 40 flights to tell
    ours = np.mean([1.0 - _share(_ours(one), one) for one in flights])
    cold = np.mean([1.0 - _share(Additive(auctions=1_000, budget=one.budget), one) for one in flights])
    assert ours <= 0.5 * cold


def test_a_budget_for_everything_wins_nearly_everything() -> None:
    offered = _facts(3, share=3.0)
    assert _share(_ours(offered), offered) >= 0.98


def test_knowing_the_market_is_worth_something() -> None:
    flights = [_facts(seed, auctions=200, share=0.1) for seed in range(4)]

    def told(one: Auctions) -> FlightBidder:
        truth = market_curve(one.value, one.price * (len(one.value) / one.budget))
        return FlightBidder(auctions=len(one.value), budget=one.budget, prior=FLAT, truth=truth)

    assert np.mean([_share(told(one), one) - _share(_ours(one), one) for one in flights]) > 0.0


# ---- The spend curve -------------------------------------------------------------------------------------------------


def _seen(rng: np.random.Generator, auctions: int, level: float, seen: Spending, *, spread: float = 1.0) -> None:
    for _ in range(auctions):
        log_mu, value, price = float(rng.normal()), 1.0, level * float(rng.lognormal(0.0, spread))
        seen.observe(value, log_mu=log_mu, paid=price if price <= value * np.exp(-log_mu) else None)
        seen.refresh()


def test_the_curve_is_learned_from_what_was_won_alone() -> None:
    seen = Spending(origin=-CELLS * WIDTH / 2)
    _seen(np.random.default_rng(0), 4_000, 1.0, seen)
    price = np.random.default_rng(1).lognormal(size=200_000)
    truth = market_curve(np.ones(len(price)), price)(seen.origin)
    reached = seen.total.reached
    learned = np.where(reached > 1_000, seen.total.spend / np.maximum(reached, 1.0), 0.0)
    assert learned.sum() == pytest.approx(truth[reached > 1_000].sum(), rel=0.1)
    assert seen.total.auctions == 4_000  # no change was seen where there was none


def test_a_market_of_another_shape_is_forgotten() -> None:
    seen = Spending(origin=-CELLS * WIDTH / 2)
    rng = np.random.default_rng(2)
    _seen(rng, 1_000, 1.0, seen)
    _seen(rng, 300, 3.0, seen, spread=0.1)
    assert 100 <= seen.total.auctions <= 500


@pytest.mark.parametrize("level", [3.0, 0.5])
def test_prices_that_all_move_by_a_factor_take_what_is_known_with_them(level: float) -> None:
    seen = Spending(origin=-CELLS * WIDTH / 2)
    rng = np.random.default_rng(2)
    _seen(rng, 1_500, 1.0, seen)
    _seen(rng, 400, level, seen)
    assert seen.total.auctions == 1_900
    price = level * np.random.default_rng(1).lognormal(size=200_000)
    truth = market_curve(np.ones(len(price)), price)(seen.origin)
    told = seen.total.reached > 300
    learned = seen.total.spend[told] / seen.total.reached[told]
    assert learned.sum() == pytest.approx(truth[told].sum(), rel=0.15)


def test_prices_that_move_to_and_fro_are_taken_as_they_are_on_average() -> None:
    seen = Spending(origin=-CELLS * WIDTH / 2)
    rng = np.random.default_rng(4)
    for level in (1.0, 2.5, 1.0, 2.5):
        _seen(rng, 500, level, seen)
    assert seen.swings
    for now, then in zip(seen.older, seen.as_were, strict=True):
        assert now.spend.tolist() == then.spend.tolist()
