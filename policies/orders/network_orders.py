"""The order network as a rule of the lost-sales task: with demand known, or inferred from what is sold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from policies.orders.censored_demand import CensoredDemand
from policies.orders.network import SERVICE, Known, Stock, Terms, Weights, base, need, need_of_known, terms
from policies.orders.quiet_shelf import Levels, arrivals, enough
from policies.tasks.lost_sales import Instance

RESTLESS: Final = 100  # periods after which a belief moves so little that every fourth is enough to look at it
MOST_REMEMBERED: Final = 1_000_000
HOPED: Final = 2.0
CHEAP: Final = 0.3  # of a period's holding: a lost sale that hardly matters
EVEN: Final = 0.7  # deviation of demand over its mean

Floats = npt.NDArray[np.float64]

MAX_STEPS: Final = 64  # a longer lead time is walked in longer steps, which costs accuracy


def weights_of(tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, torch.Tensor]:
    """As they are used here: in float64."""
    return {name: torch.as_tensor(tensor.astype(np.float64)) for name, tensor in tensors.items() if name != "prior"}


@dataclass(slots=True)
class NetworkOrders:
    """Orders for shelves of one instance [B]; `belief` is None where demand is known. Weights of None: the plain rule.

    Only costs and lead times are read from the instance where there is a belief. The network never orders more than
    `quiet_shelf` finds worth having of the demand that is known or believed; but one unit, where there is none, and it
    would pay if demand were `HOPED` deviations above what it is believed to be: an empty shelf tells nothing. Of known
    demand unlike all that the network was trained on, orders are the myopic rule's.
    """

    instance: Instance
    count: int
    weights: Weights | None
    belief: CensoredDemand | None = None
    myopic: bool = False  # the plain rule without its shade: the cheapest order for the period it arrives in
    most: float | torch.Tensor = inf  # units on hand and under way that the network may order up to; or [B]
    _known: Known = field(init=False)
    _terms: Terms = field(init=False)
    _places: torch.Tensor = field(init=False)
    _levels: Levels = field(init=False)
    _lead_variance: float = field(init=False)  # σ² of the periods until an order arrives
    _tried: torch.Tensor = field(init=False)  # [B] 1 where one unit is worth having for what it would tell
    _seen: int = 0  # periods
    _most: Floats = field(init=False)  # units sold in one of them
    _alike: bool = False  # all shelves believe the same, for good: what was ordered once in a state is remembered
    _remembered: dict[bytes, float] = field(default_factory=dict[bytes, float])

    def __post_init__(self) -> None:
        self._most = np.zeros(self.count)
        self._places = places(self.instance.lead_time)
        self._levels = Levels(self.instance)
        chances = arrivals(self.instance)
        periods = np.arange(len(chances), dtype=np.float64)
        self._lead_variance = max(0.0, float(chances @ periods**2 - (chances @ periods) ** 2))
        if self.belief is None:
            demand = self.instance.demand
            if self.weights is not None and _is_foreign(self.instance):
                self.weights, self.myopic = None, True
            self.believe(np.full(self.count, demand.mean), np.zeros(self.count), np.full(self.count, demand.dispersion))
            self._alike = True
            if self.weights is not None:
                self.most = enough(self.instance)
        else:
            self._refresh(self.belief)

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        if not self._alike:
            return self._work_out(on_hand, pipeline)
        keys = [row.tobytes() for row in np.concatenate([on_hand[:, None], pipeline], axis=1)]
        if not all(key in self._remembered for key in keys):
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered.update(zip(keys, self._work_out(on_hand, pipeline).tolist(), strict=True))
        return np.array([self._remembered[key] for key in keys])

    def _work_out(self, on_hand: Floats, pipeline: Floats) -> Floats:
        stock = stock_of(self.instance.lead_time, self._places, on_hand, pipeline)
        with torch.no_grad():
            if self.weights is None:
                wanted = base(self._known, self._terms, stock)[0]
            elif self.belief is None:
                wanted = need_of_known(self.weights, self._known, self._terms, stock)
                wanted = wanted.minimum(self.most - stock.position)
            else:
                most = torch.maximum(self.most - stock.position, (stock.position <= 0.0) * self._tried)
                wanted = need(self.weights, self._known, self._terms, stock).minimum(most)
        return torch.floor(wanted.clamp_min(0.0) + 0.5).numpy()

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        if self.belief is not None:
            self.belief.observe(sold, on_hand)
            self._most = np.maximum(self._most, sold)
            self._seen += 1
            if self._seen <= RESTLESS or self._seen % 4 == 0:
                self._refresh(self.belief)

    def believe(self, rate: Floats, rate_sd: Floats, dispersion: Floats) -> None:
        """Take this to be demand from here on, [B] each.

        A lead time that varies is taken for a wider demand: over lead time and review its variance is then the same,
        (L + 1) φ m + σ² m². Told σ itself, of which it met little in training, the network stays 3 to 13% behind capped
        base-stock where a lost sale is dear.
        """
        self._alike = False
        like = torch.as_tensor(rate)
        instance = self.instance
        spread = torch.as_tensor(dispersion) + like * (self._lead_variance / (instance.lead_time + 1.0))
        self._known = Known(
            rate=like,
            rate_sd=torch.as_tensor(rate_sd),
            dispersion=spread,
            lead=torch.full_like(like, float(instance.lead_time)),
            lead_sd=torch.zeros_like(like),
            holding=torch.full_like(like, instance.holding),
            penalty=torch.full_like(like, instance.penalty),
        )
        self._terms = terms(self._known)
        if self.myopic:
            odds = torch.full_like(like, instance.penalty / max(1e-12, instance.penalty + instance.holding))
            self._terms = replace(self._terms, z=torch.special.ndtri(odds.clamp(*SERVICE)))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # torch leaves it untyped

    def _refresh(self, belief: CensoredDemand) -> None:
        now = belief.belief()
        # Of a slow mover's first sale the prior makes a fast one's: it would order for years, and can't take it back.
        share = np.minimum(1.0, (1.0 + 1.5 * self._most) / now.rate)
        rate, rate_sd = share * now.rate, share * now.rate_sd
        self.believe(rate, rate_sd, now.dispersion)
        self.most = torch.as_tensor(self._levels.of(rate, rate_sd, now.dispersion))
        hoped = self._levels.of(rate + HOPED * rate_sd, np.zeros_like(rate), now.dispersion)
        self._tried = torch.as_tensor(np.minimum(1.0, hoped))


def _is_foreign(instance: Instance) -> bool:
    """Whether the network met nothing like it: a lost sale that hardly matters, and demand that is even.

    It was trained on penalties from 0.7 of a period's holding on. Below, on lumpy demand it still is the best of ours.
    """
    demand = instance.demand
    return instance.penalty < CHEAP * instance.holding and sqrt(demand.variance) < EVEN * demand.mean


def places(lead_time: int) -> torch.Tensor:
    """Which step each order under way arrives in, oldest first: [L − 1, K + 1] of zeros and ones."""
    steps = min(MAX_STEPS, lead_time)
    found = torch.zeros(max(0, lead_time - 1), steps + 1, dtype=torch.float64)
    for order in range(len(found)):
        found[order, round((order + 1) / lead_time * steps)] = 1.0
    return found


def stock_of(lead_time: int, where: torch.Tensor, on_hand: Floats, pipeline: Floats) -> Stock:
    """What the network sees of a stock. Where lead times vary, what is overdue is taken to come next."""
    waiting = max(0, lead_time - 1)
    late = pipeline[:, : pipeline.shape[1] - waiting].sum(axis=1)
    arrivals = torch.as_tensor(np.ascontiguousarray(pipeline[:, pipeline.shape[1] - waiting :])) @ where
    units = torch.as_tensor(on_hand)
    if lead_time == 0:
        units = units + torch.as_tensor(late)
    else:
        arrivals[:, 1] += torch.as_tensor(late)
    steps = min(MAX_STEPS, lead_time)
    return Stock(
        on_hand=units,
        arrivals=arrivals,
        position=units + arrivals.sum(dim=1),
        steps=torch.full_like(units, float(steps)),
        most_steps=steps,
        even=True,
    )
