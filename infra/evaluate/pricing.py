"""`tradewind evaluate pricing`: regret per period against p* = (a + bc)/2b, over many products of one population.

Every policy meets the same products with the same noise, starts each at the same price, and moves on the same ladder,
no further at once than the others. A product begins at a price drawn between its cost and the price at which the usual
product of the population sells nothing.

`meta` starts from the prior that ships and learns from product to product, as a shop's learner does: a candidate from
the reviews so far, which the gate lets through or doesn't. `shipped-prior` stays with what ships, `flat-prior` knows
next to nothing, `oracle-prior` is told the population. The plain rules go by the prior that ships.
"""

from collections.abc import Callable
from functools import partial
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
from policies.meta.sample import Ring, Stream
from policies.meta.schools import SCHOOLS
from policies.meta.trial import attempt
from policies.price_ladder import DOMAIN, FLAT, PRIOR, Belief, Evidence, Ladder, believe, choose, nearest
from policies.price_population import FEWEST, Review
from policies.tasks.pricing import NOISE, SPREAD, Products
from policies.tasks.shopper import Drift
from policies.version import Priors

STEPS: Final = 57  # of the ladder: a quarter of a unit of money apart
EXPLORED: Final = 0.1  # ε
MAX_DECISIONS: Final = 5_000_000
MAX_SAMPLE: Final = 512  # of the newest products, that are learned from

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
    "flat-prior": _thompson,
    "shipped-prior": _thompson,
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


class _Population:
    """What is learned from the products so far: the prior that the next one starts from."""

    def __init__(self, policy: str) -> None:
        self.prior: Priors = FLAT if policy == "flat-prior" else PRIOR
        self.versions = 0
        self._learns = policy == "meta"
        self._streams: list[tuple[str, Stream]] = []

    def add(self, product: int, reviews: list[tuple[Review, float]]) -> None:
        """One more product; at each doubling of them the gate is asked."""
        if not self._learns:
            return
        ring = Ring()
        for at, (review, units) in enumerate(reviews):
            ring.add(product * len(reviews) + at, [list(review)], [units])
        self._streams.append((str(product), ring.episodes()))
        count = len(self._streams)
        if count < 2 * FEWEST or count & (count - 1):
            return
        trial = attempt(SCHOOLS[DOMAIN], self._streams[-MAX_SAMPLE:], self.prior)
        if trial is not None and trial.passed:
            self.prior, self.versions = trial.candidate, self.versions + 1


def _play(
    policy: str, population: _Population, *, seed: int, product: int, periods: int, max_steps: int, drift: Drift
) -> Floats:
    """What one product lost to the best price, and what that would have earned: [2, periods]."""
    products = Products()
    env = PricingEnv(products=products, prices=STEPS, periods=periods, drift=drift)
    env.reset(seed=int(np.random.SeedSequence([seed, product]).generate_state(1)[0]))
    grid = products.grid(STEPS).tolist()
    step = grid[1] - grid[0]
    ladder = Ladder(floor=grid[0], ceiling=grid[-1], step=step, max_steps=max_steps)
    price = _start(products, grid, seed, product)
    evidence, informed = Evidence(), _Informed(products)
    lost, reviews = np.zeros((2, periods)), list[tuple[Review, float]]()
    for period in range(periods):
        seen, _, _, _, found = env.step(round((price - grid[0]) / step))
        lost[:, period] = found["regret"], found["best_profit"]
        if period == 0 and policy == "none" and drift == "none":
            lost[:] = lost[:, :1]
            break
        units = max(0.0, float(seen[1]))  # a shop counts sales, not what noise takes back
        evidence.learn(price, units, 1.0, population.prior)
        informed.learn(price, units)
        reviews.append((Review(price, 1.0, products.cost), units))
        told = policy == "oracle-prior"
        belief = informed.belief() if told else believe(evidence, population.prior, products.cost)
        prices = ladder.reachable(price)
        price = prices[
            POLICIES[policy](belief, products.cost, prices, price, seed_of(str(seed), f"{product}/{period}"))
        ]
    population.add(product, reviews)
    return lost


def _start(products: Products, grid: list[float], seed: int, product: int) -> float:
    usual = [price for price in grid if products.cost < price < products.base / products.slope]
    return usual[int(np.random.default_rng([seed, product, 1]).integers(len(usual)))]


def lost_by(
    policy: str, *, seed: int, periods: int, products: int, max_steps: int, drift: Drift = "none"
) -> tuple[Floats, int]:
    """[products, 2, periods] what each lost to the best price, and what that would have earned; versions learned."""
    population = _Population(policy)
    play = partial(_play, policy, population, seed=seed, periods=periods, max_steps=max_steps, drift=drift)
    return np.stack([play(product=each) for each in range(products)]), population.versions


def evaluate(
    *, policy: str, seed: int, periods: int, products: int, max_steps: int, drift: Drift = "none"
) -> dict[str, Any]:
    """Regret in money: of a product over all periods, per period, by ranges of periods; and the share of the profit
    that the best price would have made."""
    if products * periods > MAX_DECISIONS:
        raise UserError(f"--products times --periods must be at most {MAX_DECISIONS:,}")
    lost, versions = lost_by(policy, seed=seed, periods=periods, products=products, max_steps=max_steps, drift=drift)
    regret, best = lost[:, 0], lost[:, 1]
    of_product = regret.sum(axis=1)
    return {
        "regret": float(of_product.mean()),
        "regret_standard_error": float(of_product.std() / products**0.5),
        "regret_per_period": float(regret.mean()),
        "regret_by_periods": _by_range(regret.mean(axis=0)),
        "regret_by_products": _by_range(regret.mean(axis=1)),
        "versions": versions,
        "profit_share": float(1.0 - regret.sum() / best.sum()),
        "products": products,
        "periods": periods,
        "max_steps": max_steps,
        "drift": drift,
    }


def _by_range(regret: Floats) -> dict[str, float]:
    """Regret per period in each quarter of the time, or of the products; of fewer than four, in each of them."""
    edges = sorted({round(len(regret) * quarter / 4) for quarter in range(5)})
    return {f"{a}-{b}": float(regret[a:b].mean()) for a, b in pairwise(edges)}
