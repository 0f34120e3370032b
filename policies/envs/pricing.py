"""One product of a population as a gymnasium.Env: an action is a price of a grid, the reward the period's profit."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from policies.envs.shopper import Observed
from policies.tasks.pricing import Product, Products, changes_at
from policies.tasks.shopper import Drift


class PricingEnv(gymnasium.Env[Observed, Any]):
    """Observation: the last price and the units it sold, and the share of the episode that is over.

    `info["regret"]` is the expected profit that the best price of all, on the grid or not, would have made more,
    and `info["best_profit"]` what that would have made.
    """

    def __init__(
        self, *, products: Products | None = None, prices: int = 21, periods: int = 100, drift: Drift = "none"
    ) -> None:
        self._products = products or Products()
        self._grid = self._products.grid(prices)
        self._periods = periods
        self._drift: Drift = drift
        self._product: Product | None = None
        self._next: tuple[int | None, Product] | None = None
        self._period = 0
        self.action_space: Any = spaces.Discrete(prices)
        self.observation_space: Any = spaces.Box(-np.inf, np.inf, (3,), np.float32)

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002 # gymnasium hands them in
    ) -> tuple[Observed, dict[str, Any]]:
        super().reset(seed=seed)
        self._product = self._products.draw(self.np_random)
        self._next = changes_at(self._drift, self._periods, self.np_random), self._products.draw(self.np_random)
        self._period = 0
        return np.zeros(3, dtype=np.float32), {"best_price": self._product.best_price}

    def step(self, action: Any) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        if self._product is None or self._next is None:
            raise ValueError("reset the environment before its first step")
        if self._period == self._next[0]:
            self._product = self._next[1]
        product, price = self._product, float(self._grid[action])
        units = product.demand(price, self.np_random)
        self._period += 1
        seen = np.array([price, units, self._period / self._periods], dtype=np.float32)
        best = product.profit(product.best_price)
        told = {"regret": best - product.profit(price), "best_price": product.best_price, "best_profit": best}
        return seen, (price - product.cost) * units, self._period == self._periods, False, told
