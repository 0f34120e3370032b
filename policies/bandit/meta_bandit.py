"""The linear bandit that adapts at two speeds: a belief for each entity, and the prior of all beliefs, both as it runs.

Fast: per entity a Gaussian belief over its weights, under hypotheses of when they last changed (policies.beliefs.runs).
Slow: mean, spread, noise and rate of change of the population by EM (policies.bandit.hierarchy), estimated anew
whenever what was told of entities has grown by a quarter. Choice: information-directed sampling, or Thompson's, over M
draws from the belief. The draws are the same whenever the belief is, so the probabilities of a choice are exact and
need no seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf, isfinite
from typing import Final, Literal

import numpy as np

from policies.bandit.hierarchy import Hierarchy, LinearPrior, Path
from policies.bandit.information import information_directed, thompson
from policies.bandit.picking import pick
from policies.beliefs.runs import Runs, Start
from policies.contract import Choice, Situation, Transition
from policies.draws import normals, uniforms
from policies.linalg import Floats

DRAWS: Final = 64
SHEETS: Final = 16  # sets of draws, used in turn as outcomes come in: an action unlucky in one has its chance in others
GROWTH: Final = 0.25
FIRST_TOLD: Final = 64  # outcomes after which a running entity tells the population of itself, and at each doubling
ENTITIES: Final = 20_000  # that are remembered; the one unheard of for longest goes

Learns = Literal["prior", "noise", "nothing"]
Rule = Literal["information", "thompson"]


@dataclass(slots=True, kw_only=True)
class MetaBandit:
    """Ours, and its ablations.

    `learns` the whole prior, only its noise and rate of change, or nothing of it. `apart`: whether each entity has a
    belief of its own. `memory` in outcomes: over what time a belief fades back to the prior.

    When its episode ends, an entity is done with: what it taught stays in the population, and should it come back, it
    starts from the prior.
    """

    name: str
    hierarchy: Hierarchy
    learns: Learns = "prior"
    rule: Rule = "information"
    apart: bool = True
    memory: float = inf
    entities: dict[str, Runs] = field(default_factory=dict[str, Runs])
    told: int = 0
    due: int = 1
    start: Start = field(init=False)

    def __post_init__(self) -> None:
        self.start = Start.of(self._serving())

    def choose(self, situation: Situation, seed: int) -> Choice:
        runs = self.entities.get(self._key(situation)) or Runs.starting(self.start)
        values = values_of(runs, situation.actions)
        distribution = information_directed(values) if self.rule == "information" else thompson(values)
        return Choice(action=pick(distribution, seed), distribution=distribution)

    def learn(self, transition: Transition) -> None:
        phi = transition.before.actions[transition.action]
        if not (isfinite(transition.reward) and isfinite(phi.dot(phi))):
            raise ValueError("a transition to learn from must be finite")
        key = self._key(transition.before)
        runs = self.entities.get(key) or Runs.starting(self.start)
        runs.adopt(self.start)
        runs.learn(phi, transition.reward, memory=self.memory)
        self.entities.pop(key, None)
        over = transition.after is None and self.apart
        if over or _doubled(runs.outcomes):
            self._tell(key if not over else f"{key}#{self.told}", runs)
        if over:
            self.hierarchy.paths.pop(key, None)
            return
        self.entities[key] = runs
        if len(self.entities) > ENTITIES:
            del self.entities[next(iter(self.entities))]

    def weights(self) -> Mapping[str, Floats]:
        start, prior = self.hierarchy.start, self.hierarchy.prior
        found: dict[str, Floats] = {"folded": self.hierarchy.folded, "told": np.array([self.told, self.due], float)}
        for name, one in (("start", start), ("prior", prior), ("serving", self.start.prior)):
            found |= {f"{name}/mean": one.mean, f"{name}/covariance": one.covariance}
            found[f"{name}/rates"] = np.array([one.noise, one.hazard])
        for place, (key, paths) in enumerate(self.hierarchy.paths.items()):
            for rank, path in enumerate(paths):
                at = f"path/{place:08d}/{rank:04d}/{key}"
                found[f"{at}/runs"] = path.runs
                found[f"{at}/odds"] = np.array([path.weight, path.changes, path.hazard])
        for place, (key, runs) in enumerate(self.entities.items()):
            found |= {f"entity/{place:08d}/{key}/{part}": array for part, array in runs.arrays().items()}
        return found

    def with_weights(self, weights: Mapping[str, Floats]) -> "MetaBandit":
        start, prior, serving = (_prior(weights, name) for name in ("start", "prior", "serving"))
        hierarchy = Hierarchy(start=start, prior=prior, folded=weights["folded"].copy())
        fresh = replace(
            self, hierarchy=hierarchy, entities={}, told=int(weights["told"][0]), due=int(weights["told"][1])
        )
        fresh.start = Start.of(serving)
        for name in sorted(name for name in weights if name.startswith("path/") and name.endswith("/odds")):
            key, (weight, changes, hazard) = name.split("/", 3)[3].removesuffix("/odds"), weights[name].tolist()
            runs = weights[f"{name.removesuffix('odds')}runs"]
            path = Path(runs=runs, weight=weight, changes=int(changes), hazard=hazard)
            hierarchy.paths[key] = (*hierarchy.paths.get(key, ()), path)
        for name in sorted(name for name in weights if name.startswith("entity/") and name.endswith("/known")):
            own = {part: weights[f"{name.removesuffix('known')}{part}"] for part in Runs.PARTS}
            fresh.entities[name.split("/", 2)[2].removesuffix("/known")] = Runs.of_arrays(own, fresh.start)
        return fresh

    def _key(self, situation: Situation) -> str:
        return situation.entity if self.apart else ""

    def _serving(self) -> LinearPrior:
        if self.learns == "prior":
            return self.hierarchy.serving()
        start, found = self.hierarchy.start, self.hierarchy.prior
        return replace(start, noise=found.noise, hazard=found.hazard)

    def _tell(self, key: str, runs: Runs) -> None:
        if self.learns == "nothing":
            return
        self.hierarchy.tell(key, runs.paths())
        self.told += 1
        if self.told >= self.due:
            self.due = self.told + 1 + int(GROWTH * self.told)
            self.hierarchy.estimate()
            self.start = Start.of(self._serving())


def meta(dim: int, *, rule: Rule = "information", memory: float = inf) -> MetaBandit:
    """Ours: it starts from a flat prior and learns the population's while it runs."""
    return MetaBandit(
        name="meta" if rule == "information" else "meta-thompson",
        hierarchy=Hierarchy.starting(LinearPrior.flat(dim)),
        rule=rule,
        memory=memory,
    )


