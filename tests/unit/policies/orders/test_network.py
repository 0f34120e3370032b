"""The order network: no units, no neighbours, and the plain rule where it has nothing to add."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from policies.baselines.lost_sales_exact import exact_cost
from policies.orders.network import PositivePart, Weights, shipped, untrained
from policies.orders.network_orders import NetworkOrders, weights_of
from policies.tasks.lost_sales import Demand, Floats, Instance
from tests.benchmarks.lost_sales import OPTIMUM

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


@pytest.mark.parametrize(("lead_time", "penalty", "optimum"), [(1, 0.25, 2.9988418 / 4.0), (2, 0.25, 0.7600037)])
def test_a_lost_sale_that_hardly_matters_is_no_matter_for_the_network(
    lead_time: int, penalty: float, optimum: float
) -> None:
    assert cost(zipkin(lead_time, penalty), WEIGHTS) < 1.005 * optimum


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


def test_the_closed_form_of_the_derivative_is_the_derivative() -> None:
    mean = torch.linspace(-3.0, 4.0, 3, dtype=torch.float64, requires_grad=True)
    variance = torch.linspace(0.5, 6.0, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(PositivePart.of, (mean, variance), atol=1e-5)
