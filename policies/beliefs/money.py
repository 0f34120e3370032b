"""Amounts of many entities, learned as log-normal: baskets, order values. Normal-inverse-gamma on the logarithm.

log y ~ N(θ, s²), θ | s² ~ N(m, s²/κ), s² ~ InvGamma(α, β) (Gelman et al. 2013, §3.3). What the data add is three sums,
so forgetting is toward the prior.
"""

from dataclasses import dataclass

import numpy as np

from policies.linalg import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """m in log money; κ and 2α in amounts seen; β/α is about the variance of a logarithm."""

    centre: float
    certainty: float  # κ
    shape: float  # α
    scale: float  # β


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Sums over the logarithms of the amounts of B entities: how many, Σ, Σ of squares, about the prior's centre."""

    prior: Prior
    count: Floats  # [B]
    first: Floats  # [B]
    second: Floats  # [B]

    @classmethod
    def starting(cls, prior: Prior, entities: int) -> "Amounts":
        return cls(prior=prior, count=np.zeros(entities), first=np.zeros(entities), second=np.zeros(entities))

    def learn(self, amounts: Floats, *, kept: float | Floats = 1.0) -> "Amounts":
        """One amount of each entity [B], in money above 0. Raises ValueError for anything else."""
        if not (np.isfinite(amounts).all() and amounts.min() > 0.0):
            raise ValueError("amounts must be finite and above 0")
        away = np.log(amounts) - self.prior.centre  # about the centre: squares of large numbers would lose digits
        return Amounts(
            prior=self.prior,
            count=kept * self.count + 1.0,
            first=kept * self.first + away,
            second=kept * self.second + away * away,
        )

    @property
    def centre(self) -> Floats:
        """E[θ] [B]: the logarithm of the median amount."""
        return self.prior.centre + self.first / (self.prior.certainty + self.count)

    @property
    def spread(self) -> Floats:
        """E[s²] [B], where α > 1: the variance of a logarithm."""
        shape, scale = self._shape_and_scale()
        return scale / (shape - 1.0)

    @property
    def doubt(self) -> Floats:
        """Var[θ] [B], where α > 1."""
        return self.spread / (self.prior.certainty + self.count)

    @property
    def typical(self) -> Floats:
        """exp E[θ] [B]: the median amount, in money."""
        return np.exp(self.centre)

    @property
    def mean(self) -> Floats:
        """The mean amount at the expected s² [B]. Integrated over s² it has no mean: the predictive is a log-t."""
        return np.exp(self.centre + (self.spread + self.doubt) / 2.0)

    def _shape_and_scale(self) -> tuple[Floats, Floats]:
        """α and β after the data."""
        within = self.second - self.first**2 / (self.prior.certainty + self.count)
        return self.prior.shape + self.count / 2.0, self.prior.scale + np.maximum(within, 0.0) / 2.0