def flat(dim: int) -> MetaBandit:
    """The same, but every entity starts from N(0, I): only noise and rate of change are learned of the population."""
    return MetaBandit(name="flat-prior", hierarchy=Hierarchy.starting(LinearPrior.flat(dim)), learns="noise")


def oracle(prior: LinearPrior) -> MetaBandit:
    """The same, told the truth about the population."""
    return MetaBandit(name="oracle-prior", hierarchy=Hierarchy.starting(prior), learns="nothing")


def pooled(dim: int) -> MetaBandit:
    """One belief for all entities: no fast adaptation, no prior worth the name, no changes."""
    start = LinearPrior.flat(dim, hazard=0.0)
    return MetaBandit(name="none", hierarchy=Hierarchy.starting(start), learns="nothing", apart=False)


def values_of(runs: Runs, actions: Floats) -> Floats:
    """What M draws from the belief make of each action: [A, M], draw by draw in memory, as they will be compared."""
    return _drawn(runs).T.dot(actions.T).T


def _drawn(runs: Runs) -> Floats:
    """M draws of the weights [d, M]: each hypothesis has its share of them."""
    z = _sheets(runs.dim)[runs.outcomes % SHEETS]  # [d + 1, M]
    across, weights = len(z), runs.weights
    if weights[0] * DRAWS >= DRAWS - 0.5:
        return runs.wide[:, :across].dot(z)
    own = np.zeros((len(weights) * across, DRAWS))  # z where a draw is of the hypothesis, else 0
    first, reached = 0, 0.0
    for h, weight in enumerate(weights):
        reached += weight
        last = int(reached * DRAWS + 0.5)
        if first < last:
            own[h * across : (h + 1) * across, first:last] = z[:, first:last]
            first = last
    return runs.wide[:, : len(own)].dot(own)


@lru_cache(maxsize=16)
def _sheets(dim: int) -> Floats:
    """Standard normals [SHEETS, d, M], the same for ever, z and −z side by side, and below them a row of ones for μ."""
    uniform = uniforms(np.arange(SHEETS, dtype=np.uint64), DRAWS // 2 * dim)
    z = normals(uniform).reshape(SHEETS, dim, DRAWS // 2, 1)
    paired = np.concatenate([z, -z], axis=3).reshape(SHEETS, dim, DRAWS)
    return np.concatenate([paired, np.ones((SHEETS, 1, DRAWS))], axis=1)


def _doubled(outcomes: int) -> bool:
    """64, 128, 256, …"""
    return outcomes >= FIRST_TOLD and outcomes & (outcomes - 1) == 0


def _prior(weights: Mapping[str, Floats], name: str) -> LinearPrior:
    noise, hazard = weights[f"{name}/rates"].tolist()
    return LinearPrior(
        mean=weights[f"{name}/mean"], covariance=weights[f"{name}/covariance"], noise=noise, hazard=hazard
    )
