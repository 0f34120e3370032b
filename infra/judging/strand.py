"""Sums over some of the decisions, small enough to keep one for each day and each segment, with intervals by entity.

Decisions of one entity aren't independent. Entities are dealt by a hash into GROUPS groups, and a mean's error is told
by how the groups differ: the ratio's linearisation (Cochran, Sampling Techniques, 1977, §6.4) with Student's t.
"""

from math import sqrt
from statistics import NormalDist
from typing import Final
from zlib import crc32

import msgspec
import numpy as np

from infra.judging.evidence import CONFIDENCE, Estimate
from policies.linalg import Floats

GROUPS: Final = 32
FEWEST: Final = 8  # groups with decisions below which no interval is told
TERMS: Final = 5  # decisions, Σr, ΣΨ (what the candidate is estimated to earn), Σw, Σw²
_INTERVAL: Final = f"by entity, in {GROUPS} groups, Student's t"


def group_of(entity: str) -> int:
    """The group that an entity belongs to."""
    return crc32(entity.encode()) % GROUPS


class Strand(msgspec.Struct):
    """Sums [GROUPS, TERMS] as raw float64: they merge by adding."""

    raw: bytes = bytes(GROUPS * TERMS * 8)

    @property
    def sums(self) -> Floats:
        return np.frombuffer(self.raw).reshape(GROUPS, TERMS)

    def add(self, sums: Floats) -> None:
        """Take in sums of the same shape."""
        self.raw = (self.sums + sums).tobytes()

    def merge(self, other: "Strand") -> None:
        self.add(other.sums)

    @property
    def decisions(self) -> int:
        return int(self.sums[:, 0].sum())

    @property
    def observed(self) -> float | None:
        """The mean reward that was logged."""
        return _ratio(self.sums[:, 1], self.sums[:, 0]).value

    @property
    def effective(self) -> float:
        """The effective sample size, (Σw)² / Σw²."""
        w, squares = self.sums[:, 3].sum(), self.sums[:, 4].sum()
        return float(w * w / squares) if squares > 0 else 0.0

    def logged(self) -> Estimate:
        """The mean reward that was logged, with its interval."""
        return _ratio(self.sums[:, 1], self.sums[:, 0])

    def estimate(self) -> Estimate:
        """The mean of Ψ, with its interval."""
        return _ratio(self.sums[:, 2], self.sums[:, 0])

    def difference(self) -> Estimate:
        """The mean of Ψ − r on the same decisions, with its interval."""
        return _ratio(self.sums[:, 2] - self.sums[:, 1], self.sums[:, 0])


def _ratio(above: Floats, below: Floats) -> Estimate:
    total = below.sum()
    if total <= 0:
        return Estimate()
    value = float(above.sum() / total)
    groups = int((below > 0).sum())
    if groups < FEWEST:
        return Estimate(value=value, interval=f"none: fewer than {FEWEST} groups of entities")
    apart = above - value * below
    error = sqrt(groups / (groups - 1.0) * float((apart * apart).sum())) / float(total)
    reach = error * student(0.5 + CONFIDENCE / 2.0, groups - 1)
    return Estimate(value=value, low=value - reach, high=value + reach, interval=_INTERVAL)


def student(p: float, freedom: int) -> float:
    """The p-quantile of Student's t, by its expansion in 1/ν (Abramowitz & Stegun 26.7.5); for seven degrees and more.

    >>> round(student(0.975, 10), 3), round(student(0.975, 63), 3)
    (2.228, 1.998)
    """
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
