"""A log judged: sums that merge, and what they say.

    parts = [Judged.of(rows, terms) for rows in partitions]  # in any process, each in the order of time
    whole = sum(parts, start=Judged.nothing(terms))          # always in the same order, for the same bits
    print(whole.result().as_dict())

Sums of floats: parts that are merged in another order, or cut elsewhere, give the same figures to rounding (1e-12). The
confidence sequence alone hangs on the cuts (each part starts with a guess of its own), and is valid with any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import numpy as np

from policies.estimators.cascade_dr import CASCADE_DR
from policies.estimators.clipped_ips import CLIPPED_IPS
from policies.estimators.direct import DM
from policies.estimators.dr import DR
from policies.estimators.dros import DROS
from policies.estimators.estimator import Estimator
from policies.estimators.hashing import buckets_of
from policies.estimators.independent_ips import INDEPENDENT_IPS
from policies.estimators.ips import IPS
from policies.estimators.judgement import Judgement
from policies.estimators.logged import Floats, Logged, Slates
from policies.estimators.mrdr import MRDR
from policies.estimators.overlap import Overlap
from policies.estimators.per_decision import PER_DECISION_DR
from policies.estimators.pseudo_inverse import PSEUDO_INVERSE
from policies.estimators.reading import Reading
from policies.estimators.reward_interaction import RIPS
from policies.estimators.sequence import Sequence as Anytime
from policies.estimators.slate_ips import SLATE_IPS, SLATE_SNIPS
from policies.estimators.sndr import SNDR
from policies.estimators.snips import SNIPS
from policies.estimators.sums import COUNT, Sums
from policies.estimators.switch_dr import SWITCH_DR
from policies.estimators.terms import Terms
from policies.estimators.verdict import verdict
from policies.estimators.whole_slate import WHOLE_SLATES

DECISIONS: Final = (IPS, CLIPPED_IPS, SNIPS, DM, DR, SNDR, SWITCH_DR, DROS, MRDR)
SLATES: Final = (
    INDEPENDENT_IPS,
    RIPS,
    PSEUDO_INVERSE,
    SLATE_IPS,
    SLATE_SNIPS,
    CASCADE_DR,
    PER_DECISION_DR,
    *WHOLE_SLATES,
)
_WEIGHED: Final = frozenset({"ips", "iips", "rips"})  # sums whose gains are weights and nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The sums of a log, or of a part of one, for one target policy."""

    terms: Terms
    estimators: Sequence[Estimator[Any]] = ()
    sums: Mapping[str, Sums] = field(default_factory=dict[str, Sums])
    overlap: Overlap
    anytime: Anytime | None = None
    rewards: tuple[float, float] = (np.inf, -np.inf)  # the extremes seen
    excluded: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def nothing(cls, terms: Terms, excluded: Mapping[str, int] | None = None) -> "Judged":
        """No row; and what was left out, by name."""
        return cls(terms=terms, overlap=Overlap.of(np.zeros(0)), excluded=dict(excluded or {}))

    @classmethod
    def of(cls, rows: Logged | Slates, terms: Terms, excluded: Mapping[str, int] | None = None) -> "Judged":
        """Of rows in the order of time. `excluded` counts by name what was left out of them: see `verdict`."""
        nothing = cls.nothing(terms, excluded)
        if not len(rows):
            return nothing
        offered = cast(Sequence[Estimator[Any]], DECISIONS if isinstance(rows, Logged) else SLATES)
        usable = tuple(estimator for estimator in offered if estimator.fits(rows))
        bucket = buckets_of(rows.cluster, terms.buckets)
        makers = {estimator.sums: estimator for estimator in reversed(usable)}
        return replace(
            nothing,
            estimators=usable,
            sums={name: Sums.of(maker.parts(rows, terms), bucket, terms.buckets) for name, maker in makers.items()},
            overlap=Overlap.of(_weight(rows)),
            anytime=_anytime(rows, terms),
            rewards=_extremes(rows),
        )

    def __add__(self, other: "Judged") -> "Judged":
        """Raises ValueError where terms differ, or one part has a reward model that the other lacks."""
        if self.terms != other.terms:
            raise ValueError("sums made on different terms don't merge")
        counts = {
            name: self.excluded.get(name, 0) + other.excluded.get(name, 0) for name in {*self.excluded, *other.excluded}
        }
        if not self.sums or not other.sums:
            return replace(self if self.sums else other, excluded=counts)
        if self.sums.keys() != other.sums.keys():
            raise ValueError("parts with and without a reward model don't merge")
        return replace(
            self,
            sums={name: mine + other.sums[name] for name, mine in self.sums.items()},
            overlap=self.overlap + other.overlap,
            anytime=self.anytime + other.anytime if self.anytime and other.anytime else None,
            rewards=(min(self.rewards[0], other.rewards[0]), max(self.rewards[1], other.rewards[1])),
            excluded=counts,
        )

    @property
    def reward_range(self) -> tuple[float, float]:
        """What a reward can be: as the terms say, else as seen."""
        low, high = self.terms.reward_low, self.terms.reward_high
        return self.rewards if low is None or high is None else (low, high)

    def result(self) -> Judgement:
        """What the sums say."""
        reading = Reading.of(self.sums, self.terms, self.reward_range, self.anytime)
        estimates = {estimator.name: reading.estimate(estimator) for estimator in self.estimators}
        ess = max((sums.ess for name, sums in self.sums.items() if name in _WEIGHED), default=0.0)
        said = verdict(self.overlap, ess, self.excluded, constant=self.rewards[0] == self.rewards[1])
        return Judgement(
            n=self.overlap.n,
            ess=ess,
            max_weight=self.overlap.largest,
            verdict=said.said,
            reasons=said.reasons,
            excluded=self.excluded,
            estimators=estimates,
            overlap=self.overlap,
            confidence=self.terms.confidence,
            reward_range=self.reward_range,
            clusters=max((int((s.buckets[:, COUNT] > 0).sum()) for s in self.sums.values()), default=0),
        )


def _weight(rows: Logged | Slates) -> Floats:
    """[n] of a slate the mean over its slots."""
    return rows.weight if isinstance(rows, Logged) else INDEPENDENT_IPS.parts(rows, Terms()).gain


def _extremes(rows: Logged | Slates) -> tuple[float, float]:
    reward = rows.reward if isinstance(rows, Logged) or rows.filled is None else rows.reward[rows.filled]
    return float(reward.min(initial=np.inf)), float(reward.max(initial=-np.inf))


def _anytime(rows: Logged | Slates, terms: Terms) -> Anytime | None:
    """For decisions, where the terms say what a reward can be."""
    if isinstance(rows, Slates) or terms.reward_low is None or terms.reward_high is None:
        return None
    return Anytime.of(rows.weight, rows.reward, terms.reward_low, terms.reward_high)
