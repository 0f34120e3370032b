"""The estimators' sums as plain data, to travel between processes and into checkpoints."""

from dataclasses import astuple, replace
from typing import Any, cast

import msgspec
import numpy as np

from policies.estimators.judged import SLATES, Judged
from policies.estimators.moments import Moments
from policies.estimators.overlap import Overlap
from policies.estimators.sums import COLUMNS, Sums
from policies.estimators.terms import Terms


class PackedSums(msgspec.Struct, array_like=True):
    """Sums, with their buckets as raw float64."""

    buckets: bytes
    largest: float
    control: float
    residuals: tuple[float, float, float, float, float, float]
    value_low: float
    value_high: float

    @classmethod
    def of(cls, sums: Sums) -> "PackedSums":
        return cls(
            sums.buckets.tobytes(),
            sums.largest,
            sums.control,
            astuple(sums.residuals),
            sums.value_low,
            sums.value_high,
        )

    @property
    def sums(self) -> Sums:
        return Sums(
            buckets=np.frombuffer(self.buckets).reshape(-1, COLUMNS),
            largest=self.largest,
            control=self.control,
            residuals=Moments(*self.residuals),
            value_low=self.value_low,
            value_high=self.value_high,
        )


class PackedJudged(msgspec.Struct, array_like=True):
    """What is judged of slates."""

    names: list[str]
    sums: list[PackedSums]
    overlap: tuple[int, float, float, float, int, list[int]]
    rewards: tuple[float, float]

    @classmethod
    def of(cls, judged: Judged) -> "PackedJudged":
        seen = judged.overlap
        return cls(
            list(judged.sums),
            [PackedSums.of(one) for one in judged.sums.values()],
            (seen.n, seen.total, seen.square, seen.largest, seen.zero, cast(list[int], seen.bins.tolist())),
            judged.rewards,
        )

    def judged(self, terms: Terms) -> Judged:
        n, total, square, largest, zero, bins = self.overlap
        sums = {name: packed.sums for name, packed in zip(self.names, self.sums, strict=True)}
        found: Any = [one for one in SLATES if one.sums in sums]
        overlap = Overlap(n=n, total=total, square=square, largest=largest, zero=zero, bins=np.array(bins))
        return replace(Judged.nothing(terms), estimators=tuple(found), sums=sums, overlap=overlap, rewards=self.rewards)
