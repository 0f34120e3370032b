"""The prior that a shop's first prices go by: from products of many simulated shops, no two alike.

Each product is one of another shop, of any size, currency and margin. Numbers that mean the same in all of them are
tried by turns, each by the profit that is lost; what products of one shop have in common is for the learner to find.
"""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from typing import Final

import numpy as np

from policies.artefact import Array
from policies.draws import seed_of
from policies.linalg import Floats
from policies.price_ladder import FLAT, SCHEMA, Evidence, Ladder, believe, choose
from policies.tasks.pricing import Product, Products
from policies.version import Priors

Tell = Callable[[str], None]

PRODUCTS: Final = 150  # learned from, and as many others judged on
PERIODS: Final = 32
STEPS: Final = 57  # of a ladder
REACH: Final = 4  # steps that a price may move at once
TRIED: Final = {
    "dispersion": (0.1, 0.3, 1.0, 3.0),
    "reviews": (1.0, 4.0, 16.0),
    "elasticity": (1.5, 2.0, 3.0, 5.0, 8.0),
    "elasticity_sd": (1.5, 3.0, 5.0, 10.0),
    "choke_periods": (0.0, 0.01, 0.03, 0.1),
}


def train(seed: int, tell: Tell, *, products: int = PRODUCTS) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of the shipped artefact, and what is said of them. Less than a minute on one core."""
    prior = FLAT
    for name, choices in TRIED.items():
        tried = {
            choice: _lost(prior | {name: choice}, np.random.default_rng([seed, 0]), products) for choice in choices
        }
        prior = prior | {name: min(tried, key=lambda choice, tried=tried: tried[choice])}
        tell(f"{name}: " + ", ".join(f"{choice:g} {found:.4f}" for choice, found in tried.items()))
    flat, now = (_lost(each, np.random.default_rng([seed, 1]), products) for each in (FLAT, prior))
    tell(f"profit lost on {products} products of other shops: flat prior {flat:.4f}, learned {now:.4f}")
    about = {"schema": SCHEMA, "seed": str(seed), "loss": f"{now:.5f}", "loss_flat_prior": f"{flat:.5f}"}
    return {name: np.array(value, dtype=np.float64) for name, value in prior.items()}, about


def _product(rng: np.random.Generator) -> tuple[Products, Product]:
    """A shop, and a product of it."""
    cost = exp(rng.normal(0.0, 2.0))
    choke = cost * exp(rng.uniform(log(2.0), log(12.0)))
    base = exp(rng.normal(3.0, 1.5))
    shop = Products(base=base, slope=base / choke, cost=cost)
    found = shop.draw(rng)
    return shop, replace(found, noise=found.base * exp(rng.uniform(log(0.05), log(0.4))))


def _lost(prior: Priors, rng: np.random.Generator, products: int) -> float:
    """The mean share of the best profit that is lost; the same products and noise for any prior."""
    of_each = [_one(*_product(rng), prior, np.random.default_rng(at), at) for at in range(products)]
    return float(np.mean(of_each))


def _one(shop: Products, product: Product, prior: Priors, rng: np.random.Generator, seed: int) -> float:
    """The share of the best profit that was lost on one product."""
    grid: Floats = shop.grid(STEPS)
    ladder = Ladder(floor=float(grid[0]), ceiling=float(grid[-1]), step=float(grid[1] - grid[0]), max_steps=REACH)
    price = float(grid[int(rng.integers(STEPS // 8, STEPS // 2))])
    evidence, earned = Evidence(), 0.0
    for period in range(PERIODS):
        units = max(0.0, product.demand(price, rng))
        earned += product.profit(price)
        evidence.learn(price, units, 1.0, prior)
        prices = ladder.reachable(price)
        belief = believe(evidence, prior, product.cost)
        price = prices[choose(belief, product.cost, prices, seed_of(str(seed), str(period))).place]
    return 1.0 - earned / (PERIODS * product.profit(product.best_price))
