"""MAML (Finn, Abbeel, Levine 2017) and Reptile (Nichol, Achiam, Schulman 2018): weights a few steps from any entity's.

A network predicts rewards; an entity's own network is the shared one, a few gradient steps down the loss on its last
outcomes. MAML moves the shared weights down the loss that is left on outcomes held back, through those steps (second
order); Reptile moves them toward where the steps led. Choice is ε-greedy. Functional torch: no module holds state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import numpy as np
import torch

from policies.baselines.network import HIDDEN, Adam, backward, forward, started
from policies.baselines.rule import drawn, fading, greedy, refuse_unless_finite, rows_of
from policies.contract import Choice, Situation, Transition
from policies.linalg import Floats

ENTITIES: Final = 1_000
RECENT: Final = 64  # outcomes of an entity that its network follows
EVERY: Final = 8  # outcomes between two steps of the shared weights

_grad: Any = torch.autograd.grad  # its stubs leave the types open

Told = tuple[torch.Tensor, torch.Tensor]  # [B, inputs], [B]


def _loss(weights: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the network at x [B, inputs]."""
    hidden = torch.tanh(x @ weights[:-HIDDEN].reshape(-1, HIDDEN))
    return (hidden @ weights[-HIDDEN:] - y).square().mean()


def _slope(loss: torch.Tensor, weights: torch.Tensor, *, going_on: bool) -> torch.Tensor:
    return cast(torch.Tensor, _grad(loss, weights, create_graph=going_on)[0])


def outer_slope(shared: Floats, known: Told, held: Told, rate: float, steps: int) -> Floats:
    """The gradient, by the shared weights, of the loss on what is held after the steps on what is known."""
    start = torch.as_tensor(shared).requires_grad_()
    weights = start
    for _ in range(steps):
        weights = weights - rate * _slope(_loss(weights, *known), weights, going_on=True)
    return _slope(_loss(weights, *held), start, going_on=False).numpy()


@dataclass(slots=True, kw_only=True)
class MetaGradient:
    """`through`: MAML, the gradient through the inner steps; else Reptile. Rates of steps inside and outside."""

    inputs: int  # the state, an action's features, and a one
    seed: int
    through: bool
    inner_rate: float = 0.2
    inner_steps: int = 3
    outer_rate: float = 0.01
    half: float = 10.0  # an entity's outcomes after which its exploration has halved
    shared: Adam = field(init=False)
    own: dict[str, Floats] = field(default_factory=dict[str, Floats])  # entity → its weights
    seen: dict[str, Floats] = field(default_factory=dict[str, Floats])  # entity → [n, inputs + 1], rewards last

    def __post_init__(self) -> None:
        self.shared = Adam(started(self.inputs, self.seed), rate=self.outer_rate)

    @property
    def name(self) -> str:
        return "maml" if self.through else "reptile"

    def choose(self, situation: Situation, seed: int) -> Choice:
        weights = self.own.get(situation.entity, self.shared.weights)
        epsilon = fading(0.1, 0.02, len(self.seen.get(situation.entity, ())), self.half)
        return drawn(greedy(forward(weights, rows_of(situation))[0], epsilon), seed)

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        entity = transition.before.entity
        new = np.append(rows_of(transition.before)[transition.action], transition.reward)
        earlier = self.seen.pop(entity, np.zeros((0, self.inputs + 1)))
        told = np.concatenate([earlier, new[None]])[-RECENT:]
        self.seen[entity] = told
        x, y = told[:, :-1], told[:, -1]
        adapted = self._adapt(x, y)
        self.own.pop(entity, None)
        self.own[entity] = adapted
        if len(told) % EVERY == 0 or transition.after is None:
            self._move(x, y, adapted)
        if len(self.seen) > ENTITIES:
            oldest = next(iter(self.seen))
            del self.seen[oldest], self.own[oldest]

    def _adapt(self, x: Floats, y: Floats) -> Floats:
        """The inner steps, as `outer_slope` makes them."""
        weights = self.shared.weights
        for _ in range(self.inner_steps):
            values, hidden = forward(weights, x)
            weights = weights - self.inner_rate * backward(weights, x, hidden, 2.0 * (values - y) / len(y))
        return weights

    def _move(self, x: Floats, y: Floats, adapted: Floats) -> None:
        if not self.through or len(x) < 2:
            self.shared.step(self.shared.weights - adapted)
            return
        known, held = ((torch.as_tensor(x[at::2]), torch.as_tensor(y[at::2])) for at in (0, 1))
        self.shared.step(outer_slope(self.shared.weights, known, held, self.inner_rate, self.inner_steps))

    def weights(self) -> Mapping[str, Floats]:
        found = self.shared.arrays()
        for place, entity in enumerate(self.seen):
            found |= {f"own/{place:08d}/{entity}": self.own[entity], f"seen/{place:08d}/{entity}": self.seen[entity]}
        return found

    def with_weights(self, weights: Mapping[str, Floats]) -> "MetaGradient":
        found = replace(self, own=_read(weights, "own/"), seen=_read(weights, "seen/"))
        found.shared = self.shared.with_arrays(weights)
        return found


def _read(weights: Mapping[str, Floats], part: str) -> dict[str, Floats]:
    names = sorted(name for name in weights if name.startswith(part))
    return {name.split("/", 2)[2]: weights[name].copy() for name in names}
