"""Q-learning (Watkins 1989) and SARSA (Rummery, Niranjan 1994) over a table: state, rounded, by place of the action."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from policies.baselines.rule import drawn, fading, greedy, refuse_unless_finite
from policies.contract import Choice, Situation, Transition
from policies.linalg import Floats

STATES: Final = 100_000  # of the table; beyond it, what is new is not learned
DECIMALS: Final = 2  # to which a state is rounded


def _key(situation: Situation) -> str:
    rounded = np.round(situation.state, DECIMALS) + 0.0  # no −0
    return f"{len(situation.actions)}:{','.join(f'{x:g}' for x in rounded.tolist())}"


@dataclass(slots=True, kw_only=True)
class _Tabular:
    discount: float = 0.9  # γ
    least_rate: float = 0.02  # of learning; 1/n until then
    half: float = 50.0  # steps after which exploration has halved
    steps: int = 0
    table: dict[str, Floats] = field(default_factory=dict[str, Floats])  # [2, A]: values, visits

    def choose(self, situation: Situation, seed: int) -> Choice:
        epsilon = fading(1.0, 0.02, self.steps, self.half)
        return drawn(greedy(self.of(_key(situation), len(situation.actions))[0], epsilon), seed)

    def of(self, key: str, actions: int) -> Floats:
        found = self.table.get(key)
        return np.zeros((2, actions)) if found is None else found

    def move(self, key: str, actions: int, action: int, target: float) -> None:
        """Bring the value of this action in this state nearer to the target."""
        self.steps += 1
        if key not in self.table and len(self.table) >= STATES:
            return
        cell = self.table.setdefault(key, np.zeros((2, actions)))
        cell[1, action] += 1.0
        cell[0, action] += max(self.least_rate, 1.0 / cell[1, action]) * (target - cell[0, action])

    def told(self) -> dict[str, Floats]:
        found = {f"table/{key}": cell.copy() for key, cell in self.table.items()}
        return found | {"steps": np.array([float(self.steps)])}


def _table(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name.removeprefix("table/"): cell.copy() for name, cell in weights.items() if name.startswith("table/")}


@dataclass(slots=True, kw_only=True)
class QLearning(_Tabular):
    """Towards r + γ max Q(s', ·), whatever is done there."""

    name: str = "q-learning"

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        after, target = transition.after, transition.reward
        if after is not None:
            target += self.discount * float(self.of(_key(after), len(after.actions))[0].max())
        self.move(_key(transition.before), len(transition.before.actions), transition.action, target)

    def weights(self) -> Mapping[str, Floats]:
        return self.told()

    def with_weights(self, weights: Mapping[str, Floats]) -> "QLearning":
        return replace(self, table=_table(weights), steps=int(weights["steps"][0]))


@dataclass(slots=True, kw_only=True)
class Sarsa(_Tabular):
    """Towards r + γ Q(s', a') with the action that was taken there: an entity's step waits for its next one."""

    name: str = "sarsa"
    waiting: dict[str, tuple[str, int, int, float]] = field(default_factory=dict[str, tuple[str, int, int, float]])

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        before = transition.before
        key, actions = _key(before), len(before.actions)
        if before.entity in self.waiting:
            earlier, width, action, reward = self.waiting.pop(before.entity)
            ahead = float(self.of(key, actions)[0, transition.action])
            self.move(earlier, width, action, reward + self.discount * ahead)
        if transition.after is None:
            self.move(key, actions, transition.action, transition.reward)
        else:
            self.waiting[before.entity] = (key, actions, transition.action, transition.reward)
            if len(self.waiting) > STATES:
                del self.waiting[next(iter(self.waiting))]

    def weights(self) -> Mapping[str, Floats]:
        waiting = {
            f"waiting/{place:08d}/{key}/{entity}": np.array([float(width), float(action), reward])
            for place, (entity, (key, width, action, reward)) in enumerate(self.waiting.items())
        }
        return self.told() | waiting

    def with_weights(self, weights: Mapping[str, Floats]) -> "Sarsa":
        waiting: dict[str, tuple[str, int, int, float]] = {}
        for name in sorted(name for name in weights if name.startswith("waiting/")):
            _, _, key, entity = name.split("/", 3)
            width, action, reward = weights[name].tolist()
            waiting[entity] = (key, int(width), int(action), reward)
        return replace(self, table=_table(weights), steps=int(weights["steps"][0]), waiting=waiting)
