"""SKUs of many shops, drawn: how often each is ordered on each day, by how much, and on what terms. No retailer's.

Shops are of any size, and most of what they stock moves slowly: a SKU's usual rate is log-normal around its shop's,
and nine in ten are ordered less than once a day (in the M5 data, too, most daily series are intermittent: Makridakis,
Spiliotis, Assimakopoulos 2022). Orders come as a Poisson stream, each of one unit or of geometrically many. What is
common to the orders of a day, its weekday, the weather, makes counts of fast movers wider than Poisson and leaves those
of slow ones as they are, as in the tills of shops (Fukunaga, Takayasu, Takayasu 2016). The level of demand stays, jumps
once, is drawn anew now and then, or swings with the season, a quarter each; some SKUs are on offer besides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from typing import Final, NamedTuple

import numpy as np

from policies.linalg import Floats

YEAR: Final = 365
A_SHOP: Final = 12  # SKUs drawn of each
USUAL: Final = (log(0.15), 1.0)  # of a shop: log orders a day of its median SKU, and how far shops lie apart
SINGLY: Final = 0.5  # of the SKUs, bought a unit at a time: what isn't food or drink mostly is
OFFERED: Final = 0.25
AN_OFFER: Final = 14  # days

Random = np.random.Generator


class Asked(NamedTuple):
    """One order: when, in days since midnight, and the units that it wants."""

    at: float
    units: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """What was asked for on each day, by people who would have taken it; and the terms of its stock.

    `rates` are what orders were to be expected on each day, `size` the mean units of one. Costs are per unit: holding
    per day, shortage per lost sale.
    """

    asked: list[list[Asked]]
    rates: list[float]
    size: float
    lead_time_days: int
    holding_cost: float
    shortage_cost: float
    opening: float  # units on hand as the year begins

    @property
    def units(self) -> float:
        """To be expected of a day."""
        return self.size * sum(self.rates) / len(self.rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Its SKUs are ordered exp(N(`centre`, `spread`²)) times a day; `week` [7] and the noise of days are of all."""

    centre: float
    spread: float
    week: Floats
    noise: float

    def usual(self, random: Random) -> float:
        """Orders a day of one of its SKUs."""
        return exp(random.normal(self.centre, self.spread))


def draw(random: Random, count: int, days: int = YEAR) -> list[Sku]:
    """So many SKUs, a dozen of each shop, and what was asked for in the first `days` of the year."""
    shops = [_shop(random) for _ in range(-(-count // A_SHOP))]
    return [_sku(shops[place // A_SHOP], random, days) for place in range(count)]


def _shop(random: Random) -> Shop:
    week = np.exp(random.normal(0.0, random.uniform(0.0, 0.4), 7))
    return Shop(
        centre=random.normal(*USUAL),
        spread=random.uniform(0.6, 1.6),
        week=week / week.mean(),
        noise=random.uniform(0.0, 0.4),
    )


def _sku(shop: Shop, random: Random, days: int) -> Sku:
    kind = PATHS[int(random.integers(len(PATHS)))]
    rates = kind(shop, random) * shop.week[np.arange(YEAR) % 7] * _offers(random)
    if shop.noise > 0.0:
        rates = rates * random.gamma(shop.noise**-2, shop.noise**2, YEAR)
    size = 1.0 if random.random() < SINGLY else 1.0 + exp(random.normal(log(0.4), 1.0))
    lead = round(_between(random, 1.0, 14.0))
    expected = rates[:days].tolist()
    return Sku(
        asked=[_day(each, size, random) for each in expected],
        rates=expected,
        size=size,
        lead_time_days=lead,
        holding_cost=1.0,
        shortage_cost=_between(random, 20.0, 600.0),
        opening=float(max(1.0, np.ceil(random.uniform(3.0, 20.0) * float(rates.mean()) * size))),
    )


def _day(rate: float, size: float, random: Random) -> list[Asked]:
    count = int(random.poisson(rate))
    if count == 0:
        return []
    at, units = np.sort(random.random(count)).tolist(), random.geometric(1.0 / size, count).tolist()
    return [Asked(when, float(many)) for when, many in zip(at, units, strict=True)]


def _between(random: Random, low: float, high: float) -> float:
    """Log-uniform."""
    return exp(random.uniform(log(low), log(high)))


def _offers(random: Random) -> Floats:
    """What offers multiply orders by [YEAR]: once to six times a year, for a fortnight, by up to four."""
    factors = np.ones(YEAR)
    if random.random() < OFFERED:
        for first in random.integers(0, YEAR, int(random.integers(1, 7))).tolist():
            factors[first : first + AN_OFFER] = _between(random, 1.3, 4.0)
    return factors


# ---- The level of demand, orders a day [YEAR] ------------------------------------------------------------------------


def _stays(shop: Shop, random: Random) -> Floats:
    return np.full(YEAR, shop.usual(random))


def _jumps(shop: Shop, random: Random) -> Floats:
    """Once, up or down, to between two thirds and a quarter or the other way."""
    levels = _stays(shop, random)
    factor = _between(random, 1.5, 4.0)
    levels[int(random.integers(YEAR)) :] *= factor if random.random() < 0.5 else 1.0 / factor
    return levels


def _redrawn(shop: Shop, random: Random) -> Floats:
    """As of another SKU of the shop, every two months to every other year."""
    levels, often, at = _stays(shop, random), _between(random, 60.0, 700.0), 0
    while (at := at + 1 + int(random.exponential(often))) < YEAR:
        levels[at:] = shop.usual(random)
    return levels


def _swings(shop: Shop, random: Random) -> Floats:
    turn = 2.0 * np.pi * (np.arange(YEAR) / YEAR + random.random())
    return _stays(shop, random) * (1.0 + random.uniform(0.1, 0.9) * np.sin(turn))


Path = Callable[[Shop, Random], Floats]
PATHS: Final[tuple[Path, ...]] = (_stays, _jumps, _redrawn, _swings)
