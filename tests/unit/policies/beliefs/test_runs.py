"""Runs: exact where nothing changes, quick to notice where it does, and safe over many outcomes."""

import numpy as np
import pytest

from policies.bandit.hierarchy import LinearPrior
from policies.beliefs.runs import HYPOTHESES, LIKELY, STRETCHES, Runs, Start
from policies.linalg import Floats

D = 3


def prior(hazard: float) -> LinearPrior:
    covariance = np.array([[1.0, 0.2, 0.0], [0.2, 0.5, 0.1], [0.0, 0.1, 2.0]])
    return LinearPrior(mean=np.array([0.5, -0.5, 0.0]), covariance=covariance, noise=0.3, hazard=hazard)


def outcomes(n: int, weights: Floats, seed: int) -> list[tuple[Floats, float]]:
    rng = np.random.default_rng(seed)
    phi = rng.normal(size=(n, D))
    return list(zip(phi, (phi @ weights + 0.3**0.5 * rng.normal(size=n)).tolist(), strict=True))


def exact(told: list[tuple[Floats, float]], start: LinearPrior) -> tuple[Floats, Floats]:
    """Posterior mean and covariance by the textbook."""
    precision = np.linalg.inv(start.covariance)
    shift = precision @ start.mean
    for phi, y in told:
        precision = precision + np.outer(phi, phi) / start.noise
        shift = shift + phi * y / start.noise
    covariance: Floats = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    return covariance @ shift, covariance


@pytest.mark.parametrize("n", [1, 40, 700])
def test_without_changes_it_is_bayesian_linear_regression(n: int) -> None:
    runs, told = Runs.starting(Start.of(prior(0.0))), outcomes(n, np.ones(D), 0)
    for phi, y in told:
        runs.learn(phi, y)
    mean, covariance = exact(told, prior(0.0))
    root = runs.known[0, :, :D]
    assert len(runs.weights) == 1
    assert runs.known[0, :, D] == pytest.approx(mean, abs=1e-9)
    assert root @ root.T == pytest.approx(covariance, abs=1e-10)


def test_weights_are_those_of_all_hypotheses_while_there_are_few() -> None:
    """Against sums over every time at which the weights may last have changed."""
    start, told = prior(0.1), outcomes(HYPOTHESES - 2, np.array([2.0, 0.0, -1.0]), 1)
    runs = Runs.starting(Start.of(start))
    for phi, y in told:
        runs.learn(phi, y)
    n = len(told)
    reached = np.zeros((n + 1, n + 1))  # [outcomes so far, birth]
    reached[0, 0] = 1.0
    for now, (phi, y) in enumerate(told):
        for birth in range(now + 1):
            mean, covariance = exact(told[birth:now], start)
            variance = phi @ covariance @ phi + start.noise
            density = np.exp(-0.5 * (y - phi @ mean) ** 2 / variance) / np.sqrt(variance)
            reached[now + 1, birth] = reached[now, birth] * density
        reached[now + 1] /= reached[now + 1].sum()
        reached[now + 1] *= 1.0 - start.hazard
        reached[now + 1, now + 1] = start.hazard
    assert runs.weights == pytest.approx(reached[n].tolist())


def test_a_change_is_noticed_within_a_few_outcomes() -> None:
    runs = Runs.starting(Start.of(prior(0.02)))
    after = np.array([-2.0, 1.5, 2.0])
    for phi, y in outcomes(30, np.array([2.0, -1.0, -1.0]), 2):
        runs.learn(phi, y)
    assert runs.weights[0] > 0.5
    for phi, y in outcomes(10, after, 3):
        runs.learn(phi, y)
    best = int(np.argmax(runs.weights))
    assert 7.0 <= runs.sums[best, -1] <= 12.0
    assert runs.known[best, :, D] == pytest.approx(after, abs=0.8)
    likely = max(runs.paths(), key=lambda path: path.weight)
    assert [round(run[-1]) for run in likely.runs] == pytest.approx([30, 10], abs=2)


