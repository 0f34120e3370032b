"""The arms of an experiment compared, at any time and as often as one likes: an always-valid interval and a check.

The interval is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Time-uniform
central limit theory and asymptotic confidence sequences, arXiv 2103.06476), by Robbins' normal mixture: with S_t a sum
whose variance is V_t = τ σ²,

    |S_t − E S_t| ≤ σ √((τ ρ² + 1)/ρ² · log((τ ρ² + 1)/α²))   for all t, with probability 1 − α.

Here S = w (r̄ of the arm − r̄ of control), w = n₁n₀/(n₁ + n₀) of their decisions, and V is told by entity (the ratio's
linearisation), since decisions of one entity aren't independent. What an entity earns later is never less alike to what
it earned before than chance would have it, so S moves no faster than the Brownian motion of that V (Slepian), and the
bound holds while entities go on deciding, too.

The check asks whether entities fell into the arms as the shares say: the e-value of Lindon and Malek (Anytime-valid
inference for multinomial count data, arXiv 2011.03567), Dirichlet mixture over the shares. Where they did not, arms
differ by more than their policies, and no comparison is worth anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from typing import Final

from policies.linalg import Floats

SOON: Final = 1_000.0  # τ, in decisions that count for one each, at which the interval is about as narrow as it can be
FEWEST: Final = 30  # entities of each arm, below which no interval is told: it is asymptotic
DOUBT: Final = 0.01  # a mismatch is told where the shares are this improbable
_CONCENTRATION: Final = 100.0  # of the Dirichlet about the shares


@dataclass(frozen=True, slots=True)
class Arm:
    """What is known of one arm, by entity: `n` decisions and what they earned, [E] each. Every n is 1 or more."""

    n: Floats
    earned: Floats

    @property
    def decisions(self) -> float:
        return float(self.n.sum())

    @property
    def mean(self) -> float:
        """Reward a decision; it takes one at least."""
        return float(self.earned.sum()) / self.decisions

    @property
    def variance(self) -> float:
        """Of the mean, by entity."""
        apart = self.earned - self.mean * self.n
        return float((apart**2).sum()) / self.decisions**2 * len(self.n) / max(1, len(self.n) - 1)


def difference(arm: Arm, control: Arm, spread: float, confidence: float) -> tuple[float, float, float]:
    """The arm's mean reward less control's, with the interval that holds at all times: (value, low, high).

    `spread` is σ², the variance of one decision's reward over both arms; it sets the unit of time only.

    >>> import numpy as np
    >>> few = Arm(np.ones(100), np.arange(100) % 2.0)
    >>> value, low, high = difference(Arm(few.n, few.earned + 1.0), few, 0.25, 0.95)
    >>> value, round(low, 2), round(high, 2)
    (1.0, 0.68, 1.32)
    """
    value = arm.mean - control.mean
    weight = arm.decisions * control.decisions / (arm.decisions + control.decisions)
    variance = weight**2 * (arm.variance + control.variance)
    if spread <= 0.0 or variance <= 0.0:
        return value, value, value
    alpha = 1.0 - confidence
    rho2 = (-2.0 * log(alpha) + log(-2.0 * log(alpha)) + 1.0) / SOON
    grown = variance / spread * rho2 + 1.0
    reach = sqrt(spread * grown / rho2 * log(grown / alpha**2)) / weight
    return value, value - reach, value + reach


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> float:
    """How probable it is that entities fell into arms of these shares so unevenly, at any time: an always-valid p.

    >>> round(mismatch([900, 100], [0.9, 0.1]), 3), mismatch([800, 200], [0.9, 0.1]) < 1e-9
    (1.0, True)
    """
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return 0.0
    told = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    total = sum(count for count, _ in told)
    evidence = lgamma(_CONCENTRATION) - lgamma(_CONCENTRATION + total)
    for count, share in told:
        prior = _CONCENTRATION * share
        evidence += lgamma(prior + count) - lgamma(prior) - count * log(share)
    return exp(min(0.0, -evidence))
