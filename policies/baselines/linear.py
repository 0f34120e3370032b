"""Rules over ridge regression, one for each entity: greedy, ε-greedy, LinUCB, linear Thompson sampling.

LinUCB: Li, Chu, Langford, Schapire 2010 (one model over action features). Thompson: Agrawal, Goyal 2013, with M draws
that depend on the seed: an action's probability is its share of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from policies.bandit.information import thompson
from policies.bandit.picking import pick
from policies.baselines.rule import drawn, fading, greedy, refuse_unless_finite
from policies.contract import Choice, Situation, Transition
from policies.draws import normals, uniforms
from policies.linalg import Floats

ENTITIES: Final = 10_000  # that are remembered; the one unheard of for longest goes
RENEWED_EVERY: Final = 1024  # outcomes after which an inverse is made anew: rank-one updates of it pile up rounding
DRAWS: Final = 64


@dataclass(slots=True)
class Ridge:
    """A = λI + Σφφᵀ, its inverse, b = Σφy."""

    matrix: Floats  # [d, d]
    inverse: Floats  # [d, d]
    shift: Floats  # [d]
    outcomes: int = 0

    @classmethod
    def blank(cls, dim: int, penalty: float) -> "Ridge":
        return cls(penalty * np.eye(dim), np.eye(dim) / penalty, np.zeros(dim))

    @property
    def weights(self) -> Floats:
        return self.inverse @ self.shift

    def add(self, phi: Floats, y: float) -> None:
        along = self.inverse @ phi
        self.matrix = self.matrix + phi[:, None] * phi
        self.inverse = self.inverse - along[:, None] * along / (1.0 + phi @ along)
        self.shift = self.shift + phi * y
        self.outcomes += 1
        if self.outcomes % RENEWED_EVERY == 0:
            self.inverse = np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)


@dataclass(slots=True, kw_only=True)
class _Linear:
    penalty: float = 1.0  # λ
    ridges: dict[str, Ridge] = field(default_factory=dict[str, Ridge])

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        entity = transition.before.entity
        ridge = self.of(transition.before)
        ridge.add(transition.before.actions[transition.action], transition.reward)
        self.ridges.pop(entity, None)
        self.ridges[entity] = ridge
        if len(self.ridges) > ENTITIES:
            del self.ridges[next(iter(self.ridges))]

    def of(self, situation: Situation) -> Ridge:
        return self.ridges.get(situation.entity) or Ridge.blank(situation.actions.shape[1], self.penalty)

    def weights(self) -> Mapping[str, Floats]:
        found: dict[str, Floats] = {}
        for place, (entity, ridge) in enumerate(self.ridges.items()):
            packed = np.concatenate([ridge.matrix, ridge.inverse, ridge.shift[None]])
            found[f"{place:08d}/{entity}"] = packed
            found[f"outcomes/{place:08d}"] = np.array([float(ridge.outcomes)])
        return found

    def read(self, weights: Mapping[str, Floats]) -> dict[str, Ridge]:
        """The ridges that `weights` was taken of."""
        found: dict[str, Ridge] = {}
        for name in sorted(name for name in weights if not name.startswith("outcomes/")):
            place, entity = name.split("/", 1)
            packed = weights[name]
            d = packed.shape[1]
            outcomes = int(weights[f"outcomes/{place}"][0])
            found[entity] = Ridge(packed[:d].copy(), packed[d : 2 * d].copy(), packed[2 * d].copy(), outcomes)
        return found


@dataclass(slots=True, kw_only=True)
class EpsilonGreedy(_Linear):
    """The highest estimate; with probability ε, which fades with the entity's outcomes, any. ε = 0 is greedy."""

    name: str = "epsilon-greedy"
    start: float = 0.2
    floor: float = 0.01
    half: float = 10.0

    def choose(self, situation: Situation, seed: int) -> Choice:
        ridge = self.of(situation)
        epsilon = fading(self.start, self.floor, ridge.outcomes, self.half)
        return drawn(greedy(situation.actions @ ridge.weights, epsilon), seed)

    def with_weights(self, weights: Mapping[str, Floats]) -> "EpsilonGreedy":
        return replace(self, ridges=self.read(weights))


def greedy_rule() -> EpsilonGreedy:
    """The highest estimate, always."""
    return EpsilonGreedy(name="greedy", start=0.0, floor=0.0)


@dataclass(slots=True, kw_only=True)
class LinUCB(_Linear):
    """The highest φᵀθ + α√(φᵀA⁻¹φ)."""

    name: str = "linucb"
    width: float = 1.0  # α

    def choose(self, situation: Situation, seed: int) -> Choice:
        ridge, phi = self.of(situation), situation.actions
        spread = np.sqrt(np.maximum(((phi @ ridge.inverse) * phi).sum(axis=1), 0.0))
        return drawn(greedy(phi @ ridge.weights + self.width * spread), seed)

    def with_weights(self, weights: Mapping[str, Floats]) -> "LinUCB":
        return replace(self, ridges=self.read(weights))


@dataclass(slots=True, kw_only=True)
class LinearThompson(_Linear):
    """The best action of one draw from N(A⁻¹b, v²A⁻¹), out of M that the seed gives."""

    name: str = "linear-thompson"
    width: float = 1.0  # v

    def choose(self, situation: Situation, seed: int) -> Choice:
        ridge = self.of(situation)
        dim = len(ridge.shift)
        z = normals(uniforms(np.array([seed ^ 0x5DEECE66D], dtype=np.uint64), DRAWS * dim)).reshape(dim, DRAWS)
        weights = ridge.weights[:, None] + self.width * np.linalg.cholesky(ridge.inverse) @ z
        distribution = thompson(situation.actions @ weights)
        return Choice(action=pick(distribution, seed), distribution=distribution)

    def with_weights(self, weights: Mapping[str, Floats]) -> "LinearThompson":
        return replace(self, ridges=self.read(weights))
