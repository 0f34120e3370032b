"""The most that a budget could have bought, knowing every auction: the fractional knapsack. Money in one currency."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import floor, log
from typing import Final

_BINS_PER_E: Final = 500  # of value per price: a bin is 0.2% wide


def hindsight_value(auctions: Iterable[tuple[float, float]], budget: float) -> float:
    """The greatest value of (value, price) auctions that fit the budget, the last one in part.

    >>> hindsight_value([(6.0, 2.0), (5.0, 5.0), (1.0, 4.0)], 4.5)
    8.5
    """
    won, left = 0.0, budget
    for value, price in sorted(auctions, key=lambda a: a[0] / a[1] if a[1] > 0 else float("inf"), reverse=True):
        if price > left:
            return won + value * left / price
        won += value
        left -= price
    return won


@dataclass(slots=True)
class Auctions:
    """Auctions summed by their value per price: the knapsack of any budget, in memory that doesn't grow with them."""

    free: float = 0.0  # value that cost nothing
    bins: dict[int, list[float]] = field(default_factory=dict[int, list[float]])  # [value, price]

    def add(self, value: float, price: float) -> None:
        if price <= 0:
            self.free += value
        elif value > 0:
            cell = self.bins.setdefault(floor(_BINS_PER_E * log(value / price)), [0.0, 0.0])
            cell[0] += value
            cell[1] += price

    def best(self, budget: float) -> float:
        """`hindsight_value` of all that was added; within 0.2% of the value of the last bin bought."""
        cells = [(cell[0], cell[1]) for _, cell in sorted(self.bins.items(), reverse=True)]
        return self.free + hindsight_value(cells, budget)
