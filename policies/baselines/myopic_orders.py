"""The myopic rule (Morton 1971; "myopic-1" in Zipkin 2008): the cheapest order for the period it arrives in.

The distribution of what is left when the order arrives is worked out exactly, state by state, and remembered. Where
demand is so large that it can't be, it is taken for a normal.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.tasks.lost_sales import Instance, probabilities

Floats = npt.NDArray[np.float64]

LARGEST: Final = 400  # units on hand up to which distributions are worked out


def largest_stock(instance: Instance) -> int:
    """Units that the myopic rule hardly ever exceeds on hand."""
    demand, periods = instance.demand, instance.longest + 2.0
    return int(np.ceil(periods * demand.mean + 9.0 * np.sqrt(periods * demand.variance))) + 4


@dataclass(slots=True)
class MyopicOrders:
    """As a rule of the task; for instances whose `largest_stock` is at most LARGEST."""

    instance: Instance
    _left: Floats = field(init=False)  # [X, X] P(units left | on hand)
    _enough: Floats = field(init=False)  # [X, Q] P(D ≤ on hand + order)
    _remembered: dict[bytes, float] = field(default_factory=dict[bytes, float])

    def __post_init__(self) -> None:
        top = largest_stock(self.instance)
        mass = probabilities(self.instance.demand, 2 * top)
        self._left = np.zeros((top + 1, top + 1))
        for x in range(top + 1):
            self._left[x, 1 : x + 1] = mass[:x][::-1]
            self._left[x, 0] = max(0.0, 1.0 - mass[:x].sum())
        self._enough = np.cumsum(mass)[np.arange(top + 1)[:, None] + np.arange(top + 1)[None, :]]

    def order(self, on_hand: Floats, pipeline: Floats) -> Floats:
        states = np.concatenate([on_hand[:, None], pipeline], axis=1)
        keys = [row.tobytes() for row in states]
        new = [place for place, key in enumerate(keys) if key not in self._remembered]
        if new:
            for place, quantity in zip(new, self._work_out(states[new]), strict=True):
                self._remembered[keys[place]] = float(quantity)
        return np.array([self._remembered[key] for key in keys])

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        """It learns nothing."""

    def _work_out(self, states: Floats) -> Floats:
        top = len(self._left) - 1
        whole = np.minimum(states.astype(np.int64), top)
        chance = np.zeros((len(states), top + 1))
        chance[np.arange(len(states)), whole[:, 0]] = 1.0
        for step in range(self.instance.lead_time):
            chance = chance @ self._left
            if step + 1 < whole.shape[1]:
                came = np.arange(top + 1)[None, :] - whole[:, step + 1 : step + 2]
                moved = np.take_along_axis(chance, np.maximum(came, 0), axis=1)
                chance = np.where(came >= 0, moved, 0.0)
                chance[:, top] += 1.0 - chance.sum(axis=1)
        ratio = self.instance.penalty / max(1e-12, self.instance.penalty + self.instance.holding)
        return (chance @ self._enough < ratio).sum(axis=1).astype(np.float64)
