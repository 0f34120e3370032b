"""The bandit of two speeds: what an entity taught stays its own, and what all taught reaches the next."""

import numpy as np
import pytest

from policies.bandit import meta_bandit
from policies.bandit.hierarchy import LinearPrior
from policies.bandit.meta_bandit import MetaBandit, values_of
from policies.contract import Situation, Transition
from policies.linalg import Floats
from policies.tasks.shopper import population, task
from policies.tasks.shopping import serve_one

NOTHING: Floats = np.zeros(0)


def teach(policy: MetaBandit, entity: str, phi: Floats, reward: float, *, over: bool = False) -> None:
    before = Situation(entity=entity, actions=phi[None], state=NOTHING)
    after = None if over else before
    policy.learn(Transition(before=before, action=0, propensity=1.0, reward=reward, after=after))


def test_what_one_entity_taught_changes_no_other_until_it_is_over() -> None:
    policy, phi = meta_bandit.meta(2), np.array([1.0, 0.0])
    other = Situation(entity="other", actions=np.array([[1.0, 0.0], [0.0, 1.0]]), state=NOTHING)
    before, mean = policy.choose(other, 0).distribution, policy.start.prior.mean
    for _ in range(10):
        teach(policy, "one", phi, 3.0)
    assert np.array_equal(policy.choose(other, 0).distribution, before)
    teach(policy, "one", phi, 3.0, over=True)
    assert policy.start.prior.mean[0] > mean[0] + 0.5


def test_one_belief_for_all_is_what_none_means() -> None:
    policy, phi = meta_bandit.pooled(2), np.array([1.0, 0.0])
    for number in range(30):
        teach(policy, f"e{number}", phi, 3.0, over=True)
    assert policy.choose(Situation(entity="new", actions=np.eye(2), state=NOTHING), 0).distribution[0] == 1.0


def test_an_entity_that_never_ends_tells_the_population_too() -> None:
    policy = meta_bandit.meta(2)
    for _ in range(70):
        teach(policy, "one", np.array([1.0, 0.5]), 2.0)
    assert "one" in policy.hierarchy.paths
    assert policy.hierarchy.prior.mean[0] > 0.5


def test_memory_of_entities_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meta_bandit, "ENTITIES", 5)
    policy = meta_bandit.meta(1)
    for number in range(12):
        teach(policy, f"e{number}", np.ones(1), 1.0)
    assert list(policy.entities) == [f"e{number}" for number in range(7, 12)]


def test_draws_have_the_beliefs_mean_and_variance() -> None:
    policy = meta_bandit.oracle(LinearPrior.flat(3, hazard=0.0))
    for number in range(5):
        teach(policy, "one", np.eye(3)[number % 3], 1.0)
    runs, actions = policy.entities["one"], np.eye(3)
    drawn: list[Floats] = []
    for outcomes in range(meta_bandit.SHEETS):
        runs.outcomes = outcomes
        drawn.append(values_of(runs, actions))
    values = np.concatenate(drawn, axis=1)
    root = runs.known[0, :, :3]
    assert values.mean(axis=1) == pytest.approx(runs.known[0, :, 3])
    assert np.cov(values) == pytest.approx(root @ root.T, abs=0.06)


def test_a_change_mid_task_costs_less_when_changes_are_expected() -> None:
    shoppers = population(dim=4, arms=6, rounds=60, drift="midtask", seed=5)
    regrets: dict[float, float] = {}
    for hazard in (0.0, 1.0 / 60.0):
        prior = LinearPrior(mean=shoppers.mean, covariance=shoppers.covariance, noise=1.0, hazard=hazard)
        policy = meta_bandit.oracle(prior)
        regrets[hazard] = sum(serve_one(policy, task(shoppers, n), f"e{n}", 60 * n).sum() for n in range(12))
    assert regrets[1.0 / 60.0] < 0.9 * regrets[0.0]


def test_contexts_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        teach(meta_bandit.meta(2), "one", np.array([np.nan, 0.0]), 1.0)
