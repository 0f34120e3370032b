"""The order network: no units, no neighbours, and the plain rule where it has nothing to add."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.baselines.lost_sales_exact import exact_cost
from policies.orders.demand import Belief
from policies.orders.network import PositivePart, Weights, shipped, untrained
from policies.orders.network_orders import NetworkOrders, weights_of
from policies.orders.network_reviews import choose
from policies.orders.replenish import Due, Review
from policies.tasks.lost_sales import Demand, Floats, Instance
from tests.benchmarks.lost_sales import OPTIMUM
from tests.unit.policies.orders.test_replenish import reviews

WEIGHTS = weights_of(shipped())


def zipkin(lead_time: int, penalty: float) -> Instance:
    return Instance(demand=Demand(family="poisson", mean=5.0), lead_time=lead_time, penalty=penalty)


def cost(instance: Instance, weights: Weights | None) -> float:
    def order(on_hand: Floats, pipeline: Floats) -> Floats:
        return NetworkOrders(instance, len(on_hand), weights).order(on_hand, pipeline)

    return exact_cost(instance, order)


@pytest.mark.parametrize("penalty", [4.0, 19.0])
@pytest.mark.parametrize("lead_time", [1, 2, 3])
def test_the_shipped_network_is_within_a_percent_of_zipkins_optimum(lead_time: int, penalty: float) -> None:
    assert cost(zipkin(lead_time, penalty), WEIGHTS) / OPTIMUM[penalty][lead_time - 1] - 1.0 < 0.01


def test_it_beats_the_plain_rule_on_geometric_demand() -> None:
    instance = Instance(demand=Demand(family="geometric", mean=1.0), lead_time=2, penalty=19.0)
    assert cost(instance, WEIGHTS) < 0.995 * cost(instance, None)


def test_an_untrained_network_is_the_plain_rule() -> None:
    fresh = {name: each.double() for name, each in untrained(torch.Generator().manual_seed(1)).items()}
    assert cost(zipkin(2, 9.0), fresh) == cost(zipkin(2, 9.0), None)


@pytest.mark.parametrize("scale", [0.01, 400.0])
def test_a_currency_changes_nothing(scale: float) -> None:
    instance = zipkin(3, 9.0)
    other = replace(instance, penalty=9.0 * scale, holding=scale)
    on_hand, pipeline = np.arange(20.0), np.full((20, 2), 5.0)
    one, same = (NetworkOrders(each, 20, WEIGHTS).order(on_hand, pipeline) for each in (instance, other))
    assert np.array_equal(one, same)


@settings(deadline=None, max_examples=8)
@given(st.lists(reviews, min_size=1, max_size=8), st.integers(1, 40))
def test_a_choice_is_bit_equal_alone_and_in_any_batch(asked: list[Review], copies: int) -> None:
    alone = [choose([each], WEIGHTS)[0] for each in asked]
    crowd = choose(asked * copies, WEIGHTS)
    assert [repr(each) for each in crowd] == [repr(each) for each in alone] * copies


@settings(deadline=None, max_examples=20)
@given(reviews)
def test_an_order_is_whole_packs_within_the_bounds(asked: Review) -> None:
    quantity = choose([asked], WEIGHTS)[0].quantity
    assert quantity % asked.pack_size == 0.0
    assert quantity == 0.0 or asked.min_order <= quantity <= asked.max_order


def test_a_review_orders_what_the_task_orders() -> None:
    on_hand, pipeline = np.array([0.0, 4.0, 9.0, 14.0]), np.array([[5.0, 0.0], [7.0, 3.0], [0.0, 0.0], [5.0, 5.0]])
    expected = NetworkOrders(zipkin(3, 19.0), 4, WEIGHTS).order(on_hand, pipeline)
    asked = [
        Review(
            on_hand=on_hand[row],
            due=tuple(Due(days=day, units=pipeline[row, day - 1]) for day in (1, 2)),
            belief=Belief(a=5e12, b=1e12, dispersion=1.0),
            lead_time_days=3.0,
            review_days=1.0,
            holding_cost=1.0,
            shortage_cost=19.0,
            pack_size=1.0,
            min_order=0.0,
            max_order=1e9,
        )
        for row in range(4)
    ]
    assert [each.quantity for each in choose(asked, WEIGHTS)] == expected.tolist()


def test_the_closed_form_of_the_derivative_is_the_derivative() -> None:
    mean = torch.linspace(-3.0, 4.0, 3, dtype=torch.float64, requires_grad=True)
    variance = torch.linspace(0.5, 6.0, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(PositivePart.of, (mean, variance), atol=1e-5)
