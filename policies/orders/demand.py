"""What is believed of one SKU's demand, and the prior that all SKUs share. No stock, no orders, no clock.

Demand is compound: orders come as a Poisson stream with rate λ ~ Gamma(a, b), each for some units. Two things hide
demand, and each part of the model takes one. Time out of stock adds no exposure to λ: that is all it takes there, since
a Poisson likelihood doesn't mind when watching stopped. An order that emptied the shelf may have wanted more than there
was: it tells that its size Q ≥ q, not Q = q. Beyond the least size l, sizes are geometric, and the likelihood of whole
orders P(Q = q) and of cut ones P(Q ≥ q) is greatest at the mean

    μ = l + Σ (q − l) / (orders − cut orders),

the sum over all of them. It is shrunk to the population's. Weekdays and offers make counts of orders wider than
Poisson: their dispersion ψ, variance over mean, is estimated as well, and scales the evidence down (quasi-likelihood;
McCullagh & Nelder 1989, ch. 9). Demand in units then has variance over mean φ = e (e + 1) / μ + ψ μ, with e = μ − l.

The rate forgets in two ways. What was seen fades, and a few hypotheses say since when it is of use at all: the level
may have changed (`changes`). Sizes know no hypotheses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import exp, expm1, log
from typing import Final

import msgspec
import torch

from policies import shipped
from policies.orders import changes
from policies.orders.changes import NOTHING, Level, Run, Watch
from policies.version import Priors

DOMAIN: Final = "replenishment"
SCHEMA: Final = "replenishment-network/1"

# What is believed of a SKU of no shop in particular: a tenth of an order in a tenth of a day, of single units. Nothing
# ever changes, and what was seen hardly fades.
FLAT: Final[Priors] = {
    "a": 0.1,
    "b": 0.1,
    "size": 1.0,
    "dispersion": 1.0,
    "half_life_days": 1000.0,
    "hazard": 0.0,
}
# The one that ships: trained on drawn SKUs (`demand_training`). In its file lie the evaluated network's weights, too.
PRIOR: Final[Priors] = shipped.numbers(DOMAIN, schema=SCHEMA, names=FLAT)

_DISPERSION_WEIGHT: Final = 10.0  # orders expected before a SKU's own dispersion weighs as much as the prior's
_SIZE_WEIGHT: Final = 5.0  # whole orders that the population's size weighs as much as
_LEAST_WHOLE: Final = 1.0 / 3.0  # of the orders, at least: where hardly one is whole, how far they reach is a guess
_LEAST_DISPERSION: Final = 1.0
_FEWEST: Final = 8  # SKUs that must have been watched before a prior is estimated
_SAMPLE: Final = 4096  # SKUs kept for the estimate
_EM_ROUNDS: Final = 200
_LONGEST: Final = 700.0  # memories that can be taken back: beyond, an exponential overflows


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPrior:
    """Orders per day λ ~ Gamma(a, b), of `size` units, their counts with variance `dispersion` × mean.

    What a SKU's data add to it halves every `half_life_days`; `hazard` times a day in stock λ is drawn anew.
    """

    a: float
    b: float
    size: float
    dispersion: float
    half_life_days: float
    hazard: float

    @classmethod
    def of(cls, prior: Priors) -> "DemandPrior":
        """From a policy version; what it leaves out is as shipped. Rates without a size are of single units."""
        full = {**PRIOR, **({"size": 1.0} if "a" in prior else {}), **prior}
        return cls(**{name: float(full[name]) for name in PRIOR})

    @property
    def level(self) -> Level:
        return Level(self.a, self.b, self.hazard)


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
    >>> round(evidence.belief(DemandPrior.of(FLAT | {"a": 1.0, "b": 1.0})).mean, 2)  # (1 + 20) / (1 + 10)
    1.91
    """

    units: float = 0.0
    days: float = 0.0  # in stock
    # Of the watches that were judged, orders n over days d: Σd, Σn², Σnd, Σd².
    judged: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    lengths: float = 0.0
    extra: float = 0.0  # units of orders beyond the first of each: what was kept before orders were told apart has none
    cut: float = 0.0  # orders that took the last unit
    least: float = 0.0  # units of the smallest whole order; 0: none yet
    runs: list[Run] = []  # hypotheses of the last change, the oldest first; none yet: all is of one level

    @property
    def orders(self) -> float:
        return max(0.0, self.units - self.extra)

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
        self.extra *= share
        self.cut *= share
        self.runs = [run.kept(share) for run in self.runs]

    def watch(self, days: float, half_life_days: float) -> None:
        """Let `days` pass in stock: each of them counts for what is left of it at the end."""
        self.fade(days, half_life_days)
        self.recall(days, half_life_days)

    def recall(self, days: float, half_life_days: float) -> None:
        """Count `days` that have passed unwatched as watched after all; below 0, watched ones as unwatched."""
        memory = half_life_days / log(2.0)
        more = memory * -expm1(min(_LONGEST, -days / memory))
        self.days = max(0.0, self.days + more)
        self.runs = [run.plus(0.0, more) for run in self.runs]

    def sell(self, quantity: float, weight: float = 1.0, *, cut: bool = False) -> None:
        """Count one order; `weight` is what is left of one that comes late, `cut` whether it took the last unit."""
        self.units += weight * quantity
        self.extra += weight * (quantity - 1.0)
        self.runs = [run.plus(weight, 0.0) for run in self.runs]
        if cut and quantity >= 1.0:
            self.cut += weight
        else:
            self.least = min(self.least, quantity) if self.least > 0.0 else quantity

    def sell_together(self, units: float, orders: float, cut: float) -> None:
        """Count several orders at once, `cut` of which took the last unit. The smallest has their mean at most."""
        self.units += units
        self.extra += units - orders
        self.cut += cut
        if orders > cut:
            self.least = min(self.least or units / orders, units / orders)
        self.runs = [run.plus(orders, 0.0) for run in self.runs]

    def uncut(self, weight: float) -> None:
        """Take an order to be whole after all."""
        self.cut = max(0.0, self.cut - weight)

    def judge(self, watch: Watch, prior: DemandPrior, *, later: Watch = NOTHING) -> None:
        """Take in an ended watch: how far the watches lie apart is dispersion, and one that was hardly to be expected
        tells of a change. Its orders and days count already, and so do those that came `later`."""
        if prior.hazard > 0.0 or self.runs:
            runs = self.runs or [self._whole()]
            self.runs = changes.judged(runs, watch, later, prior.level, _spread(runs, prior))
        self.judged += watch.days
        self.squares += watch.orders * watch.orders
        self.products += watch.orders * watch.days
        self.lengths += watch.days * watch.days

    def _whole(self) -> Run:
        """The hypothesis that the level never changed."""
        return Run(1.0, self.orders, self.days, self.judged, self.squares, self.products, self.lengths)

    def belief(self, prior: DemandPrior) -> Belief:
        """What the prior and the data come to, in units."""
        runs = self.runs or [self._whole()]
        spread = _spread(runs, prior)
        size, beyond = self._size(prior)
        a, b = changes.gamma_of(runs, prior.level, spread)
        return Belief(a=a, b=b / size, dispersion=beyond * (beyond + 1.0) / size + spread * size)

    def _size(self, prior: DemandPrior) -> tuple[float, float]:
        """Mean units of an order, and how much of that is beyond the least."""
        known = self.orders / (self.orders + _SIZE_WEIGHT)  # so that the least is forgotten with the orders
        least = known * self.least + (1.0 - known) * min(1.0, prior.size)
        whole = max(self.orders - self.cut, _LEAST_WHOLE * self.orders)
        more = _SIZE_WEIGHT * max(0.0, prior.size - least) + max(0.0, self.units - least * self.orders)
        beyond = more / (_SIZE_WEIGHT + whole)
        return least + beyond, beyond


