"""The prior of greatest predictive likelihood for Gaussian beliefs: mean, precision and noise, by EM. No policy.

For beliefs in closed form, Σ_t log p(y_t | before t) is the marginal likelihood of the whole stream, so its maximum
over (m, Λ₀, σ²) is found by EM (Dempster, Laird & Rubin 1977) rather than by gradient. The shipped prior counts as
`ANCHOR` entities (docs/adr/0004): where outcomes are seen of chosen actions only, likelihood flattens weights.
"""

from typing import Any, Final

import numpy as np

from policies.linalg import Floats
from policies.meta.slots import Slots, accumulate
from policies.slates.evidence import GaussianPrior

ANCHOR: Final = 20.0
_ANCHOR_SLOTS: Final = 200.0  # what the shipped noise is worth, in outcomes
_ROUNDS: Final = 15
_VARIANCE: Final = (1e-6, 1.0)  # of a weight
_NOISE: Final = (1e-4, 1e2)

_linalg: Any = np.linalg


def most_likely(slots: Slots, anchor: GaussianPrior, start: GaussianPrior, memory_ms: float) -> GaussianPrior:
    unit = accumulate(slots, 1.0, memory_ms)
    gram, pull = unit.last_precision, unit.last_shift  # ΣφφᵀΔ, Σφy of each entity, faded [E, d, d], [E, d]
    weight = float(_faded(slots, slots.known.sum(axis=2), memory_ms).sum())
    square = float(_faded(slots, (slots.y**2).sum(axis=2), memory_ms).sum())
    prior = start
    for _ in range(_ROUNDS):
        prior = _round(prior, anchor, gram, pull, square, weight)
    return prior


def _round(
    prior: GaussianPrior, anchor: GaussianPrior, gram: Floats, pull: Floats, square: float, weight: float
) -> GaussianPrior:
    """One round of EM, from Σy² and the number of outcomes, both faded."""
    covariance: Floats = np.asarray(np.linalg.inv(prior.precision + gram / prior.noise), dtype=np.float64)
    mean = np.einsum("eij,ej->ei", covariance, prior.precision @ prior.mean + pull / prior.noise)
    count = len(mean) + ANCHOR
    # The mean at its maximum given the rest (ECME; Liu & Rubin 1994): under a tight prior EM alone takes ages.
    told = len(mean) * prior.precision - prior.precision @ covariance.sum(axis=0) @ prior.precision
    right = prior.precision @ np.einsum("eij,ej->i", covariance, pull) / prior.noise
    tied = ANCHOR * prior.precision
    centre: Floats = np.asarray(_linalg.solve(told + tied, right + tied @ anchor.mean), dtype=np.float64)
    off, away = mean - centre, anchor.mean - centre
    own = np.linalg.inv(anchor.precision)
    second = covariance.sum(axis=0) + np.einsum("ei,ej->ij", off, off) + ANCHOR * (own + np.outer(away, away))
    # Σ‖y − Φμ‖² + tr(ΦᵀΦ C), from the sums
    wrong = square - 2 * (pull * mean).sum() + ((covariance + _outer(mean)) * gram).sum()
    noise = (wrong + _ANCHOR_SLOTS * anchor.noise) / (weight + _ANCHOR_SLOTS)
    return GaussianPrior(centre, _inverse(second / count), float(np.clip(noise, *_NOISE)), prior.width)


def _outer(mean: Floats) -> Floats:
    return mean[:, :, None] * mean[:, None, :]


def _faded(slots: Slots, each: Floats, memory_ms: float) -> Floats:
    """Σ_t of [E, T], faded as evidence is: [E]."""
    total = np.zeros(len(each))
    for t in range(each.shape[1]):
        kept = np.exp(-np.maximum(0.0, slots.at[:, t] - slots.at[:, max(0, t - 1)]) / memory_ms)
        total = kept * total + each[:, t]
    return total


def _inverse(covariance: Floats) -> Floats:
    """The inverse of a covariance whose variances are kept within reason."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    inverse = (vectors / np.clip(values, *_VARIANCE)) @ vectors.T
    return (inverse + inverse.T) / 2
