"""An anytime-valid confidence sequence: it may be looked at, and acted upon, after every decision.

Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, Anytime-valid off-policy inference for contextual bandits,
arXiv 2210.10768: w·r is never below 0 for rewards in [0, 1], which is all that a lower bound needs, however large
weights may be; the upper bound is the lower one of 1 − r. For every fixed bet λ in [0, 1)

    exp(λ (S − t v) − ψ(λ) V),  S = Σ ξ_i,  V = Σ (ξ_i − ξ̂_(i−1))²,  ψ(λ) = −log(1 − λ) − λ

is a test supermartingale for v as the mean (Fan, Grama and Liu 2015; ξ̂ is any guess from before i, at most 1), and so
is a mixture of bets. The paper's bets follow the data; a fixed mixture (Howard, Ramdas, McAuliffe and Sekhon,
Time-uniform, nonparametric, nonasymptotic confidence sequences, 2021) needs three sums only, which merge.
"""

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from policies.estimators.logged import Floats

BETS: Final = np.geomspace(1e-5, 0.95, 48)  # λ: small ones are for long logs
_COST: Final = -np.log1p(-BETS) - BETS  # ψ(λ)
_HALVINGS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wealth:
    """What a lower bound is made of."""

    t: int
    total: float  # S
    spread: float  # V

    @classmethod
    def of(cls, xi: Floats) -> "Wealth":
        """Of ξ [n] ≥ 0 in the order of time."""
        before = np.concatenate([[0.0], np.cumsum(xi)[:-1]]) if len(xi) else xi
        guess = np.minimum((before + 0.5) / (np.arange(len(xi)) + 1.0), 1.0)
        return cls(t=len(xi), total=float(xi.sum()), spread=float(((xi - guess) ** 2).sum()))

    def __add__(self, other: "Wealth") -> "Wealth":
        return Wealth(t=self.t + other.t, total=self.total + other.total, spread=self.spread + other.spread)

    def bound(self, risk: float) -> float:
        """The largest v in [0, 1] that is refuted, as are all below it, with `risk` to be wrong at any time; or 0."""
        if not self.t or self._wealth(0.0) < log(1 / risk):
            return 0.0
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._wealth(middle) >= log(1 / risk) else (low, middle)
        return low

    def _wealth(self, v: float) -> float:
        exponents = BETS * (self.total - self.t * v) - _COST * self.spread
        top = float(exponents.max())
        return top + float(np.log(np.exp(exponents - top).mean()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """The two sides, for rewards in [low, high]."""

    low: float
    high: float
    up: Wealth  # of w (r − low) / (high − low)
    down: Wealth  # of w (high − r) / (high − low)

    @classmethod
    def of(cls, weight: Floats, reward: Floats, low: float, high: float) -> "Sequence":
        """Raises ValueError where a reward lies outside the range."""
        if len(reward) and (reward.min() < low or reward.max() > high):
            raise ValueError(f"a reward lies outside [{low}, {high}]")
        span = (high - low) or 1.0
        return cls(
            low=low,
            high=high,
            up=Wealth.of(weight * (reward - low) / span),
            down=Wealth.of(weight * (high - reward) / span),
        )

    def __add__(self, other: "Sequence") -> "Sequence":
        if (self.low, self.high) != (other.low, other.high):
            raise ValueError("sums for different ranges of rewards don't merge")
        return Sequence(low=self.low, high=self.high, up=self.up + other.up, down=self.down + other.down)

    def interval(self, confidence: float) -> tuple[float, float]:
        """[low, high] at the time of the last row."""
        risk, span = (1 - confidence) / 2, self.high - self.low
        return self.low + span * self.up.bound(risk), self.high - span * self.down.bound(risk)
