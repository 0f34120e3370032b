"""DQN (Mnih et al. 2015) and double DQN (van Hasselt, Guez, Silver 2016): replay memory, target network, ε-greedy.

The network takes the state beside one action's features and gives that action's value, so any number of actions may be
open. What is replayed is drawn from the seed that the rule was made with and the number of the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from policies.baselines.network import Adam, backward, forward, started
from policies.baselines.rule import drawn, fading, greedy, refuse_unless_finite, rows_of
from policies.contract import Choice, Situation, Transition
from policies.linalg import Floats


@dataclass(frozen=True, slots=True)
class Memory:
    """One step to replay: what was done, what it paid, what was open after it (no rows where the episode ended)."""

    seen: Floats  # [inputs]
    reward: float
    after: Floats  # [A', inputs]


@dataclass(slots=True, kw_only=True)
class DeepQ:
    """`double`: the network picks the next action, the target network says what it is worth."""

    inputs: int  # of the network: the state, an action's features, and a one
    seed: int
    double: bool = False
    discount: float = 0.9
    batch: int = 16
    kept: int = 2000
    copied_every: int = 50
    half: float = 200.0  # steps after which exploration has halved
    steps: int = 0
    network: Adam = field(init=False)
    target: Floats = field(init=False)
    memory: list[Memory] = field(default_factory=list[Memory])

    def __post_init__(self) -> None:
        self.network = Adam(started(self.inputs, self.seed), rate=0.005)
        self.target = self.network.weights

    @property
    def name(self) -> str:
        return "double-dqn" if self.double else "dqn"

    def choose(self, situation: Situation, seed: int) -> Choice:
        values, _ = forward(self.network.weights, rows_of(situation))
        return drawn(greedy(values, fading(1.0, 0.02, self.steps, self.half)), seed)

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        after = np.zeros((0, self.inputs)) if transition.after is None else rows_of(transition.after)
        told = Memory(rows_of(transition.before)[transition.action], transition.reward, after)
        if len(self.memory) < self.kept:
            self.memory.append(told)
        else:
            self.memory[self.steps % self.kept] = told
        self.steps += 1
        rng = np.random.default_rng([self.seed, self.steps])
        self._replay([self.memory[place] for place in rng.integers(len(self.memory), size=self.batch)])
        if self.steps % self.copied_every == 0:
            self.target = self.network.weights

    def _replay(self, steps: list[Memory]) -> None:
        x = np.stack([one.seen for one in steps])
        aims = np.array([one.reward for one in steps])
        going_on = [place for place, one in enumerate(steps) if len(one.after)]
        if going_on and self.discount > 0.0:
            aims[going_on] += self.discount * self._ahead([steps[place].after for place in going_on])
        values, hidden = forward(self.network.weights, x)
        slope = np.clip(values - aims, -1.0, 1.0) / len(steps)  # of Huber's loss
        self.network.step(backward(self.network.weights, x, hidden, slope))

    def _ahead(self, after: list[Floats]) -> Floats:
        """What each next situation is worth."""
        rows = np.concatenate(after)
        starts = np.cumsum([0, *(len(one) for one in after[:-1])])
        worth, _ = forward(self.target, rows)
        if not self.double:
            return np.maximum.reduceat(worth, starts)
        picked, _ = forward(self.network.weights, rows)
        best = [
            first + int(picked[first : first + len(one)].argmax()) for first, one in zip(starts, after, strict=True)
        ]
        return worth[best]

    def weights(self) -> Mapping[str, Floats]:
        return self.network.arrays() | {
            "target": self.target,
            "steps": np.array([float(self.steps)]),
            "memory/seen": np.array([one.seen for one in self.memory]).reshape(-1, self.inputs),
            "memory/reward": np.array([one.reward for one in self.memory]),
            "memory/after": np.concatenate([np.zeros((0, self.inputs)), *(one.after for one in self.memory)]),
            "memory/open": np.array([float(len(one.after)) for one in self.memory]),
        }

    def with_weights(self, weights: Mapping[str, Floats]) -> "DeepQ":
        found = replace(self, steps=int(weights["steps"][0]), memory=[])
        found.network, found.target = self.network.with_arrays(weights), weights["target"].copy()
        ends = np.cumsum(weights["memory/open"]).astype(int).tolist()
        for place, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
            seen, reward = weights["memory/seen"][place], float(weights["memory/reward"][place])
            found.memory.append(Memory(seen.copy(), reward, weights["memory/after"][first:last].copy()))
        return found
