"""From the sums of a log to estimates with their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from policies.estimators import asymptotic, bernstein, bootstrap, likelihood
from policies.estimators.asymptotic import student
from policies.estimators.estimator import Estimator
from policies.estimators.judgement import Estimate, Interval
from policies.estimators.logged import Floats
from policies.estimators.moments import Moments
from policies.estimators.sequence import Sequence
from policies.estimators.sums import BASE, CONTROL, COUNT, GAIN, PRODUCT, SQUARE, Sums, value
from policies.estimators.terms import Terms
from policies.estimators.verdict import LEAST_ESS, SURE

UNKNOWN: Final = (np.nan, np.nan)
FEWEST: Final = 30.0  # effective rows that the quantile is taken for at least: with fewer the atoms widen intervals
# Rewards themselves, unlike what a model leaves of them, may lie all on one side of 0: there an unseen gain does more
# harm. Chosen on simulated logs with normal rewards (tests/benchmarks/coverage.py); on rewards of 0 and 1 it is idle.
STRETCHED: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One result being made: what its estimators share."""

    sums: Mapping[str, Sums]
    terms: Terms
    rewards: Interval  # what a reward can be
    known: bool  # whether that was said, and not only seen
    anytime: Sequence | None
    drawn: Floats  # [replicates, G]
    found: dict[str, Interval] = field(
        default_factory=dict[str, Interval]
    )  # by sums: self-normalised ones share theirs

    @classmethod
    def of(cls, sums: Mapping[str, Sums], terms: Terms, rewards: Interval, anytime: Sequence | None) -> "Reading":
        return cls(
            sums=sums,
            terms=terms,
            rewards=rewards,
            known=terms.reward_low is not None,
            anytime=anytime,
            drawn=bootstrap.draws(terms.seed, terms.replicates, terms.buckets),
        )

    def estimate(self, estimator: Estimator[Any]) -> Estimate:
        """Its value, and its intervals by name; the first of them is the one that is shown."""
        sums = self.sums[estimator.sums]
        found = float(value(sums.total, normalised=estimator.normalised))
        intervals = self._intervals(estimator, sums)
        low, high = next(iter(intervals.values()), UNKNOWN)
        return Estimate(
            value=found,
            low=min(low, found) if np.isfinite(low) else low,
            high=max(high, found) if np.isfinite(high) else high,
            ess=sums.ess if sums.largest > 0 or not estimator.model else np.nan,  # DM has no weights
            intervals=intervals,
        )

    def _intervals(self, estimator: Estimator[Any], sums: Sums) -> dict[str, Interval]:
        if int((sums.buckets[:, COUNT] > 0).sum()) < 2 or self._in_the_dark(estimator, sums):
            return {}
        confidence, normalised = self.terms.confidence, estimator.normalised
        made: dict[str, Interval] = {}
        if sums.largest > 0:
            if estimator.sums not in self.found:
                self.found[estimator.sums] = self._likelihood(estimator, sums)
            made["empirical-likelihood"] = self.found[estimator.sums]
        made["asymptotic"] = asymptotic.interval(sums, confidence, normalised=normalised)
        made["bootstrap"] = bootstrap.interval(sums, self.drawn, confidence, normalised=normalised)
        if not normalised:  # both are about means
            made["empirical-bernstein"] = bernstein.interval(sums, sums.value_high - sums.value_low, confidence)
        if self.anytime is not None and estimator.sums == "ips":
            made["confidence-sequence"] = self.anytime.interval(confidence)
        return made

    def _in_the_dark(self, estimator: Estimator[Any], sums: Sums) -> bool:
        """Whether the log tells nothing of how far off the estimate is, and an interval would be a point.

        No decision has a weight; or all rewards were the same, and what else one can be wasn't said.
        """
        if not estimator.model and (not sums.largest > 0 or (not self.known and self.rewards[0] == self.rewards[1])):
            return True
        return estimator.normalised and not sums.total[GAIN] > 0

    def _likelihood(self, estimator: Estimator[Any], sums: Sums) -> Interval:
        low, high = self.rewards if estimator.of_rewards else (sums.residuals.lowest, sums.residuals.highest)
        if not estimator.cut:
            ends = self._ends(estimator, sums, 0.0)
        else:  # what was cut off a gain could have met the lowest reward, or the highest
            ends = self._ends(estimator, sums, low)[0], self._ends(estimator, sums, high)[1]
        if _surely_off(sums):  # that weights are 1 on average is no knowledge then, and part of the target isn't seen
            unseen = (0.0,) if estimator.by_slot else (low, high)
            lows, highs = zip(ends, *(self._ends(estimator, sums, x, informed=False) for x in unseen), strict=True)
            ends = min(lows), max(highs)
        if int((sums.buckets[:, COUNT] > 0).sum()) < FEWEST:  # of so few it knows too little of how clusters differ
            normal = asymptotic.interval(sums, self.terms.confidence, normalised=False)
            ends = min(ends[0], normal[0]), max(ends[1], normal[1])
        if self.known and estimator.of_rewards:
            return max(ends[0], low), min(ends[1], high)
        return ends

    def _ends(self, estimator: Estimator[Any], sums: Sums, instead: float, *, informed: bool = True) -> Interval:
        """The interval of mean(base + product + instead · (1 − gain)), the latter where gains were cut or aren't whole.

        `informed`: weights are 1 on average.
        """
        short = estimator.cut or not informed
        used = sums.buckets[sums.buckets[:, COUNT] > 0]
        n = float(used[:, COUNT].sum())
        x = used[:, BASE] + used[:, PRODUCT] + (instead * (used[:, COUNT] - used[:, GAIN]) if short else 0.0)
        centre, base = float(x.sum()) / n, float(used[:, BASE].sum()) / n
        atoms = base + sums.largest * np.array(self._residuals(estimator, sums))
        if short:
            atoms += instead * (1 - sums.largest)
        size = _design_effect(sums)
        points = likelihood.Points(
            x=np.concatenate([x - centre * used[:, COUNT], size * (atoms - centre)]),
            control=np.concatenate([used[:, CONTROL], [size * sums.control] * 2]) * informed,
            rows=np.concatenate([used[:, COUNT], [size] * 2]),
            mass=np.concatenate([np.ones(len(used)), np.full(2, likelihood.ATOM)]),
        )
        effective = max(min(sums.ess, float(len(used))), FEWEST)
        down, up = likelihood.interval(points, student(self.terms.confidence, effective - 1) ** 2)
        return centre + down, centre + up

    def _residuals(self, estimator: Estimator[Any], sums: Sums) -> Interval:
        """A low and a high residual that an unseen gain may meet: two that are spread as those of the log are.

        The ends of what a decision's reward can be, less what a model expects on average, count as seen once each.
        """
        seen, ends = sums.residuals, np.array(self.rewards)
        weighted = self.sums.get("ips")
        if estimator.of_rewards:
            seen += Moments.of(ends)
        elif estimator.model in {"q_logged", "q_mrdr"} and weighted is not None and "iips" not in self.sums:
            reward, rest = weighted.total, sums.total
            seen += Moments.of(ends - float(reward[PRODUCT] / reward[GAIN] - rest[PRODUCT] / rest[GAIN]))
        return seen.two(1.0 if estimator.model else STRETCHED)


def _surely_off(sums: Sums) -> bool:
    """Whether the weights aren't 1 on average, by more than chance: `verdict` refuses where that is much.

    Of too small an effective sample it can't be said.
    """
    if sums.ess < LEAST_ESS:
        return False
    by = sums.buckets
    n = float(by[:, COUNT].sum())
    off = float(by[:, CONTROL].sum()) / n
    error = float(np.sqrt(((by[:, CONTROL] - off * by[:, COUNT]) ** 2).sum())) / n
    return abs(off) > max(SURE * error, likelihood.ROUNDING)


def _design_effect(sums: Sums) -> float:
    """How many rows of a cluster move together (Kish 1965): the variance over that of independent rows; 1 at least."""
    total = sums.total
    n, mean = float(total[COUNT]), float((total[BASE] + total[PRODUCT]) / total[COUNT])
    alone = float(total[SQUARE]) - n * mean * mean
    by = sums.buckets
    together = float(((by[:, BASE] + by[:, PRODUCT] - mean * by[:, COUNT]) ** 2).sum())
    return max(1.0, together / alone) if alone > 0 else 1.0
