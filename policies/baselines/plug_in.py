"""Estimate demand from what was sold, then order as if the estimate were the truth. What most planning systems do.

The estimate is the mean and variance of sales over periods that began with stock; what was lost is not seen, and not
reckoned with. Levels are searched anew when the estimate has moved to another of the means 6% apart.
"""

from dataclasses import dataclass, field, replace
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.baselines.order_levels import Kind, Levels, fit
from policies.orders.network_orders import NetworkOrders
from policies.tasks.lost_sales import Demand, Family, Instance

Floats = npt.NDArray[np.float64]

APART: Final = 0.06
EVERY: Final = 10  # periods between two searches, once there were that many


@dataclass(slots=True)
class SampleMean:
    """Mean and variance of sales [B], by Welford's recursion, over periods that began with stock."""

    count: int
    periods: Floats = field(init=False)
    mean: Floats = field(init=False)
    _squares: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.periods, self.mean, self._squares = (np.zeros(self.count) for _ in range(3))

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        told = on_hand > 0.0
        self.periods += told
        before = np.where(told, sold - self.mean, 0.0)
        self.mean = self.mean + before / np.maximum(self.periods, 1.0)
        self._squares = self._squares + before * np.where(told, sold - self.mean, 0.0)

    def dispersion(self, family: Family) -> Floats:
        """Variance over mean, of the family it is known to be of."""
        if family == "poisson":
            return np.ones(self.count)
        if family == "geometric":
            return 1.0 + self.mean
        variance = self._squares / np.maximum(self.periods - 1.0, 1.0)
        enough = (self.periods > 5) & (self.mean > 0.0)
        return np.where(enough, np.clip(variance / np.maximum(self.mean, 1e-9), 1.0, 1e3), 1.0)


@dataclass(slots=True)
class PlugInLevels:
    """A rule of levels with its demand estimated. It is told the family; of the instance, only costs and lead time."""

    instance: Instance
    kind: Kind
    count: int
    seed: int
    sample: SampleMean = field(init=False)
    _found: dict[tuple[int, int], Levels] = field(default_factory=dict[tuple[int, int], Levels])
    _levels: Levels = field(init=False)
    _period: int = 0

    def __post_init__(self) -> None:
        self.sample = SampleMean(self.count)
        one = np.ones(self.count)
        self._levels = Levels(reorder=0.0 * one, up_to=one, cap=one)  # one unit, until anything has been sold

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        return self._levels.quantity(on_hand + pipeline.sum(axis=1))

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        self.sample.observe(sold, on_hand)
        self._period += 1
        if self._period <= EVERY or self._period % EVERY == 0:
            each = [self._for(m, phi) for m, phi in self._keys()]
            self._levels = Levels(
                reorder=np.array([one.reorder[0] for one in each]),
                up_to=np.array([one.up_to[0] for one in each]),
                cap=np.array([one.cap[0] for one in each]),
            )

    def _keys(self) -> list[tuple[int, int]]:
        family = self.instance.demand.family
        means = np.maximum(self.sample.mean, 0.02)
        free = family == "negative-binomial"  # else the dispersion follows from the mean
        spread = np.log(self.sample.dispersion(family)) / (3.0 * APART) if free else np.zeros(self.count)
        pairs = zip(np.round(np.log(means) / APART), np.round(spread), strict=True)
        return [(int(m), int(phi)) for m, phi in pairs]

    def _for(self, mean: int, spread: int) -> Levels:
        key = (mean, spread)
        if key not in self._found:
            demand = Demand(
                family=self.instance.demand.family, mean=exp(mean * APART), spread=exp(spread * 3.0 * APART)
            )
            like = replace(self.instance, demand=demand)
            self._found[key] = fit(like, self.kind, self.seed, periods=250, runs=8)
        return self._found[key]


@dataclass(slots=True)
class PlugInOrders:
    """A rule that goes by the two moments of demand, with these estimated."""

    instance: Instance
    count: int
    rule: NetworkOrders
    sample: SampleMean = field(init=False)

    def __post_init__(self) -> None:
        self.sample = SampleMean(self.count)
        self._take()

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        bare = on_hand + pipeline.sum(axis=1) <= 0.0  # without stock nothing would ever be sold again
        return np.maximum(self.rule.order(on_hand, pipeline), bare)

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        self.sample.observe(sold, on_hand)
        self._take()

    def _take(self) -> None:
        mean = np.maximum(self.sample.mean, 0.01)
        self.rule.believe(mean, np.zeros(self.count), self.sample.dispersion(self.instance.demand.family))
