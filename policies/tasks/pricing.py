"""Dynamic pricing against linear demand: D = a − bp + ε at price p and unit cost c, sold at p whatever D is.

Expected profit (p − c)(a − bp) is greatest at p* = (a + bc) / 2b (den Boer 2015). Products come from one population:
a and b are log-normal around its own. With drift, both are drawn anew in the middle half of a task.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.tasks.shopper import Drift

SPREAD: Final = 0.2  # deviation of log a and log b between products
NOISE: Final = 0.1  # deviation of ε, as a share of a


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Demand in units a period: `base` a at price 0, `slope` b units fewer for each unit of money; cost c a unit."""

    base: float
    slope: float
    cost: float
    noise: float

    @property
    def best_price(self) -> float:
        """p* = (a + bc) / 2b.

        >>> Product(base=10.0, slope=2.0, cost=1.0, noise=0.0).best_price
        3.0
        """
        return (self.base + self.slope * self.cost) / (2.0 * self.slope)

    def profit(self, price: float) -> float:
        """Expected profit a period."""
        return (price - self.cost) * (self.base - self.slope * price)

    def demand(self, price: float, rng: np.random.Generator) -> float:
        """Units of one period. May be below 0 where noise is more than what is left: returns."""
        return self.base - self.slope * price + self.noise * float(rng.normal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """One population, around a demand of `base` − `slope` p."""

    base: float = 10.0
    slope: float = 1.0
    cost: float = 2.0

    def draw(self, rng: np.random.Generator) -> Product:
        """A product whose best price is one of those to choose from, and above its cost."""
        while True:
            base, slope = np.exp(SPREAD * rng.normal(size=2)).tolist()
            found = Product(
                base=self.base * base, slope=self.slope * slope, cost=self.cost, noise=NOISE * self.base * base
            )
            if self.cost < found.best_price < self.highest:
                return found

    def grid(self, prices: int) -> Floats:
        """Prices to choose from: from cost to 1.6 times the price at which the usual product sells nothing."""
        return np.linspace(self.cost, self.highest, prices)

    @property
    def highest(self) -> float:
        return 1.6 * self.base / self.slope


def changes_at(drift: Drift, rounds: int, rng: np.random.Generator) -> int | None:
    """The round at which the product becomes another one."""
    return int(rng.integers(rounds // 4, 3 * rounds // 4 + 1)) if drift == "midtask" else None
