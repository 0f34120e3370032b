"""Log-normal amounts against the posterior by brute force."""

import numpy as np
import pytest

from policies.beliefs.money import Amounts, Prior

PRIOR = Prior(centre=3.0, certainty=2.0, shape=3.0, scale=1.0)


def test_it_is_the_exact_posterior() -> None:
    amounts = np.array([12.0, 55.0, 30.0, 8.0])
    belief = Amounts.starting(PRIOR, 2)
    for amount in amounts:
        belief = belief.learn(np.full(2, amount))
    centre, variance = np.meshgrid(np.linspace(0.0, 6.0, 800), np.geomspace(0.02, 20.0, 800), indexing="ij")
    logs = -(PRIOR.shape + 1.0) * np.log(variance) - PRIOR.scale / variance
    logs += -0.5 * np.log(variance) - PRIOR.certainty * (centre - PRIOR.centre) ** 2 / (2.0 * variance)
    for amount in amounts:
        logs += -0.5 * np.log(variance) - (np.log(amount) - centre) ** 2 / (2.0 * variance)
    weight = np.exp(logs - logs.max()) * variance  # the grid of variances is geometric
    weight /= weight.sum()
    mean = (weight * centre).sum()
    assert belief.centre[0] == pytest.approx(mean, rel=1e-4)
    assert belief.spread[0] == pytest.approx((weight * variance).sum(), rel=1e-2)
    assert belief.doubt[0] == pytest.approx((weight * (centre - mean) ** 2).sum(), rel=1e-2)
    assert belief.mean[0] > belief.typical[0]


def test_the_mean_takes_in_the_doubt_about_what_is_typical() -> None:
    belief = Amounts.starting(PRIOR, 1).learn(np.array([40.0]))
    steps = np.linspace(-9.0, 9.0, 2001)
    weight = np.exp(-0.5 * steps**2) / np.exp(-0.5 * steps**2).sum()
    typical = np.exp(belief.centre[0] + belief.doubt[0] ** 0.5 * steps) @ weight
    assert belief.mean[0] == pytest.approx(typical * (np.exp(belief.spread[0] ** 0.5 * steps) @ weight), rel=1e-6)


def test_large_amounts_lose_no_digits() -> None:
    rng = np.random.default_rng(0)
    belief = Amounts.starting(Prior(centre=20.0, certainty=1.0, shape=2.0, scale=1.0), 1)
    logs = 20.0 + 1e-3 * rng.normal(size=2000)
    for one in logs:
        belief = belief.learn(np.exp(np.array([one])))
    assert belief.centre[0] == pytest.approx(logs.mean(), abs=1e-3)
    assert belief.spread[0] == pytest.approx(1.0 / 1001.0, rel=0.01)


def test_forgetting_goes_to_the_prior() -> None:
    belief = Amounts.starting(PRIOR, 1)
    for _ in range(50):
        belief = belief.learn(np.array([500.0]))
    for _ in range(200):
        belief = belief.learn(np.exp(np.array([PRIOR.centre])), kept=0.5)
    assert belief.centre == pytest.approx([PRIOR.centre])
    assert belief.count == pytest.approx([2.0])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_what_is_no_amount_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Amounts.starting(PRIOR, 1).learn(np.array([bad]))
