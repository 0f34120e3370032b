"""The prior over weights, re-estimated from many entities' outcomes: empirical Bayes, online, in mergeable sums.

The mean comes from the pooled regression of all outcomes, the covariance from the spread of the entities' own
posterior means plus what is still unknown of each (the EM step for a hierarchical linear model; Dempster, Laird,
Rubin 1977).
The shipped prior counts as `ANCHOR` entities: outcomes are seen of chosen actions only, and a pooled regression left to
itself takes that selection for an effect.
"""

from typing import Final

import msgspec
import numpy as np

from policies.belief import GaussianPrior
from policies.linalg import Floats
from policies.version import Priors

ANCHOR: Final = 20.0
LARGEST_WEIGHT_VARIANCE: Final = 1.0
SMALLEST_WEIGHT_VARIANCE: Final = 1e-6


class Individual(msgspec.Struct):
    """One entity's sums, raw float64: D [d, d], h [d], and what it now contributes to the population."""

    outcomes: float = 0.0

    precision: bytes = b""
    shift: bytes = b""
    mean: bytes = b""
    second: bytes = b""


class Population(msgspec.Struct):
    """Sums over all entities: pooled D and h, posterior means, second moments."""

    entities: float = 0.0
    outcomes: float = 0.0
    precision: bytes = b""
    shift: bytes = b""
    mean: bytes = b""
    second: bytes = b""

    def learn(self, one: Individual, phi: Floats, y: Floats, prior: GaussianPrior) -> None:
        """Take in outcomes y [n] at contexts φ [n, d] of one entity; `prior` is the one that serves now."""
        d = prior.size
        added_precision, added_shift = phi.T @ phi / prior.noise, phi.T @ y / prior.noise
        own_precision, own_shift = _add(one.precision, added_precision), _add(one.shift, added_shift)
        self.precision = _add(self.precision, added_precision).tobytes()
        self.shift = _add(self.shift, added_shift).tobytes()
        self.outcomes += len(y)
        one.outcomes += len(y)
        covariance = np.linalg.inv(prior.precision + own_precision)
        mean = covariance @ (prior.precision @ prior.mean + own_shift)
        second = covariance + np.outer(mean, mean)
        self.entities += 0.0 if one.mean else 1.0
        self.mean = _add(self.mean, mean - _read(one.mean, (d,))).tobytes()
        self.second = _add(self.second, second - _read(one.second, (d, d))).tobytes()
        one.precision, one.shift = own_precision.tobytes(), own_shift.tobytes()
        one.mean, one.second = mean.tobytes(), second.tobytes()

    def forget(self, one: Individual) -> None:
        """Take out all that this entity has brought in, but for the rounding of the sums. It must not be used again."""
        if not one.mean:
            return
        d = len(one.mean) // 8
        self.entities -= 1.0
        self.outcomes -= one.outcomes
        self.precision = _add(self.precision, -_read(one.precision, (d, d))).tobytes()
        self.shift = _add(self.shift, -_read(one.shift, (d,))).tobytes()
        self.mean = _add(self.mean, -_read(one.mean, (d,))).tobytes()
        self.second = _add(self.second, -_read(one.second, (d, d))).tobytes()

    def prior(self, shipped: Priors) -> Priors:
        """The prior as the population shows it, anchored at the shipped one."""
        anchor = GaussianPrior.of(shipped)
        d = anchor.size
        pooled = _read(self.precision, (d, d)) + ANCHOR * anchor.precision
        mean = np.linalg.solve(pooled, _read(self.shift, (d,)) + ANCHOR * anchor.precision @ anchor.mean)
        count = self.entities + ANCHOR
        centre = (_read(self.mean, (d,)) + ANCHOR * anchor.mean) / count
        anchor_second = np.linalg.inv(anchor.precision) + np.outer(anchor.mean, anchor.mean)
        spread = (_read(self.second, (d, d)) + ANCHOR * anchor_second) / count - np.outer(centre, centre)
        return shipped | {"mean": mean.tolist(), "precision": _inverse(spread).tolist()}


def _inverse(covariance: Floats) -> Floats:
    """The inverse of a covariance whose variances are kept within reason."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    kept = np.clip(values, SMALLEST_WEIGHT_VARIANCE, LARGEST_WEIGHT_VARIANCE)
    inverse = (vectors / kept) @ vectors.T
    return (inverse + inverse.T) / 2


def _read(raw: bytes, shape: tuple[int, ...]) -> Floats:
    return np.frombuffer(raw, dtype=np.float64).reshape(shape) if raw else np.zeros(shape)


def _add(raw: bytes, more: Floats) -> Floats:
    return _read(raw, more.shape) + more
