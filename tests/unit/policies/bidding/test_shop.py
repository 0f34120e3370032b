"""What a shop's campaigns teach the next one: it starts where they ended, by what they saw alone, in any unit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.bidding.flight import FlightBidder
from policies.bidding.markets import shipped
from policies.bidding.shop import LEAST, MOST, Shop, Watched
from policies.tasks.auctions import FACTS, Account, Auctions, draw, hindsight, log_multiplier


def _auctions(seed: int, *, count: int = 150, share: float = 0.3, level: float = 1.0) -> Auctions:
    market = replace(FACTS, price_scale=level * FACTS.price_scale)
    return draw(market, count, share, np.random.default_rng([50, seed]))


def _next(shop: Shop, flight: Auctions) -> FlightBidder:
    return shop.bidder(auctions=len(flight.value), budget=flight.budget, prior=shipped())


def _shop(*flights: Auctions) -> Shop:
    """After these campaigns."""
    shop = Shop()
    for each in flights:
        campaign = Watched(_next(shop, each))
        Account(each.budget).fly(campaign, each.value, each.price)
        shop.learn(campaign)
    return shop


def _worth(shop: Shop) -> int:
    return 0 if shop.known is None else shop.known.auctions


def test_a_campaign_of_a_known_shop_loses_less() -> None:
    shop = _shop(*(_auctions(seed, count=300) for seed in range(2)))
    flights = [_auctions(seed, count=300) for seed in range(10, 15)]

    def loss(start: Shop, flight: Auctions) -> float:
        account = Account(flight.budget)
        account.fly(_next(start, flight), flight.value, flight.price)
        assert account.spent <= flight.budget
        return 1.0 - account.won / hindsight(flight)

    known, unknown = (np.mean([loss(start, each) for each in flights]) for start in (shop, Shop()))
    assert known < 0.8 * unknown


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_the_first_bid_is_that_of_its_own_budget(share: float) -> None:
    shop = _shop(_auctions(0, share=0.15), _auctions(1, share=0.6))
    own = _auctions(9, count=3_000, share=share)
    bidder = _next(shop, own)
    bid = bidder.bid(float(own.value[0]), own.budget)
    assert np.log(own.value[0] / bid) == pytest.approx(log_multiplier(own), abs=0.25)


def test_the_less_alike_its_campaigns_are_the_less_they_count_for() -> None:
    alike = _shop(*(_auctions(seed) for seed in range(3)))
    unlike = _shop(*(_auctions(seed, level=level) for seed, level in enumerate((1.0, 4.0, 0.3))))
    one = _shop(_auctions(0))
    assert LEAST <= 0.5 * _worth(one) < _worth(one) < _worth(alike) <= MOST
    assert _worth(unlike) < 0.5 * _worth(one)


def test_prices_of_lost_auctions_teach_nothing() -> None:
    flight = _auctions(0, count=80)
    bidder, account, price = _next(Shop(), flight), Account(flight.budget), flight.price.copy()
    for i in range(len(price)):
        before = account.wins
        account.fly(bidder, flight.value[i : i + 1], flight.price[i : i + 1])
        price[i] *= 1.0 if account.wins > before else 1_000.0
    first, second = (_shop(each).known for each in (flight, replace(flight, price=price)))
    assert first is not None
    assert second is not None
    assert first.spend.tolist() == second.spend.tolist()
    assert first.bids.tolist() == second.bids.tolist()


@settings(max_examples=3, deadline=None)
@given(money=st.floats(1e-6, 1e6), worth=st.floats(1e-6, 1e6))
def test_no_unit_matters(money: float, worth: float) -> None:
    flights = [_auctions(0, count=60), _auctions(1, count=60, share=0.1), _auctions(2, count=60)]
    other = [Auctions(value=f.value * worth, price=f.price * money, budget=f.budget * money) for f in flights]

    def won(through: list[Auctions]) -> float:
        *earlier, last = through
        account = Account(last.budget)
        account.fly(_next(_shop(*earlier), last), last.value, last.price)
        return account.won

    assert won(other) / worth == pytest.approx(won(flights), rel=1e-6)


def test_values_in_another_unit_are_no_news_and_begin_anew() -> None:
    shop, flight = _shop(_auctions(0)), _auctions(1)
    strange = replace(flight, value=flight.value * 1e9)
    bids = [_next(start, strange).bid(float(strange.value[0]), strange.budget) for start in (shop, Shop())]
    assert bids[0] == bids[1]
    after = _shop(_auctions(0), strange)
    assert after.origin == _shop(strange).origin
    assert _worth(after) < 0.5 * _worth(_shop(strange))


def test_campaigns_that_have_nothing_in_common_teach_nothing() -> None:
    shop = _shop(*(_auctions(seed, level=level) for seed, level in enumerate((1.0, 30.0, 0.02))))
    flight = _auctions(9)
    assert shop.known is None
    first, second = (Account(flight.budget) for _ in range(2))
    first.fly(_next(shop, flight), flight.value, flight.price)
    second.fly(_next(Shop(), flight), flight.value, flight.price)
    assert first.won == pytest.approx(second.won, rel=0.02)


def test_a_handful_of_auctions_or_no_win_teaches_nothing() -> None:
    assert _shop(_auctions(0, count=10)).known is None
    lost = _auctions(0, count=50)
    assert _shop(replace(lost, price=lost.price * 1e6)).known is None
    assert _shop(replace(lost, value=lost.value * 0.0)).known is None
