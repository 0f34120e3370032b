"""The base-stock rule: at each review, order up to one level. What a planner does with a spreadsheet."""

from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist
from typing import Final

from policies.baselines.lost_sales import DAY, Terms

_NORMAL_FROM: Final = 400.0  # mean from which the normal quantile is as good, and the sum would be slow


@dataclass(slots=True)
class BaseStock:
    """Order up to a level given from outside."""

    level: float

    def review(self, on_hand: float, on_order: float, sold: float) -> float:  # noqa: ARG002 # a rule may not need it
        return self.level - on_hand - on_order


@dataclass(slots=True)
class NaiveBaseStock:
    """Order up to the quantile, at the critical ratio, of demand over lead time and review.

    Demand is estimated the naive way: mean and variance of what was sold per review period, as if no sale had ever been
    lost. Negative binomial where the variance exceeds the mean, else Poisson.
    """

    terms: Terms
    review_period: int = DAY
    periods: int = 0
    mean: float = 0.0
    _squares: float = 0.0  # Welford's sum of squared differences

    def review(self, on_hand: float, on_order: float, sold: float) -> float:
        self.periods += 1
        before = sold - self.mean
        self.mean += before / self.periods
        self._squares += before * (sold - self.mean)
        return self.level() - on_hand - on_order

    def level(self) -> float:
        held = self.terms.holding_cost * self.review_period / DAY
        ratio = self.terms.shortage_cost / (self.terms.shortage_cost + held) if self.terms.shortage_cost > 0 else 0.0
        span = 1 + self.terms.lead_time / self.review_period
        return demand_quantile(self.mean * span, self.variance * span, ratio)

    @property
    def variance(self) -> float:
        """Of what was sold in a review period."""
        return self._squares / (self.periods - 1) if self.periods > 1 else self.mean


@dataclass(slots=True)
class CappedBaseStock:
    """Base-stock, but never more at once than a single review may need at the same quantile."""

    naive: NaiveBaseStock

    def review(self, on_hand: float, on_order: float, sold: float) -> float:
        wanted = self.naive.review(on_hand, on_order, sold)
        terms = self.naive.terms
        held = terms.holding_cost * self.naive.review_period / DAY
        ratio = terms.shortage_cost / max(1e-12, terms.shortage_cost + held)
        return min(wanted, max(1.0, demand_quantile(self.naive.mean, self.naive.variance, ratio)))


def demand_quantile(mean: float, variance: float, ratio: float) -> float:
    """The least whole number of units whose cumulative probability reaches `ratio`.

    >>> demand_quantile(4.0, 4.0, 0.8), demand_quantile(4.0, 12.0, 0.8), demand_quantile(0.0, 0.0, 0.8)
    (6.0, 6.0, 0.0)
    """
    ratio = min(ratio, 1 - 1e-9)
    if mean <= 0 or ratio <= 0:
        return 0.0
    if mean >= _NORMAL_FROM:
        return float(-(-NormalDist(mean, max(variance, mean) ** 0.5).inv_cdf(ratio) // 1))
    scattered = variance > mean * (1 + 1e-9)
    r = mean * mean / (variance - mean) if scattered else 0.0  # negative binomial: r successes, probability 1 − q
    q = 1 - mean / variance if scattered else 0.0
    mass = exp(r * log(1 - q)) if scattered else exp(-mean)
    units, reached = 0, mass
    while reached < ratio and units < 1_000_000:
        mass *= q * (units + r) / (units + 1) if scattered else mean / (units + 1)
        units += 1
        reached += mass
    return float(units)
