"""What is believed of one entity whose weights may have changed: a few hypotheses of when they last did.

Bayesian online change-point detection (Adams, MacKay 2007) with a linear-Gaussian model within each run, kept to the
likeliest few (Fearnhead, Liu 2007). Each hypothesis holds its posterior N(μ, RRᵀ) as a square root (Potter 1963: an
update of R can't make the covariance indefinite) and which outcomes its run is made of: from their sums the posterior
is made anew when the prior is, and now and then, so that no rounding piles up. `memory` makes those sums fade, which is
forgetting toward the prior. The [R | μ] of all hypotheses stand side by side in one matrix, and what differs between
them in blocks on a diagonal, so that a step is a few products whatever there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, inf, log, sqrt
from typing import ClassVar, Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from policies.bandit.hierarchy import LinearPrior, Path, Sums, width
from policies.beliefs.stretches import Outcomes, Stretch
from policies.linalg import Floats

HYPOTHESES: Final = 6
STRETCHES: Final = 4  # runs before the present one that a hypothesis remembers
RENEWED_EVERY: Final = 256  # outcomes after which the posterior is made anew from the sums
LIKELY: Final = 0.03  # a hypothesis less likely tells the population nothing


class Blocks(NamedTuple):
    """A matrix that is zero but for one row of numbers for each hypothesis, on its diagonal: to be written over."""

    whole: Floats  # [H, H(d + 1)]
    rows: Floats  # [H, d + 1], the same numbers
    ends: Floats  # [H], the last of each row

    @classmethod
    def zero(cls, hypotheses: int, dim: int) -> "Blocks":
        whole = np.zeros((hypotheses, hypotheses * (dim + 1)))
        down, along = whole.strides
        rows = as_strided(whole, (hypotheses, dim + 1), (down + (dim + 1) * along, along))
        return cls(whole, rows, rows[:, dim])


@dataclass(frozen=True, slots=True)
class Start:
    """A prior, and the [R | μ] of a hypothesis that has seen nothing; `blocks`, by the number of hypotheses, is room
    for a step's own figures, and keeps nothing from one step to the next."""

    prior: LinearPrior
    known: Floats  # [d, d + 1]
    nothing: Floats  # [(d + 2)²], its sums
    blocks: list[Blocks]

    @classmethod
    def of(cls, prior: LinearPrior) -> "Start":
        known = np.concatenate([np.linalg.cholesky(prior.covariance), prior.mean[:, None]], axis=1)
        blocks = [Blocks.zero(hypotheses, prior.dim) for hypotheses in range(HYPOTHESES + 1)]
        return cls(prior, np.asarray(known, dtype=np.float64), np.zeros(width(prior.dim)), blocks)


