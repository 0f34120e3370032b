"""Lost sales, reviewed every period, many shelves side by side. What is ordered, and why, is not known here.

The periods of Zipkin (2008): an order is placed, demand comes, what isn't on hand is lost; cost is charged at the end
of the period. An order is there for the demand L periods later (L = 1: for the next; L = 0: for that of its own
period). A lead time may vary as Kaplan's (1970): each period a number ℓ is drawn, and everything ordered ℓ or more
periods ago arrives, so orders never overtake each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Family = Literal["poisson", "geometric", "negative-binomial"]

_NEARLY_POISSON: Final = 1.0 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Units wanted per period, whole numbers. `spread`: variance over mean, of the negative binomial alone.

    >>> Demand(family="geometric", mean=5.0).dispersion
    6.0
    """

    family: Family
    mean: float
    spread: float = 2.0

    @property
    def dispersion(self) -> float:
        """Variance over mean. A geometric demand counts the failures before the first success: 1 + mean."""
        if self.family == "poisson":
            return 1.0
        return 1.0 + self.mean if self.family == "geometric" else max(1.0, self.spread)

    @property
    def variance(self) -> float:
        return self.dispersion * self.mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Lead time in periods; costs per unit held at a period's end, and per unit of demand lost.

    `delays`: the chances that the lead time ℓ of a period is 0, 1, 2 … periods; empty where it is always `lead_time`.
    """

    demand: Demand
    lead_time: int
    penalty: float
    holding: float = 1.0
    delays: tuple[float, ...] = ()

    @property
    def longest(self) -> int:
        return max(self.lead_time, len(self.delays) - 1)


def draw(random: np.random.Generator, mean: npt.ArrayLike, dispersion: npt.ArrayLike) -> Floats:
    """Demand of one period, broadcast over means and dispersions: a Poisson whose rate is a gamma where that is over 1.

    The negative binomial of mean m and dispersion φ has r = m / (φ − 1); r = 1 is the geometric.
    """
    means, spread = np.broadcast_arrays(np.asarray(mean, dtype=np.float64), np.asarray(dispersion, dtype=np.float64))
    over = np.maximum(spread - 1.0, _NEARLY_POISSON - 1.0)
    rate = np.where(spread > _NEARLY_POISSON, random.standard_gamma(means / over) * over, means)
    return random.poisson(rate).astype(np.float64)


def probabilities(demand: Demand, most: int) -> Floats:
    """P(D = d) for d = 0 … most, [most + 1].

    >>> probabilities(Demand(family="geometric", mean=1.0), 2).round(3).tolist()
    [0.5, 0.25, 0.125]
    """
    d = np.arange(1.0, most + 1.0)
    m, phi = demand.mean, demand.dispersion
    if phi <= _NEARLY_POISSON:
        logs = np.concatenate([[-m], np.log(m / d)])
    else:
        r, fail = m / (phi - 1.0), 1.0 - 1.0 / phi
        logs = np.concatenate([[-r * np.log(phi)], np.log(fail * (r + d - 1.0) / d)])
    return np.exp(np.cumsum(logs))


class Rule(Protocol):
    """Orders for shelves side by side [B]. `pipeline` [B, W] is by age, the newest last; `observe` is told each period.

    It sees what is sold, not what was wanted: `on_hand` is what the period began with.
    """

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats: ...

    def observe(self, sold: Floats, on_hand: Floats) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of it, by period and shelf [periods, B]."""

    costs: Floats
    wanted: Floats
    sold: Floats


def run(
    instance: Instance,
    rule: Rule,
    periods: int,
    count: int,
    random: np.random.Generator,
    ticks: Iterable[int] | None = None,
) -> Run:
    """Run a rule on `count` shelves, each with demand of its own. A shorter run is the start of a longer one.

    `ticks` are the periods' numbers, where someone wants to see them go by.
    """
    demand, lead = instance.demand, np.arange(len(instance.delays))
    luck = random.spawn(1)[0]  # of lead times: demand is the same whether they vary or not
    on_hand, pipeline = stocked(instance, count)
    costs, wanted, all_sold = (np.empty((periods, count)) for _ in range(3))
    for period in range(periods) if ticks is None else ticks:
        quantity = rule.order(on_hand, pipeline)
        at_once = instance.longest == 0
        on_hand = on_hand + quantity if at_once else on_hand
        pipeline = pipeline if at_once else np.concatenate([pipeline, quantity[:, None]], axis=1)
        came = draw(random, np.full(count, demand.mean), demand.dispersion)
        sold = np.minimum(on_hand, came)
        rule.observe(sold, on_hand)
        on_hand = on_hand - sold
        costs[period] = instance.holding * on_hand + instance.penalty * (came - sold)
        wanted[period], all_sold[period] = came, sold
        drawn = luck.choice(lead, count, p=instance.delays) if instance.delays else None
        arrived, pipeline = receive(instance, pipeline, drawn)
        on_hand = on_hand + arrived
    return Run(costs=costs, wanted=wanted, sold=all_sold)


def stocked(instance: Instance, count: int) -> tuple[Floats, Floats]:
    """On hand [B] and under way [B, W] as a shop would hand them over: a period's demand and one deviation of the
    lead time's, and a period's demand in each order.

    >>> stocked(Instance(demand=Demand(family="poisson", mean=4.0), lead_time=3, penalty=9.0), 1)
    (array([8.]), array([[4., 4.]]))
    """
    demand = instance.demand
    first = np.ceil(demand.mean + np.sqrt(demand.variance * (instance.lead_time + 1.0)))
    waiting = instance.longest if instance.delays else max(0, instance.lead_time - 1)
    return np.full(count, first), np.full((count, waiting), np.round(demand.mean))


def receive(instance: Instance, pipeline: Floats, drawn: npt.NDArray[np.int64] | None) -> tuple[Floats, Floats]:
    """Units that arrive at a period's end [B], and what is still under way; `drawn` [B] is ℓ where it varies."""
    if instance.longest == 0:
        return np.zeros(len(pipeline)), pipeline
    if drawn is None:
        return pipeline[:, 0], pipeline[:, 1:]
    age = float(pipeline.shape[1]) - np.indices((pipeline.shape[1],))[0]  # in periods, when the next begins
    due = age[None, :] >= np.minimum(drawn, instance.longest)[:, None]
    arrived = np.where(due, pipeline, 0.0)
    return arrived.sum(axis=1), (pipeline - arrived)[:, -instance.longest :]
