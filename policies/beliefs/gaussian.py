"""Weights of many entities, learned from outcomes with Gaussian noise. The batch comes last: [d, d, B], [d, B].

Bayesian linear regression in information form (Bishop 2006, §3.3). Kept is what the data added to the prior, D and h;
the posterior is Λ = Λ₀ + D, Λμ = Λ₀m + h. Forgetting multiplies D and h by ρ, which is Λ ← ρΛ + (1−ρ)Λ₀ and
η ← ρη + (1−ρ)Λ₀m: toward the prior. Plain forgetting of Λ winds up where an entity's contexts stop varying. D is a sum
of squares, so it stays positive semidefinite however many outcomes there are.
"""

from dataclasses import dataclass

import numpy as np

from policies.linalg import Floats, factor, solve_unit_upper


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """θ ~ N(mean, precision⁻¹): [d] and [d, d], one for all, or with the batch last, one for each."""

    mean: Floats
    precision: Floats

    def batched(self, entities: int) -> tuple[Floats, Floats]:
        """Λ₀ [d, d, B] and Λ₀m [d, B]."""
        mean = self.mean if self.mean.ndim == 2 else self.mean[:, None]
        precision = self.precision if self.precision.ndim == 3 else self.precision[..., None]
        shift = (precision * mean).sum(axis=1)
        d = len(mean)
        return np.broadcast_to(precision, (d, d, entities)), np.broadcast_to(shift, (d, entities))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the data of B entities added to the prior: D [d, d, B], h [d, B]."""

    precision: Floats
    shift: Floats

    @classmethod
    def none(cls, dim: int, entities: int) -> "Evidence":
        return cls(precision=np.zeros((dim, dim, entities)), shift=np.zeros((dim, entities)))

    def learn(self, phi: Floats, y: Floats, *, noise: float, kept: float | Floats = 1.0) -> "Evidence":
        """One outcome y [B] of each entity at φ [d, B], with noise σ². `kept` ρ is what is left of what was known."""
        _refuse(phi, y)
        return Evidence(
            precision=kept * self.precision + phi[:, None] * phi / noise,
            shift=kept * self.shift + phi * y / noise,
        )

    def learn_many(self, phi: Floats, y: Floats, *, noise: float, kept: float = 1.0) -> "Evidence":
        """n outcomes in a row of each entity, y [n, B] at φ [n, d, B]: the same as n times `learn`, up to rounding."""
        _refuse(phi, y)
        n = len(y)
        root = np.sqrt(kept ** np.arange(n - 1, -1, -1.0) / noise)[:, None]
        scaled = phi * root[:, None]  # by the root on both sides: D stays symmetric to the last bit
        return Evidence(
            precision=kept**n * self.precision + np.einsum("nib,njb->ijb", scaled, scaled),
            shift=kept**n * self.shift + np.einsum("nib,nb->ib", scaled, root * y),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """N(mean, (LDLᵀ)⁻¹) of B entities: mean [d, B], L [d, d, B] with unit diagonal, D [d, B]."""

    mean: Floats
    lower: Floats
    pivots: Floats

    @classmethod
    def of(cls, prior: Prior, evidence: Evidence) -> "Posterior":
        """Raises ValueError where a precision isn't positive definite."""
        precision, shift = prior.batched(evidence.shift.shape[1])
        lower, pivots, half = factor(precision + evidence.precision, shift + evidence.shift)
        return cls(mean=solve_unit_upper(lower, half[:, None])[:, 0], lower=lower, pivots=pivots)

    def spread(self, phi: Floats) -> tuple[Floats, Floats]:
        """Λ⁻¹φ [d, B] and φᵀΛ⁻¹φ [B]."""
        half = solve_lower(self.lower, phi) / self.pivots
        along = solve_unit_upper(self.lower, half[:, None])[:, 0]
        return along, (phi * along).sum(axis=0)

    def predict(self, phi: Floats, *, noise: float) -> tuple[Floats, Floats]:
        """Mean and variance of the outcome at φ [d, B]: [B], [B]."""
        return (phi * self.mean).sum(axis=0), self.spread(phi)[1] + noise

    def draw(self, normals: Floats) -> Floats:
        """Weights [d, M, B] from standard normals [d, M, B]."""
        return self.mean[:, None] + solve_unit_upper(self.lower, normals / np.sqrt(self.pivots)[:, None])


def solve_lower(lower: Floats, right: Floats) -> Floats:
    """x with Lx = right, L with unit diagonal: [d, d, B], [d, B] → [d, B]."""
    x = right.copy()
    for i in range(1, len(x)):
        x[i] -= (lower[i, :i] * x[:i]).sum(axis=0) if i > 1 else lower[i, 0] * x[0]
    return x


def _refuse(phi: Floats, y: Floats) -> None:
    if not (np.isfinite(phi).all() and np.isfinite(y).all()):
        raise ValueError("an outcome to learn from must be finite")
