"""How far the logging policy did what the target policy would do: the spread of the weights."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np

from policies.estimators.logged import Floats, Times

_LOWEST, _HIGHEST = -10, 30  # powers of two; smaller and larger weights are in the first and last bin
EDGES: Final = np.exp2(np.arange(_LOWEST, _HIGHEST + 1.0))  # lower ends of the bins but the first, whose is 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Of weights: how many, their sums, the largest, and a histogram on bins that double in width."""

    n: int
    total: float
    square: float
    largest: float
    zero: int
    bins: Times  # [41] of weights above 0: below 2⁻¹⁰, then from each edge to the next

    @classmethod
    def of(cls, weight: Floats) -> "Overlap":
        positive = weight[weight > 0]
        place = np.searchsorted(EDGES[1:], positive, side="right")
        return cls(
            n=len(weight),
            total=float(weight.sum()),
            square=float((weight * weight).sum()),
            largest=float(weight.max(initial=0.0)),
            zero=len(weight) - len(positive),
            bins=np.bincount(place, minlength=len(EDGES)),
        )

    def __add__(self, other: "Overlap") -> "Overlap":
        return Overlap(
            n=self.n + other.n,
            total=self.total + other.total,
            square=self.square + other.square,
            largest=max(self.largest, other.largest),
            zero=self.zero + other.zero,
            bins=self.bins + other.bins,
        )

    @property
    def ess(self) -> float:
        """Effective sample size (Σw)² / Σw²: the log is worth as many decisions made by the target policy itself."""
        return self.total**2 / self.square if self.square > 0 else 0.0

    @property
    def mean(self) -> float:
        """Of the weights. 1 is expected where propensities are right and the logger could do all the target does."""
        return self.total / self.n if self.n else 0.0

    @property
    def error(self) -> float:
        """The standard error of `mean`."""
        return sqrt(max(self.square / self.n - self.mean**2, 0.0) / self.n) if self.n else 0.0

    @property
    def never_logged(self) -> float:
        """Share of what the target policy does that the logging policy never does, as far as weights tell: 1 − E[w].

        An estimate; 0 where the mean weight is 1 or more.
        """
        return max(0.0, 1 - self.mean)

    def as_dict(self) -> dict[str, Any]:
        """For JSON. Of the histogram the bins in use: [from, to, count]."""
        used = np.flatnonzero(self.bins)
        found = [[_edge(i), _edge(i + 1), int(self.bins[i])] for i in used.tolist()]
        return {
            "mean_weight": self.mean,
            "mean_weight_error": self.error,
            "never_logged": self.never_logged,
            "zero_weights": self.zero,
            "histogram": found,
        }


def _edge(bin_: int) -> float | None:
    if bin_ == 0:
        return 0.0
    return float(EDGES[bin_]) if bin_ < len(EDGES) else None
