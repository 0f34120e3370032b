"""Every rule that decides keeps the contract of policies/contract.py. A new one joins by one line in POLICIES."""

import random
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pytest
import torch

from policies import artefact
from policies.bandit import meta_bandit
from policies.bandit.hierarchy import LinearPrior
from policies.baselines.counting import UCB1, Popularity
from policies.baselines.deep_q import DeepQ
from policies.baselines.linear import EpsilonGreedy, LinearThompson, LinUCB, greedy_rule
from policies.baselines.meta_gradient import MetaGradient
from policies.baselines.policy_gradient import ActorCritic, Reinforce
from policies.baselines.tabular import QLearning, Sarsa
from policies.contract import Policy, Situation, Transition
from policies.linalg import Floats

ARMS: Final = 4
INPUTS: Final = 1 + ARMS + 1  # the state, an action's features, and a one
PAYS: Final = np.array([-0.2, 0.9, -0.3, -0.1])

POLICIES: Final[dict[str, Callable[[], Policy]]] = {
    "meta": lambda: meta_bandit.meta(ARMS),
    "meta-thompson": lambda: meta_bandit.meta(ARMS, rule="thompson"),
    "flat-prior": lambda: meta_bandit.flat(ARMS),
    "oracle-prior": lambda: meta_bandit.oracle(LinearPrior.flat(ARMS, hazard=0.001)),
    "none": lambda: meta_bandit.pooled(ARMS),
    "popularity": Popularity,
    "greedy": greedy_rule,
    "epsilon-greedy": EpsilonGreedy,
    "ucb1": UCB1,
    "linucb": LinUCB,
    "linear-thompson": LinearThompson,
    "q-learning": QLearning,
    "sarsa": Sarsa,
    "dqn": lambda: DeepQ(inputs=INPUTS, seed=1, discount=0.0),
    "double-dqn": lambda: DeepQ(inputs=INPUTS, seed=1, double=True),
    "reinforce": lambda: Reinforce(inputs=INPUTS, seed=1),
    "actor-critic": lambda: ActorCritic(inputs=INPUTS, seed=1, discount=0.0),
    "maml": lambda: MetaGradient(inputs=INPUTS, seed=1, through=True),
    "reptile": lambda: MetaGradient(inputs=INPUTS, seed=1, through=False),
}

policies = pytest.mark.parametrize("name", sorted(POLICIES))


def situation(entity: str = "e") -> Situation:
    return Situation(entity=entity, actions=np.eye(ARMS), state=np.zeros(1))


def play(policy: Policy, rounds: int, *, first: int = 0, length: int = 20) -> list[int]:
    """What was chosen in rounds of an easy instance, in episodes of some length; the round's number gives the noise."""
    taken: list[int] = []
    for number in range(first, first + rounds):
        before = situation(f"e/{number // 100}")
        choice = policy.choose(before, number)
        taken.append(choice.action)
        noise = 0.1 * float(np.random.default_rng(number).normal())
        after = None if number % length == length - 1 else before
        reward = float(PAYS[choice.action]) + noise
        policy.learn(
            Transition(before=before, action=choice.action, propensity=choice.propensity, reward=reward, after=after)
        )
    return taken


def same(a: Mapping[str, Floats], b: Mapping[str, Floats]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@policies
def test_names_are_the_policies_own(name: str) -> None:
    assert POLICIES[name]().name == name


@policies
def test_the_distribution_is_one_and_is_what_happens(name: str) -> None:
    policy = POLICIES[name]()
    play(policy, 30)
    seeds = 400
    choices = [policy.choose(situation("e/0"), seed) for seed in range(seeds)]
    for choice in choices:
        assert choice.distribution.shape == (ARMS,)
        assert choice.distribution.min() >= 0.0
        assert choice.distribution.sum() == pytest.approx(1.0)
        assert choice.propensity > 0.0
    expected = np.mean([choice.distribution for choice in choices], axis=0)
    found = np.bincount([choice.action for choice in choices], minlength=ARMS) / seeds
    assert found == pytest.approx(expected, abs=4.0 * 0.5 / seeds**0.5)


@policies
def test_the_same_seed_chooses_the_same_and_choosing_changes_nothing(name: str) -> None:
    policy = POLICIES[name]()
    play(policy, 25)
    before = {part: array.copy() for part, array in policy.weights().items()}
    for seed in range(20):
        once, again = policy.choose(situation("e/0"), seed), policy.choose(situation("e/0"), seed)
        assert once.action == again.action
        assert np.array_equal(once.distribution, again.distribution)
        policy.choose(situation("never seen"), seed)
    assert same(policy.weights(), before)


@policies
def test_learning_beats_chance(name: str) -> None:
    taken = play(POLICIES[name](), 240)
    assert PAYS[taken[120:]].mean() > PAYS.mean() + 0.05


@policies
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_and_changes_nothing(name: str, bad: float) -> None:
    policy = POLICIES[name]()
    play(policy, 5)
    before = {part: array.copy() for part, array in policy.weights().items()}
    at = situation("e/0")
    with pytest.raises(ValueError, match="finite"):
        policy.learn(Transition(before=at, action=0, propensity=0.5, reward=bad, after=at))
    assert same(policy.weights(), before)


@policies
def test_weights_travel_as_an_artefact_and_go_on_as_if_nothing_had_happened(name: str) -> None:
    policy = POLICIES[name]()
    play(policy, 110)
    raw = artefact.pack(policy.weights(), {"schema": "test/1"})
    restored = POLICIES[name]().with_weights(artefact.unpack(raw, schema="test/1").tensors)
    assert same(restored.weights(), policy.weights())
    assert play(restored, 30, first=110) == play(policy, 30, first=110)
    assert same(restored.weights(), policy.weights())


@policies
def test_weights_once_taken_stay_as_they_were(name: str) -> None:
    policy = POLICIES[name]()
    play(policy, 30)
    taken = policy.weights()
    copied = {part: array.copy() for part, array in taken.items()}
    play(policy, 30, first=30)
    assert same(taken, copied)


@policies
def test_no_global_generator_is_touched(name: str) -> None:
    before = _generators()
    play(POLICIES[name](), 40)
    assert _generators() == before


def _generators() -> tuple[str, str, str]:
    """The states of the generators that nothing may draw from."""
    own = np.random.get_state()  # noqa: NPY002 # looked at, not drawn from
    return repr(random.getstate()), repr(own), repr(torch.get_rng_state().numpy().tobytes())
