"""The most that is worth having of known demand: the best base-stock level of lumpy demand, no bound on steady one."""

from math import inf

import numpy as np
import pytest

from policies.baselines.lost_sales_exact import exact_cost, value_iteration
from policies.orders.network import shipped
from policies.orders.network_orders import NetworkOrders, weights_of
from policies.orders.quiet_shelf import Levels, arrivals, enough
from policies.tasks.lost_sales import Demand, Family, Floats, Instance

COUNT = 256
WEIGHTS = weights_of(shipped())


def of(mean: float, spread: float, lead_time: int, penalty: float, holding: float = 1.0) -> Instance:
    family: Family = "negative-binomial" if spread > 1.0 else "poisson"
    demand = Demand(family=family, mean=mean, spread=spread)
    return Instance(demand=demand, lead_time=lead_time, penalty=penalty, holding=holding)


def cost(one: Instance, *, bound: bool = True) -> float:
    """Of the network, exactly."""
    rule = NetworkOrders(one, COUNT, WEIGHTS)
    if not bound:
        rule.most = inf

    def order(on_hand: Floats, pipeline: Floats) -> Floats:
        found = list[Floats]()
        for start in range(0, len(on_hand), COUNT):
            states = np.concatenate([on_hand[:, None], pipeline], axis=1)[start : start + COUNT]
            whole = np.resize(states, (COUNT, states.shape[1]))
            found.append(rule.order(whole[:, 0].copy(), whole[:, 1:].copy())[: len(states)])
        return np.concatenate(found)

    return exact_cost(one, order)


@pytest.mark.parametrize(("mean", "spread", "lead_time"), [(0.3, 5.0, 1), (1.1, 11.6, 1), (0.3, 5.0, 2)])
@pytest.mark.parametrize("penalty", [2.0, 9.0, 39.0])
def test_it_is_the_best_level_of_lumpy_demand(mean: float, spread: float, lead_time: int, penalty: float) -> None:
    one = of(mean, spread, lead_time, penalty)

    def up_to(level: float) -> float:
        return exact_cost(one, lambda on_hand, pipeline: level - on_hand - pipeline.sum(axis=1))

    best = min(up_to(float(level)) for level in range(14))
    assert up_to(enough(one)) == pytest.approx(best, rel=0.005)


@pytest.mark.parametrize(
    ("mean", "spread", "lead_time", "penalty"),
    [(1.1, 11.6, 1, 2.0), (1.1, 11.6, 2, 4.0), (0.3, 15.0, 1, 19.0), (1.1, 5.0, 1, 4.0), (3.0, 8.0, 1, 9.0)],
)
def test_the_network_is_close_to_optimal_on_lumpy_demand(
    mean: float, spread: float, lead_time: int, penalty: float
) -> None:
    one = of(mean, spread, lead_time, penalty)
    assert cost(one) < 1.015 * value_iteration(one).average_cost


@pytest.mark.parametrize(("lead_time", "penalty"), [(1, 4.0), (1, 39.0), (2, 4.0), (2, 39.0)])
def test_steady_demand_costs_no_more_with_the_bound(lead_time: int, penalty: float) -> None:
    one = of(5.0, 1.0, lead_time, penalty)
    assert cost(one) < cost(one, bound=False) * (1.0 + 1e-4)


def test_of_huge_and_steady_demand_nothing_is_worked_out() -> None:
    assert enough(of(1e7, 2.0, 3, 9.0)) == inf


def test_it_grows_with_the_penalty_and_falls_with_holding() -> None:
    by_penalty = [enough(of(0.6, 6.0, 2, penalty)) for penalty in (0.0, 1.0, 4.0, 19.0, 100.0, 1e4)]
    by_holding = [enough(of(0.6, 6.0, 2, 9.0, holding)) for holding in (0.0, 1e-9, 1e-3, 0.1, 1.0, 10.0, 100.0)]
    assert by_penalty == sorted(by_penalty)
    assert by_holding == sorted(by_holding, reverse=True)
    assert by_penalty[0] == by_holding[-1] == 0.0
    assert by_holding[0] == inf


@pytest.mark.parametrize("penalty", [40.0, 200.0])
def test_many_units_are_looked_at_in_packs(penalty: float) -> None:
    """The same demand in units a hundred times smaller is a hundred times as much."""
    small, large = enough(of(20.0, 2000.0, 2, penalty)), enough(of(2000.0, 200_000.0, 2, penalty))
    assert small > 10.0
    assert large == pytest.approx(100.0 * small, rel=0.1)


def test_of_demand_that_is_believed_it_is_that_of_the_nearest_that_was_worked_out() -> None:
    one = of(2.0, 5.0, 2, 9.0)
    mean, spread = np.array([0.6, 0.6, 3.0]), np.array([4.0, 4.0, 9.0])
    sure = Levels(one).of(mean, 0.1 * mean, spread)
    assert sure.tolist() == pytest.approx(
        [enough(of(m, s, 2, 9.0)) for m, s in zip(mean, spread, strict=True)], abs=1.5
    )
    assert (Levels(one).of(mean, mean, spread) > sure).all()
    assert Levels(one).of(np.zeros(1), np.zeros(1), np.ones(1)).tolist() == [0.0]


def test_a_lead_time_that_varies_is_that_of_the_first_period_that_draws_no_more_than_the_age() -> None:
    varied = Instance(
        demand=Demand(family="poisson", mean=1.0), lead_time=2, penalty=4.0, delays=(0.0, 1 / 3, 1 / 3, 1 / 3)
    )
    assert arrivals(varied) == pytest.approx([0.0, 1 / 3, 4 / 9, 2 / 9])
    assert enough(varied) > 0.0
