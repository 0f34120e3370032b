"""The search of levels: it simulates what the task does, also where lead times vary."""

import numpy as np
import pytest

from policies.baselines.order_levels import LevelOrders, Levels, costs
from policies.tasks.lost_sales import Demand, Instance, run

TRIED = Levels(reorder=np.array([8.0, 14.0]), up_to=np.array([8.0, 14.0]), cap=np.array([4.0, 1e15]))


def instance(lead_time: int, delays: tuple[float, ...] = ()) -> Instance:
    return Instance(
        demand=Demand(family="poisson", mean=3.0), lead_time=lead_time, penalty=9.0, holding=1.0, delays=delays
    )


@pytest.mark.parametrize("lead_time", [1, 3])
def test_a_lead_time_that_hardly_varies_is_a_fixed_one(lead_time: int) -> None:
    certain = (0.0,) * lead_time + (1.0,)
    fixed, varied = (costs(one, TRIED, 300, 8, 5) for one in (instance(lead_time), instance(lead_time, certain)))
    assert varied == pytest.approx(fixed, rel=0.02)  # but for what is under way at the start


@pytest.mark.parametrize("delays", [(), (0.0, 0.5, 0.0, 0.5), (0.2, 0.3, 0.5)])
def test_what_is_searched_is_what_the_task_costs(delays: tuple[float, ...]) -> None:
    given = instance(2, delays)
    told = costs(given, TRIED, 600, 32, 5)
    for place in (0, 1):
        done = run(given, LevelOrders(TRIED.pick(place)), 600, 32, np.random.default_rng(9))
        assert told[place] == pytest.approx(float(done.costs[40:].mean()), rel=0.04)
