"""What is believed of one entity whose weights may have changed: a few hypotheses of when they last did.

Bayesian online change-point detection (Adams, MacKay 2007) with a linear-Gaussian model within each run, kept to the
likeliest few (Fearnhead, Liu 2007). Each hypothesis holds its run's sums, and its posterior N(μ, RRᵀ) as a square root
(Potter 1963: an update of R can't make the covariance indefinite). From the sums the posterior is made anew when the
prior is, and now and then, so that no rounding piles up. `memory` makes a run's sums fade, which is forgetting toward
the prior. One hypothesis is one row, [R | μ] and then the sums, so that a step is a few operations whatever there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, inf, log, sqrt
from typing import ClassVar, Final, NamedTuple

import numpy as np

from policies.bandit.hierarchy import LinearPrior, Path, Sums, width
from policies.linalg import Floats

HYPOTHESES: Final = 6
STRETCHES: Final = 4  # runs before the present one that a hypothesis remembers
RENEWED_EVERY: Final = 256  # outcomes after which the posterior is made anew from the sums
LIKELY: Final = 0.03  # a hypothesis less likely tells the population nothing


class Start(NamedTuple):
    """A prior, and the row of a hypothesis that has seen nothing: its sums are zero."""

    prior: LinearPrior
    row: Floats

    @classmethod
    def of(cls, prior: LinearPrior) -> "Start":
        known = np.concatenate([np.linalg.cholesky(prior.covariance), prior.mean[:, None]], axis=1)
        row = np.concatenate([known.ravel(), np.zeros(width(prior.dim))])
        return cls(prior, np.asarray(row, dtype=np.float64))


@dataclass(slots=True, kw_only=True)
class Runs:
    """Hypotheses of one entity, the present run's age falling: all since the start first, all new last."""

    start: Start
    rows: Floats  # [HYPOTHESES, d(d+1) + (d+2)²], of which the first `len(weights)` count
    weights: list[float]  # [H] sum to 1
    past: list[tuple[Floats, ...]]  # [H] sums of the runs before
    outcomes: int = 0
    views: list[tuple[Floats, Floats]] = field(init=False)  # known and sums, by the number of hypotheses

    @classmethod
    def starting(cls, start: Start) -> "Runs":
        rows = np.zeros((HYPOTHESES, len(start.row)))
        rows[0] = start.row
        return cls(start=start, rows=rows, weights=[1.0], past=[()])

    def __post_init__(self) -> None:
        d = self.dim
        known = self.rows[:, : d * (d + 1)].reshape(HYPOTHESES, d, d + 1)
        sums = self.rows[:, d * (d + 1) :]
        self.views = [(known[:h], sums[:h]) for h in range(HYPOTHESES + 1)]

    @property
    def dim(self) -> int:
        return len(self.start.prior.mean)

    @property
    def known(self) -> Floats:
        """[R | μ] of each hypothesis, [H, d, d + 1]."""
        return self.views[len(self.weights)][0]

    @property
    def sums(self) -> Floats:
        return self.views[len(self.weights)][1]

    def learn(self, phi: Floats, y: float, *, memory: float = inf) -> None:
        """Take in one outcome: reweigh the hypotheses, sharpen each, and add the one that now all is new."""
        known, sums = self.views[len(self.weights)]
        d, noise, hazard = len(phi), self.start.prior.noise, self.start.prior.hazard
        expected = phi @ known  # [H, d + 1], φᵀ[R | μ]
        gained = expected[:, :d]  # Rᵀφ
        variances: list[float] = [one + noise for one in np.vecdot(gained, gained).tolist()]
        surprises: list[float] = (y - expected[:, d]).tolist()
        if len(variances) > 1:
            self._reweigh(variances, surprises)
        self.outcomes += 1
        if memory < inf:
            sums *= exp(-1.0 / memory)
        seen = np.empty(d + 2)
        seen[:d], seen[d], seen[d + 1] = phi, y, 1.0
        sums += (seen[:, None] * seen).ravel()
        if memory < inf or self.outcomes % RENEWED_EVERY == 0:
            self._renew()
        else:
            along = known[:, :, :d] @ gained[:, :, None]  # [H, d, 1], Vφ
            gained *= np.array([[-1.0 / (v + sqrt(noise * v))] for v in variances])
            expected[:, d] = [s / v for v, s in zip(variances, surprises, strict=True)]
            known += along * expected[:, None, :]
        if hazard > 0.0:
            self._branch(hazard)

    def adopt(self, start: Start) -> None:
        """Believe this prior from now on; all that was seen still counts."""
        if start is not self.start:
            self.start = start
            self._renew()

    def paths(self) -> list[Path]:
        """The likely ways in which this entity's life divides into runs."""
        return [
            Path(
                runs=np.array([one for one in (*self.past[h], self.sums[h]) if one[-1] > 0.0]),
                weight=weight,
                changes=len(self.past[h]),
                hazard=self.start.prior.hazard,
            )
            for h, weight in enumerate(self.weights)
            if weight >= LIKELY and self.outcomes
        ]

    PARTS: ClassVar[tuple[str, ...]] = ("rows", "weights", "past", "counts")

    def arrays(self) -> dict[str, Floats]:
        """All of it but the prior, as arrays by the names in PARTS."""
        past = [one for of_one in self.past for one in of_one]
        return {
            "rows": self.rows.copy(),
            "weights": np.array(self.weights),
            "past": np.array(past) if past else np.zeros((0, width(self.dim))),
            "counts": np.array([self.outcomes, *(len(of_one) for of_one in self.past)], dtype=np.float64),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Floats], start: Start) -> "Runs":
        """What `arrays` was taken of."""
        outcomes, *lengths = arrays["counts"].astype(int).tolist()
        past = iter(arrays["past"])
        return cls(
            start=start,
            rows=arrays["rows"].copy(),
            weights=arrays["weights"].tolist(),
            past=[tuple(next(past) for _ in range(length)) for length in lengths],
            outcomes=outcomes,
        )

    def _reweigh(self, variances: list[float], surprises: list[float]) -> None:
        """Weights by the density N(y; φᵀμ, φᵀVφ + σ²) that each hypothesis gave the outcome."""
        logs = [
            log(w) - 0.5 * (log(v) + s * s / v) if w > 0.0 else -inf
            for w, v, s in zip(self.weights, variances, surprises, strict=True)
        ]
        highest = max(logs)
        odds = [exp(one - highest) for one in logs]
        whole = sum(odds)
        self.weights = [one / whole for one in odds]

    def _renew(self) -> None:
        d, prior = self.dim, self.start.prior
        precision = np.linalg.inv(prior.covariance)
        sums = Sums(self.sums, d)
        roots = np.linalg.inv(np.linalg.cholesky(precision + sums.squares / prior.noise)).transpose(0, 2, 1)
        right = precision @ prior.mean + sums.products / prior.noise
        self.known[..., :d] = roots
        self.known[..., d:] = roots @ (roots.transpose(0, 2, 1) @ right[:, :, None])

    def _branch(self, hazard: float) -> None:
        """The unlikeliest is merged away, and one more hypothesis comes: that the weights change now."""
        if len(self.weights) == HYPOTHESES:
            self._merge()
        best = self.weights.index(max(self.weights))
        self.past.append((*self.past[best], self.sums[best].copy())[-STRETCHES:])
        self.weights = [(1.0 - hazard) * weight for weight in self.weights]
        self.weights.append(hazard)
        self.rows[len(self.weights) - 1] = self.start.row

    def _merge(self) -> None:
        """Drop the unlikeliest but the youngest. The next younger one, whose run is nearly the same, takes its weight:
        were it lost, changes would seem rarer than they are.
        """
        weights = self.weights
        least = min(range(len(weights) - 1), key=weights.__getitem__)
        weights[least + 1] += weights[least]
        del weights[least], self.past[least]
        self.rows[least:-1] = self.rows[least + 1 :]
