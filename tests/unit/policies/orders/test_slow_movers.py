"""The level of a slow mover: Erlang's loss formula where demand is Poisson, and sense where it isn't."""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from policies.orders.demand import Belief
from policies.orders.replenish import Review, choose
from policies.orders.slow_movers import known_rate
from tests.unit.policies.orders.test_replenish import one, reviews

SURE = 1e9  # of b: nothing is unsure about the rate


def slow(rate: float, *, b: float = SURE, dispersion: float = 1.0) -> Belief:
    return Belief(a=rate * b, b=b, dispersion=dispersion)


def blocked(level: int, load: float) -> float:
    """Erlang's B: the share of the calls that find all lines busy."""
    share = 1.0
    for lines in range(1, level + 1):
        share = load * share / (lines + load * share)
    return share


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("lead_days", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("holding", [0.002, 0.03, 0.2])
def test_the_level_is_erlangs_where_demand_is_poisson(rate: float, lead_days: float, holding: float) -> None:
    load = rate * (lead_days + 0.5)  # an order waits for half a review

    def cost(level: int) -> float:
        lost = blocked(level, load)
        return holding * (level - load * (1.0 - lost)) + 1.0 * rate * lost

    best = min(range(100), key=cost)
    asked = one(belief=slow(rate), lead_time_days=lead_days, holding_cost=holding, shortage_cost=1.0, on_hand=500.0)
    assert asked.enough == best
    assert asked.fast == 0.0


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])
@given(reviews, st.lists(st.floats(0.0, 40.0), min_size=2, max_size=8))
def test_more_stock_of_a_slow_mover_never_orders_more_whatever_is_believed(asked: Review, stocks: list[float]) -> None:
    known = replace(asked, due=(), lead_time_days=min(asked.lead_time_days, 7.0))
    chosen = choose([replace(known, on_hand=units) for units in sorted(stocks)])
    assume(all(each.fast == 0.0 for each in chosen))
    ordered = [each.quantity for each in chosen]
    assert ordered == sorted(ordered, reverse=True)


def test_a_position_at_the_level_orders_nothing_and_one_below_it_orders_one() -> None:
    usual = {"belief": slow(0.3, dispersion=2.0), "holding_cost": 0.02, "shortage_cost": 1.0}
    level = one(**usual).enough
    assert level >= 2.0
    assert [one(**usual, on_hand=level + more).quantity for more in (-2.0, -1.0, 0.0, 1.0)] == [2.0, 1.0, 0.0, 0.0]


def test_a_unit_that_costs_more_to_hold_than_its_sale_brings_is_not_kept() -> None:
    assert one(belief=slow(0.01), holding_cost=0.05, shortage_cost=1.0).quantity == 0.0
    assert one(belief=slow(0.1), holding_cost=0.05, shortage_cost=1.0).quantity == 1.0


def test_lumpy_demand_is_kept_more_of_where_holding_is_cheap() -> None:
    usual = {"holding_cost": 0.005, "shortage_cost": 1.0, "on_hand": 1.0}
    assert one(**usual, belief=slow(0.4, dispersion=4.0)).enough > one(**usual, belief=slow(0.4)).enough


def test_an_unsure_rate_is_reckoned_with_by_how_long_a_unit_takes_to_sell() -> None:
    for b, reckoned in ((10.0, 0.4), (2.0, 0.01), (0.1, 0.01)):  # (a − 1) / b, or one in 100 days
        found = known_rate(torch.tensor([0.5]), torch.tensor([0.5 / b]))
        assert float(found[0]) == pytest.approx(reckoned)


def test_what_is_unsure_waits_while_there_is_stock() -> None:
    unsure = Belief(a=1.5, b=5.0, dispersion=1.0)
    usual = {"holding_cost": 0.02, "shortage_cost": 1.0, "on_hand": 1.0}
    assert one(**usual, belief=unsure).enough < one(**usual, belief=slow(0.3)).enough


def test_an_empty_shelf_gets_an_order_though_nothing_has_sold_yet() -> None:
    unseen = Belief(a=0.5, b=0.5, dispersion=1.0)
    usual = {"belief": unseen, "holding_cost": 0.05, "shortage_cost": 2.0}
    assert one(**usual).quantity >= 2.0
    assert one(**usual, on_hand=3.0).quantity == 0.0
    assert one(**usual, pack_size=12.0, min_order=24.0).quantity in {0.0, 24.0}


def test_the_faster_a_sku_sells_the_more_say_its_projected_stock_has() -> None:
    shares = [one(belief=slow(rate)).fast for rate in (0.5, 1.0, 1.5, 2.0, 9.0)]
    assert shares == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    assert one(belief=slow(0.9), lead_time_days=200.0).fast == 1.0


@pytest.mark.parametrize("fill", [0.3, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("rate", [0.01, 0.2, 0.9])
def test_a_fill_rate_takes_the_least_level_at_which_erlang_loses_no_more(rate: float, fill: float) -> None:
    least = next(level for level in range(100) if 1.0 - blocked(level, rate * 4.5) >= fill)
    asked = {"belief": slow(rate), "lead_time_days": 4.0, "holding_cost": 1.0, "shortage_cost": 0.0}
    assert one(**asked, min_fill_rate=fill).enough == least
    assert one(**asked).enough == 0.0


def test_what_is_not_sure_of_a_rate_takes_more_stock_to_fill() -> None:
    sure, unsure = (one(belief=slow(0.2, b=b), lead_time_days=4.0, min_fill_rate=0.95).enough for b in (SURE, 2.0))
    assert unsure > sure
