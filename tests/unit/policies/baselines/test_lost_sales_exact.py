"""The exact solution: Zipkin's figures, two roads to one optimum, and what simulation says of the same rule."""

import numpy as np
import pytest

from policies.baselines.lost_sales_exact import TooLargeError, exact_cost, policy_iteration, value_iteration
from policies.baselines.myopic_orders import MyopicOrders
from policies.baselines.order_levels import Kind, LevelOrders, Levels, costs, fit
from policies.baselines.table_orders import TableOrders
from policies.tasks.lost_sales import Demand, Instance, run


def zipkin(lead_time: int, penalty: float) -> Instance:
    return Instance(demand=Demand(family="poisson", mean=5.0), lead_time=lead_time, penalty=penalty)


@pytest.mark.parametrize(("lead_time", "penalty", "cost"), [(1, 4.0, 4.0407), (2, 19.0, 7.6644), (3, 9.0, 6.5314)])
def test_the_optimum_is_zipkins(lead_time: int, penalty: float, cost: float) -> None:
    assert value_iteration(zipkin(lead_time, penalty)).average_cost == pytest.approx(cost, abs=2e-4)


@pytest.mark.parametrize("lead_time", [0, 1, 2])
def test_policy_iteration_finds_what_value_iteration_finds(lead_time: int) -> None:
    given = Instance(demand=Demand(family="geometric", mean=1.0), lead_time=lead_time, penalty=9.0, holding=2.0)
    one, other = value_iteration(given), policy_iteration(given)
    assert one.average_cost == pytest.approx(other.average_cost, rel=1e-4)


@pytest.mark.parametrize("lead_time", [0, 2])
def test_the_optimal_table_costs_in_simulation_what_it_should(lead_time: int) -> None:
    solved = value_iteration(zipkin(lead_time, 9.0))
    done = run(zipkin(lead_time, 9.0), TableOrders(solved), 500, 64, np.random.default_rng(1))
    assert done.costs[20:].mean() == pytest.approx(solved.average_cost, rel=0.02)


def test_the_exact_cost_of_a_rule_is_what_simulation_finds() -> None:
    levels = Levels(reorder=np.array([19.0]), up_to=np.array([19.0]), cap=np.array([7.0]))
    exact = exact_cost(zipkin(2, 9.0), LevelOrders(levels).order)
    assert costs(zipkin(2, 9.0), levels, 1500, 20, seed=1)[0] == pytest.approx(exact, rel=0.02)


def test_a_larger_instance_is_refused_with_its_size() -> None:
    with pytest.raises(TooLargeError, match=r"432 × 102\^4 = 4.68e\+10 entries"):
        value_iteration(Instance(demand=Demand(family="poisson", mean=75.0), lead_time=4, penalty=9.0))


@pytest.mark.parametrize("kind", ["base-stock", "capped-base-stock", "s-S"])
def test_levels_that_were_searched_are_near_the_optimum(kind: Kind) -> None:
    levels = fit(zipkin(2, 9.0), kind, seed=1, periods=150, runs=10)
    gap = exact_cost(zipkin(2, 9.0), LevelOrders(levels).order) / 6.0936 - 1.0
    assert 0.0 <= gap < 0.07


def test_myopic_costs_what_is_reported_of_it() -> None:
    """Zipkin (2008) has it, at L = 4 and p = 4, at 5.06; at L = 2 it is nearer the optimum."""
    cost = exact_cost(zipkin(2, 4.0), MyopicOrders(zipkin(2, 4.0)).order)
    assert 4.3953 < cost < 4.3953 * 1.06
