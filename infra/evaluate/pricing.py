"""`tradewind evaluate pricing`: regret per period against p* = (a + bc)/2b, over many products of one population.

Every policy meets the same products with the same noise, starts each at the same price, and moves on the same ladder,
no further at once than the others. A product begins at a price drawn between its cost and the price at which the usual
product of the population sells nothing. Nothing is learned from one product to the next.
"""

from collections.abc import Callable
from itertools import pairwise
from math import exp
from typing import Any, Final

import numpy as np

from infra.errors import UserError
from policies.bandit.picking import pick
from policies.beliefs.gaussian import Evidence as Data
from policies.beliefs.gaussian import Posterior, Prior
from policies.draws import seed_of
from policies.envs.pricing import PricingEnv
from policies.linalg import Floats
from policies.price_ladder import PRIOR, Belief, Evidence, Ladder, believe, choose, nearest
from policies.tasks.pricing import NOISE, SPREAD, Products
from policies.tasks.shopper import Drift

STEPS: Final = 57  # of the ladder: a quarter of a unit of money apart
EXPLORED: Final = 0.1  # ε
MAX_DECISIONS: Final = 5_000_000

Rule = Callable[[Belief, float, list[float], float, int], int]


def _thompson(belief: Belief, cost: float, prices: list[float], _now: float, seed: int) -> int:
    return choose(belief, cost, prices, seed).place


def _greedy(belief: Belief, cost: float, prices: list[float], _now: float, _seed: int) -> int:
    return nearest(belief, cost, prices)


def _epsilon_greedy(belief: Belief, cost: float, prices: list[float], _now: float, seed: int) -> int:
    shares = np.full(len(prices), EXPLORED / len(prices))
    shares[nearest(belief, cost, prices)] += 1.0 - EXPLORED
    return pick(shares, seed)


def _fixed(_belief: Belief, _cost: float, prices: list[float], now: float, _seed: int) -> int:
    return min(range(len(prices)), key=lambda at: abs(prices[at] - now))


POLICIES: Final[dict[str, Rule]] = {
    "meta": _thompson,
    "greedy": _greedy,
    "epsilon-greedy": _epsilon_greedy,
    "none": _fixed,
    "oracle-prior": _thompson,
}


class _Informed:
    """Thompson sampling's belief from the population itself: the true moments of a and b, and the true noise."""

    def __init__(self, products: Products) -> None:
        log_mean, spread = exp(SPREAD**2 / 2.0), exp(SPREAD**2) - 1.0
        mean = np.array([products.base, products.slope]) * log_mean
        self._prior = Prior(mean=mean, precision=np.diag(1.0 / (mean**2 * spread)))
        self._noise = (NOISE * products.base) ** 2
        self._data = Data.none(2, 1)

    def learn(self, price: float, units: float) -> None:
        self._data = self._data.learn(np.array([[1.0], [-price]]), np.array([units]), noise=self._noise)

    def belief(self) -> Belief:
        """D(p) = a − bp, as a level q = a at the price 0."""
        found = Posterior.of(self._prior, self._data)
        to_a, var_a = found.spread(np.array([[1.0], [0.0]]))
        _, var_b = found.spread(np.array([[0.0], [1.0]]))
        tilt = float(to_a[1, 0] / var_b[0])
        return Belief(
            centre=0.0,
            level=float(found.mean[0, 0]),
            level_sd=float(np.sqrt(var_a[0] - tilt * tilt * var_b[0])),
            slope=float(found.mean[1, 0]),
            slope_sd=float(np.sqrt(var_b[0])),
            tilt=tilt,
        )


def _play(policy: str, seed: int, product: int, periods: int, max_steps: int, drift: Drift) -> Floats:
    """What one product lost to the best price, and what that would have earned: [2, periods]."""
    products = Products()
    env = PricingEnv(products=products, prices=STEPS, periods=periods, drift=drift)
    env.reset(seed=int(np.random.SeedSequence([seed, product]).generate_state(1)[0]))
    grid = products.grid(STEPS).tolist()
    step = grid[1] - grid[0]
    ladder = Ladder(floor=grid[0], ceiling=grid[-1], step=step, max_steps=max_steps)
    price = _start(products, grid, seed, product)
    evidence, informed = Evidence(), _Informed(products)
    lost = np.zeros((2, periods))
    for period in range(periods):
        seen, _, _, _, told = env.step(round((price - grid[0]) / step))
        lost[:, period] = told["regret"], told["best_profit"]
        if period == 0 and policy == "none" and drift == "none":
            lost[:] = lost[:, :1]
            break
        units = max(0.0, float(seen[1]))  # a shop counts sales, not what noise takes back
        evidence.learn(price, units, 1.0, PRIOR)
        informed.learn(price, units)
        belief = informed.belief() if policy == "oracle-prior" else believe(evidence, PRIOR)
        prices = ladder.reachable(price)
        price = prices[
            POLICIES[policy](belief, products.cost, prices, price, seed_of(str(seed), f"{product}/{period}"))
        ]
    return lost


def _start(products: Products, grid: list[float], seed: int, product: int) -> float:
    usual = [price for price in grid if products.cost < price < products.base / products.slope]
    return usual[int(np.random.default_rng([seed, product, 1]).integers(len(usual)))]


def evaluate(
    *, policy: str, seed: int, periods: int, products: int, max_steps: int, drift: Drift = "none"
) -> dict[str, Any]:
    """Regret in money: of a product over all periods, per period, by ranges of periods; and the share of the profit
    that the best price would have made."""
    if products * periods > MAX_DECISIONS:
        raise UserError(f"--products times --periods must be at most {MAX_DECISIONS:,}")
    lost = np.stack([_play(policy, seed, each, periods, max_steps, drift) for each in range(products)])
    regret, best = lost[:, 0], lost[:, 1]
    of_product = regret.sum(axis=1)
    return {
        "regret": float(of_product.mean()),
        "regret_standard_error": float(of_product.std() / products**0.5),
        "regret_per_period": float(regret.mean()),
        "regret_by_periods": _by_range(regret.mean(axis=0)),
        "profit_share": float(1.0 - regret.sum() / best.sum()),
        "products": products,
        "periods": periods,
        "max_steps": max_steps,
        "drift": drift,
    }


def _by_range(regret: Floats) -> dict[str, float]:
    """Regret per period in each quarter of the time; of fewer than four periods, in each of them."""
    edges = sorted({round(len(regret) * quarter / 4) for quarter in range(5)})
    return {f"{a}-{b}": float(regret[a:b].mean()) for a, b in pairwise(edges)}
