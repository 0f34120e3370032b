"""Gaussian beliefs along many entities' experiences at once: what was known before each of them. No topic, no clock.

Arrays are padded: E entities, T experiences, n slots, d features. The model is `policies.slates.evidence`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any, Final

import numpy as np

from policies.linalg import Floats
from policies.meta.sample import Stream
from policies.slates.evidence import GaussianPrior

_LEAST_PROPENSITY: Final = 1e-12
_linalg: Any = np.linalg  # the stubs of `solve` leave the types open


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Streams as arrays. What is padding has φ = 0 and y = 0, so that it moves no belief."""

    phi: Floats  # [E, T, n, d]
    y: Floats  # [E, T, n]
    known: Floats  # [E, T, n] 1 where there is a slot
    drawn: Floats  # [E, T] 1 where the slate was drawn with known propensities
    log_p: Floats  # [E, T, n] log of those; 0 where they aren't known
    at: Floats  # [E, T] event time, ms

    @property
    def count(self) -> Floats:
        """Slots of each experience [E, T]."""
        return self.known.sum(axis=2)


def stack(streams: Sequence[Stream], width: int) -> Slots:
    """Streams as arrays; an experience of another width (of older features) is left out."""
    kept = [[one for one in stream if one.phi.shape[1] == width] for stream in streams]
    shape = len(kept), max(map(len, kept), default=0), max((len(one.y) for s in kept for one in s), default=0)
    slots = Slots(
        phi=np.zeros((*shape, width)),
        y=np.zeros(shape),
        known=np.zeros(shape),
        drawn=np.zeros(shape[:2]),
        log_p=np.zeros(shape),
        at=np.zeros(shape[:2]),
    )
    for e, stream in enumerate(kept):
        for t, one in enumerate(stream):
            n, drawn = len(one.y), one.drawn
            slots.phi[e, t, :n], slots.y[e, t, :n], slots.known[e, t, :n] = one.phi, one.y, 1.0
            slots.drawn[e, t], slots.at[e, t] = drawn, one.at
            if drawn:
                slots.log_p[e, t, :n] = np.log(np.maximum(one.propensities, _LEAST_PROPENSITY))
        slots.at[e, len(stream) :] = stream[-1].at if stream else 0.0  # padding fades nothing
    return slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an entity's own data say before each experience: D [E, T, d, d] and h [E, T, d]; and after the last one."""

    precision: Floats
    shift: Floats
    last_precision: Floats  # [E, d, d]
    last_shift: Floats  # [E, d]


def accumulate(slots: Slots, noise: float, memory_ms: float) -> Known:
    """Evidence as it is kept while serving: it fades when new data come in, and by the time since the last."""
    gram = slots.phi.swapaxes(2, 3) @ slots.phi / noise
    pull = np.einsum("etni,etn->eti", slots.phi, slots.y) / noise
    precision, shift = np.zeros_like(gram), np.zeros_like(pull)
    size = len(gram), gram.shape[2]
    now_precision, now_shift = np.zeros((*size, size[1])), np.zeros(size)
    for t in range(gram.shape[1]):
        precision[:, t], shift[:, t] = now_precision, now_shift
        kept = np.exp(-np.maximum(0.0, slots.at[:, t] - slots.at[:, max(0, t - 1)]) / memory_ms)
        now_precision = kept[:, None, None] * now_precision + gram[:, t]
        now_shift = kept[:, None] * now_shift + pull[:, t]
    return Known(precision=precision, shift=shift, last_precision=now_precision, last_shift=now_shift)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """The posterior before each experience: mean [E, T, d], covariance [E, T, d, d]."""

    mean: Floats
    covariance: Floats


def believe(prior: GaussianPrior, known: Known) -> Beliefs:
    covariance = np.linalg.inv(prior.precision + known.precision).astype(np.float64)
    mean = np.einsum("etij,etj->eti", covariance, prior.precision @ prior.mean + known.shift)
    return Beliefs(mean=mean, covariance=covariance)


def spread(slots: Slots, beliefs: Beliefs, noise: float) -> Floats:
    """The Cholesky factor [E, T, n, n] of the predictive covariance ΦCΦᵀ + σ²I."""
    n = slots.phi.shape[2]
    inner = slots.phi @ beliefs.covariance
    return _linalg.cholesky(inner @ slots.phi.swapaxes(2, 3) + noise * np.eye(n))


def whiten(lower: Floats, right: Floats) -> Floats:
    """L⁻¹x for each experience: [E, T, n, n], [E, T, n, k] → [E, T, n, k]."""
    return _linalg.solve(lower, right)


def log_likelihood(slots: Slots, prior: GaussianPrior, memory_ms: float) -> Floats:
    """log p(y_t | Φ_t, all before t) [E, T]: each experience predicted before it was known, its slots together."""
    beliefs = believe(prior, accumulate(slots, prior.noise, memory_ms))
    lower = spread(slots, beliefs, prior.noise)
    off = slots.y - np.einsum("etni,eti->etn", slots.phi, beliefs.mean)
    z = whiten(lower, off[..., None])[..., 0]
    diagonal = np.log(np.einsum("etnn->etn", lower))
    # Padding predicts 0 with variance σ² and sees 0: its ½ log σ² is in the diagonal, and taken out again.
    padding = (1.0 - slots.known).sum(axis=2) * 0.5 * log(prior.noise)
    return -0.5 * (z * z).sum(axis=2) - diagonal.sum(axis=2) + padding - 0.5 * log(2 * pi) * slots.count
