"""The population by EM: it finds mean, spread, noise and rate of change, and what is folded isn't lost."""

import numpy as np
import pytest

from policies.bandit import hierarchy
from policies.bandit.hierarchy import Hierarchy, LinearPrior, Path, Sums, width
from policies.linalg import Floats

MEAN, SPREAD, NOISE = np.array([1.0, -1.0, 0.5]), np.diag([0.5, 0.05, 0.2]), 0.4


def sums_of(phi: Floats, y: Floats) -> Floats:
    seen = np.concatenate([phi, y[:, None], np.ones((len(y), 1))], axis=1)
    return (seen.T @ seen).ravel()


def one_run(rng: np.random.Generator, outcomes: int = 12) -> Floats:
    own = rng.multivariate_normal(MEAN, SPREAD)
    phi = rng.normal(size=(outcomes, 3))
    return sums_of(phi, phi @ own + NOISE**0.5 * rng.normal(size=outcomes))


def whole(sums: Floats, weight: float = 1.0, changes: int = 0) -> Path:
    return Path(runs=sums[None], weight=weight, changes=changes, hazard=0.01)


def told(entities: int, seed: int = 0) -> Hierarchy:
    rng = np.random.default_rng(seed)
    found = Hierarchy.starting(LinearPrior.flat(3))
    for number in range(entities):
        found.tell(str(number), [whole(one_run(rng))])
    return found


def test_sums_are_seen_as_what_they_are() -> None:
    phi, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    sums = Sums(sums_of(phi, y)[None], 2)
    assert sums.raw.shape == (1, width(2))
    assert sums.squares[0].tolist() == (phi.T @ phi).tolist()
    assert sums.products[0].tolist() == (phi.T @ y).tolist()
    assert (sums.energy[0], sums.outcomes[0]) == (61.0, 2.0)


def test_it_finds_the_population() -> None:
    found = told(400)
    for _ in range(10):
        found.estimate()
    assert found.prior.mean == pytest.approx(MEAN, abs=0.1)
    assert found.prior.covariance == pytest.approx(SPREAD, abs=0.1)
    assert found.prior.noise == pytest.approx(NOISE, rel=0.05)
    assert found.prior.hazard < 0.002


def test_a_served_prior_is_the_less_certain_the_fewer_it_comes_from() -> None:
    few, none = told(2), Hierarchy.starting(LinearPrior.flat(3))
    few.estimate()
    assert np.trace(few.serving().covariance) > 1.4 * np.trace(few.prior.covariance)
    assert none.serving() is none.prior


def test_memory_is_bounded_and_what_is_folded_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy, "KEPT", 20)
    rng = np.random.default_rng(1)
    found = Hierarchy.starting(LinearPrior.flat(3))
    for number in range(300):
        found.tell(str(number), [whole(one_run(rng))])
        if number % 10 == 9:
            found.estimate()
    assert len(found.paths) == 20
    assert found.folded[-4] == pytest.approx(280.0)
    assert found.prior.mean == pytest.approx(MEAN, abs=0.15)
    assert found.prior.covariance == pytest.approx(SPREAD, abs=0.2)


def test_an_entity_told_again_counts_once() -> None:
    found, rng = Hierarchy.starting(LinearPrior.flat(3)), np.random.default_rng(2)
    for _ in range(5):
        found.tell("same", [whole(one_run(rng))])
    assert len(found.paths) == 1


def test_paths_are_weighed_anew_by_the_rate_of_change() -> None:
    """Where changes turn out to be rare, a path that needs one loses to a path that needs none."""
    rng = np.random.default_rng(3)
    found = Hierarchy.starting(LinearPrior.flat(3, hazard=0.05))
    for number in range(200):
        changed = Path(runs=np.stack([one_run(rng), one_run(rng)]), weight=0.5, changes=1, hazard=0.5)
        found.tell(str(number), [whole(one_run(rng, 24), weight=0.5), changed])
    for _ in range(5):
        found.estimate()
    assert found.prior.hazard < 0.002


@pytest.mark.parametrize("dim", [1, 12])
def test_one_entity_is_enough_to_serve_any_dimension(dim: int) -> None:
    found = Hierarchy.starting(LinearPrior.flat(dim))
    found.tell("only", [whole(sums_of(np.ones((2, dim)), np.array([1.0, 3.0])))])
    found.estimate()
    assert (np.linalg.eigvalsh(found.serving().covariance) > 0.0).all()
    assert found.prior.noise > 0.0
