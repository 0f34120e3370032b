"""How each domain learns from its sample: what prior it proposes, and how well a prior predicts. No topic, no clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lgamma, log, pi
from typing import Final, Protocol

import numpy as np

from policies import price_ladder
from policies.attention import prior as history
from policies.attention.school import Histories
from policies.bidding import pacing
from policies.bidding.population import MIN_AUCTIONS, NOISE, SETTLED, Flight, PacingPopulation
from policies.linalg import Floats
from policies.meta.outer_loop import School
from policies.meta.sample import Episode, Split, Stream
from policies.orders import demand
from policies.orders.demand import DemandPopulation, DemandPrior
from policies.orders.foretold import Seen, log_likelihood
from policies.price_population import Review, Sold, foretold, learned
from policies.slates import recommend
from policies.version import Priors


class Learns(Protocol):
    """What a domain must be able to. All of it is a function of its arguments."""

    @property
    def shipped(self) -> Priors: ...

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        """A candidate from the training part; None where that says nothing new."""
        ...

    def score(self, given: Split, prior: Priors) -> Floats:
        """How well a prior predicts each judged entity after the cut [E]: log-likelihood, on average."""
        ...

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        """What a candidate would earn more than what serves [≤ E]; empty where that can't be told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Watches of SKUs: φ is [days in stock, orders, orders that took the last unit], y the units sold in them."""

    shipped: Priors

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        return _pooled(DemandPopulation(), given, self.shipped, serving)

    def score(self, given: Split, prior: Priors) -> Floats:
        parsed = DemandPrior.of(prior)
        return np.array([log_likelihood(_watches(stream, given.cut), parsed) for stream in given.judged])

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        del given, candidate, serving  # what it earns hangs on more than the prior
        return np.zeros(0)


def _watches(stream: Stream, cut: int) -> Iterator[tuple[Seen, bool]]:
    """Each watch, and whether it is after the cut."""
    for one in stream:
        for context, units in zip(one.phi.tolist(), one.y.tolist(), strict=True):
            yield Seen(*demand.watched(context, units), units), one.at >= cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """Flights of campaigns: φ is a `Flight`, told again and again while it runs."""

    shipped: Priors

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        return _pooled(PacingPopulation(), given, self.shipped, serving)

    def score(self, given: Split, prior: Priors) -> Floats:
        return np.array([_foreseen([one for one in stream if one.at >= given.cut], prior) for stream in given.judged])

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        del given, candidate, serving  # what it earns hangs on more than the prior
        return np.zeros(0)


def _foreseen(later: Sequence[Episode], prior: Priors) -> float:
    """Log-likelihood of how a flight went, by its last telling: what it settled at, and its rates."""
    rows = [row for one in later for row in one.phi.tolist() if len(row) == len(Flight._fields)]
    if not rows or rows[-1][1] < MIN_AUCTIONS:
        return 0.0
    flight = Flight(*rows[-1])
    settled = min(1.0, flight.auctions / SETTLED)
    told = settled * _log_normal(flight.log_mu, float(prior["log_mu"]), NOISE / float(prior["strength"]))
    told += _log_beta_binomial(flight.clicks, flight.impressions, prior["ctr"]) / max(1.0, flight.impressions)
    return told + _log_beta_binomial(flight.conversions, flight.clicks, prior["cvr"]) / max(1.0, flight.clicks)


def _log_normal(x: float, mean: float, variance: float) -> float:
    return -0.5 * ((x - mean) ** 2 / variance + log(2 * pi * variance))


def _log_beta_binomial(hits: float, tries: float, beta: Sequence[float]) -> float:
    """log p(hits | tries) but for the binomial coefficient, which is the same under every prior."""
    a, b = beta
    misses = max(0.0, tries - hits)
    return _log_beta(a + hits, b + misses) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


class Prices:
    """Reviews of products: φ is a `Review`, y the units sold in it."""

    @property
    def shipped(self) -> Priors:
        return price_ladder.PRIOR

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        found = learned([_sold(stream, 0) for stream in given.train], serving)
        return None if found is None or found == serving else serving | _rounded(found)

    def score(self, given: Split, prior: Priors) -> Floats:
        return np.array([foretold(_sold(stream, given.cut), prior) for stream in given.judged])

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        del given, candidate, serving  # what it earns at other prices, nobody has seen
        return np.zeros(0)


def _sold(stream: Stream, cut: int) -> list[Sold]:
    return [
        Sold(Review(*row), units, one.at >= cut)
        for one in stream
        for row, units in zip(one.phi.tolist(), one.y.tolist(), strict=True)
        if len(row) == len(Review._fields) and row[1] > 0.0
    ]


def _pooled(
    population: DemandPopulation | PacingPopulation, given: Split, shipped: Priors, serving: Priors
) -> Priors | None:
    """What serves, with what a population says that has seen all that is learned from; None where that is nothing."""
    for n, stream in enumerate(given.train):
        for one in stream:
            population.update(f"{n:06d}", one.phi.tolist(), one.y.tolist())
    learned = population.prior()
    return None if learned == shipped else serving | _rounded(learned)


def _rounded(prior: Priors) -> Priors:
    """To float32: the last bits hang on the machine."""
    return {name: np.float32(value).astype(np.float64).tolist() for name, value in prior.items()}


SCHOOLS: Final[dict[str, Learns]] = {
    recommend.DOMAIN: School(shipped=recommend.PRIOR, memory_ms=recommend.MEMORY_MS),
    pacing.DOMAIN: Pacing(shipped=pacing.PRIOR),
    "replenishment": Demand(shipped=demand.PRIOR),
    price_ladder.DOMAIN: Prices(),
    history.DOMAIN: Histories(),
}
