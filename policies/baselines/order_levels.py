"""Rules that go by the inventory position alone: base-stock, capped base-stock, (s, S). Their levels are searched.

Capped base-stock (Xin 2021) orders up to a level, but no more than a cap at once. The search runs all settings on the
same demand, first on a coarse grid around the lead time's demand, then on whole units around the best.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from policies.tasks.lost_sales import Instance, draw, stocked

Floats = npt.NDArray[np.float64]
Kind = Literal["base-stock", "capped-base-stock", "s-S"]

NEVER: Final = 1e15  # a cap that caps nothing
WARM_UP: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """At a position of `reorder` or below, order up to `up_to`, at most `cap`. Arrays of one shape."""

    reorder: Floats
    up_to: Floats
    cap: Floats

    def quantity(self, position: Floats) -> Floats:
        wanted = np.minimum(self.up_to - position, self.cap)
        return np.where(position <= self.reorder, np.maximum(wanted, 0.0), 0.0)

    def pick(self, at: int) -> "Levels":
        return Levels(reorder=self.reorder[at : at + 1], up_to=self.up_to[at : at + 1], cap=self.cap[at : at + 1])


@dataclass(slots=True)
class LevelOrders:
    """As a rule of the task."""

    levels: Levels

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        return self.levels.quantity(on_hand + pipeline.sum(axis=1))

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        """They learn nothing."""


def fit(instance: Instance, kind: Kind, seed: int, *, periods: int = 400, runs: int = 24) -> Levels:
    """The levels of least cost in simulation, from a seed."""
    demand, lead = instance.demand, instance.lead_time
    reach = np.sqrt(demand.variance * (lead + 1.0))
    up_to = demand.mean * (lead + 1.0) + reach * np.linspace(-1.6, 4.0, 22)
    low = demand.mean * lead * 0.3
    up_to = np.unique(np.maximum(np.round(np.append(up_to, low)), 0.0))
    second = _second(kind, demand.mean, np.sqrt(demand.variance))
    best = _best(instance, _grid(kind, up_to, second), periods, runs, seed)
    step = max(1.0, np.ceil(reach * 0.27 / 8.0))
    around = best.up_to + step * np.arange(-8.0, 9.0)
    at = best.cap if kind == "capped-base-stock" else best.up_to - best.reorder
    near = at if kind == "base-stock" or at[0] >= NEVER else at + max(1.0, np.ceil(step / 2.0)) * np.arange(-4.0, 5.0)
    grid = _grid(kind, np.unique(np.maximum(around, 0.0)), np.unique(np.maximum(near, 1.0)))
    return _best(instance, grid, periods, 3 * runs, seed + 1)


def _second(kind: Kind, mean: float, sd: float) -> Floats:
    """Caps, or what lies between s and S, to try first."""
    if kind == "base-stock":
        return np.array([1.0])
    if kind == "s-S":
        return np.unique(np.ceil(np.array([1e-9, 0.5, 1.0, 2.0, 4.0]) * sd))
    return np.append(np.unique(np.ceil(mean + np.array([0.0, 0.2, 0.4, 0.7, 1.1, 1.6, 2.4]) * sd)), NEVER)


def _grid(kind: Kind, up_to: Floats, second: Floats) -> Levels:
    top, other = (each.ravel() for each in np.meshgrid(up_to, second))
    if kind == "capped-base-stock":
        return Levels(reorder=top, up_to=top, cap=other)
    return Levels(reorder=top - np.maximum(other, 1.0), up_to=top, cap=np.full(len(top), NEVER))


def _best(instance: Instance, levels: Levels, periods: int, runs: int, seed: int) -> Levels:
    return levels.pick(int(costs(instance, levels, periods, runs, seed).argmin()))


def costs(instance: Instance, levels: Levels, periods: int, runs: int, seed: int) -> Floats:
    """Average cost of each setting [K], all on the same demand of `runs` shelves."""
    random = np.random.default_rng([seed, 71])
    luck = random.spawn(1)[0]  # of lead times: demand is the same whether they vary or not
    width = len(levels.up_to)
    first, waiting = stocked(instance, 1)
    on_hand = np.full((runs, width), first[0])
    under_way = _UnderWay(instance, runs, width, waiting[0, 0] if waiting.size else 0.0)
    position = on_hand + waiting.sum()
    total = np.zeros(width)
    for period in range(WARM_UP + periods):
        quantity = levels.quantity(position)
        if instance.longest == 0:
            on_hand = on_hand + quantity
        came = draw(random, np.full((runs, 1), instance.demand.mean), instance.demand.dispersion)
        sold = np.minimum(on_hand, came)
        on_hand = on_hand - sold
        position = position + quantity - sold
        if period >= WARM_UP:
            total += (instance.holding * on_hand + instance.penalty * (came - sold)).mean(axis=0)
        if instance.longest:
            on_hand = on_hand + under_way.step(quantity, luck)
    return total / periods


class _UnderWay:
    """Orders that haven't arrived [slots, runs, K]: each period's in one slot, by turns."""

    def __init__(self, instance: Instance, runs: int, width: int, usual: float) -> None:
        self.delays, self.slots = instance.delays, max(1, instance.longest) + bool(instance.delays)
        self.units = np.zeros((self.slots, runs, width))
        waiting = instance.longest if instance.delays else max(0, instance.lead_time - 1)
        self.units[:waiting] = usual
        self.place = waiting  # of the next order

    def step(self, quantity: Floats, luck: np.random.Generator) -> Floats:
        """Take in a period's orders [runs, K]; what arrives at its end."""
        self.units[self.place % self.slots] = quantity
        self.place += 1
        if not self.delays:
            oldest = self.place % self.slots
            arrived = self.units[oldest].copy()
            self.units[oldest] = 0.0
            return arrived
        drawn = luck.choice(len(self.delays), self.units.shape[1], p=self.delays)  # [runs]
        arrived = np.zeros_like(quantity)
        for age in range(1, self.slots + 1):
            slot = (self.place - age) % self.slots
            due = (age >= np.minimum(drawn, self.slots - 1))[:, None]
            arrived += np.where(due, self.units[slot], 0.0)
            self.units[slot] = np.where(due, 0.0, self.units[slot])
        return arrived
