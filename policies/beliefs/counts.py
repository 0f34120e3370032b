"""Rates of many entities, learned from counts: Gamma–Poisson, and negative-binomial counts censored at a stock-out.

`Rates` is conjugate and exact. `CensoredCounts` is for demand that varies more than Poisson and of which only sales are
seen: when the shelf was emptied, demand was at least what was sold. It holds log-likelihoods over a grid of means and
of variance-to-mean ratios, so censoring is exact up to the grid. Forgetting tempers the likelihood: toward the prior.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from policies.linalg import Floats, logsumexp

DISPERSIONS: Final = (1.0, 1.5, 2.5, 5.0, 10.0)  # variance over mean; the first is Poisson
LARGEST: Final = 100_000  # count

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """λ ~ Gamma(shape, rate) of B entities, counts n over exposures t."""

    shape: float
    rate: float
    counts: Floats  # Σn [B]
    exposures: Floats  # Σt [B]

    @classmethod
    def starting(cls, *, shape: float, rate: float, entities: int) -> "Rates":
        return cls(shape=shape, rate=rate, counts=np.zeros(entities), exposures=np.zeros(entities))

    def learn(self, counts: Floats, exposures: Floats, *, kept: float | Floats = 1.0) -> "Rates":
        """Counts [B] seen over exposures [B]; 0 over 0 says nothing. Raises ValueError for anything below 0."""
        if not (np.isfinite(counts).all() and np.isfinite(exposures).all() and min(counts.min(), exposures.min()) >= 0):
            raise ValueError("counts and exposures must be finite and not negative")
        return Rates(
            shape=self.shape,
            rate=self.rate,
            counts=kept * self.counts + counts,
            exposures=kept * self.exposures + exposures,
        )

    @property
    def mean(self) -> Floats:
        return (self.shape + self.counts) / (self.rate + self.exposures)

    @property
    def variance(self) -> Floats:
        return self.mean / (self.rate + self.exposures)

    def log_predictive(self, counts: Ints, exposures: Floats) -> Floats:
        """log P(n) over the next exposure: negative binomial [B]."""
        a, b, n = self.shape + self.counts, self.rate + self.exposures, counts.astype(np.float64)
        share = np.log(exposures / (b + exposures))
        return _lgamma(a + n) - _lgamma(a) - _lgamma(n + 1.0) + a * np.log(b / (b + exposures)) + n * share


@dataclass(frozen=True, slots=True, kw_only=True)
class CensoredCounts:
    """Log-likelihood [G·K, B] of what B entities sold, over a grid of G means and K dispersions."""

    means: Floats  # [G]
    log_prior: Floats  # [G·K]
    likelihood: Floats

    @classmethod
    def starting(cls, means: Floats, log_prior: Floats, entities: int) -> "CensoredCounts":
        """A prior over means [G], the same for every dispersion, or given for each [G·K], dispersions fastest."""
        cells = len(means) * len(DISPERSIONS)
        if len(log_prior) == len(means):
            log_prior = np.repeat(log_prior, len(DISPERSIONS))
        log_prior = log_prior - float(logsumexp(log_prior[:, None])[0])
        return cls(means=means, log_prior=log_prior, likelihood=np.zeros((cells, entities)))

    def learn(self, sold: Ints, emptied: npt.NDArray[np.bool_], *, kept: float | Floats = 1.0) -> "CensoredCounts":
        """Units sold in a period [B], and whether that was all there was: then demand was that or more."""
        if (sold < 0).any() or (sold > LARGEST).any():
            raise ValueError(f"units sold must be between 0 and {LARGEST}")
        exact, at_least = _tables(tuple(self.means.tolist()), _reach(int(sold.max())))
        told = np.where(emptied, at_least[:, sold], exact[:, sold])  # [G·K, B]
        return CensoredCounts(means=self.means, log_prior=self.log_prior, likelihood=kept * self.likelihood + told)

    @property
    def posterior(self) -> Floats:
        """Probability of each cell [G·K, B]."""
        logs = self.log_prior[:, None] + self.likelihood
        return np.exp(logs - logsumexp(logs))

    @property
    def mean(self) -> Floats:
        """Posterior mean demand a period [B]."""
        return np.repeat(self.means, len(DISPERSIONS)) @ self.posterior

    def demand(self, largest: int) -> Floats:
        """P(demand = 0 … largest) of the next period [largest + 1, B]."""
        exact, _ = _tables(tuple(self.means.tolist()), _reach(largest))
        return np.exp(exact[:, : largest + 1]).T @ self.posterior


def _reach(largest: int) -> int:
    """How far to tabulate for counts up to this one: tails beyond are too thin to matter."""
    return max(512, 4 << largest.bit_length())


@lru_cache(maxsize=8)
def _tables(means: tuple[float, ...], size: int) -> tuple[Floats, Floats]:
    """log P(demand = n) and log P(demand ≥ n) by cell, n < size: [G·K, size] each."""
    mean = np.repeat(np.array(means), len(DISPERSIONS))[:, None]
    dispersion = np.tile(np.array(DISPERSIONS), len(means))[:, None]
    n = np.arange(size, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = mean / (dispersion - 1.0)
        negative = _lgamma(r + n) - _lgamma(r) - r * np.log(dispersion) + n * np.log(1.0 - 1.0 / dispersion)
    exact = np.where(dispersion > 1.0, negative, n * np.log(mean) - mean) - _lgamma(n + 1.0)
    below = np.cumsum(np.exp(exact), axis=1) - np.exp(exact)  # P(demand < n)
    tail = np.logaddexp.accumulate(exact[:, ::-1], axis=1)[:, ::-1]  # of what the table holds: exact far out
    return exact, np.where(below < 0.5, np.log1p(-np.minimum(below, 0.5)), tail)


def _lgamma(x: Floats) -> Floats:
    return torch.lgamma(torch.as_tensor(x)).numpy()
