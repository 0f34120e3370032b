"""What products have in common, from their reviews: the prior under which what sold next was least surprising.

A few numbers, each tried at a few values, by turns: the likelihood is cheap and has no gradient worth deriving. Where
products of a shop sell about as much, or stop selling at about the same markup, reviews that nobody wrote say so
(`price_ladder`). Where they lie further apart none is tried: likelihood, a mean, would take it for the sake of the many
and leave the few with prices that cost them dear. For the same reason the elasticity stays as it ships: near the prices
that were set any will do to foretell sales, and a wrong one that is sure of itself never finds out. No topic, no clock.
"""

from collections.abc import Sequence
from math import exp, log, pi, sqrt
from typing import Final, NamedTuple

import numpy as np

from policies.linalg import Floats
from policies.price_ladder import Evidence, believe
from policies.version import Priors

FEWEST: Final = 8  # products, of at least `REVIEWS` reviews each, before a prior is estimated
REVIEWS: Final = 4
SAMPLE: Final = 96  # products that the likelihood is taken of
ROUNDS: Final = 2
_ALIKE: Final = 0.5  # deviation, in logs, up to which products are taken to have a number in common
_COUNTS: Final = (0.0, 0.02, 0.06, 0.2, 0.6)  # periods
_TRIED_BY: Final = {
    "dispersion": (0.2, 0.5, 0.8, 1.25, 2.0, 5.0),
    "base": (0.6, 0.8, 1.25, 1.7),
    "choke": (0.6, 0.8, 1.25, 1.7),
}
_TRIED: Final = ("dispersion", "base_periods", "choke_periods", "base", "choke")


class Review(NamedTuple):
    """The context of an experience. Its outcome is the units sold over all its periods."""

    price: float
    periods: float
    unit_cost: float


class Sold(NamedTuple):
    """One review, as it was; `judged` says whether it is to be foretold, or only learned from."""

    review: Review
    units: float
    judged: bool


def foretold(sold: Sequence[Sold], prior: Priors) -> float:
    """Mean log-likelihood of units a period, each review told before it was seen; 0 where none can be.

    The first review of a product can't be: its level has a flat prior.
    """
    evidence, said = Evidence(), list[float]()
    for (price, periods, cost), units, judged in sold:
        if judged and evidence.reviews > 0.0:
            belief = believe(evidence, prior, cost)
            spread = max(1e-150, belief.spread(price, periods))
            said.append(-0.5 * (belief.surprise(price, units / periods, periods) ** 2 + log(2.0 * pi)) - log(spread))
        evidence.learn(price, units, periods, prior)
    return sum(said) / max(1, len(said))


def learned(products: Sequence[Sequence[Sold]], serving: Priors) -> Priors | None:
    """The prior of greatest likelihood among those tried, from the one that serves; None of too few products."""
    told = [sold for sold in products if len(sold) >= REVIEWS][-SAMPLE:]
    if len(told) < FEWEST:
        return None

    def likelihood(prior: Priors) -> float:
        return sum(foretold(sold, prior) for sold in told)

    usual, best = _usual(told), serving
    for _ in range(ROUNDS):
        for name in _TRIED:
            best = max([best, *_others(best, name, usual)], key=likelihood)
    return best


def _others(now: Priors, name: str, usual: Priors) -> list[Priors]:
    """The prior with one of its numbers changed, or with one of the unwritten reviews moved to what is usual."""
    at, _, counted = name.partition("_")
    if counted == "periods":
        return [now | {name: choice, at: usual[at]} for choice in _COUNTS] if at in usual else [now | {name: 0.0}]
    return [now | {name: now[name] * by} for by in _TRIED_BY[name]]


def _usual(told: Sequence[Sequence[Sold]]) -> Priors:
    """Of what products have in common, what is usual: units a period at the price 0, and the price over cost at which
    nothing sells. By the line through each product's reviews."""
    lines = [_line(sold) for sold in told]
    known = np.array([(log(a), log(a / (b * cost))) for a, b, cost in lines if min(a, b, cost) > 0.0])
    if len(known) < FEWEST:
        return {}
    middle = np.median(known, axis=0)
    apart = 1.4826 * np.median(np.abs(known - middle), axis=0)  # a deviation, were they Gaussian
    return {name: exp(middle[at]) for at, name in enumerate(("base", "choke")) if apart[at] <= _ALIKE}


def _line(sold: Sequence[Sold]) -> tuple[float, float, float]:
    """a, b of units a period = a − b·price by least squares, and the mean unit cost."""
    weight: Floats = np.array([sqrt(one.review.periods) for one in sold])
    price: Floats = np.array([one.review.price for one in sold])
    rate: Floats = np.array([one.units / one.review.periods for one in sold])
    left = np.stack([np.ones_like(price), -price], axis=1) * weight[:, None]
    (a, b), *_ = np.linalg.lstsq(left, rate * weight)
    return float(a), float(b), float(np.mean([one.review.unit_cost for one in sold]))
