"""The most that is worth having of demand that is known, on hand and under way. An instance in, a level out.

Demand that comes seldom and in lumps finds a shelf where nothing has sold of late: all of the position S is on hand. Of
what is wanted until an order placed now arrives, N units over its lead time ℓ, and in the period after, the unit S + 1
sells in that period if N ≤ S but not N + D ≤ S, and is left at its end if N + D ≤ S. With F_k the law of demand over k
periods, it pays while

    p (F_ℓ(S) − F_ℓ₊₁(S)) > h F_ℓ₊₁(S):

the first difference of the average cost of ordering up to S where sales are so rare that orders under way hardly
overlap. F_ℓ / F_ℓ₊₁ falls with S, so there is one such level; it is zero where it pays to stock nothing at all. Where
demand is steady, part of the position is always under way and the level lies above what any good rule would order up
to: there it binds nothing. So it needs no switch between the two kinds of demand, and is a bound on the order network,
whose normal closure knows a mean and a variance, but not that most periods want nothing.
"""

from dataclasses import dataclass, field, replace
from math import ceil, exp, inf, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.tasks.lost_sales import Demand, Instance, probabilities

Floats = npt.NDArray[np.float64]

MOST: Final = 20_000  # levels looked at; where more units come into question they are looked at in packs
DEVIATIONS: Final = 10.0
FINE: Final = 100  # packs of a level that are fine enough
SURE: Final = 0.25  # of the mean: a deviation of its belief that doesn't count
MEANS: Final = 12.0  # of them, looked at, between one and e times as much; and dispersions
DISPERSIONS: Final = 8.0
LEAST: Final = 1e-3
TAIL: Final = 25.0  # of lumpy demand, in units of its dispersion: e⁻²⁵ is as good as nothing


def enough(instance: Instance) -> float:
    """The position at which no order pays, in units; infinite where none is found, as with nothing to pay for holding.

    >>> enough(Instance(demand=Demand(family="negative-binomial", mean=1.1, spread=11.6), lead_time=1, penalty=2.0))
    0.0
    >>> enough(Instance(demand=Demand(family="negative-binomial", mean=1.1, spread=11.6), lead_time=1, penalty=19.0))
    7.0
    """
    if instance.holding <= 0.0:
        return inf
    demand, lead = instance.demand, float(instance.longest + 1)
    top = demand.mean * lead + DEVIATIONS * sqrt(demand.variance * lead) + TAIL * demand.dispersion
    found = inf
    while True:
        pack = float(max(1, ceil(top / MOST)))
        if demand.dispersion < pack:
            return inf  # so many units, so alike from period to period: not lumpy, and the level would bind nothing
        packs = _packs(instance, pack, ceil(top / pack))
        found = min(found, packs * pack)
        if pack == 1.0 or packs >= FINE:
            return found
        found = top = (packs + 1.0) * pack  # so few of so many: once more, in smaller packs


@dataclass(frozen=True, slots=True)
class Levels:
    """The same of demand that is believed, for shelves of one instance [B]. Only costs and lead times are read from it.

    The mean is taken to be more, by as much as its deviation is over a quarter of it: what was ordered too little of is
    learned slowly. Levels are worked out at means 8% and dispersions 13% apart, and remembered.
    """

    instance: Instance
    _found: dict[tuple[int, int], float] = field(default_factory=dict[tuple[int, int], float])

    def of(self, rate: Floats, rate_sd: Floats, dispersion: Floats) -> Floats:
        means = np.maximum(rate + np.maximum(rate_sd - SURE * rate, 0.0), LEAST)
        ups = np.ceil(np.log(means) * MEANS).astype(np.int64).tolist()
        wide = np.round(np.log(np.maximum(dispersion, 1.0)) * DISPERSIONS).astype(np.int64).tolist()
        return np.array([self._at(*key) for key in zip(ups, wide, strict=True)])

    def _at(self, mean: int, dispersion: int) -> float:
        key = (mean, dispersion)
        if key not in self._found:
            demand = Demand(family="negative-binomial", mean=exp(mean / MEANS), spread=exp(dispersion / DISPERSIONS))
            self._found[key] = enough(replace(self.instance, demand=demand))
        return self._found[key]


def _packs(instance: Instance, pack: float, top: int) -> float:
    """The level in packs, infinite where it isn't below `top`."""
    demand = instance.demand
    packed = Demand(family="negative-binomial", mean=demand.mean / pack, spread=demand.dispersion / pack)
    before, after = _laws(packed, arrivals(instance), top)
    pays = instance.penalty * (before - after) > instance.holding * after
    return inf if pays[-1] else float(np.where(pays, np.arange(top + 1) + 1.0, 0.0).max())


def _laws(demand: Demand, chances: Floats, top: int) -> tuple[Floats, Floats]:
    """P(N ≤ S) and P(N + D ≤ S) for S = 0 … top, over the lead times that an order may have."""
    before, after = np.zeros(top + 1), np.zeros(top + 1)
    here = _law(demand, 0, top)
    for periods, chance in enumerate(chances):
        ahead = _law(demand, periods + 1, top)
        before, after, here = before + chance * here, after + chance * ahead, ahead
    return before, after


def _law(demand: Demand, periods: int, top: int) -> Floats:
    """P(demand over so many periods ≤ S); the sum of negative binomials of one dispersion is another."""
    if periods == 0:
        return np.ones(top + 1)
    whole = Demand(family="negative-binomial", mean=periods * demand.mean, spread=demand.spread)
    return np.cumsum(probabilities(whole, top))


def arrivals(instance: Instance) -> Floats:
    """The chances that an order arrives for the demand 0, 1, 2 … periods after it.

    Where ℓ is drawn anew each period, it arrives in the first one that draws no more than its age.

    >>> fixed = Instance(demand=Demand(family="poisson", mean=1.0), lead_time=2, penalty=4.0)
    >>> arrivals(fixed).tolist()
    [0.0, 0.0, 1.0]
    """
    if not instance.delays:
        return np.eye(instance.lead_time + 1)[instance.lead_time]
    drawn = np.cumsum(np.array(instance.delays))
    found, left = np.zeros(max(2, len(drawn))), 1.0
    for age in range(1, len(found)):
        arrives = 1.0 if age == len(found) - 1 else float(drawn[age])
        found[age], left = left * arrives, left * (1.0 - arrives)
    return found