@dataclass(slots=True, kw_only=True)
class Runs:
    """Hypotheses of one entity, the present run's age falling: all since the start first, all new last."""

    start: Start
    wide: Floats  # [d, HYPOTHESES · (d + 1)], [R | μ] of each, of which the first `len(weights)` count
    weights: list[float]  # [H] sum to 1
    present: list[Stretch]  # [H] what each one's run is made of: `last` has no meaning, it ends now
    past: list[tuple[Stretch, ...]]  # [H] the runs before
    outcomes: int = 0
    latest: Outcomes = field(init=False)

    @classmethod
    def starting(cls, start: Start) -> "Runs":
        wide = np.zeros((start.prior.dim, HYPOTHESES * (start.prior.dim + 1)))
        wide[:, : start.prior.dim + 1] = start.known
        return cls(start=start, wide=wide, weights=[1.0], present=[Stretch(start.nothing, 0, 0)], past=[()])

    def __post_init__(self) -> None:
        self.latest = Outcomes.none(self.dim)

    @property
    def dim(self) -> int:
        return len(self.wide)

    @property
    def known(self) -> Floats:
        """[R | μ] of each hypothesis, [H, d, d + 1]."""
        d = self.dim
        return self.wide.reshape(d, HYPOTHESES, d + 1).transpose(1, 0, 2)[: len(self.weights)]

    @property
    def sums(self) -> Floats:
        """Of each hypothesis' present run, [H, (d + 2)²]."""
        return np.array([self._now(h) for h in range(len(self.weights))])

    def learn(self, phi: Floats, y: float, *, memory: float = inf) -> None:
        """Take in one outcome: reweigh the hypotheses, sharpen each, and add the one that now all is new."""
        if memory < inf:
            self._fade(exp(-1.0 / memory))
        elif self.latest.full:
            self._fold()
        self.latest.add(phi, y)
        self.outcomes += 1
        self._sharpen(phi, y)
        if memory < inf or self.outcomes % RENEWED_EVERY == 0:
            self._renew()
        if self.start.prior.hazard > 0.0:
            self._branch(self.start.prior.hazard)

    def adopt(self, start: Start) -> None:
        """Believe this prior from now on; all that was seen still counts."""
        if start is not self.start:
            self.start = start
            self._renew()

    def paths(self) -> list[Path]:
        """The likely ways in which this entity's life divides into runs."""
        self._fold()
        return [
            Path(
                runs=np.array([one for one, _, _ in (*self.past[h], self.present[h]) if one[-1] > 0.0]),
                weight=weight,
                changes=len(self.past[h]),
                hazard=self.start.prior.hazard,
            )
            for h, weight in enumerate(self.weights)
            if weight >= LIKELY and self.outcomes
        ]

    PARTS: ClassVar[tuple[str, ...]] = ("known", "sums", "weights", "past", "counts")

    def arrays(self) -> dict[str, Floats]:
        """All of it but the prior, as arrays by the names in PARTS."""
        self._fold()
        past = [one.folded for of_one in self.past for one in of_one]
        return {
            "known": self.wide.copy(),
            "sums": self.sums,
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
            wide=arrays["known"].copy(),
            weights=arrays["weights"].tolist(),
            present=[Stretch(one, 0, 0) for one in arrays["sums"]],
            past=[tuple(Stretch(next(past), 0, 0) for _ in range(length)) for length in lengths],
            outcomes=outcomes,
        )

    def _now(self, h: int) -> Floats:
        """The sums of a hypothesis' present run."""
        folded, first, _ = self.present[h]
        return self.latest.sums(Stretch(folded, first, self.latest.count))

    def _fold(self) -> None:
        """Put sums in the place of all that is written down."""
        if self.latest.count == 0:
            return
        made: dict[int, Stretch] = {}  # hypotheses have runs in common
        for of_one in self.past:
            for one in of_one:
                if id(one) not in made:
                    made[id(one)] = Stretch(self.latest.sums(one), 0, 0)
        self.past = [tuple(made[id(one)] for one in of_one) for of_one in self.past]
        self.present = [Stretch(self._now(h), 0, 0) for h in range(len(self.weights))]
        self.latest.count = 0

    def _fade(self, kept: float) -> None:
        self._fold()
        self.present = [Stretch(kept * folded, 0, 0) for folded, _, _ in self.present]

    def _sharpen(self, phi: Floats, y: float) -> None:
        """With v = φᵀVφ + σ², V = RRᵀ and g = Rᵀφ: weights by the density N(y; φᵀμ, v) that each gave the outcome, and

        R ← R − Rg gᵀ / (v + σ√v),  μ ← μ + Rg (y − φᵀμ) / v.
        """
        noise, d, many = self.start.prior.noise, len(phi), len(self.weights)
        known = self.wide[:, : many * (d + 1)]
        whole, rows, ends = self.start.blocks[many]
        expected = phi.dot(known)  # φᵀ[R | μ], hypothesis by hypothesis
        rows[:] = expected.reshape(many, d + 1)
        ends.fill(0.0)
        along = known.dot(whole.T)  # [d, H], Rg
        shares: list[float] = []
        steps: list[float] = []
        logs: list[float] = []
        told = zip(self.weights, whole.dot(expected).tolist(), expected[d :: d + 1].tolist(), strict=True)
        for weight, spread, centre in told:
            v, surprise = spread + noise, y - centre
            scale, prior = v + sqrt(noise * v), weight / sqrt(v)
            shares.append(-1.0 / scale)
            steps.append(-surprise * scale / v)
            logs.append((log(prior) if prior > 0.0 else -inf) - 0.5 * surprise * surprise / v)
        along *= shares
        ends[:] = steps
        known += along.dot(whole)
        self._reweigh(logs)

    def _reweigh(self, logs: list[float]) -> None:
        highest = max(logs)
        odds = [exp(one - highest) for one in logs]
        total = sum(odds)
        self.weights = [one / total for one in odds]

    def _renew(self) -> None:
        d, prior = self.dim, self.start.prior
        precision = np.linalg.inv(prior.covariance)
        sums = Sums(self.sums, d)
        roots = np.linalg.inv(np.linalg.cholesky(precision + sums.squares / prior.noise)).transpose(0, 2, 1)
        right = precision @ prior.mean + sums.products / prior.noise
        known = self.known
        known[..., :d] = roots
        known[..., d:] = roots @ (roots.transpose(0, 2, 1) @ right[:, :, None])

    def _branch(self, hazard: float) -> None:
        """The unlikeliest is merged away, and one more hypothesis comes: that the weights change now."""
        if len(self.weights) == HYPOTHESES:
            self._merge()
        now, across = self.latest.count, self.dim + 1
        best = self.weights.index(max(self.weights))
        folded, first, _ = self.present[best]
        self.past.append((*self.past[best], Stretch(folded, first, now))[-STRETCHES:])
        self.present.append(Stretch(self.start.nothing, now, now))
        born = len(self.weights) * across
        self.wide[:, born : born + across] = self.start.known
        self.weights = [(1.0 - hazard) * weight for weight in self.weights]
        self.weights.append(hazard)

    def _merge(self) -> None:
        """Drop the unlikeliest but the youngest. The next younger one, whose run is nearly the same, takes its weight:
        were it lost, changes would seem rarer than they are.
        """
        weights, across = self.weights, self.dim + 1
        least = min(range(len(weights) - 1), key=weights.__getitem__)
        weights[least + 1] += weights[least]
        del weights[least], self.past[least], self.present[least]
        self.wide[:, least * across : -across] = self.wide[:, (least + 1) * across :]
