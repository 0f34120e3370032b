"""One shopper of a population as a gymnasium.Env: an episode is a task, an action one of the items shown."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from policies.linalg import Floats
from policies.tasks.shopper import Drift, Task, population, task

Observed = np.ndarray[Any, np.dtype[np.float32]]


class ShopperEnv(gymnasium.Env[Observed, Any]):
    """Observation: the features of all K actions, [K·d]. `info["regret"]` is what the choice fell short of the best.

    `seed` fixes the population; `reset(seed=…)` picks the shoppers that are met in it.
    """

    def __init__(self, *, dim: int = 6, arms: int = 10, rounds: int = 40, drift: Drift = "none", seed: int = 0) -> None:
        self._shoppers = population(dim=dim, arms=arms, rounds=rounds, drift=drift, seed=seed)
        self._task: Task | None = None
        self._round = 0
        self.action_space: Any = spaces.Discrete(arms)
        self.observation_space: Any = spaces.Box(-np.inf, np.inf, (arms * dim,), np.float32)

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002 # gymnasium hands them in
    ) -> tuple[Observed, dict[str, Any]]:
        super().reset(seed=seed)
        self._task = task(self._shoppers, int(self.np_random.integers(2**31)))
        self._round = 0
        return self._seen(self._task.actions[0]), {}

    def step(self, action: Any) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        if self._task is None:
            raise ValueError("reset the environment before its first step")
        now, drawn = self._round, self._task
        self._round += 1
        over = self._round == self._shoppers.rounds
        regret = float(drawn.expected[now].max() - drawn.expected[now, action])
        seen = self._seen(drawn.actions[min(self._round, self._shoppers.rounds - 1)])
        return seen, float(drawn.rewards[now, action]), over, False, {"regret": regret}

    def _seen(self, actions: Floats) -> Observed:
        return actions.astype(np.float32).ravel()
