"""One campaign's flight through second-price auctions as a gymnasium.Env: an action scales the value into a bid."""

from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from policies.envs.shopper import Observed
from policies.tasks.auctions import FACTS, Auctions, Market, draw

MULTIPLIERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # bids per value; 0 is to let it pass


class AuctionsEnv(gymnasium.Env[Observed, Any]):
    """Observation: the value offered, the share of the budget left, the share of the auctions left.

    The reward is the value won. A bid is never above what is left, so a budget can't be overspent.
    """

    def __init__(self, *, market: Market = FACTS, auctions: int = 1000, share: float = 0.3) -> None:
        self._market, self._auctions, self._share = market, auctions, share
        self._given: Auctions | None = None
        self._place, self._left = 0, 0.0
        self.action_space: Any = spaces.Discrete(len(MULTIPLIERS))
        self.observation_space: Any = spaces.Box(0.0, np.inf, (3,), np.float32)

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002 # gymnasium hands them in
    ) -> tuple[Observed, dict[str, Any]]:
        super().reset(seed=seed)
        self._given = draw(self._market, self._auctions, self._share, self.np_random)
        self._place, self._left = 0, self._given.budget
        return self._seen(self._given), {"budget": self._given.budget}

    def step(self, action: Any) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        if self._given is None:
            raise ValueError("reset the environment before its first step")
        value, price = float(self._given.value[self._place]), float(self._given.price[self._place])
        won = min(MULTIPLIERS[int(action)] * value, self._left) >= price
        paid = price if won else 0.0
        self._left -= paid
        self._place += 1
        return self._seen(self._given), value * won, self._place == self._auctions, False, {"won": won, "paid": paid}

    def _seen(self, given: Auctions) -> Observed:
        value = float(given.value[min(self._place, self._auctions - 1)])
        left = self._left / given.budget if given.budget > 0.0 else 0.0
        return np.array([value, left, 1.0 - self._place / self._auctions], dtype=np.float32)
