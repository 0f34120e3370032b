"""The order network as a rule of the lost-sales task: with demand known, or inferred from what is sold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from policies.orders.censored_demand import CensoredDemand
from policies.orders.network import SERVICE, Known, Stock, Terms, Weights, base, need, terms
from policies.tasks.lost_sales import Instance

RESTLESS: Final = 100  # periods after which a belief moves so little that every fourth is enough to look at it
MOST_REMEMBERED: Final = 1_000_000

Floats = npt.NDArray[np.float64]

MAX_STEPS: Final = 64  # a longer lead time is walked in longer steps, which costs accuracy


def weights_of(tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, torch.Tensor]:
    """As they are used here: in float64."""
    return {name: torch.as_tensor(tensor.astype(np.float64)) for name, tensor in tensors.items() if name != "prior"}


@dataclass(slots=True)
class NetworkOrders:
    """Orders for shelves of one instance [B]; `belief` is None where demand is known. Weights of None: the plain rule.

    Only costs and lead times are read from the instance where there is a belief.
    """

    instance: Instance
    count: int
    weights: Weights | None
    belief: CensoredDemand | None = None
    myopic: bool = False  # the plain rule without its shade: the cheapest order for the period it arrives in
    _known: Known = field(init=False)
    _terms: Terms = field(init=False)
    _places: torch.Tensor = field(init=False)
    _seen: int = 0  # periods
    _most: Floats = field(init=False)  # units sold in one of them
    _alike: bool = False  # all shelves believe the same, for good: what was ordered once in a state is remembered
    _remembered: dict[bytes, float] = field(default_factory=dict[bytes, float])

    def __post_init__(self) -> None:
        self._most = np.zeros(self.count)
        self._places = places(self.instance.lead_time)
        if self.belief is None:
            demand = self.instance.demand
            self.believe(np.full(self.count, demand.mean), np.zeros(self.count), np.full(self.count, demand.dispersion))
            self._alike = True
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
            else:
                wanted = need(self.weights, self._known, self._terms, stock)
        return torch.floor(wanted.clamp_min(0.0) + 0.5).numpy()

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        if self.belief is not None:
            self.belief.observe(sold, on_hand)
            self._most = np.maximum(self._most, sold)
            self._seen += 1
            if self._seen <= RESTLESS or self._seen % 4 == 0:
                self._refresh(self.belief)

    def believe(self, rate: Floats, rate_sd: Floats, dispersion: Floats) -> None:
        """Take this to be demand from here on, [B] each."""
        self._alike = False
        like = torch.as_tensor(rate)
        instance = self.instance
        chance = np.array(instance.delays) if instance.delays else np.ones(1)
        periods = np.arange(len(chance), dtype=np.float64)
        lead_sd = float(np.sqrt(max(0.0, chance @ periods**2 - (chance @ periods) ** 2)))
        self._known = Known(
            rate=like,
            rate_sd=torch.as_tensor(rate_sd),
            dispersion=torch.as_tensor(dispersion),
            lead=torch.full_like(like, float(instance.lead_time)),
            lead_sd=torch.full_like(like, lead_sd),
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
        self.believe(share * now.rate, share * now.rate_sd, now.dispersion)


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
