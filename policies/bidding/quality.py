"""How good a campaign's traffic is next to the population's, by what the campaign wants. No topic, no clock."""

from dataclasses import dataclass
from math import exp
from typing import Final

import msgspec

from policies.version import Priors

BOUND: Final = 2.0  # quality scales a bid by no more than this, either way


class Tally(msgspec.Struct, array_like=True):
    """What followed from winning: counts, and the sums of ln revenue and its square over conversions."""

    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    log_revenue: float = 0.0
    log_revenue_squared: float = 0.0


@dataclass(frozen=True, slots=True)
class Quality:
    """Posterior rates, and `index`: 1 is the population's; the revenue is that of a conversion."""

    index: float
    ctr: float
    cvr: float
    revenue: float


def quality(tally: Tally, weights: tuple[float, float, float], prior: Priors) -> Quality:
    """The weighted mean of CTR, CVR and revenue, each relative to its prior mean.

    CTR and CVR are Beta-binomial; ln revenue is normal with a known variance, and its index 1 while no population
    is known (strength 0).
    """
    ctr, ctr_index = _rate(tally.clicks, tally.impressions, prior["ctr"])
    cvr, cvr_index = _rate(tally.conversions, tally.clicks, prior["cvr"])
    mean, strength, variance = prior["revenue"]
    evidence = strength + tally.conversions
    posterior = (mean * strength + tally.log_revenue) / evidence if evidence else mean
    revenue_index = exp(posterior - mean) if strength else 1.0
    total = sum(weights)
    indices = (ctr_index, cvr_index, revenue_index)
    index = sum(w * i for w, i in zip(weights, indices, strict=True)) / total if total else 1.0
    return Quality(max(1.0 / BOUND, min(BOUND, index)), ctr, cvr, exp(posterior + variance / 2))


def _rate(hits: int, tries: int, beta: list[float]) -> tuple[float, float]:
    a, b = beta
    mean = (a + hits) / (a + b + max(hits, tries))
    return mean, mean / (a / (a + b))
