"""The population that entities come from, learned from their sums by EM: mean, spread, noise and how often they change.

y = φ·θᵢ + ε, θᵢ ~ N(m, S), ε ~ N(0, σ²) (Dempster, Laird, Rubin 1977; Gelman et al. 2013, §15). Unlike a pooled
regression this isn't misled by outcomes being seen of chosen actions only: each entity's likelihood is conditional on
what was chosen for it, and the choice saw no more than the outcomes before it. Only sums travel, so two populations
merge by putting their sums side by side; those of the oldest entities are folded into the start, and memory stays
bounded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

KEPT: Final = 512  # entities whose sums are kept one by one
ROUNDS: Final = 3  # of EM at each estimate; it goes on from the one before
MEAN_COUNT: Final = 0.1  # entities that the starting mean counts for
SPREAD_COUNT: Final = 1.0  # entities that the starting spread counts for, ...
SPREAD_SCALE: Final = 0.1  # ... as small as this: a large one would keep the small spreads from being found
NOISE_COUNT: Final = 4.0  # outcomes that the starting noise counts for
CHANGE_ROUNDS: Final = 100.0  # outcomes that the starting hazard counts for
LEAST_HAZARD: Final = 1e-4

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearPrior:
    """What a new entity's weights are taken to be, N(mean, covariance), with noise σ² and changes per outcome."""

    mean: Floats  # [d]
    covariance: Floats  # [d, d]
    noise: float
    hazard: float

    @classmethod
    def flat(cls, dim: int, *, variance: float = 1.0, noise: float = 1.0, hazard: float = 0.01) -> "LinearPrior":
        """One that knows nothing but a scale."""
        return cls(mean=np.zeros(dim), covariance=variance * np.eye(dim), noise=noise, hazard=hazard)

    @property
    def dim(self) -> int:
        return len(self.mean)


def width(dim: int) -> int:
    """Numbers in the sums of one run: Σaaᵀ with a = (φ, y, 1)."""
    return (dim + 2) ** 2


