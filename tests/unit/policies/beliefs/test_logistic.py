"""The logistic belief against the posterior by brute force, on a grid."""

import numpy as np
import pytest

from policies.beliefs.gaussian import Prior
from policies.beliefs.logistic import Logistic, sigmoid
from policies.linalg import Floats

PRIOR = Prior(mean=np.array([-1.0, 0.3]), precision=np.diag([1.0, 2.0]))


def by_grid(phi: Floats, happened: Floats) -> tuple[Floats, Floats]:
    """Mean and covariance of the exact posterior: phi [n, 2], happened [n]."""
    line = np.linspace(-6.0, 6.0, 401)
    grid = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    away = grid - PRIOR.mean
    logs = -0.5 * np.einsum("gi,ij,gj->g", away, PRIOR.precision, away)
    for at, y in zip(phi, happened, strict=True):
        p = sigmoid(grid @ at)
        logs += np.log(p if y else 1.0 - p)
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    mean = weight @ grid
    return mean, np.einsum("g,gi,gj->ij", weight, grid - mean, grid - mean)


@pytest.mark.parametrize("n", [1, 5, 60])
def test_it_is_near_the_exact_posterior(n: int) -> None:
    rng = np.random.default_rng(n)
    phi = rng.normal(size=(n, 2))
    happened = (rng.random(n) < sigmoid(phi @ np.array([-1.5, 1.0]))).astype(np.float64)
    belief = Logistic.starting(PRIOR, 2)
    for at, y in zip(phi, happened, strict=True):
        belief = belief.learn(np.repeat(at[:, None], 2, axis=1), np.full(2, y))
    mean, covariance = by_grid(phi, happened)
    assert belief.posterior.mean[:, 1] == pytest.approx(mean, abs=0.2)
    at = np.array([[0.7], [-0.4]])
    spread = belief.posterior.spread(np.repeat(at, 2, axis=1))[1][1]
    assert spread == pytest.approx(float((at.T @ covariance @ at)[0, 0]), rel=0.3)


@pytest.mark.parametrize("variance", [0.1, 4.0, 1e6])
@pytest.mark.parametrize("mean", [-40.0, -1.0, 0.0, 30.0])
@pytest.mark.parametrize("happened", [0.0, 1.0])
def test_after_one_outcome_the_mean_is_the_mode_of_the_posterior(mean: float, variance: float, happened: float) -> None:
    """There the gradient of the log-posterior is zero: (θ − m) / s² = x (y − σ(xθ))."""
    x, prior = 0.8, Prior(mean=np.array([mean]), precision=np.array([[1.0 / variance]]))
    found = Logistic.starting(prior, 1).learn(np.array([[x]]), np.array([happened])).posterior.mean[0, 0]
    pull = variance * x * (happened - sigmoid(np.array(x * found)))
    assert found - mean == pytest.approx(pull, rel=1e-3, abs=1e-3)


def test_a_prediction_takes_in_what_is_not_known() -> None:
    belief = Logistic.starting(Prior(mean=np.array([3.0]), precision=np.array([[1.0 / 16.0]])), 1)
    theta = 3.0 + 4.0 * np.linspace(-8.0, 8.0, 4001)
    weight = np.exp(-0.5 * ((theta - 3.0) / 4.0) ** 2)
    assert belief.predict(np.ones((1, 1)))[0] == pytest.approx(weight @ sigmoid(theta) / weight.sum(), abs=0.02)


def test_predictions_are_calibrated_on_what_it_was_told() -> None:
    rng = np.random.default_rng(3)
    truth, n = np.array([[-1.0], [1.5]]), 300
    belief = Logistic.starting(PRIOR, 1)
    for at in rng.normal(size=(n, 2, 1)):
        belief = belief.learn(at, (rng.random(1) < sigmoid((at * truth).sum(axis=0))).astype(np.float64))
    at = rng.normal(size=(2, 1))
    assert belief.predict(at) == pytest.approx(sigmoid((at * truth).sum(axis=0)), abs=0.12)


def test_forgetting_goes_to_the_prior() -> None:
    belief = Logistic.starting(PRIOR, 1)
    for _ in range(20):
        belief = belief.learn(np.ones((2, 1)), np.ones(1))
    moved = belief.posterior.mean[0, 0]
    for _ in range(200):
        belief = belief.learn(np.zeros((2, 1)), np.ones(1), kept=0.9)
    assert moved > PRIOR.mean[0] + 1.0
    assert belief.posterior.mean[:, 0] == pytest.approx(PRIOR.mean)


def test_it_stays_finite_where_the_outcome_was_taken_for_impossible() -> None:
    belief = Logistic.starting(Prior(mean=np.array([50.0]), precision=np.array([[1e-4]])), 1)
    for _ in range(50):
        belief = belief.learn(np.array([[20.0]]), np.zeros(1))
    assert np.isfinite(belief.posterior.mean).all()
    assert belief.predict(np.array([[20.0]]))[0] < 0.5
    assert belief.posterior.mean[0, 0] < 0.0


@pytest.mark.parametrize("bad", [0.5, np.nan])
def test_what_neither_happened_nor_not_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        Logistic.starting(PRIOR, 1).learn(np.ones((2, 1)), np.array([bad]))
