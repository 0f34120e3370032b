"""Prices on a ladder: what is believed of a product's demand, and Thompson sampling of the step that earns most.

Demand at price p is D(p) = q − b(p − p̄) + ε units a period, ε ~ N(0, σ²), where p̄ is the mean of the prices so far. At
p̄ the level q and the slope b have independent Gaussian posteriors. The prior of b is an elasticity, so that one prior
fits products of every size; the level has a flat one. What products of one shop have in common beside that are two
reviews that nobody wrote: at the price 0 a product sells `base` units a period, and at `choke` times its unit cost it
sells none. They count for `base_periods` and `choke_periods`. Forgetting multiplies the sums by ρ: toward the prior.

Profit (p − c)D(p) is greatest at p* = (p̄ + c)/2 + q/2b, and is less the further a price is from it (den Boer 2015).
So the best step is the one nearest to p*, and given b, p* lies below t where q < b(2t − p̄ − c): a Gaussian tail. b is
drawn from `NODES` equally likely quantiles of its posterior above 0, so that the probability of each step is a sum of
a few tails, exact, and the same whatever the seed. No topic, no clock, no dice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, floor, isfinite, sqrt
from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np

from policies import shipped
from policies.bandit.picking import pick
from policies.linalg import Floats
from policies.version import Priors

DOMAIN: Final = "pricing"
SCHEMA: Final = "tradewind.pricing-prior/1"
NODES: Final = 16
DOUBTED: Final = 0.03
# What is believed of a product of no shop in particular.
# `elasticity`: of demand at the mean price, −dlog D / dlog p, with its deviation; its mean over 1,851 published
# estimates is 2.62 (Bijmolt et al. 2005). `dispersion`: σ² over units a period (1 is Poisson), worth `reviews` of them.
# `half_life`: periods after which a review counts for half. After one that is `doubt` standard deviations from what was
# expected, demand may have changed: of what was known before it, `DOUBTED` is left.
FLAT: Final[Priors] = {
    "elasticity": 2.0,
    "elasticity_sd": 10.0,
    "base": 1.0,
    "base_periods": 0.0,  # nothing is known of it
    "choke": 5.0,
    "choke_periods": 0.0,
    "dispersion": 1.0,
    "reviews": 4.0,
    "half_life": 500.0,
    "doubt": 3.5,
}


PRIOR: Final[Priors] = shipped.numbers(DOMAIN, schema=SCHEMA, names=FLAT)

_NORMAL: Final = NormalDist()
_TINY: Final = 1e-300
_LEAST: Final = 0.01  # of the first price: below it, a mean price can't carry an elasticity


class Evidence(msgspec.Struct, array_like=True):
    """Sums over the reviews: n periods at price p that sold y units a period each; x = p / `reference` − 1."""

    reference: float = 0.0  # the first price
    reviews: float = 0.0
    n: float = 0.0
    x: float = 0.0  # Σnx, and so on
    xx: float = 0.0
    y: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def learn(self, price: float, units: float, periods: float, prior: Priors) -> None:
        """Take in one review, `periods` long. Raises ValueError where a number can't be learned from."""
        if not (isfinite(price) and isfinite(units) and 0.0 < periods < float("inf")):
            raise ValueError("a review to learn from must have finite numbers, and periods above 0")
        if self.reviews == 0.0:
            self.reference = price or 1.0
        x, y = price / self.reference - 1.0, units / periods
        kept = 0.5 ** (periods / prior["half_life"])
        if self.reviews > 0.0 and abs(believe(self, prior).surprise(price, y, periods)) > prior["doubt"]:
            kept *= DOUBTED
        self.reviews = kept * self.reviews + 1.0
        self.n = kept * self.n + periods
        self.x = kept * self.x + periods * x
        self.xx = kept * self.xx + periods * x * x
        self.y = kept * self.y + periods * y
        self.xy = kept * self.xy + periods * x * y
        self.yy = kept * self.yy + periods * y * y

    def unexplained(self, level: float, slope: float) -> float:
        """Σn(y − level + slope·x)²: what demand `level` at x = 0 that falls by `slope` leaves of what was sold."""
        squares = self.yy + level * level * self.n + slope * slope * self.xx
        return max(0.0, squares + 2.0 * (slope * self.xy - level * self.y - level * slope * self.x))

    def beside(self, prior: Priors, cost: float | None) -> "Evidence":
        """These, and the two reviews of the prior."""
        base, choke = prior["base_periods"], prior["choke_periods"] if cost else 0.0
        at = prior["choke"] * (cost or 0.0) / self.reference - 1.0
        return Evidence(
            reference=self.reference,
            reviews=self.reviews,
            n=self.n + base + choke,
            x=self.x - base + choke * at,
            xx=self.xx + base + choke * at * at,
            y=self.y + base * prior["base"],
            xy=self.xy - base * prior["base"],
            yy=self.yy + base * prior["base"] ** 2,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Demand at price p: q − b(p − `centre`) a period. `tilt` is the change of q's mean with b; ours has none."""

    centre: float
    level: float  # E q, units a period
    level_sd: float
    slope: float  # E b, units a period for each unit of money
    slope_sd: float
    noise: float = 0.0  # σ²
    tilt: float = 0.0

    def spread(self, price: float, periods: float) -> float:
        """The deviation of units a period, over so many periods at this price, from what is expected."""
        variance = self.noise / periods + self.level_sd**2 + (self.slope_sd * (price - self.centre)) ** 2
        return sqrt(max(variance, _TINY))

    def surprise(self, price: float, units: float, periods: float) -> float:
        """How far these units a period are from what was expected, in standard deviations."""
        expected = self.level - self.slope * (price - self.centre)
        return (units - expected) / self.spread(price, periods)

    def best(self, cost: float) -> float:
        """p* by the means; without a limit where demand isn't believed to fall with the price."""
        if self.slope <= 0.0:
            return float("inf")
        return (self.centre + cost) / 2.0 + self.level / (2.0 * self.slope)


def believe(evidence: Evidence, prior: Priors, cost: float | None = None) -> Belief:
    """What the reviews, one at least, and the prior say together; σ² is estimated from the same reviews.

    Where a unit costs nothing that is known, neither is the price at which nothing sells.
    """
    seen = evidence.n
    usual = max(evidence.y, 0.5) / seen  # what sold nothing isn't believed to sell nothing
    scale = usual / max(1.0 + evidence.x / seen, _LEAST)  # units a period for each x, at an elasticity of 1
    both = evidence.beside(prior, cost)
    n, x, y = both.n, both.x / both.n, both.y / both.n
    sxx, sxy = max(0.0, both.xx - n * x * x), both.xy - n * x * y
    slope0, precision0 = prior["elasticity"] * scale, (prior["elasticity_sd"] * scale) ** -2
    expected = prior["dispersion"] * usual
    noise, slope, precision = expected, slope0, precision0
    for _ in range(3):  # σ² and b by turns: they settle at once
        precision = precision0 + sxx / noise
        slope = (precision0 * slope0 - sxy / noise) / precision
        left = evidence.unexplained(y + slope * x, slope)
        noise = (prior["reviews"] * expected + left) / (prior["reviews"] + evidence.reviews)
    per_money = 1.0 / evidence.reference
    return Belief(
        centre=evidence.reference * (1.0 + x),
        level=y,
        level_sd=sqrt(noise / n),
        slope=slope * per_money,
        slope_sd=per_money / sqrt(precision),
        noise=noise,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The prices floor, floor + step, … up to ceiling; a change is at most `max_steps` steps long."""

    floor: float
    ceiling: float
    step: float
    max_steps: int

    def reachable(self, price: float) -> list[float]:
        """The steps that may be next, lowest first: one at least. From beyond the ladder, its nearest end."""
        top = floor((self.ceiling - self.floor) / self.step + 1e-9)
        place = (price - self.floor) / self.step
        low = max(0, -floor(self.max_steps - place + 1e-9))
        high = min(top, floor(place + self.max_steps + 1e-9))
        if high < low:
            low = high = top if place > 0.0 else 0
        prices = (round(self.floor + at * self.step, 9) for at in range(low, high + 1))
        return [min(max(price, self.floor), self.ceiling) for price in prices]


def probabilities(belief: Belief, cost: float, prices: Sequence[float]) -> Floats:
    """P(this price is the nearest to p*) of each, ascending: [K], sums to 1."""
    edges = [low + high - cost - belief.centre for low, high in pairwise(prices)]
    below = [0.0] * len(edges)
    spread = max(belief.level_sd, _TINY) * sqrt(2.0)
    for slope in _slopes(belief):
        level = belief.level + belief.tilt * (slope - belief.slope)
        for at, edge in enumerate(edges):
            below[at] += erfc((level - slope * edge) / spread) / (2.0 * NODES)
    return np.diff(np.array([0.0, *below, 1.0])).clip(min=0.0)


def _slopes(belief: Belief) -> list[float]:
    """Equally likely quantiles of b, given b > 0."""
    above = _NORMAL.cdf(belief.slope / belief.slope_sd)
    return [
        max(_TINY, belief.slope - belief.slope_sd * _NORMAL.inv_cdf(min(max((1.0 - u) * above, _TINY), 1.0 - 1e-16)))
        for u in ((node + 0.5) / NODES for node in range(NODES))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The place of the price taken among those that may be next, and the probability of each of them."""

    place: int
    distribution: Floats

    @property
    def propensity(self) -> float:
        return float(self.distribution[self.place])


def choose(belief: Belief, cost: float, prices: Sequence[float], seed: int) -> Choice:
    """Draw one of the prices by the probability that it earns most. The same seed draws the same."""
    distribution = probabilities(belief, cost, prices)
    return Choice(place=pick(distribution, seed), distribution=distribution)


def nearest(belief: Belief, cost: float, prices: Sequence[float]) -> int:
    """The place of the price that earns most by the means: certainty equivalence."""
    best = belief.best(cost)
    return len(prices) - 1 if best == float("inf") else min(range(len(prices)), key=lambda at: abs(prices[at] - best))
