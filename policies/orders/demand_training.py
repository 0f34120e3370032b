"""The prior that a SKU's first belief goes by: from a year of many drawn SKUs, judged on those of other shops.

What SKUs have in common, how often they are ordered, by how much, how dispersed, is the prior of greatest likelihood
over what was sold of them from shelves that run empty now and then, by the code by which the learner finds a shop's
own. How long sales are of use, and how often a level changes, are tried by turns, each by what the stock of a year
costs under the live rule. Likelihood asks for more changes than pay: stock that was ordered for a rise that never was
stays until it is sold.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Final

import numpy as np

from policies.artefact import Array
from policies.linalg import Floats
from policies.orders.demand import FLAT, DemandPopulation, DemandPrior
from policies.orders.foretold import Seen, log_likelihood
from policies.orders.stocked import Life, stocked
from policies.portable import rounded
from policies.tasks.assortment import YEAR, Sku, draw
from policies.version import Priors

Tell = Callable[[str], None]

SKUS: Final = 512  # learned from; half of them stocked again and again, and half as many others judged on
TRIED: Final = {
    "hazard": (0.00025, 0.0005, 0.001),
    "half_life_days": (60.0, 120.0, 240.0),
}


def train(seed: int, tell: Tell, *, skus: int = SKUS, days: int = YEAR) -> tuple[dict[str, Array], dict[str, str]]:
    """The numbers of a DemandPrior, and what is said of them. A minute or two of a core."""
    half = -(-skus // 2)
    ours = draw(np.random.default_rng([seed, 19, 0]), skus, days)
    others = draw(np.random.default_rng([seed, 19, 1]), half, days)
    prior = FLAT | likeliest(stocked(ours, DemandPrior.of(FLAT)))
    tell(f"of {skus} drawn SKUs: " + ", ".join(f"{name} {prior[name]:g}" for name in ("a", "b", "size", "dispersion")))
    for name, choices in TRIED.items():
        prior = prior | {name: _best(ours[:half], [prior | {name: choice} for choice in choices], name, tell)[name]}
    about = {"skus": str(skus)}
    for name, believed in (("flat_prior", FLAT), ("learned", prior)):
        about[f"cost_{name}"] = f"{costs(others, believed).mean():.4f}"
        about[f"log_likelihood_{name}"] = f"{foretold(others, believed):.4f}"
    tell(f"{half} SKUs of other shops: " + ", ".join(f"{name} {value}" for name, value in about.items()))
    return {name: np.array(prior[name], dtype=np.float64) for name in FLAT}, about


def _best(skus: Sequence[Sku], priors: Sequence[Priors], name: str, tell: Tell) -> Priors:
    """Of priors that differ by one number, the cheapest."""
    tried = [float(costs(skus, prior).mean()) for prior in priors]
    tell(f"{name}: " + ", ".join(f"{prior[name]:g} {found:.4f}" for prior, found in zip(priors, tried, strict=True)))
    return priors[tried.index(min(tried))]


def likeliest(lives: Sequence[Life]) -> Priors:
    """What the SKUs that were seen have in common: all of a prior but what becomes of it with time."""
    population = DemandPopulation()
    for place, life in enumerate(lives):
        watches = [[seen.days, seen.orders, seen.cut] for seen in life.seen]
        population.update(f"{place:06d}", watches, [seen.units for seen in life.seen])
    found = population.prior()
    return {name: rounded(found[name]) for name in ("a", "b", "size", "dispersion")}


def costs(skus: Sequence[Sku], prior: Priors) -> Floats:
    """What each SKU costs under the live rule from this prior on [E], in units of what it should about cost."""
    lives = stocked(skus, DemandPrior.of(prior))
    return np.array([life.cost / (len(sku.asked) * _usual(sku)) for sku, life in zip(skus, lives, strict=True)])


def _usual(sku: Sku) -> float:
    """Holding one deviation of the demand from order to arrival for a day, or losing all that is wanted in one."""
    deviation = sqrt(2.0 * sku.size * sku.units * (sku.lead_time_days + 1.0))
    return min(sku.holding_cost * deviation, sku.shortage_cost * sku.units)


def foretold(skus: Sequence[Sku], prior: Priors) -> float:
    """The mean log-likelihood of a day's units, of SKUs that are never out of stock."""
    parsed = DemandPrior.of(prior)
    days = ([Seen(1.0, float(len(day)), 0.0, sum(one.units for one in day)) for day in sku.asked] for sku in skus)
    return float(np.mean([log_likelihood(((day, True) for day in each), parsed) for each in days]))
