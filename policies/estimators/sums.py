"""The sums of one estimator over a log, by bucket of clusters. They add up: of the parts, to that of the whole."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.estimators.estimator import Parts
from policies.estimators.logged import Floats, Times
from policies.estimators.moments import Moments

COUNT, BASE, PRODUCT, GAIN, CONTROL, SQUARE, GAIN_SQUARE = range(7)
COLUMNS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of rows, base, product, gain, control, (base + product)² and gain², and extremes."""

    buckets: Floats  # [G, 7]
    largest: float  # gain
    control: float  # of the row with the largest gain
    residuals: Moments  # product / gain, of the rows that have a gain
    value_low: float  # base + product
    value_high: float

    @classmethod
    def of(cls, parts: Parts, bucket: Times, buckets: int) -> "Sums":
        x = parts.base + parts.product
        columns = (np.ones(len(x)), parts.base, parts.product, parts.gain, parts.control, x * x, parts.gain**2)
        added = [np.bincount(bucket, weights=column, minlength=buckets).astype(np.float64) for column in columns]
        used = parts.gain > 0
        rest = parts.product[used] / parts.gain[used]
        first = int(parts.gain.argmax()) if len(x) else -1
        return cls(
            buckets=np.stack(added, axis=1),
            largest=float(parts.gain[first]) if len(x) else 0.0,
            control=float(parts.control[first]) if len(x) else -1.0,
            residuals=Moments.of(rest),
            value_low=float(x.min(initial=np.inf)),
            value_high=float(x.max(initial=-np.inf)),
        )

    def __add__(self, other: "Sums") -> "Sums":
        greater = self if self.largest >= other.largest else other
        return Sums(
            buckets=self.buckets + other.buckets,
            largest=greater.largest,
            control=greater.control,
            residuals=self.residuals + other.residuals,
            value_low=min(self.value_low, other.value_low),
            value_high=max(self.value_high, other.value_high),
        )

    @property
    def total(self) -> Floats:
        """[7]"""
        return self.buckets.sum(axis=0)

    @property
    def ess(self) -> float:
        """Effective sample size of the gains, (Σ g)² / Σ g² (Kish 1965)."""
        total = self.total
        return float(total[GAIN] ** 2 / total[GAIN_SQUARE]) if total[GAIN_SQUARE] > 0 else 0.0


def value(sums: Floats, *, normalised: bool) -> Floats:
    """[..., 7] sums → [...] the estimate: mean(base) + Σ product / n, or / Σ gain. NaN where there is nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        under = sums[..., GAIN] if normalised else sums[..., COUNT]
        return sums[..., BASE] / sums[..., COUNT] + sums[..., PRODUCT] / under
