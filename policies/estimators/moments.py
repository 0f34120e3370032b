"""How values are spread: their mean, spread, skewness and extremes. They merge."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from policies.estimators.logged import Floats


@dataclass(frozen=True, slots=True)
class Moments:
    """Of n values the mean, Σ (x − mean)², Σ (x − mean)³ and the extremes. They merge after Pébay (SAND2008-6212)."""

    n: float = 0.0
    mean: float = 0.0
    second: float = 0.0
    third: float = 0.0
    lowest: float = np.inf
    highest: float = -np.inf

    @classmethod
    def of(cls, x: Floats) -> "Moments":
        if not len(x):
            return cls()
        mean = float(x.mean())
        off = x - mean
        return cls(
            n=float(len(x)),
            mean=mean,
            second=float((off**2).sum()),
            third=float((off**3).sum()),
            lowest=float(x.min()),
            highest=float(x.max()),
        )

    def __add__(self, other: "Moments") -> "Moments":
        if not self.n or not other.n:
            return self if self.n else other
        n, a, b = self.n + other.n, self.n, other.n
        d = other.mean - self.mean
        return Moments(
            n=n,
            mean=self.mean + d * b / n,
            second=self.second + other.second + d * d * a * b / n,
            third=self.third
            + other.third
            + d * d * d * a * b * (a - b) / (n * n)  # d**3 of a float raises where a product is infinite
            + 3.0 * d * (a * other.second - b * self.second) / n,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
        )

    def two(self, stretched: float = 1.0) -> tuple[float, float]:
        """The two values that share the mean, variance and skewness; `stretched` times as far out, within the extremes.

        Of a Bernoulli those are 0 and 1, however rare the 1 and whatever the stretch; of a normal, mean ± sd.
        """
        if not self.second > 0.0:
            return self.lowest, self.highest
        sd = sqrt(self.second / self.n)
        skewness = self.third / self.n / sd / sd / sd
        wide = sqrt(skewness * skewness + 4.0)
        low, high = ((skewness + sign * wide) / 2.0 * sd * stretched for sign in (-1.0, 1.0))
        return max(self.mean + low, self.lowest), min(self.mean + high, self.highest)
