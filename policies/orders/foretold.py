"""How well a prior foretells what one SKU sells: each watch before it is seen. No topic, no clock."""

from collections.abc import Iterable
from math import lgamma, log
from typing import NamedTuple

from policies.orders.changes import Watch
from policies.orders.demand import Belief, DemandPrior, Evidence


class Seen(NamedTuple):
    """A watch of one SKU: days in stock, orders, those of them that took the last unit, and the units of all."""

    days: float = 0.0
    orders: float = 0.0
    cut: float = 0.0
    units: float = 0.0


def log_likelihood(watches: Iterable[tuple[Seen, bool]], prior: DemandPrior) -> float:
    """Mean predictive log-likelihood of the units of those watches, in order of time, that are to be `told`; 0.0 of
    none. All are learned from."""
    evidence, said = Evidence(), list[float]()
    for seen, told in watches:
        if told:
            said.append(_log_negative_binomial(seen.units, evidence.belief(prior), seen.days))
        evidence.watch(seen.days, prior.half_life_days)
        evidence.sell_together(seen.units, seen.orders, seen.cut)
        evidence.judge(Watch(seen.orders, seen.days), prior)
    return sum(said) / max(1, len(said))


def _log_negative_binomial(units: float, belief: Belief, days: float) -> float:
    """log p(units) with the belief's mean and variance: those of demand itself, and of not knowing its rate."""
    mean = max(1e-9, belief.mean * days)
    variance = max(1.0001 * mean, belief.dispersion * mean + belief.variance * days * days)
    r = mean * mean / (variance - mean)
    p = mean / variance
    return lgamma(units + r) - lgamma(r) - lgamma(units + 1.0) + r * log(p) + units * log(1.0 - p)
