"""Sums over judged decisions: of one rival in one domain, and of what was logged. They merge by adding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np

from infra.judging.packed import PackedJudged, PackedSums
from infra.judging.score import Match, Scored
from infra.judging.strand import GROUPS, TERMS, Strand, group_of
from policies.estimators.cascade_dr import CASCADE_DR
from policies.estimators.estimator import Parts
from policies.estimators.hashing import buckets_of
from policies.estimators.judged import Judged
from policies.estimators.logged import Slates
from policies.estimators.sums import Sums
from policies.estimators.terms import Terms
from policies.linalg import Floats
from streams.times import DAY

ESTIMATION: Final = Terms(buckets=512)
MOST_NAMES: Final = 64  # of one kind of segment; later ones are "other"
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Row:
    """A decision that is judged: what was scored of it, and what it earned, by slot."""

    scored: Scored
    rewards: list[float]

    @property
    def earned(self) -> float:
        return sum(self.rewards)


class Strands(msgspec.Struct):
    """One strand for all, for each day, and for each segment by its kind and name."""

    all: Strand = msgspec.field(default_factory=Strand)
    days: dict[int, Strand] = {}
    segments: dict[str, dict[str, Strand]] = {}

    def add(self, rows: Sequence[Row], psi: Floats, weight: Floats) -> None:
        """Take in rows with Ψ and w of each, [n]."""
        reward = np.array([row.earned for row in rows])
        group = np.array([group_of(row.scored.entity) for row in rows])
        terms = np.stack([np.ones(len(rows)), reward, psi, weight, weight * weight], axis=1)
        self.all.add(_by_group(group, terms))
        for strand, places in self._places(rows):
            strand.add(_by_group(group[places], terms[places]))

    def _places(self, rows: Sequence[Row]) -> Iterator[tuple[Strand, list[int]]]:
        by: dict[int, tuple[Strand, list[int]]] = {}
        for place, row in enumerate(rows):
            for strand in self._of(row.scored):
                by.setdefault(id(strand), (strand, []))[1].append(place)
        yield from by.values()

    def _of(self, scored: Scored) -> Iterator[Strand]:
        yield self.days.setdefault(scored.at // DAY, Strand())
        for kind, name in scored.segments:
            names = self.segments.setdefault(kind, {})
            key = name if name in names or len(names) < MOST_NAMES else OTHER
            yield names.setdefault(key, Strand())

    def merge(self, other: "Strands") -> None:
        self.all.merge(other.all)
        for day, strand in other.days.items():
            self.days.setdefault(day, Strand()).merge(strand)
        for kind, names in other.segments.items():
            mine = self.segments.setdefault(kind, {})
            for name, strand in names.items():
                key = name if name in mine or len(mine) < MOST_NAMES else OTHER
                mine.setdefault(key, Strand()).merge(strand)


def _by_group(group: "np.ndarray[tuple[int], np.dtype[np.int64]]", terms: Floats) -> Floats:
    sums = np.zeros((GROUPS, TERMS))
    np.add.at(sums, group, terms)
    return sums


class PackedTally(msgspec.Struct):
    """A tally as it travels."""

    judged: PackedJudged | None
    against: PackedSums | None
    strands: Strands
    decisions: int
    same: float


@dataclass(slots=True)
class Tally:
    """One rival in one domain. `against` are the sums of its difference to what was logged."""

    judged: Judged = field(default_factory=lambda: Judged.nothing(ESTIMATION))
    against: Sums | None = None
    strands: Strands = field(default_factory=Strands)
    decisions: int = 0
    same: float = 0.0  # Σ min(w, 1): how far it decides as was logged

    def add(self, rows: Sequence[Row], matches: Sequence[Match]) -> None:
        """Take in rows of slates, each with the rival's match."""
        slates = _slates(rows, matches)
        parts = CASCADE_DR.parts(slates, ESTIMATION)
        self.judged += Judged.of(slates, ESTIMATION)
        self._tell_apart(rows, slates, parts)
        self.strands.add(rows, parts.base + parts.product, slates.weights.prod(axis=1))
        self.decisions += len(rows)
        self.same += float(np.minimum(slates.weights.prod(axis=1), 1.0).sum())

    def _tell_apart(self, rows: Sequence[Row], slates: Slates, parts: Parts) -> None:
        """Ψ less the same of what served (its weights are 1): where the two agree, nothing is left but 0.

        That is Ψ with another base, so its intervals are made in the same way.
        """
        served = np.array([row.earned + sum(row.scored.served) - sum(row.scored.predicted) for row in rows])
        moved = replace(parts, base=parts.base - served)
        made = Sums.of(moved, buckets_of(slates.cluster, ESTIMATION.buckets), ESTIMATION.buckets)
        self.against = made if self.against is None else self.against + made

    def add_certain(self, rows: Sequence[Row], matches: Sequence[Match]) -> None:
        """Take in rows of decisions without chance."""
        weight = np.array([match.slots[0] for match in matches])
        self.strands.add(rows, weight * np.array([row.earned for row in rows]), weight)
        self.decisions += len(rows)
        self.same += float(weight.sum())

    def pack(self) -> PackedTally:
        return PackedTally(
            judged=PackedJudged.of(self.judged) if self.judged.sums else None,
            against=None if self.against is None else PackedSums.of(self.against),
            strands=self.strands,
            decisions=self.decisions,
            same=self.same,
        )

    @classmethod
    def unpack(cls, packed: PackedTally) -> "Tally":
        return cls(
            judged=Judged.nothing(ESTIMATION) if packed.judged is None else packed.judged.judged(ESTIMATION),
            against=None if packed.against is None else packed.against.sums,
            strands=packed.strands,
            decisions=packed.decisions,
            same=packed.same,
        )

    def merge(self, other: "Tally") -> None:
        self.judged += other.judged
        if other.against is not None:
            self.against = other.against if self.against is None else self.against + other.against
        self.strands.merge(other.strands)
        self.decisions += other.decisions
        self.same += other.same


def _slates(rows: Sequence[Row], matches: Sequence[Match]) -> Slates:
    """Rows as arrays. The reward model's value to go adds, to the slot's own r̂, the highest r̂ of those that follow.

    What follows must be told by the situation alone, not by the action: then V is exactly the mean of Q.
    """
    k = max(len(row.rewards) for row in rows)

    def padded(of: Sequence[Sequence[float]]) -> Floats:
        return np.array([[*one, *[0.0] * (k - len(one))] for one in of])

    best = padded([row.scored.best for row in rows])
    to_come = np.cumsum(best[:, ::-1], axis=1)[:, ::-1] - best
    filled = np.arange(k) < np.array([len(row.rewards) for row in rows])[:, None]
    return Slates(
        reward=padded([row.rewards for row in rows]),
        propensity=padded([row.scored.slots for row in rows]),
        target_propensity=np.minimum(padded([match.slots for match in matches]), 1.0),
        cluster=np.array([_hash(row.scored.entity) for row in rows], dtype=np.uint64),
        filled=filled,
        q_logged=padded([row.scored.predicted for row in rows]) + to_come,
        v_target=padded([match.expected for match in matches]) + to_come,
    )


def _hash(entity: str) -> int:
    return int.from_bytes(blake2b(entity.encode(), digest_size=8).digest(), "little")
