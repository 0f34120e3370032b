"""When the level of a SKU's demand last changed: a few hypotheses, and what was seen since. No stock, no clock.

Bayesian online change-point detection (Adams, MacKay 2007), kept to a few runs as those of `policies/beliefs/runs.py`.
Orders are Poisson within a run, at a rate that is drawn anew when the level changes, `hazard` times a day: from the
prior Gamma(a, b), or from one of the same shape around the level before, where that is higher. So n orders in d days
have, under a run whose posterior is Gamma(α, β), the probability

    ∝ Γ(α + n) / Γ(α) · β^α / (β + d)^(α + n),

also where it ended with the order that emptied the shelf: the likelihood doesn't mind when watching stopped. Orders
that are more dispersed than Poisson count for less (`spread`).
"""

from collections.abc import Sequence
from math import exp, expm1, lgamma, log, log1p
from typing import Final, NamedTuple

import msgspec

HYPOTHESES: Final = 4
BETWEEN: Final = 1.0  # orders to be expected from one hypothesis to the next
_LEAST: Final = 1e-300  # of a weight, before its logarithm is taken


class Watch(NamedTuple):
    """Orders, and the days in stock that they came in."""

    orders: float
    days: float


NOTHING: Final = Watch(0.0, 0.0)


class Run(msgspec.Struct, array_like=True, frozen=True):
    """One hypothesis: how likely, and the sums of what was seen since its change. They fade as all evidence does."""

    weight: float
    orders: float
    days: float  # in stock
    # Of its watches that were judged, orders n over days d: Σd, Σn², Σnd, Σd².
    judged: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    lengths: float = 0.0
    before: float = 0.0  # orders a day believed when it changed; 0: it never did

    def kept(self, share: float) -> "Run":
        return Run(
            self.weight,
            share * self.orders,
            share * self.days,
            share * self.judged,
            share * self.squares,
            share * self.products,
            share * self.lengths,
            self.before,
        )

    def plus(self, orders: float, days: float) -> "Run":
        """With orders and days in stock more; days may be taken back."""
        return Run(
            self.weight,
            self.orders + orders,
            max(0.0, self.days + days),
            self.judged,
            self.squares,
            self.products,
            self.lengths,
            self.before,
        )

    def weighing(self, weight: float) -> "Run":
        return Run(weight, self.orders, self.days, self.judged, self.squares, self.products, self.lengths, self.before)

    def seeing(self, watch: Watch, weight: float) -> "Run":
        """With a watch that has ended, whose orders and days count already, and the weight that it leaves."""
        return Run(
            weight,
            self.orders,
            self.days,
            self.judged + watch.days,
            self.squares + watch.orders * watch.orders,
            self.products + watch.orders * watch.days,
            self.lengths + watch.days * watch.days,
            self.before,
        )


class Level(NamedTuple):
    """The rates a day that a level is drawn from, Gamma(a, b), and how many times a day it is."""

    a: float
    b: float
    hazard: float

    def days_after(self, before: float) -> float:
        """b of a level that comes after one of so many orders a day: as wide as any, and as high at least.

        What sells ten times as much as most would else have to change to what most sell, or not at all.
        """
        return self.b if before <= 0.0 else min(self.b, self.a / before)


def judged(runs: Sequence[Run], watch: Watch, later: Watch, level: Level, spread: float) -> list[Run]:
    """The hypotheses after a watch that has ended, now and then with one more: that the level changed as it began.

    The sums hold the watch already, and what came `later`; what is foretold of it is foretold without both.
    """
    since = Watch(watch.orders + later.orders, watch.days + later.days)
    told = _branched(runs, since, watch.days, level)
    n, d = max(0.0, watch.orders) / spread, max(0.0, watch.days) / spread
    logs: list[float] = []
    for run, (alpha, beta) in zip(told, _posteriors(told, level, spread, without=since), strict=True):
        foretold = lgamma(alpha + n) - lgamma(alpha) - alpha * log1p(d / beta) - n * log(beta + d)
        logs.append(log(max(_LEAST, run.weight)) + foretold)
    highest = max(logs)
    odds = [exp(one - highest) for one in logs]
    total = sum(odds)
    return [run.seeing(watch, one / total) for run, one in zip(told, odds, strict=True)]


def _branched(runs: Sequence[Run], since: Watch, days: float, level: Level) -> Sequence[Run]:
    """With the hypothesis that the level changed a watch of so many `days` ago, `since` which so much was seen.

    Not before an order was to be expected since the youngest began: until then the two would be told apart by nothing,
    and older ones, which could be, would have to go for it.
    """
    before = _mean(runs, _posteriors(runs, level, 1.0, without=since))
    if len(runs) > 1:
        if before * runs[-1].days < BETWEEN:
            return runs
        days = max(days, runs[-1].days - since.days)
    chance = -expm1(-level.hazard * days)
    if chance <= 0.0:
        return runs
    older = _merged(runs) if len(runs) >= HYPOTHESES else runs
    # Of a watch longer than the memory, older runs have forgotten the beginning: a part can't be more than the whole.
    orders, seen = min(since.orders, runs[0].orders), min(since.days, runs[0].days)
    youngest = Run(chance, orders, seen, before=before)
    return [*(run.weighing((1.0 - chance) * run.weight) for run in older), youngest]


def _merged(runs: Sequence[Run]) -> list[Run]:
    """Without the unlikeliest but the youngest. The next younger one, whose run is nearly the same, takes its weight:
    were it lost, changes would seem rarer than they are."""
    least = min(range(len(runs) - 1), key=lambda place: runs[place].weight)
    younger = runs[least + 1].weighing(runs[least].weight + runs[least + 1].weight)
    return [*runs[:least], younger, *runs[least + 2 :]]


def gamma_of(runs: Sequence[Run], level: Level, spread: float) -> tuple[float, float]:
    """a, b of the Gamma with the mean and the variance of the rate under all hypotheses."""
    rates = _posteriors(runs, level, spread)
    mean, variance = _mean(runs, rates), 0.0
    for run, (a, b) in zip(runs, rates, strict=True):
        variance += run.weight * (a / (b * b) + (a / b - mean) ** 2)
    return mean * mean / variance, mean / variance


def _posteriors(
    runs: Sequence[Run], level: Level, spread: float, *, without: Watch = NOTHING
) -> list[tuple[float, float]]:
    """α, β of each hypothesis' rate, but for what came last."""
    orders, days = without
    return [
        (
            level.a + max(0.0, run.orders - orders) / spread,
            level.days_after(run.before) + max(0.0, run.days - days) / spread,
        )
        for run in runs
    ]


def _mean(runs: Sequence[Run], rates: Sequence[tuple[float, float]]) -> float:
    """The expected rate, of one Gamma(a, b) a hypothesis."""
    mean = 0.0
    for run, (a, b) in zip(runs, rates, strict=True):
        mean += run.weight * a / b
    return mean