@dataclass(frozen=True, slots=True)
class Sums:
    """Σaaᵀ of many runs, [N, (d + 2)²], seen as what they are."""

    raw: Floats
    dim: int

    @property
    def _all(self) -> Floats:
        return self.raw.reshape(-1, self.dim + 2, self.dim + 2)

    @property
    def squares(self) -> Floats:  # Σφφᵀ [N, d, d]
        return self._all[:, : self.dim, : self.dim]

    @property
    def products(self) -> Floats:  # Σφy [N, d]
        return self._all[:, : self.dim, self.dim]

    @property
    def energy(self) -> Floats:  # Σy² [N]
        return self._all[:, self.dim, self.dim]

    @property
    def outcomes(self) -> Floats:  # [N]
        return self.raw[:, -1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way in which an entity's life may divide into runs of unchanged weights.

    `runs` are the sums of each [P, (d + 2)²]; `weight` its probability when changes came at rate `hazard`; `changes`
    how many it takes, one of them perhaps after the last outcome.
    """

    runs: Floats
    weight: float
    changes: int
    hazard: float


@dataclass(slots=True, kw_only=True)
class Hierarchy:
    """The paths of each entity, and the prior as they show it."""

    start: LinearPrior
    prior: LinearPrior
    paths: dict[str, tuple[Path, ...]] = field(default_factory=dict[str, tuple[Path, ...]])
    folded: Floats  # of those let go: Σθ [d], Σθθᵀ [d²], entities, Σ(y−φθ)², outcomes, changes

    @classmethod
    def starting(cls, start: LinearPrior) -> "Hierarchy":
        return cls(start=start, prior=start, folded=np.zeros(start.dim**2 + start.dim + 4))

    def tell(self, entity: str, paths: Iterable[Path]) -> None:
        """Put what is known of this entity in the place of what was known before; the oldest is folded if too many."""
        self.paths.pop(entity, None)
        self.paths[entity] = tuple(paths)
        while len(self.paths) > KEPT:
            oldest = next(iter(self.paths))
            self.folded = self.folded + self._expect(self.prior, Told.by([self.paths.pop(oldest)], self.prior.dim))

    def estimate(self) -> None:
        """Let the prior follow from all that was told."""
        told, prior = Told.by(list(self.paths.values()), self.prior.dim), self.prior
        for _ in range(ROUNDS):
            prior = self._maximise(self._expect(prior, told) + self.folded)
        self.prior = prior

    def serving(self) -> LinearPrior:
        """The prior for a new entity: as uncertain as its own mean is on top of how entities differ."""
        count = len(self.paths) + self.folded[-4]
        if count == 0.0:
            return self.prior
        return replace(self.prior, covariance=self.prior.covariance * (1.0 + 1.0 / (count + MEAN_COUNT)))

    def _expect(self, prior: LinearPrior, told: "Told") -> Floats:
        """E: what these entities are expected to add up to under the prior, as in `folded`."""
        if not len(told.entity):
            return np.zeros_like(self.folded)
        d, sums = prior.dim, told.sums
        share = told.shares(prior.hazard)
        weight = share[told.path]
        precision = np.linalg.inv(prior.covariance)
        covariance = np.linalg.inv(precision + sums.squares / prior.noise)  # [N, d, d]
        mean = (covariance @ (precision @ prior.mean + sums.products / prior.noise)[..., None])[..., 0]  # [N, d]
        second = covariance + mean[:, :, None] * mean[:, None, :]
        error = sums.energy - 2.0 * (mean * sums.products).sum(axis=1) + (sums.squares * second).sum(axis=(1, 2))
        tail = np.array([weight.sum(), weight @ error, weight @ sums.outcomes, share @ told.changes])
        return np.concatenate([weight @ mean, weight @ second.reshape(-1, d * d), tail])

    def _maximise(self, expected: Floats) -> LinearPrior:
        """M: the prior of greatest posterior density, under a weak start."""
        d, start = self.start.dim, self.start
        first, second = expected[:d], expected[d : d + d * d].reshape(d, d)
        count, error, outcomes, changes = expected[d + d * d :].tolist()
        mean = (first + MEAN_COUNT * start.mean) / (count + MEAN_COUNT)
        crossed = np.outer(first, mean)
        around = second - crossed - crossed.T + count * np.outer(mean, mean)
        shift = mean - start.mean
        spread = around + MEAN_COUNT * np.outer(shift, shift) + SPREAD_COUNT * SPREAD_SCALE * start.covariance
        covariance = spread / (count + SPREAD_COUNT)
        return LinearPrior(
            mean=mean,
            covariance=(covariance + covariance.T) / 2,
            noise=(error + NOISE_COUNT * start.noise) / (outcomes + NOISE_COUNT),
            hazard=max(LEAST_HAZARD, (changes + CHANGE_ROUNDS * start.hazard) / (outcomes + CHANGE_ROUNDS)),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """The paths of many entities, end to end: N runs, P paths."""

    sums: Sums  # of each run [N]
    path: Ints  # of each run [N]
    entity: Ints  # of each path [P]
    weight: Floats  # [P]
    hazard: Floats  # [P]
    changes: Floats  # [P]

    @classmethod
    def by(cls, told: Sequence[tuple[Path, ...]], dim: int) -> "Told":
        paths = [path for of_one in told for path in of_one]
        runs = [path.runs for path in paths]
        odds = np.array([(path.weight, path.hazard, path.changes) for path in paths], dtype=np.float64).reshape(-1, 3)
        return cls(
            Sums(np.concatenate(runs) if runs else np.zeros((0, width(dim))), dim),
            np.repeat(np.arange(len(paths)), [len(one) for one in runs]),
            np.repeat(np.arange(len(told)), [len(of_one) for of_one in told]),
            *odds.T,
        )

    def shares(self, hazard: float) -> Floats:
        """The probability of each of an entity's paths [P] if changes come at this rate, whatever the rate that they
        were found at."""
        odds = self.weight * (hazard / self.hazard) ** self.changes
        return odds / np.bincount(self.entity, odds)[self.entity]