def _spread(runs: Sequence[Run], prior: DemandPrior) -> float:
    """The dispersion of orders within a run.

    It is measured around the run's own rate. Around what was believed of it, a rate far from all that the prior had
    foreseen would pass for chance, and its evidence be scaled away; around that of a whole life, so would a change.
    """
    foreseen, spread = _DISPERSION_WEIGHT * prior.dispersion, 0.0
    for run in runs:
        rate = run.orders / run.days if run.days > 0.0 else 0.0
        apart = max(0.0, run.squares - 2.0 * rate * run.products + rate * rate * run.lengths)
        own = (foreseen + apart) / (_DISPERSION_WEIGHT + rate * run.judged)
        spread += run.weight * max(_LEAST_DISPERSION, own)
    return spread


class Watched(msgspec.Struct, array_like=True):
    """The sums of one SKU: units, days in stock, units beyond one of each order, orders that took the last unit."""

    units: float = 0.0
    days: float = 0.0
    extra: float = 0.0
    cut: float = 0.0
    watches: int = 0
    # Of them, orders n over days d: Σn², Σnd, Σd².
    squares: float = 0.0
    products: float = 0.0
    lengths: float = 0.0

    @property
    def orders(self) -> float:
        return max(0.0, self.units - self.extra)

    def apart(self) -> tuple[float, float]:
        """Σ(n − λd)² around its own rate λ, and what it were to be of a Poisson stream.

        Not (n − λd)²/d: a watch that ended with the order that emptied the shelf is short because of it, and would say
        that orders come in clusters. Without the quotient it doesn't matter when watching stopped (Wald).
        """
        rate = self.orders / self.days if self.days > 0.0 else 0.0
        around = self.squares - 2.0 * rate * self.products + rate * rate * self.lengths
        return max(0.0, around), self.orders * max(0, self.watches - 1) / max(1, self.watches)


