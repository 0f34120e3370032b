"""The lost-sales recursion against published figures, and the base-stock rule on it."""

import math
import random
from dataclasses import dataclass, field

import pytest

from policies.baselines.base_stock import BaseStock, NaiveBaseStock, demand_quantile
from policies.baselines.lost_sales import DAY, Demand, Ledger, Terms, simulate

TERMS = Terms(lead_time=4 * DAY, holding_cost=1, shortage_cost=4)


def poisson(draw: random.Random, mean: float) -> float:
    units, reached = 0, draw.random()
    while reached > math.exp(-mean):
        reached *= draw.random()
        units += 1
    return float(units)


def daily(periods: int) -> list[Demand]:
    draw = random.Random(3)
    return [Demand(day * DAY + 1, poisson(draw, 5)) for day in range(periods)]


def cost(ledger: Ledger, periods: int) -> float:
    return (ledger.unit_days * TERMS.holding_cost + ledger.lost * TERMS.shortage_cost) / periods


def test_the_best_base_stock_level_costs_what_the_literature_says() -> None:
    # Poisson demand of mean 5, lead time 4, h = 1, p = 4: 5.199 by value iteration over levels.
    demand = daily(20_000)
    costs = [
        cost(simulate(demand, TERMS, BaseStock(level), on_hand=level, start=-1, end=20_000 * DAY), 20_000)
        for level in (24, 25, 26)
    ]
    assert min(costs) == pytest.approx(5.199, rel=0.01)
    assert costs[1] == min(costs)


def test_the_naive_rule_is_near_the_best_level_without_being_told_the_demand() -> None:
    ledger = simulate(daily(5_000), TERMS, NaiveBaseStock(TERMS), on_hand=20, start=0, end=5_000 * DAY)
    assert cost(ledger, 5_000) < 1.1 * 5.199


def test_what_the_shelf_does_not_have_is_lost_and_time_is_counted_between() -> None:
    demand = [Demand(DAY // 2, 3), Demand(DAY, 4)]
    ledger = simulate(demand, TERMS, BaseStock(0), on_hand=5, start=0, end=2 * DAY)
    assert (ledger.demanded, ledger.sold, ledger.lost, ledger.stock_outs) == (7, 5, 2, 1)
    assert ledger.unit_days == pytest.approx(5 * 0.5 + 2 * 0.5)
    assert ledger.days_out == pytest.approx(1.0)


def test_an_order_comes_a_lead_time_after_the_review_that_made_it() -> None:
    terms = Terms(lead_time=2 * DAY, holding_cost=1, shortage_cost=1)
    demand = [Demand(3 * DAY - 1, 1), Demand(3 * DAY, 1)]
    ledger = simulate(demand, terms, BaseStock(5), on_hand=0, start=0, end=3 * DAY)
    assert (ledger.ordered, ledger.sold) == (5, 1)


@dataclass
class Notes:
    """Orders one unit, and remembers what it was told."""

    told: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])

    def review(self, on_hand: float, on_order: float, sold: float) -> float:
        self.told.append((on_hand, on_order, sold))
        return 1.0


def test_at_one_instant_arrivals_come_before_the_review_and_the_review_before_the_sale() -> None:
    terms, notes = Terms(lead_time=DAY, holding_cost=1, shortage_cost=1), Notes()
    simulate([Demand(2 * DAY, 1)], terms, notes, on_hand=0, start=0, end=3 * DAY)
    assert notes.told == [(0, 0, 0), (1, 0, 0), (1, 0, 1)]


def test_orders_are_whole_packs_within_their_bounds() -> None:
    terms = Terms(lead_time=0, holding_cost=1, shortage_cost=1, pack_size=6, min_order=10, max_order=20)
    assert [terms.orderable(wanted) for wanted in (-1, 0, 1, 13, 100)] == [0, 0, 12, 18, 18]


@pytest.mark.parametrize(("mean", "variance"), [(3.0, 3.0), (3.0, 9.0), (60.0, 60.0), (1000.0, 1000.0)])
def test_a_quantile_is_the_least_that_reaches_the_ratio(mean: float, variance: float) -> None:
    levels = [demand_quantile(mean, variance, ratio) for ratio in (0.1, 0.5, 0.9, 0.99)]
    assert levels == sorted(levels)
    assert levels[1] == pytest.approx(mean, abs=max(1.0, math.sqrt(variance) / 2))
    spread = (levels[2] - levels[0]) / 2 / 1.2816
    assert spread == pytest.approx(math.sqrt(variance), rel=0.35)


def test_demand_that_scatters_more_needs_more_stock() -> None:
    assert demand_quantile(4, 12, 0.95) > demand_quantile(4, 4, 0.95)
