"""What campaigns have in common, re-estimated from their flights: the prior that the next campaign starts from."""

from math import sqrt
from typing import Final, NamedTuple

import msgspec

from policies.bidding.pacing import PRIOR
from policies.version import Priors

MAX_CAMPAIGNS: Final = 2_000  # the newest: old flights say little of today's prices
MIN_AUCTIONS: Final = 50.0  # before that, log μ says more of its own prior than of the campaign
SETTLED: Final = 500.0  # auctions after which a flight's log μ counts in full
STRENGTH: Final = (0.1, 300.0)
NOISE: Final = 2.0  # variance of one auction's step on log μ, relative to the gain


class Flight(NamedTuple):
    """The context of an experience: one campaign's flight so far."""

    log_mu: float
    auctions: float
    impressions: float
    clicks: float
    conversions: float
    log_revenue: float
    log_revenue_squared: float
    log_price: float
    log_price_deviation: float
    lag: float
    budget: float
    spent: float


class PacingPopulation(msgspec.Struct):
    """The newest flight of each campaign. A campaign told again replaces itself, so that nothing counts twice."""

    flights: dict[str, list[float]] = {}

    def update(self, entity_key: str, contexts: list[list[float]], outcomes: list[float]) -> None:
        """Take in one experience: one row, as `Flight`. `outcomes`, the value won, is kept for the log only."""
        del outcomes
        for row in contexts:
            if len(row) == len(Flight._fields):
                self.remove(entity_key)
                self.flights[entity_key] = row
        while len(self.flights) > MAX_CAMPAIGNS:
            self.remove(next(iter(self.flights)))

    def remove(self, entity_key: str) -> None:
        self.flights.pop(entity_key, None)

    def prior(self) -> Priors:
        """The prior for a campaign of this population; the shipped one where it says nothing."""
        return reestimate([Flight(*self.flights[name]) for name in sorted(self.flights)])


def reestimate(flights: list[Flight], shipped: Priors = PRIOR) -> Priors:
    """Empirical Bayes: what the flights say of a prior, with the shipped one as one more weak campaign."""
    told = [flight for flight in flights if flight.auctions >= MIN_AUCTIONS]
    if not told:
        return dict(shipped)
    log_mu, spread = _moments([(f.log_mu, min(1.0, f.auctions / SETTLED)) for f in told], float(shipped["log_mu"]))
    prior = dict(shipped)
    prior["log_mu"] = log_mu
    prior["strength"] = max(STRENGTH[0], min(STRENGTH[1], NOISE / spread))
    prior["lag"] = max(2.0, min(1e4, _longest(told, float(shipped["lag"]))))
    prior["ctr"] = _beta(sum(f.clicks for f in told), sum(f.impressions for f in told), shipped["ctr"])
    prior["cvr"] = _beta(sum(f.conversions for f in told), sum(f.clicks for f in told), shipped["cvr"])
    prior["revenue"] = _revenue(told, shipped["revenue"])
    prior["price"] = _price(told)
    return prior


def _moments(points: list[tuple[float, float]], shipped: float) -> tuple[float, float]:
    """Weighted mean, and the variance around it with one pseudo-point at the shipped value, of weight 1/10."""
    weighted = [*points, (shipped, 0.1)]
    total = sum(w for _, w in weighted)
    mean = sum(x * w for x, w in weighted) / total
    return mean, max(1e-4, sum(w * (x - mean) ** 2 for x, w in weighted) / total)


def _longest(told: list[Flight], shipped: float) -> float:
    """Mean and three deviations of the campaigns' longest lags, one shipped prior among them while they are few."""
    lags = [f.lag for f in told] + [shipped] * (len(told) < 5)
    mean = sum(lags) / len(lags)
    return mean + 3.0 * sqrt(sum((lag - mean) ** 2 for lag in lags) / len(lags))


def _beta(hits: float, tries: float, shipped: list[float]) -> list[float]:
    """The pooled rate, worth as many trials as the shipped prior."""
    a, b = shipped
    mean = (a + hits) / (a + b + max(hits, tries))
    return [mean * (a + b), (1.0 - mean) * (a + b)]


def _revenue(told: list[Flight], shipped: list[float]) -> list[float]:
    n = sum(f.conversions for f in told)
    if n == 0:
        return list(shipped)
    mean = sum(f.log_revenue for f in told) / n
    variance = max(1e-3, sum(f.log_revenue_squared for f in told) / n - mean * mean)
    return [mean, 5.0, variance]


def _price(told: list[Flight]) -> list[float]:
    mean, between = _moments([(f.log_price, 1.0) for f in told], told[0].log_price)
    within = sum(f.log_price_deviation**2 for f in told) / len(told)
    return [mean, sqrt(within + between), 10.0]
