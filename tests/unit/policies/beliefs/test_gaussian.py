"""The batched Gaussian belief: the textbook's posterior, forgetting to the prior, and ten million outcomes."""

import numpy as np
import pytest

from policies.beliefs.gaussian import Evidence, Posterior, Prior
from policies.linalg import Floats

D, B = 3, 5
PRIOR = Prior(mean=np.array([0.5, -0.2, 0.1]), precision=np.array([[4.0, 0.5, 0.0], [0.5, 2.0, 0.3], [0.0, 0.3, 8.0]]))
NOISE = 0.25


def outcomes(n: int, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, D, B)), rng.normal(size=(n, B))


def test_the_posterior_is_bayesian_linear_regression_for_every_entity() -> None:
    phi, y = outcomes(20, 0)
    evidence = Evidence.none(D, B)
    for now, paid in zip(phi, y, strict=True):
        evidence = evidence.learn(now, paid, noise=NOISE)
    posterior = Posterior.of(PRIOR, evidence)
    at = np.random.default_rng(1).normal(size=(D, B))
    mean, variance = posterior.predict(at, noise=NOISE)
    for b in range(B):
        precision = PRIOR.precision + phi[:, :, b].T @ phi[:, :, b] / NOISE
        centre = np.linalg.solve(precision, PRIOR.precision @ PRIOR.mean + phi[:, :, b].T @ y[:, b] / NOISE)
        assert posterior.mean[:, b] == pytest.approx(centre)
        assert mean[b] == pytest.approx(at[:, b] @ centre)
        assert variance[b] == pytest.approx(NOISE + at[:, b] @ np.linalg.solve(precision, at[:, b]))


def test_each_entity_may_have_a_prior_of_its_own() -> None:
    phi, y = outcomes(6, 5)
    evidence = Evidence.none(D, B).learn_many(phi, y, noise=NOISE)
    other = Prior(mean=PRIOR.mean + 1.0, precision=2.0 * PRIOR.precision)
    each = [PRIOR if b % 2 else other for b in range(B)]
    own = Prior(
        mean=np.stack([one.mean for one in each], axis=-1), precision=np.stack([one.precision for one in each], axis=-1)
    )
    found = Posterior.of(own, evidence).mean
    for b, one in enumerate(each):
        assert found[:, b] == pytest.approx(Posterior.of(one, evidence).mean[:, b])


def test_draws_have_the_posteriors_covariance() -> None:
    phi, y = outcomes(4, 2)
    posterior = Posterior.of(PRIOR, Evidence.none(D, B).learn_many(phi, y, noise=NOISE))
    drawn = posterior.draw(np.random.default_rng(3).normal(size=(D, 20_000, B)))
    precision = PRIOR.precision + phi[:, :, 0].T @ phi[:, :, 0] / NOISE
    assert np.cov(drawn[:, :, 0]) == pytest.approx(np.linalg.inv(precision), abs=0.01)


def test_many_at_once_is_one_after_another() -> None:
    phi, y = outcomes(30, 4)
    one = Evidence.none(D, B)
    for now, paid in zip(phi, y, strict=True):
        one = one.learn(now, paid, noise=NOISE, kept=0.9)
    many = Evidence.none(D, B).learn_many(phi[:10], y[:10], noise=NOISE, kept=0.9)
    many = many.learn_many(phi[10:], y[10:], noise=NOISE, kept=0.9)
    assert many.precision == pytest.approx(one.precision)
    assert many.shift == pytest.approx(one.shift)


def test_forgetting_goes_to_the_prior_and_does_not_wind_up() -> None:
    """Contexts that never vary: plain forgetting would lose the other directions, and with them the prior."""
    phi, y = np.zeros((1, D, B)), np.full((1, B), 3.0)
    phi[:, 0] = 1.0
    evidence = Evidence.none(D, B)
    for _ in range(500):
        evidence = evidence.learn_many(phi, y, noise=NOISE, kept=0.9)
    posterior = Posterior.of(PRIOR, evidence)
    assert posterior.predict(phi[0], noise=0.0)[0] == pytest.approx(np.full(B, 2.8), abs=0.3)
    other = np.zeros((D, B))
    other[2] = 1.0
    assert posterior.predict(other, noise=0.0)[1] == pytest.approx(np.full(B, 1.0 / 8.0), rel=0.05)
    for _ in range(400):
        evidence = evidence.learn_many(0.0 * phi, 0.0 * y, noise=NOISE, kept=0.9)
    assert Posterior.of(PRIOR, evidence).mean == pytest.approx(np.repeat(PRIOR.mean[:, None], B, axis=1))


@pytest.mark.parametrize("kept", [1.0, 0.9999])
def test_ten_million_outcomes_leave_it_exact(kept: float) -> None:
    """Of one entity, and of the worst kind: contexts that are nearly the same, so that D is ill-conditioned."""
    rng = np.random.default_rng(5)
    truth, chunk, chunks = np.array([1.0, -2.0, 0.5]), 50_000, 200
    phi = rng.normal(size=(chunk, D, 1)) * np.array([1.0, 1e-3, 1.0])[:, None] + np.array([1.0, 0.0, 1.0])[:, None]
    y = np.einsum("ndb,d->nb", phi, truth) + 0.5 * rng.normal(size=(chunk, 1))
    evidence = Evidence.none(D, 1)
    for _ in range(chunks):
        evidence = evidence.learn_many(phi, y, noise=NOISE, kept=kept)
    posterior = Posterior.of(PRIOR, evidence)
    weight = (kept ** np.arange(chunk - 1, -1, -1.0))[:, None] / NOISE
    rounds = chunks if kept == 1.0 else (1 - kept ** (chunk * chunks)) / (1 - kept**chunk)
    flat = phi[:, :, 0]
    precision = PRIOR.precision + rounds * (weight * flat).T @ flat
    right: Floats = PRIOR.precision @ PRIOR.mean + rounds * (weight * flat).T @ y[:, 0]
    expected = np.linalg.solve(precision, right)
    assert posterior.mean[:, 0] == pytest.approx(expected, rel=1e-7, abs=1e-7)
    assert posterior.mean[[0, 2], 0] == pytest.approx(truth[[0, 2]], abs=0.2)
    assert (posterior.pivots > 0.0).all()
    assert np.array_equal(evidence.precision, evidence.precision.transpose(1, 0, 2))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Evidence.none(D, 1).learn(np.ones((D, 1)), np.array([bad]), noise=NOISE)
