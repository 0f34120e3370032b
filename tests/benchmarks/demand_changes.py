"""What it is worth to ask whether the level of demand has changed: SKUs whose rate jumps, or doesn't. Run by hand:

    python -m tests.benchmarks.demand_changes [--kinds steady rise …] [--skus 60] [--mean 0.25] [--seeds 2]

The live agent stocks each SKU for a year, stepped as in `tests.benchmarks.stock`, and sees only what was sold. Rates
are drawn from the prior that it is given, Gamma(1.33, ·) with a mean of `--mean` orders a day; lead times are 2 to 7
days, and a lost sale costs as much as 20 to 600 days of holding. `half-life` only lets what was seen fade; `changes`
weighs hypotheses of the last change besides; `known` is our rule, told the rate and the dispersion of each day. The
log-likelihood is of each day's units before they were seen, where nothing is lost: a mean per day.

steady     one rate, for ever                   rise, fall   three times or a third of it, from some day on
redrawn    a new rate every 120 days or so      promotions   three times it in four fortnights
season     from .4 to 1.6 of it within the year
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, log
from typing import Final

import numpy as np
import torch

from infra.demo.shelf import Sku
from policies.baselines.lost_sales import Demand, Rule, Terms
from policies.linalg import Floats
from policies.meta.sample import Episode, Split
from policies.meta.schools import SCHOOLS
from policies.orders.demand import Belief
from policies.orders.replenish import Due, Review
from policies.version import PolicyVersion, Priors
from streams.records import Supply
from streams.times import DAY
from tests.benchmarks.stock import Bill, Sample, Told, by_rule, live, reviews_of

START: Final = 1_483_228_800_000
DAYS: Final = 365
SHAPE: Final = 1.33
SIZE: Final = 1.3  # units of an order
OPENING_DAYS: Final = 10.0

Random = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """SKUs as a shop has them, and the rate of each on each day, orders [DAYS]."""

    sample: Sample
    rates: dict[Sku, Floats]


def _steady(mean: float, random: Random) -> Floats:
    return np.full(DAYS, random.gamma(SHAPE, mean / SHAPE))


def _redrawn(mean: float, random: Random) -> Floats:
    days, at = _steady(mean, random), 0
    while (at := at + 1 + int(random.exponential(120.0))) < DAYS:
        days[at:] = random.gamma(SHAPE, mean / SHAPE)
    return days


def _stepped(factor: float) -> "Path":
    def path(mean: float, random: Random) -> Floats:
        days = _steady(mean, random)
        days[int(random.integers(90, 270)) :] *= factor
        return days

    return path


def _promoted(mean: float, random: Random) -> Floats:
    days = _steady(mean, random)
    usual = days[0]
    for first in random.integers(0, DAYS - 14, 4).tolist():
        days[first : first + 14] = 3.0 * usual
    return days


def _seasonal(mean: float, random: Random) -> Floats:
    return _steady(mean, random) * (1.0 + 0.6 * np.sin(2.0 * np.pi * (np.arange(DAYS) / DAYS + random.random())))


Path = Callable[[float, Random], Floats]
KINDS: Final[dict[str, Path]] = {
    "steady": _steady,
    "rise": _stepped(3.0),
    "fall": _stepped(1.0 / 3.0),
    "redrawn": _redrawn,
    "promotions": _promoted,
    "season": _seasonal,
}


def draw(path: Path, skus: int, mean: float, seed: int) -> Drawn:
    """So many SKUs, orders coming as a Poisson stream, each of geometrically many units."""
    random = np.random.default_rng(seed)
    supply: dict[Sku, Supply] = {}
    opening: dict[Sku, float] = {}
    demand: dict[Sku, list[Demand]] = {}
    rates: dict[Sku, Floats] = {}
    for n in range(skus):
        key, rate = (f"sku-{n}", "north"), path(mean, random)
        supply[key] = Supply(
            lead_time_days=float(random.integers(2, 8)),
            holding_cost=1.0,
            shortage_cost=exp(random.uniform(log(20.0), log(600.0))),
            pack_size=1,
            min_order=1.0,
            max_order=float(np.ceil(30.0 + 60.0 * SIZE * float(np.max(rate)))),
        )
        opening[key] = max(1.0, float(np.ceil(OPENING_DAYS * SIZE * rate[0])))
        at = [START + int(each * DAY) for day in range(DAYS) for each in _moments(day, float(rate[day]), random)]
        demand[key] = [Demand(one, float(random.geometric(1.0 / SIZE))) for one in sorted(at)]
        rates[key] = rate
    sample = Sample(supply=supply, opening=opening, demand=demand, start=START, end=START + DAYS * DAY)
    return Drawn(sample=sample, rates=rates)


def _moments(day: int, rate: float, random: Random) -> list[float]:
    """When the orders of a day come, in days."""
    return (day + random.random(int(random.poisson(rate)))).tolist()


# ---- What is known of the rate ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Following(Told):
    """Our rule, told the rate and the dispersion of each day."""

    reviews: dict[int, Callable[[float, tuple[Due, ...]], Review]] = field(
        default_factory=dict[int, Callable[[float, tuple[Due, ...]], Review]]
    )

    def review(self, on_hand: float, on_order: float, sold: float) -> float:
        if self.day in self.reviews:
            self.review_of = self.reviews[self.day]
            self.known.clear()
        return Told.review(self, on_hand, on_order, sold)


def known(drawn: Drawn) -> Bill:
    def rule(key: Sku, terms: Terms) -> Rule:
        del terms  # the supply says it all
        supply, rates = drawn.sample.supply[key], drawn.rates[key]
        # The review at a day's end is for the days to come.
        levels = {max(0, day - 1): rates[day] for day in range(DAYS) if day == 0 or rates[day] != rates[day - 1]}
        reviews = {day: _review_of(supply, float(rate)) for day, rate in levels.items()}
        return Following(reviews[0], round(supply.lead_time_days), reviews=reviews)

    return by_rule(drawn.sample, rule)


def _review_of(supply: Supply, rate: float) -> Callable[[float, tuple[Due, ...]], Review]:
    """The review at some stock, of demand of so many orders a day."""
    beyond, mean = SIZE - 1.0, max(1e-6, rate * SIZE)
    belief = Belief(a=1e9, b=1e9 / mean, dispersion=beyond * (beyond + 1.0) / SIZE + SIZE)
    return reviews_of(supply, belief)


# ---- The two ways of forgetting --------------------------------------------------------------------------------------


def prior(mean: float, hazard: float | None) -> Priors:
    """The population's, with a hazard of changes; None: the one that ships."""
    told = {"a": SHAPE, "b": SHAPE / mean, "size": SIZE}
    return told if hazard is None else {**told, "hazard": hazard}


