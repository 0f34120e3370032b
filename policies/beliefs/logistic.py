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

STEPS: Final = 40  # halvings of the bracket of the mode: to 1e-12 of its width


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
    """The z that solves z = a + s²(y − σ(z)): log σ is concave, so the right side falls: bisection finds it."""
    low, high = logit - variance * (1.0 - happened), logit + variance * happened
    for _ in range(STEPS):
        middle = (low + high) / 2.0
        below = middle < logit + variance * (happened - sigmoid(middle))
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2.0