class DemandPopulation(msgspec.Struct):
    """What the population of SKUs says of the prior. Sums only, so two populations merge by adding.

    Of more than 4,096 SKUs those with the smallest hash are kept: a sample that doesn't depend on arrival.
    """

    skus: dict[str, Watched] = {}

    def update(self, entity: str, contexts: list[list[float]], outcomes: list[float]) -> None:
        """Take in watches of one SKU: outcomes [n] are the units sold in them, contexts [n, 3] days in stock, orders,
        and how many of those took the last unit. Without the last two [n, 1], orders are of one unit."""
        mine = self.skus.setdefault(entity, Watched())
        for context, units in zip(contexts, outcomes, strict=True):
            days, orders, cut = watched(context, units)
            mine.units += units
            mine.days += days
            mine.extra += units - orders
            mine.cut += cut
            mine.watches += 1
            mine.squares += orders * orders
            mine.products += orders * days
            mine.lengths += days * days
        self._bound()

    def merge(self, other: "DemandPopulation") -> None:
        """Add what another population has seen of other watches."""
        for entity, theirs in other.skus.items():
            mine = self.skus.setdefault(entity, Watched())
            for name in Watched.__struct_fields__:
                setattr(mine, name, getattr(mine, name) + getattr(theirs, name))
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
        orders = torch.tensor([sku.orders for sku in known], dtype=torch.float64) / dispersion  # [E]
        days = torch.tensor([sku.days for sku in known], dtype=torch.float64) / dispersion  # [E]
        a, b = _fit_gamma(orders, days)
        return {**PRIOR, "a": a, "b": b, "size": _size(known), "dispersion": dispersion}


def watched(context: Sequence[float], units: float) -> tuple[float, float, float]:
    """Days in stock, orders, and how many of these took the last unit, of a watch of so many units."""
    return (context[0], context[1], context[2]) if len(context) > 2 else (context[0], units, 0.0)


def _hash(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def _size(known: list[Watched]) -> float:
    """Mean units of an order: geometric from one unit on, those that took the last unit cut off there."""
    whole = [max(sku.orders - sku.cut, _LEAST_WHOLE * sku.orders) for sku in known]
    weights = [_say(_SIZE_WEIGHT, each) for each in whole]
    told = sum(weight * each for weight, each in zip(weights, whole, strict=True))
    beyond = sum(weight * sku.extra for weight, sku in zip(weights, known, strict=True))
    return max(0.01, 1.0 + beyond / told) if told > 0.0 else float(PRIOR["size"])


def _dispersion(known: list[Watched]) -> float:
    """Variance over mean of the orders of a watch, around each SKU's own rate."""
    sums = [sku.apart() for sku in known]
    weights = [_say(_DISPERSION_WEIGHT, expected) for _, expected in sums]
    apart = sum(weight * around for weight, (around, _) in zip(weights, sums, strict=True))
    told = sum(weight * expected for weight, (_, expected) in zip(weights, sums, strict=True))
    return min(100.0, max(0.1, apart / told)) if told > 0.0 else float(PRIOR["dispersion"])


def _say(prior: float, orders: float) -> float:
    """What an order of a SKU of so many counts, where the prior weighs as much as some: w² / (w + n)².

    The prior is for the SKUs that have sold little. A shop's fastest, whose orders are most of all and lie furthest
    apart, outweigh it by their own, and would else decide for all.
    """
    return (prior / (prior + orders)) ** 2


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
