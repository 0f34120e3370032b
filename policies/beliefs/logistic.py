"""Weights of many entities, learned from what either happened or not: clicks, conversions. The batch comes last.

Online Laplace approximation: P(y=1) = σ(φ·θ), θ ~ N(μ, Λ⁻¹). One outcome moves the mode along Λ⁻¹φ only, so finding it
is a search in one dimension, for all entities at once; the curvature there, w = p(1−p), is what the outcome adds to
Λ. Written as a Gaussian outcome (φ, its weight w, its target) it is forgotten toward the prior as all others are.
"""

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from policies.beliefs.gaussian import Evidence, Posterior, Prior
from policies.linalg import Floats

STEPS: Final = 100  # at most: a variance of e¹⁰ takes some ten, whatever it starts from
CLOSE: Final = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """B entities under one prior."""

    prior: Prior
    evidence: Evidence

    @classmethod
    def starting(cls, prior: Prior, entities: int) -> "Logistic":
        return cls(prior=prior, evidence=Evidence.none(len(prior.mean), entities))

    @property
    def posterior(self) -> Posterior:
        return Posterior.of(self.prior, self.evidence)

    def learn(self, phi: Floats, happened: Floats, *, kept: float | Floats = 1.0) -> "Logistic":
        """One outcome of each entity, 0 or 1 [B], at φ [d, B]. Raises ValueError for anything else."""
        if not (np.isfinite(phi).all() and np.isin(happened, (0.0, 1.0)).all()):
            raise ValueError("an outcome to learn from must be 0 or 1, at finite contexts")
        faded = Evidence(precision=kept * self.evidence.precision, shift=kept * self.evidence.shift)
        posterior = Posterior.of(self.prior, faded)
        logit, variance = posterior.predict(phi, noise=0.0)
        mode = _mode(logit, variance, happened)
        p = sigmoid(mode)
        weight = np.maximum(p * (1.0 - p), 1e-12)
        evidence = Evidence(
            precision=faded.precision + weight * (phi[:, None] * phi),
            shift=faded.shift + phi * (weight * mode + happened - p),
        )
        return Logistic(prior=self.prior, evidence=evidence)

    def predict(self, phi: Floats) -> Floats:
        """P(y = 1) at φ [d, B], the weights' uncertainty integrated out by MacKay's (1992) approximation: [B]."""
        logit, variance = self.posterior.predict(phi, noise=0.0)
        return sigmoid(logit / np.sqrt(1.0 + pi * variance / 8.0))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp −x), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, small) / (1.0 + small)


def _mode(logit: Floats, variance: Floats, happened: Floats) -> Floats:
    """The z that solves z = a + s²(y − σ(z)), by Newton's method where it can't overshoot.

    For y = 0 it is −z of y = 1 at −a. For y = 1, z − a − s²σ(−z) rises, convex below 0 and concave above: from 0, or
    from the nearer end of the bracket [a, a + s²], each step falls short of the root, on the same side.
    """
    sign = 2.0 * happened - 1.0
    a = sign * logit
    z: Floats = np.where(a + variance / 2.0 > 0.0, np.maximum(a, 0.0), np.minimum(a + variance, 0.0))
    for _ in range(STEPS):
        missed = sigmoid(-z)
        step = (z - a - variance * missed) / (1.0 + variance * missed * (1.0 - missed))
        z = z - step
        if (np.abs(step) <= CLOSE * (1.0 + np.abs(a) + np.abs(z))).all():
            break
    return sign * z
