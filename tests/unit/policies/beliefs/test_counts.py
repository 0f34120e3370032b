"""Counts: the conjugate posterior, and the censored one against sums worked out by hand."""

from math import exp, factorial

import numpy as np
import pytest

from policies.beliefs.counts import DISPERSIONS, LARGEST, CensoredCounts, Rates

MEANS = np.geomspace(0.05, 60.0, 80)


def test_rates_are_gamma_poisson() -> None:
    rates = Rates.starting(shape=2.0, rate=4.0, entities=2)
    rates = rates.learn(np.array([3.0, 0.0]), np.array([1.0, 2.0])).learn(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert rates.mean == pytest.approx([6.0 / 6.0, 2.0 / 6.0])
    assert rates.variance == pytest.approx([6.0 / 36.0, 2.0 / 36.0])


def test_the_predictive_sums_to_one_and_has_the_posterior_mean() -> None:
    rates = Rates.starting(shape=2.0, rate=4.0, entities=1).learn(np.array([9.0]), np.array([3.0]))
    p = np.array([np.exp(rates.log_predictive(np.array([n]), np.array([2.0])))[0] for n in range(80)])
    assert p.sum() == pytest.approx(1.0)
    assert p @ np.arange(80) == pytest.approx(2.0 * rates.mean[0])


def test_rates_forget_toward_the_prior() -> None:
    rates = Rates.starting(shape=2.0, rate=4.0, entities=1).learn(np.array([90.0]), np.array([3.0]))
    for _ in range(300):
        rates = rates.learn(np.zeros(1), np.zeros(1), kept=0.9)
    assert rates.mean == pytest.approx([0.5])


def poisson(n: int, mean: float) -> float:
    return exp(-mean) * mean**n / factorial(n)


def test_a_sale_and_a_stock_out_weigh_as_by_hand() -> None:
    flat = np.where(np.arange(len(DISPERSIONS)) == 0, 0.0, -np.inf)  # Poisson only
    prior = np.tile(flat, len(MEANS))
    with np.errstate(invalid="ignore"):
        belief = CensoredCounts.starting(MEANS, prior, 2)
    belief = belief.learn(np.array([3, 3]), np.array([False, True])).learn(np.array([5, 5]), np.array([False, False]))
    exact = np.array([poisson(3, m) * poisson(5, m) for m in MEANS])
    censored = np.array([(1.0 - sum(poisson(n, m) for n in range(3))) * poisson(5, m) for m in MEANS])
    for b, weight in enumerate((exact, censored)):
        assert belief.posterior[:: len(DISPERSIONS), b] == pytest.approx(weight / weight.sum(), abs=1e-9)


def test_censoring_undoes_the_bias_of_sales() -> None:
    rng = np.random.default_rng(0)
    mean, dispersion, stock, entities = 8.0, 2.5, 8, 20
    demand = rng.negative_binomial(mean / (dispersion - 1.0), 1.0 / dispersion, size=(400, entities))
    belief = CensoredCounts.starting(MEANS, np.zeros(len(MEANS)), entities)
    for today in demand:
        belief = belief.learn(np.minimum(today, stock), today >= stock)
    assert np.minimum(demand, stock).mean() < 6.5
    assert belief.mean.mean() == pytest.approx(mean, rel=0.06)
    likeliest = belief.posterior.reshape(len(MEANS), len(DISPERSIONS), entities).sum(axis=0).mean(axis=1)
    assert DISPERSIONS[int(likeliest.argmax())] == dispersion


def test_the_demand_distribution_is_one_and_far_tails_stay_finite() -> None:
    belief = CensoredCounts.starting(MEANS, np.zeros(len(MEANS)), 1)
    assert belief.demand(600).sum(axis=0) == pytest.approx([1.0], abs=1e-4)
    for _ in range(50):
        belief = belief.learn(np.array([900]), np.array([True]))
    assert np.isfinite(belief.mean).all()
    assert belief.mean[0] > 50.0


def test_a_stock_out_of_little_says_next_to_nothing_of_a_mean_far_above() -> None:
    """Also of one beyond the counts that are tabulated for so few sales."""
    start = CensoredCounts.starting(np.array([0.5, 2000.0]), np.zeros(2), 1)
    belief = start.learn(np.array([3]), np.array([True]))
    assert belief.likelihood[len(DISPERSIONS) :] == pytest.approx(0.0, abs=1e-9)
    assert (belief.likelihood[: len(DISPERSIONS)] < -1.5).all()


def test_what_others_sold_says_nothing_of_ones_own() -> None:
    start, emptied = CensoredCounts.starting(np.array([20.0, 300.0]), np.zeros(2), 2), np.array([True, True])
    alone, beside = (start.learn(np.array([900, other]), emptied).likelihood[:, 0] for other in (1, 4000))
    assert alone == pytest.approx(beside, rel=1e-6)


def test_censored_counts_forget_toward_the_prior() -> None:
    start = CensoredCounts.starting(MEANS, -np.log(MEANS), 1)
    belief = start
    for _ in range(20):
        belief = belief.learn(np.array([30]), np.array([False]), kept=0.9)
    assert belief.mean[0] > 15.0
    for _ in range(400):
        belief = belief.learn(np.array([0]), np.array([True]), kept=0.9)  # an empty shelf says nothing
    assert belief.mean == pytest.approx(start.mean)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        Rates.starting(shape=1.0, rate=1.0, entities=1).learn(np.array([-1.0]), np.ones(1))
    for sold in (-1, LARGEST + 1):
        with pytest.raises(ValueError, match="units sold"):
            CensoredCounts.starting(MEANS, np.zeros(len(MEANS)), 1).learn(np.array([sold]), np.array([False]))
