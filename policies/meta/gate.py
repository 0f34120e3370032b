"""Whether a candidate is better than what serves: a paired test over entities that it never learned from. Sums only."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from policies.linalg import Floats

FEWEST: Final = 5  # held-out entities; fewer say nothing
_T95: Final = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812)  # Student's t, one-sided 5%
_Z95: Final = 1.645


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The mean gain of a candidate per held-out entity, and a bound that the true one is above, at 95% confidence."""

    entities: int
    gain: float
    lower: float

    @property
    def better(self) -> bool:
        return self.entities >= FEWEST and self.lower > 0.0

    def worse(self, than: float) -> bool:
        """Whether the true gain is below `than`, by the same bound on the other side."""
        return self.entities >= FEWEST and 2.0 * self.gain - self.lower < than


def judge(gains: Floats) -> Verdict:
    """The verdict on the gains [E] of one entity each (candidate − serving), which are independent of each other.

    >>> judge(np.array([0.2, 0.1, 0.3, 0.2, 0.2, 0.1])).better
    True
    >>> judge(np.array([0.9, -0.5, 0.3, -0.4, 0.2, 0.1])).better
    False
    """
    n = len(gains)
    if n < 2:
        return Verdict(entities=n, gain=float(gains.sum()), lower=-np.inf)
    mean, error = float(gains.mean()), float(gains.std(ddof=1)) / sqrt(n)
    return Verdict(entities=n, gain=mean, lower=mean - _student(n - 1) * error)


def _student(freedom: int) -> float:
    """The one-sided 95% quantile of Student's t (beyond 10 degrees by its expansion; Abramowitz & Stegun 26.7.5)."""
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    z = _Z95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
