"""The lost-sales task: nothing appears or vanishes, orders arrive when they should, seeds say it all."""

import numpy as np
import pytest

from policies.tasks.lost_sales import Demand, Family, Floats, Instance, draw, probabilities, run, stocked

FAMILIES: tuple[Family, ...] = ("poisson", "geometric", "negative-binomial")


class Recorder:
    """Orders three units each period, and notes what it is shown."""

    def __init__(self) -> None:
        self.on_hand: list[Floats] = []
        self.pipelines: list[Floats] = []
        self.sold: list[Floats] = []

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        self.on_hand.append(on_hand)
        self.pipelines.append(pipeline)
        return np.full(len(on_hand), 3.0)

    def observe(self, sold: Floats, on_hand: Floats) -> None:  # noqa: ARG002 # it needs only what is sold
        self.sold.append(sold)


def instance(lead_time: int, delays: tuple[float, ...] = ()) -> Instance:
    return Instance(demand=Demand(family="poisson", mean=3.0), lead_time=lead_time, penalty=4.0, delays=delays)


@pytest.mark.parametrize("given", [instance(0), instance(1), instance(4), instance(2, (0.1, 0.2, 0.4, 0.3))])
def test_units_are_conserved(given: Instance) -> None:
    seen = Recorder()
    done = run(given, seen, 50, 8, np.random.default_rng(1))
    first = stocked(given, 8)[0] + stocked(given, 8)[1].sum(axis=1)
    last = seen.on_hand[-1] + seen.pipelines[-1].sum(axis=1)
    assert np.array_equal(last, first + 49 * 3.0 - done.sold[:-1].sum(axis=0))
    assert (done.sold <= done.wanted).all()


@pytest.mark.parametrize("lead_time", [1, 2, 5])
def test_an_order_is_there_for_the_demand_a_lead_time_later(lead_time: int) -> None:
    seen = Recorder()
    run(instance(lead_time), seen, 12, 4, np.random.default_rng(1))
    assert seen.pipelines[0].shape == (4, lead_time - 1)
    arrived = [after - before + sold for before, after, sold in zip(seen.on_hand, seen.on_hand[1:], seen.sold)]  # noqa: B905 # one sale more
    assert all(np.array_equal(each, np.full(4, 3.0)) for each in arrived)


def test_a_lead_time_that_never_varies_is_the_same_told_as_chances() -> None:
    def costs(given: Instance) -> Floats:
        return run(given, Recorder(), 60, 4, np.random.default_rng(2)).costs

    fixed, told = costs(instance(2)), costs(instance(2, (0.0, 0.0, 1.0)))
    # Told as chances one order more is under way at the start.
    assert np.array_equal(fixed[:1], told[:1])
    assert np.allclose(fixed.mean(), told.mean(), rtol=0.2)


def test_costs_are_charged_at_the_end_and_a_shorter_run_begins_a_longer_one() -> None:
    short, long = (run(instance(2), Recorder(), n, 4, np.random.default_rng(3)) for n in (20, 30))
    assert np.array_equal(short.costs, long.costs[:20])
    first = stocked(instance(2), 4)[0]
    left = np.maximum(0.0, first - short.wanted[0])
    assert np.array_equal(short.costs[0], left + 4.0 * (short.wanted[0] - short.sold[0]))


@pytest.mark.parametrize("family", FAMILIES)
def test_demand_has_its_mean_and_variance(family: Family) -> None:
    demand = Demand(family=family, mean=4.0, spread=2.5)
    drawn = draw(np.random.default_rng(4), np.full(200_000, 4.0), demand.dispersion)
    assert drawn.mean() == pytest.approx(4.0, rel=0.02)
    assert drawn.var() == pytest.approx(demand.variance, rel=0.03)
    mass = probabilities(demand, 300)
    units = np.arange(301)
    assert mass.sum() == pytest.approx(1.0)
    assert mass @ units == pytest.approx(4.0)
    assert mass @ (units - 4.0) ** 2 == pytest.approx(demand.variance)
    assert (drawn == 0.0).mean() == pytest.approx(mass[0], abs=0.005)
