"""REINFORCE (Williams 1992) and one-step actor-critic (Sutton, Barto 2018, §13.5), with softmax policies.

Both keep, per entity, the discounted trace z = γz + ∇log π: r·z summed over an episode is the REINFORCE gradient, with
each step credited with what came after it, and needs no memory of the episode.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from policies.baselines.network import Adam, backward, forward, started
from policies.baselines.rule import drawn, refuse_unless_finite, rows_of, softmax
from policies.contract import Choice, Situation, Transition
from policies.linalg import Floats

EPISODES: Final = 1_000  # entities whose traces are kept; the one unheard of for longest goes
STEPS: Final = 32  # after which REINFORCE learns from an episode that hasn't ended


@dataclass(slots=True, kw_only=True)
class _Actor:
    inputs: int  # the state, an action's features, and a one
    seed: int
    discount: float = 0.9
    rate: float = 0.01
    steps: int = 0
    actor: Adam = field(init=False)
    traces: dict[str, Floats] = field(default_factory=dict[str, Floats])

    def __post_init__(self) -> None:
        self.actor = Adam(started(self.inputs, self.seed), rate=self.rate)

    def choose(self, situation: Situation, seed: int) -> Choice:
        return drawn(softmax(forward(self.actor.weights, rows_of(situation))[0]), seed)

    def score(self, transition: Transition) -> Floats:
        """∇log π of what was done, flat."""
        rows = rows_of(transition.before)
        preferences, hidden = forward(self.actor.weights, rows)
        slope = -softmax(preferences)
        slope[transition.action] += 1.0
        return backward(self.actor.weights, rows, hidden, slope)

    def trace(self, transition: Transition, width: int) -> Floats:
        """The entity's trace, with this step on it; the caller puts it back."""
        own = self.traces.pop(transition.before.entity, None)
        own = np.zeros(width) if own is None else own
        size = len(self.actor.weights)
        own[:size] = self.discount * own[:size] + self.score(transition)
        return own

    def keep(self, entity: str, own: Floats) -> None:
        self.traces[entity] = own
        if len(self.traces) > EPISODES:
            del self.traces[next(iter(self.traces))]

    def told(self) -> dict[str, Floats]:
        traces = {f"trace/{place:08d}/{name}": own.copy() for place, (name, own) in enumerate(self.traces.items())}
        return self.actor.arrays() | traces | {"steps": np.array([float(self.steps)])}


def _traces(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    names = sorted(name for name in weights if name.startswith("trace/"))
    return {name.split("/", 2)[2]: weights[name].copy() for name in names}


@dataclass(slots=True, kw_only=True)
class Reinforce(_Actor):
    """The return of an episode, above the mean reward so far. An entity's row: its trace, its gradient, its steps."""

    name: str = "reinforce"
    mean: float = 0.0

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        self.steps += 1
        size = len(self.actor.weights)
        own = self.trace(transition, 2 * size + 1)
        own[size:-1] += (transition.reward - self.mean) * own[:size]
        own[-1] += 1.0
        self.mean += (transition.reward - self.mean) / min(self.steps, 1000)
        if transition.after is None or own[-1] >= STEPS:
            self.actor.step(-own[size:-1] / own[-1])
            own[size:] = 0.0
        if transition.after is not None:
            self.keep(transition.before.entity, own)

    def weights(self) -> Mapping[str, Floats]:
        return self.told() | {"mean": np.array([self.mean])}

    def with_weights(self, weights: Mapping[str, Floats]) -> "Reinforce":
        found = replace(self, steps=int(weights["steps"][0]), mean=float(weights["mean"][0]), traces=_traces(weights))
        found.actor = self.actor.with_arrays(weights)
        return found


@dataclass(slots=True, kw_only=True)
class ActorCritic(_Actor):
    """Each step's surprise, r + γV(s') − V(s), with V linear in the mean of what is open."""

    name: str = "actor-critic"
    critic_rate: float = 0.05
    critic: Floats = field(default_factory=lambda: np.zeros(0))  # [inputs]

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        self.steps += 1
        if not len(self.critic):
            self.critic = np.zeros(self.inputs)
        now = rows_of(transition.before).mean(axis=0)
        ahead = 0.0 if transition.after is None else float(rows_of(transition.after).mean(axis=0) @ self.critic)
        surprise = transition.reward + self.discount * ahead - float(now @ self.critic)
        own = self.trace(transition, len(self.actor.weights))
        self.critic = self.critic + self.critic_rate * surprise * now / (now @ now)
        self.actor.step(-surprise * own)
        if transition.after is not None:
            self.keep(transition.before.entity, own)

    def weights(self) -> Mapping[str, Floats]:
        return self.told() | {"critic": self.critic.copy()}

    def with_weights(self, weights: Mapping[str, Floats]) -> "ActorCritic":
        found = replace(self, steps=int(weights["steps"][0]), critic=weights["critic"].copy(), traces=_traces(weights))
        found.actor = self.actor.with_arrays(weights)
        return found
