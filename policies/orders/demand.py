"""What is believed of one SKU's demand, and the prior that all SKUs share. No stock, no orders, no clock.

Units sold while in stock are Poisson with rate λ ~ Gamma(a, b): the Gamma–Poisson model. Time out of stock says nothing
of demand, so it adds no exposure: that is all censoring takes, since a Poisson likelihood doesn't mind when watching
stopped. Orders of several units, offers and weekdays make counts wider than Poisson: their dispersion φ, variance over
mean, is estimated as well, and scales the evidence down (quasi-likelihood; McCullagh & Nelder 1989, ch. 9).
"""

from dataclasses import dataclass
from hashlib import blake2b
from math import exp, expm1, log
from typing import Final

import msgspec
import torch

from policies.version import Priors

PRIOR: Final[Priors] = {"a": 0.5, "b": 0.5, "dispersion": 1.0, "half_life_days": 120.0}

_DISPERSION_WEIGHT: Final = 10.0  # units expected before a SKU's own dispersion weighs as much as the prior's
_LEAST_DISPERSION: Final = 0.25
_FEWEST: Final = 8  # SKUs that must have been watched before a prior is estimated
_SAMPLE: Final = 4096  # SKUs kept for the estimate
_EM_ROUNDS: Final = 200
_SHORTEST_DAYS: Final = 0.1  # a shorter watch says too little of dispersion


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPrior:
    """λ ~ Gamma(a, b) per day; what a SKU's data add to it halves every `half_life_days`."""

    a: float
    b: float
    dispersion: float
    half_life_days: float

    @classmethod
    def of(cls, prior: Priors) -> "DemandPrior":
        """From a policy version; what it leaves out is as shipped."""
        full = {**PRIOR, **prior}
        return cls(**{name: float(full[name]) for name in PRIOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """λ ~ Gamma(a, b): units per day; counts have variance `dispersion` × mean."""

    a: float
    b: float
    dispersion: float

    @property
    def mean(self) -> float:
        return self.a / self.b

    @property
    def variance(self) -> float:
        """Of λ: how little is known."""
        return self.a / (self.b * self.b)


class Evidence(msgspec.Struct, array_like=True):
    """What one SKU's own data added to the prior. It fades, so forgetting goes *toward the prior*.

    >>> evidence = Evidence()
    >>> evidence.watch(10.0, half_life_days=1e9)
    >>> for _ in range(20): evidence.sell(1.0)
    >>> round(evidence.belief(DemandPrior.of({"a": 1.0, "b": 1.0})).mean, 2)  # (1 + 20) / (1 + 10)
    1.91
    """

    units: float = 0.0
    days: float = 0.0  # in stock
    # Of the watches that were judged, units u over days d: Σd, Σu², Σud, Σd².
    judged: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    lengths: float = 0.0

    def fade(self, days: float, half_life_days: float) -> None:
        """Let `days` pass unwatched."""
        self.keep(exp(-log(2.0) * days / half_life_days))

    def keep(self, share: float) -> None:
        """Keep this share of what is known, as after a change of level."""
        self.units *= share
        self.days *= share
        self.judged *= share
        self.squares *= share
        self.products *= share
        self.lengths *= share

    def watch(self, days: float, half_life_days: float) -> None:
        """Let `days` pass in stock: each of them counts for what is left of it at the end."""
        self.fade(days, half_life_days)
        self.recall(days, half_life_days)

    def recall(self, days: float, half_life_days: float) -> None:
        """Count `days` that have passed unwatched as watched after all; below 0, watched ones as unwatched."""
        memory = half_life_days / log(2.0)
        self.days = max(0.0, self.days + memory * -expm1(-days / memory))

    def sell(self, quantity: float, weight: float = 1.0) -> None:
        """Count one order; `weight` is what is left of one that comes late."""
        self.units += weight * quantity

    def judge(self, units: float, days: float) -> None:
        """Take in an ended watch: how far the watches lie apart is dispersion."""
        self.judged += days
        self.squares += units * units
        self.products += units * days
        self.lengths += days * days

    def belief(self, prior: DemandPrior) -> Belief:
        """What the prior and the data come to.

        Dispersion is measured around the SKU's own rate. Around what was believed of it, a rate far from all that the
        prior had foreseen would pass for chance, and its evidence be scaled away.
        """
        rate = self.units / self.days if self.days > 0.0 else 0.0
        apart = max(0.0, self.squares - 2.0 * rate * self.products + rate * rate * self.lengths)
        own = _DISPERSION_WEIGHT * prior.dispersion + apart
        spread = max(_LEAST_DISPERSION, own / (_DISPERSION_WEIGHT + rate * self.judged))
        return Belief(a=prior.a + self.units / spread, b=prior.b + self.days / spread, dispersion=spread)


class Watched(msgspec.Struct, array_like=True):
    """The sums of one SKU: units, days in stock, Σ units²/days over its `watches`."""

    units: float = 0.0
    days: float = 0.0
    spread: float = 0.0
    watches: int = 0


class DemandPopulation(msgspec.Struct):
    """What the population of SKUs says of the prior. Sums only, so two populations merge by adding.

    Of more than 4,096 SKUs those with the smallest hash are kept: a sample that doesn't depend on arrival.
    """

    skus: dict[str, Watched] = {}

    def update(self, entity: str, contexts: list[list[float]], outcomes: list[float]) -> None:
        """Take in watches of one SKU: contexts [n, 1] are days in stock, outcomes [n] the units sold in them."""
        mine = self.skus.setdefault(entity, Watched())
        for (days, *_), units in zip(contexts, outcomes, strict=True):
            mine.units += units
            mine.days += days
            if days >= _SHORTEST_DAYS:
                mine.spread += units * units / days
                mine.watches += 1
        self._bound()

    def merge(self, other: "DemandPopulation") -> None:
        """Add what another population has seen of other watches."""
        for entity, theirs in other.skus.items():
            mine = self.skus.setdefault(entity, Watched())
            mine.units += theirs.units
            mine.days += theirs.days
            mine.spread += theirs.spread
            mine.watches += theirs.watches
        self._bound()

    def _bound(self) -> None:
        if len(self.skus) > _SAMPLE:
            kept = sorted(self.skus, key=lambda name: (_hash(name), name))[:_SAMPLE]
            self.skus = {name: self.skus[name] for name in kept}

    def prior(self) -> Priors:
        """The Gamma prior of greatest likelihood by EM; as shipped, while too few SKUs have sold anything."""
        known = [self.skus[name] for name in sorted(self.skus) if self.skus[name].days > 0.0]
        if len(known) < _FEWEST or not any(sku.units > 0.0 for sku in known):
            return dict(PRIOR)
        dispersion = _dispersion(known)
        units = torch.tensor([sku.units for sku in known], dtype=torch.float64) / dispersion  # [E]
        days = torch.tensor([sku.days for sku in known], dtype=torch.float64) / dispersion  # [E]
        a, b = _fit_gamma(units, days)
        return {**PRIOR, "a": a, "b": b, "dispersion": dispersion}


def _hash(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def _dispersion(known: list[Watched]) -> float:
    """Variance over mean of the units of a watch, around each SKU's own rate."""
    around = sum(max(0.0, sku.spread - sku.units**2 / sku.days) for sku in known)
    expected = sum(sku.units / sku.days * max(0, sku.watches - 1) for sku in known)
    return min(100.0, max(0.1, around / expected)) if expected > 0.0 else float(PRIOR["dispersion"])


def _fit_gamma(units: torch.Tensor, days: torch.Tensor) -> tuple[float, float]:
    """a, b of λ ~ Gamma(a, b) from counts [E] over exposures [E], by EM from wide priors.

    E: E[λ] = (a+n)/(b+T), E[log λ] = ψ(a+n) − log(b+T). M: log a − ψ(a) = log mean E[λ] − mean E[log λ], b = a / mean.
    """
    a = torch.tensor(1.0, dtype=torch.float64)
    b = a * days.sum() / units.sum().clamp_min(1e-9)
    for _ in range(_EM_ROUNDS):
        rate = (a + units) / (b + days)
        gap = rate.mean().log() - (torch.digamma(a + units) - (b + days).log()).mean()
        a = _solve_shape(gap.clamp(1e-4, 1e2))
        b = a / rate.mean()
    return float(a.clamp(0.05, 1e4)), float((a.clamp(0.05, 1e4) / a) * b)


def _solve_shape(gap: torch.Tensor) -> torch.Tensor:
    """The a at which log a − ψ(a) = gap (Minka 2002): a closed-form start, then Newton on 1/a."""
    a = (3.0 - gap + ((gap - 3.0) ** 2 + 24.0 * gap).sqrt()) / (12.0 * gap)
    for _ in range(4):
        slope = a * a * (1.0 / a - torch.polygamma(1, a))
        a = 1.0 / (1.0 / a + (a.log() - torch.digamma(a) - gap) / slope)
    return a
