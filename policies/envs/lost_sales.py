"""A shelf whose unmet demand is lost, as a gymnasium.Env: an action is the number of units to order."""

from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from policies.envs.shopper import Observed
from policies.linalg import Floats
from policies.tasks.lost_sales import Demand, Instance, draw, receive, stocked

EASY: Final = Instance(demand=Demand(family="poisson", mean=5.0), lead_time=2, penalty=9.0)


class LostSalesEnv(gymnasium.Env[Observed, Any]):
    """Observation: units on hand, then units under way, the next to arrive first. Reward: minus the period's cost.

    Demand itself is never observed, only what was sold: `info["sold"]`.
    """

    def __init__(self, *, instance: Instance = EASY, largest_order: int = 20, periods: int = 200) -> None:
        if instance.delays:
            raise ValueError("the environment knows fixed lead times only")
        self._instance, self._periods = instance, periods
        self._on_hand, self._pipeline = stocked(instance, 1)
        self._period = 0
        self.action_space: Any = spaces.Discrete(largest_order + 1)
        self.observation_space: Any = spaces.Box(0.0, np.inf, (1 + self._pipeline.shape[1],), np.float32)

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002 # gymnasium hands them in
    ) -> tuple[Observed, dict[str, Any]]:
        super().reset(seed=seed)
        self._on_hand, self._pipeline = stocked(self._instance, 1)
        self._period = 0
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        instance, demand = self._instance, self._instance.demand
        self._order(np.array([float(action)]))
        came = draw(self.np_random, np.array([demand.mean]), demand.dispersion)
        sold = np.minimum(self._on_hand, came)
        self._on_hand = self._on_hand - sold
        cost = float((instance.holding * self._on_hand + instance.penalty * (came - sold))[0])
        arrived, self._pipeline = receive(instance, self._pipeline, None)
        self._on_hand = self._on_hand + arrived
        self._period += 1
        return self._seen(), -cost, self._period == self._periods, False, {"sold": float(sold[0])}

    def _order(self, quantity: Floats) -> None:
        if self._instance.longest == 0:
            self._on_hand = self._on_hand + quantity
        else:
            self._pipeline = np.concatenate([self._pipeline, quantity[:, None]], axis=1)

    def _seen(self) -> Observed:
        return np.concatenate([self._on_hand, self._pipeline[0]]).astype(np.float32)
