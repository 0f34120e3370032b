"""The environments: gymnasium's own checker, and that what they pay is what the simulators say."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env  # noqa: E402 # only where the extra `envs` is installed

from policies.envs.auctions import MULTIPLIERS, AuctionsEnv  # noqa: E402
from policies.envs.lost_sales import LostSalesEnv  # noqa: E402
from policies.envs.pricing import PricingEnv  # noqa: E402
from policies.envs.shopper import ShopperEnv  # noqa: E402

ENVS: Final[dict[str, Callable[[], Any]]] = {
    "shopper": ShopperEnv,
    "shopper, drifting": lambda: ShopperEnv(drift="midtask"),
    "auctions": lambda: AuctionsEnv(auctions=50),
    "lost sales": LostSalesEnv,
    "pricing": PricingEnv,
    "pricing, drifting": lambda: PricingEnv(drift="midtask"),
}

environments = pytest.mark.parametrize("name", sorted(ENVS))


@environments
@pytest.mark.filterwarnings("ignore:.*(infinity|precision lowered|spec is None).*")  # of the checker's own advice
def test_gymnasiums_checker_passes(name: str) -> None:
    check_env(ENVS[name](), skip_render_check=True)


@environments
def test_the_same_seed_is_the_same_episode_and_it_ends(name: str) -> None:
    def episode() -> list[float]:
        env = ENVS[name]()
        env.reset(seed=5)
        paid: list[float] = []
        for number in range(10_000):
            _, reward, over, _, _ = env.step(number % env.action_space.n)
            paid.append(reward)
            if over:
                return paid
        pytest.fail("the episode never ended")

    first = episode()
    assert np.isfinite(first).all()
    assert episode() == first


def test_the_best_item_has_no_regret() -> None:
    env = ShopperEnv(arms=3)
    env.reset(seed=1)
    found: list[float] = []
    for action in (0, 1, 2):
        env.reset(seed=1)
        found.append(env.step(action)[4]["regret"])
    assert min(found) == 0.0
    assert max(found) > 0.0


def test_a_budget_is_never_overspent() -> None:
    env = AuctionsEnv(auctions=300)
    _, told = env.reset(seed=2)
    paid = sum(env.step(len(MULTIPLIERS) - 1)[4]["paid"] for _ in range(300))
    assert 0.0 < paid <= told["budget"]


def test_the_best_price_is_the_textbooks() -> None:
    env = PricingEnv(prices=400)
    _, told = env.reset(seed=3)
    regrets: list[float] = []
    for action in range(0, 400, 5):
        env.reset(seed=3)
        regrets.append(env.step(action)[4]["regret"])
    grid = np.linspace(2.0, 16.0, 400)[::5]
    assert grid[int(np.argmin(regrets))] == pytest.approx(told["best_price"], abs=0.2)
    assert min(regrets) >= 0.0


def test_nothing_ordered_ends_in_nothing_sold() -> None:
    env = LostSalesEnv()
    env.reset(seed=4)
    sold = [env.step(0)[4]["sold"] for _ in range(30)]
    assert sum(sold) == 9.0 + 5.0  # what stood and what was under way
    assert sold[-1] == 0.0