def test_every_outcome_is_in_one_run_of_each_hypothesis_whenever_it_is_asked() -> None:
    """Over more outcomes than are written down before they are folded, and over changes."""
    asked, silent = (Runs.starting(Start.of(prior(0.01))) for _ in range(2))
    told = outcomes(80, np.ones(D), 9) + outcomes(30, np.full(D, -3.0), 10) + outcomes(40, np.full(D, 3.0), 11)
    whole = np.zeros((D + 2, D + 2))
    for now, (phi, y) in enumerate(told):
        asked.learn(phi, y)
        silent.learn(phi, y)
        whole += np.outer(seen := np.array([*phi, y, 1.0]), seen)
        if now % 17 == 0:
            asked.paths()
    for ours, theirs in zip(asked.paths(), silent.paths(), strict=True):
        assert ours.changes < STRETCHES
        assert ours.weight >= LIKELY  # what is less likely than that says nothing
        assert ours.runs.sum(axis=0) == pytest.approx(whole.ravel())
        assert ours.runs == pytest.approx(theirs.runs)


def test_weights_sum_to_one_and_hypotheses_stay_few() -> None:
    runs = Runs.starting(Start.of(prior(0.05)))
    for phi, y in outcomes(200, np.ones(D), 4):
        runs.learn(phi, y)
        assert sum(runs.weights) == pytest.approx(1.0)
        assert len(runs.weights) <= HYPOTHESES


def test_of_many_changes_the_last_few_are_remembered() -> None:
    runs = Runs.starting(Start.of(prior(0.1)))
    for turn in range(2 * STRETCHES):
        for phi, y in outcomes(8, np.full(D, 4.0 * (-1) ** turn), turn):
            runs.learn(phi, y)
    assert max(map(len, runs.past)) == STRETCHES


def test_what_began_before_a_change_is_let_go() -> None:
    runs = Runs.starting(Start.of(prior(0.02)))
    for phi, y in outcomes(30, np.array([2.0, -1.0, -1.0]), 2) + outcomes(60, np.array([-2.0, 1.5, 2.0]), 3):
        runs.learn(phi, y)
    assert runs.sums[:, -1].max() < 65


def test_an_outcome_that_no_hypothesis_expected_leaves_it_whole() -> None:
    runs = Runs.starting(Start.of(prior(0.01)))
    for phi, y in outcomes(20, np.ones(D), 5):
        runs.learn(phi, y)
    runs.learn(np.ones(D), 1e6)
    assert np.isfinite(runs.wide).all()
    assert sum(runs.weights) == pytest.approx(1.0)


def test_a_new_prior_reaches_an_entity_that_has_seen_something() -> None:
    told, other = outcomes(5, np.ones(D), 6), LinearPrior.flat(D, hazard=0.0, noise=0.3)
    runs = Runs.starting(Start.of(prior(0.0)))
    for phi, y in told:
        runs.learn(phi, y)
    runs.adopt(Start.of(other))
    assert runs.known[0, :, D] == pytest.approx(exact(told, other)[0])


def test_memory_fades_to_the_prior() -> None:
    runs = Runs.starting(Start.of(prior(0.0)))
    for phi, y in outcomes(50, np.full(D, 3.0), 7):
        runs.learn(phi, y, memory=10.0)
    assert 9.0 < runs.sums[0, -1] < 11.0
    for _ in range(300):
        runs.learn(np.zeros(D), 0.0, memory=10.0)
    assert runs.known[0, :, D] == pytest.approx(prior(0.0).mean, abs=1e-9)


def test_many_outcomes_of_the_worst_kind_stay_exact() -> None:
    """Contexts that are nearly the same: a covariance updated by subtraction would have become indefinite."""
    rng = np.random.default_rng(8)
    runs, n = Runs.starting(Start.of(prior(0.0))), 20_000
    phi = np.array([1.0, 1.0, 1.0]) + 1e-4 * rng.normal(size=(n, D))
    y = phi @ np.array([1.0, 2.0, 3.0]) + 0.3**0.5 * rng.normal(size=n)
    for now, paid in zip(phi, y.tolist(), strict=True):
        runs.learn(now, paid)
    precision = np.linalg.inv(prior(0.0).covariance)
    right = precision @ prior(0.0).mean + phi.T @ y / 0.3
    expected: Floats = np.asarray(np.linalg.solve(precision + phi.T @ phi / 0.3, right), dtype=np.float64)
    assert runs.known[0, :, D] == pytest.approx(expected, abs=1e-6)
    assert (np.linalg.eigvalsh(runs.known[0, :, :D] @ runs.known[0, :, :D].T) > 0.0).all()
