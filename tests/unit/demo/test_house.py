"""The auction house keeps to its rules, and the same campaign meets the same auctions."""

from statistics import mean

import pytest

from infra.demo.house import House, bid_of
from infra.demo.market import TICK, WINNABLE, auctions, budget, market_of
from streams.records import AdEvent, BidAdjustment, Campaign
from streams.times import DAY, EventTime

FIRST = 17_167 * DAY // TICK
DAYS = 30


def campaign(campaign_id: str = "1", bid_min: float = 0.01) -> Campaign:
    return Campaign(
        campaign_id=campaign_id,
        budget=100.0,
        starts_at=EventTime(FIRST * TICK),
        ends_at=EventTime(FIRST * TICK + DAYS * DAY),
        bid_min=bid_min,
        bid_max=2.0,
    )


def order(multiplier: float, max_bid: float, decision: str = "d1") -> BidAdjustment:
    return BidAdjustment(
        decision_id=decision,
        campaign_id="1",
        bid_multiplier=multiplier,
        max_bid=max_bid,
        reason="",
        policy_version=0,
        decided_at=0,
    )


def play(house: House, days: int = DAYS) -> list[AdEvent]:
    return [event for tick in range(FIRST, FIRST + days * DAY // TICK) for event in house.tick(tick)]


@pytest.mark.parametrize(
    ("given", "value", "bid"),
    [
        (None, 1.0, 0.0),
        (order(0.5, 0.0), 1.0, 0.0),
        (order(0.5, 0.005), 1.0, 0.0),  # less than the campaign's least bid
        (order(0.5, 1.0), 1.0, 0.5),
        (order(0.5, 0.3), 1.0, 0.3),
        (order(9.0, 9.0), 1.0, 2.0),  # the campaign's most
        (order(0.5, 1.0), 0.0, 0.01),  # the campaign's least
    ],
)
def test_the_bid_is_the_value_times_the_multiplier_within_bounds(
    given: BidAdjustment | None, value: float, bid: float
) -> None:
    assert bid_of(campaign(), given, value) == bid


def test_without_an_adjustment_nothing_is_bid_and_all_prices_are_told() -> None:
    house = House()
    house.announce(campaign())
    events = play(house)
    assert {event.type for event in events} == {"auction"}
    assert not any(event.won or event.bid for event in events)
    assert all(event.price and event.value for event in events)


def test_the_winner_pays_the_competing_price() -> None:
    house = House()
    house.announce(campaign())
    house.adjust(order(0.8, 2.0))
    sold = [event for event in play(house) if event.type == "auction"]
    assert all(event.won == ((event.bid or 0) >= (event.price or 0)) for event in sold)
    paid = sum(event.price or 0 for event in sold if event.won)
    assert paid == pytest.approx(house.spent["1"])
    assert 0 < sum(bool(event.won) for event in sold) < len(sold)


def test_auctions_name_the_adjustment_in_force() -> None:
    house = House()
    house.announce(campaign())
    house.adjust(order(0.8, 2.0, "d1"))
    before = play(house, days=1)
    house.adjust(order(0.8, 0.0, "d2"))
    after = [event for tick in range(FIRST + DAY // TICK, FIRST + 2 * DAY // TICK) for event in house.tick(tick)]
    assert {event.decision_id for event in before} == {"d1"}
    assert {event.decision_id for event in after if event.type == "auction"} == {"d2"}


def test_events_are_in_order_of_time_and_follow_their_auction() -> None:
    house = House()
    house.announce(campaign())
    house.adjust(order(1.0, 2.0))
    events = play(house)
    times = [event.occurred_at for event in events]
    assert times == sorted(times)
    assert len({event.event_id for event in events}) == len(events)
    kinds = [event.type for event in events]
    assert kinds.count("impression") > kinds.count("click") >= kinds.count("conversion")
    names = {event.event_id for event in events}
    assert all(f"auction-{name.removeprefix('click-')}" in names for name in names if name.startswith("click-"))


def test_no_auction_outside_the_flight() -> None:
    house = House()
    house.announce(campaign())
    outside = [*range(FIRST - 20, FIRST), *range(FIRST + DAYS * DAY // TICK, FIRST + DAYS * DAY // TICK + 20)]
    assert [event for tick in outside for event in house.tick(tick)] == []


def test_the_same_tick_draws_the_same_auctions() -> None:
    assert auctions(market_of("1"), FIRST) == auctions(market_of("1"), FIRST)
    assert auctions(market_of("1"), FIRST) != auctions(market_of("2"), FIRST)


def test_values_and_prices_have_the_stated_means() -> None:
    market = market_of("1")
    drawn = [auction for tick in range(FIRST, FIRST + 2_000) for auction in auctions(market, tick)]
    assert mean(auction.value for auction in drawn) == pytest.approx(0.2 * market.value_scale, rel=0.03)
    assert mean(auction.price for auction in drawn) == pytest.approx(0.162 * market.price_scale, rel=0.03)
    assert len(drawn) / (2_000 * TICK / DAY) == pytest.approx(market.auctions_a_day, rel=0.03)


def test_a_conversion_is_worth_what_an_impression_costs_on_average() -> None:
    market = market_of("1")
    drawn = [auction for tick in range(FIRST, FIRST + 10_000) for auction in auctions(market, tick)]
    worth = sum(auction.worth or 0.0 for auction in drawn)
    assert worth == pytest.approx(sum(auction.value for auction in drawn), rel=0.15)


@pytest.mark.parametrize("kind", sorted(WINNABLE))
def test_a_budget_buys_its_part_of_the_auctions(kind: str) -> None:
    market = market_of("5")
    drawn = [auction for tick in range(FIRST, FIRST + DAYS * DAY // TICK) for auction in auctions(market, tick)]
    left, bought = budget(market, WINNABLE[kind], DAYS), 0
    for auction in sorted(drawn, key=lambda each: each.price / each.value):
        left -= auction.price
        bought += left >= 0
    assert bought / len(drawn) == pytest.approx(WINNABLE[kind], abs=0.05)
