"""Belief from censored sales: it finds mean and dispersion where the mean of sales can't."""

import numpy as np
import pytest
import torch

from policies.orders.censored_demand import DISPERSIONS, MEANS, CensoredDemand, flat_prior, log_tail, prior_of
from policies.tasks.lost_sales import Demand, Floats, draw, probabilities


def watched(mean: float, dispersion: float, level: float, periods: int, prior: Floats) -> tuple[CensoredDemand, Floats]:
    """Belief of 16 SKUs with `level` on hand each period, and their mean sales."""
    random, belief, sales = np.random.default_rng(1), CensoredDemand(16, prior), np.zeros(16)
    for _ in range(periods):
        wanted = draw(random, np.full(16, mean), dispersion)
        sold = np.minimum(wanted, level)
        belief.observe(sold, np.full(16, level))
        sales += sold / periods
    return belief, sales


@pytest.mark.parametrize(("mean", "dispersion", "level"), [(5.0, 1.0, 6.0), (5.0, 6.0, 8.0), (80.0, 1.0, 76.0)])
def test_the_mean_is_found_behind_stock_outs(mean: float, dispersion: float, level: float) -> None:
    belief, sales = watched(mean, dispersion, level, 120, flat_prior())
    found = belief.belief()
    assert sales.mean() < 0.94 * mean  # what plugging in would take it for
    assert float(np.median(found.rate)) == pytest.approx(mean, rel=0.08)
    assert float(np.median(found.dispersion)) == pytest.approx(dispersion, rel=0.5)
    off = np.abs(found.rate - mean) / found.rate_sd
    assert off.max() < 4.5  # it says how unsure it is
    assert off.mean() > 0.2


def test_an_empty_shelf_tells_nothing() -> None:
    belief = CensoredDemand(2, flat_prior())
    before = belief.belief()
    belief.observe(np.zeros(2), np.zeros(2))
    assert np.array_equal(belief.belief().rate, before.rate)


@pytest.mark.parametrize(("mean", "dispersion"), [(5.0, 1.0), (5.0, 6.0), (100.0, 101.0), (60.0, 1.0)])
def test_tails_are_those_of_the_distribution(mean: float, dispersion: float) -> None:
    family = "poisson" if dispersion == 1.0 else "negative-binomial"
    mass = probabilities(Demand(family=family, mean=mean, spread=dispersion), 3000)
    means, phi = torch.tensor([[[mean]]]).double(), torch.tensor([dispersion]).double()
    for units in (1.0, 4.0, 9.0, 55.0, 120.0):
        exact = np.log(max(1e-12, 1.0 - mass[: int(units)].sum()))
        if exact > -6.0:
            assert float(log_tail(torch.tensor([units]).double(), means, phi)) == pytest.approx(exact, abs=0.06)


def test_a_learned_prior_knows_more_of_a_sku_that_is_new() -> None:
    random = np.random.default_rng(2)
    means = np.exp(random.normal(1.5, 0.4, 500))
    prior = prior_of(means, np.ones(500))
    assert prior.shape == (MEANS, len(DISPERSIONS))
    learned, flat = (watched(4.0, 1.0, 9.0, 3, each)[0].belief() for each in (prior, flat_prior()))
    assert np.abs(learned.rate / 4.0 - 1.0).mean() < np.abs(flat.rate / 4.0 - 1.0).mean()
    assert learned.dispersion.mean() < flat.dispersion.mean()


def test_dispersions_that_are_ruled_out_are_dropped_and_beliefs_stay() -> None:
    belief, _ = watched(20.0, 1.0, 40.0, 64, flat_prior())
    assert len(belief.phi) < len(DISPERSIONS)
    assert np.isfinite(belief.belief().rate).all()


def test_many_units_are_no_reason_to_lose_the_way() -> None:
    """Between two points of a wide grid, the likelihood of thousands of units falls off by more than can be told."""
    found = watched(2000.0, 1.0, 2060.0, 60, flat_prior())[0].belief()
    assert found.rate == pytest.approx(np.full(16, 2000.0), rel=0.05)
    assert found.dispersion == pytest.approx(np.full(16, 1.0), rel=0.9)