def foretold(drawn: Drawn, given: Priors) -> float:
    """Mean log-likelihood of a day's units."""
    streams: list[list[Episode]] = []
    for lines in drawn.sample.demand.values():
        units, orders = np.zeros(DAYS), np.zeros(DAYS)
        for one in lines:
            units[(one.at - START) // DAY] += one.quantity
            orders[(one.at - START) // DAY] += 1.0
        phi = np.stack([np.ones(DAYS), orders, np.zeros(DAYS)], axis=1)
        streams.append([Episode(at=START, phi=phi, y=units, propensities=np.zeros(0))])
    return float(SCHOOLS["replenishment"].score(Split(train=[], judged=streams, cut=0), given).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="What it is worth to ask whether the level of demand has changed")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--skus", type=int, default=60)
    parser.add_argument("--mean", type=float, default=0.25, help="orders a day")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(1)
    ways = {"half-life": prior(given.mean, 0.0), "changes": prior(given.mean, None)}
    print(f"{given.skus} SKUs of {given.mean:g} orders a day on average, {given.seeds} seeds")
    print(f"{'kind':<11} {'way':<10} {'cost':>9}  over known     fill  log-likelihood a day")
    for kind in given.kinds:
        shops = [draw(KINDS[kind], given.skus, given.mean, seed) for seed in range(given.seeds)]
        least = [known(shop) for shop in shops]
        told = sum(bill.cost for bill in least)
        print(f"{kind:<11} {'known':<10} {told:9,.0f} {'':>11} {_fill(least):8.1%}", flush=True)
        for name, believed in ways.items():
            version = PolicyVersion(number=1, parent=0, priors={"replenishment": believed})
            bills = [live(shop.sample, version) for shop in shops]
            cost, said = sum(bill.cost for bill in bills), np.mean([foretold(shop, believed) for shop in shops])
            print(
                f"{'':<11} {name:<10} {cost:9,.0f} {cost / told - 1.0:11.1%} {_fill(bills):8.1%} {said:21.4f}",
                flush=True,
            )


def _fill(bills: list[Bill]) -> float:
    """The mean share of the units wanted that were sold."""
    return float(np.mean([bill.fill for bill in bills]))


if __name__ == "__main__":
    main()
