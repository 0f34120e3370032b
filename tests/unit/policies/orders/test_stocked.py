"""Stock under the live rule: nothing is sold that isn't there, and what is seen is what the shelf let be seen."""

from dataclasses import replace

import pytest

from policies.orders.demand import PRIOR, DemandPrior
from policies.orders.stocked import stocked
from policies.tasks.assortment import Asked, Sku

PLAIN = DemandPrior.of(PRIOR)
DAYS = 20


def sku(daily: float, opening: float, at: float = 0.5) -> Sku:
    """One order at the same time each day; none where `daily` is 0."""
    day = [Asked(at, daily)] if daily else []
    return Sku(
        asked=[list(day) for _ in range(DAYS)],
        rates=[float(bool(daily))] * DAYS,
        size=max(1.0, daily),
        lead_time_days=2,
        holding_cost=0.5,
        shortage_cost=100.0,
        opening=opening,
    )


def test_a_full_shelf_loses_nothing_and_pays_for_what_is_on_it() -> None:
    life = stocked([sku(2.0, opening=1000.0)], PLAIN)[0]
    assert (life.sold, life.lost) == (2.0 * DAYS, 0.0)
    held = [1000.0 - 2.0 * day - 1.0 for day in range(DAYS)]  # on average over the day; nothing is ordered
    assert life.cost == life.holding == pytest.approx(0.5 * sum(held))


def test_each_day_of_a_full_shelf_is_one_watch() -> None:
    life = stocked([sku(2.0, opening=1000.0)], PLAIN)[0]
    assert life.seen == [(1.0, 1.0, 0.0, 2.0)] * DAYS


def test_the_order_that_empties_a_shelf_ends_its_watch_and_is_cut() -> None:
    life = stocked([sku(5.0, opening=3.0)], PLAIN)[0]
    assert life.seen[0] == (0.5, 1.0, 1.0, 3.0)


def test_a_watch_too_short_to_tell_is_part_of_the_next() -> None:
    life = stocked([sku(5.0, opening=3.0, at=0.1)], PLAIN)[0]
    assert life.seen[0].days >= 0.25
    assert life.seen[0].units >= 3.0


def test_what_is_lost_is_paid_for() -> None:
    life = stocked([sku(5.0, opening=3.0)], PLAIN)[0]
    assert life.lost > 0.0
    assert life.cost - life.holding == pytest.approx(100.0 * life.lost)


def test_units_are_lost_from_when_the_shelf_is_empty_as_many_as_were_to_be_expected() -> None:
    one = replace(sku(5.0, opening=3.0), asked=[[Asked(0.25, 5.0)]], rates=[0.8])
    beyond, later = 4.0, 0.75 * 0.8 * 5.0  # of the order that took the last unit, and of those after it
    assert stocked([one], PLAIN)[0].lost == pytest.approx(beyond + later)


def test_orders_arrive_after_the_lead_time_and_not_before() -> None:
    life = stocked([sku(1.0, opening=1.0)], PLAIN)[0]
    watched = [seen.orders for seen in life.seen]
    assert (
        life.lost >= 2.0
    )  # the shelf is empty from the first order on; what that night orders is there two days later
    assert sum(watched) == life.sold <= DAYS - 2.0


def test_skus_do_not_see_each_other() -> None:
    mine, other = sku(1.0, opening=2.0), replace(sku(4.0, opening=9.0), lead_time_days=5)
    assert stocked([mine, other], PLAIN)[0] == stocked([mine], PLAIN)[0]


def test_a_prior_of_fast_movers_orders_more_at_first() -> None:
    fast = DemandPrior.of(PRIOR | {"a": 50.0, "b": 10.0})
    one = sku(0.0, opening=1.0)
    assert stocked([one], fast)[0].holding > stocked([one], PLAIN)[0].holding
