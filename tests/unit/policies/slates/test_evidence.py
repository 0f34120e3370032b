"""Beliefs: the posterior is the textbook's, and forgetting goes to the prior."""

from dataclasses import replace

import numpy as np
import pytest

from policies.linalg import Floats
from policies.slates.evidence import Evidence, GaussianPrior, posterior

D = 3
PRIOR = GaussianPrior(mean=np.array([0.5, -0.2, 0.1]), precision=np.diag([4.0, 2.0, 8.0]), noise=0.25)


def posterior_of(evidence: Evidence) -> tuple[Floats, Floats]:
    precision, shift = evidence.read(D)
    mean, drawn = posterior(PRIOR, precision[..., None], shift[..., None], np.eye(D)[..., None])
    spread = drawn[..., 0] - mean  # L⁻ᵀ
    return mean[:, 0], np.asarray(np.linalg.inv(spread @ spread.T), dtype=np.float64)


def test_without_data_the_belief_is_the_prior() -> None:
    mean, precision = posterior_of(Evidence())
    assert mean == pytest.approx(PRIOR.mean)
    assert precision == pytest.approx(PRIOR.precision)


def test_the_posterior_is_bayesian_linear_regression() -> None:
    rng = np.random.default_rng(0)
    phi, y = rng.normal(size=(20, D)), rng.normal(size=20)
    evidence = Evidence()
    for place in range(0, 20, 5):
        evidence.add(phi[place : place + 5], y[place : place + 5], noise=PRIOR.noise, at=1000, memory_ms=1e9)
    mean, precision = posterior_of(evidence)
    expected = PRIOR.precision + phi.T @ phi / PRIOR.noise
    assert precision == pytest.approx(expected)
    assert mean == pytest.approx(np.linalg.solve(expected, PRIOR.precision @ PRIOR.mean + phi.T @ y / PRIOR.noise))


def test_forgetting_goes_to_the_prior() -> None:
    phi, y = np.eye(D), np.array([5.0, 5.0, 5.0])
    evidence = Evidence()
    evidence.add(phi, y, noise=PRIOR.noise, at=1_000, memory_ms=100.0)
    near, _ = posterior_of(evidence)
    evidence.add(np.zeros((1, D)), np.zeros(1), noise=PRIOR.noise, at=11_000, memory_ms=100.0)
    far, precision = posterior_of(evidence)
    assert np.abs(near - PRIOR.mean).max() > 1.0
    assert far == pytest.approx(PRIOR.mean)
    assert precision == pytest.approx(PRIOR.precision)


def test_draws_have_the_posteriors_mean_and_covariance() -> None:
    rng = np.random.default_rng(1)
    phi = rng.normal(size=(4, D))
    evidence = Evidence()
    evidence.add(phi, np.ones(4), noise=PRIOR.noise, at=1, memory_ms=1e9)
    precision, shift = evidence.read(D)
    n = 40_000
    mean, drawn = posterior(PRIOR, precision[..., None], shift[..., None], rng.normal(size=(D, n, 1)))
    covariance = np.linalg.inv(PRIOR.precision + precision)
    assert drawn[..., 0].mean(1) == pytest.approx(mean[:, 0], abs=5 * np.sqrt(covariance.max() / n))
    assert np.cov(drawn[..., 0]) == pytest.approx(covariance, abs=0.05 * covariance.max())


def test_a_width_scales_how_far_draws_lie_from_the_mean_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    evidence = np.eye(D)[..., None] * np.ones(3), rng.normal(size=(D, 3)), rng.normal(size=(D, 5, 3))
    mean, drawn = posterior(PRIOR, *evidence)
    narrow_mean, narrow = posterior(replace(PRIOR, width=0.25), *evidence)
    assert narrow_mean.tolist() == mean.tolist()
    assert narrow - mean[:, None] == pytest.approx(0.25 * (drawn - mean[:, None]))
    assert GaussianPrior.of({"mean": [0.0], "precision": [[1.0]], "noise": 1.0}).width == 1.0
    assert replace(PRIOR, width=0.25).first(2).width == 0.25


def test_evidence_of_fewer_weights_says_nothing_of_the_new_ones() -> None:
    evidence = Evidence()
    evidence.add(np.array([[1.0, 2.0]]), np.ones(1), noise=1.0, at=1, memory_ms=1.0)
    precision, shift = evidence.read(3)
    assert precision.tolist() == [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 0.0]]
    assert shift.tolist() == [1.0, 2.0, 0.0]
    upper, told = evidence.told(3)
    again = Evidence(upper=upper.tobytes(), shift=told.tobytes())
    assert [x.tolist() for x in again.read(3)] == [precision.tolist(), shift.tolist()]


def test_evidence_of_more_weights_counts_for_nothing() -> None:
    evidence = Evidence()
    evidence.add(np.ones((1, 5)), np.ones(1), noise=1.0, at=1, memory_ms=1.0)
    precision, shift = evidence.read(3)
    assert not precision.any()
    assert not shift.any()
