"""Sums over judged decisions: of one rival in one domain, and of what was logged. They merge by adding."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np

from infra.judging.packed import PackedJudged, PackedSums
from infra.judging.rows import Batch, Places
from infra.judging.score import Match
from infra.judging.strand import GROUPS, TERMS, Strand
from policies.estimators.cascade_dr import CASCADE_DR
from policies.estimators.estimator import Parts
from policies.estimators.hashing import buckets_of
from policies.estimators.judged import Judged
from policies.estimators.logged import Slates
from policies.estimators.sums import Sums
from policies.estimators.terms import Terms
from policies.linalg import Floats

ESTIMATION: Final = Terms(buckets=512)
MOST_NAMES: Final = 512  # of one kind of segment; the rest are "other"
MOST_DAYS: Final = 512  # strands by time
OTHER: Final = "other"


@lru_cache(maxsize=4 * MOST_NAMES)
def _rank(name: str) -> bytes:
    """Names of the lowest rank are kept: the same ones in whatever order they come, and however a history is dealt."""
    return blake2b(name.encode(), digest_size=8).digest()


class Strands(msgspec.Struct):
    """One strand for all, for each day or few days, and for each segment by its kind and name."""

    all: Strand = msgspec.field(default_factory=Strand)
    days: dict[int, Strand] = {}  # by day // width
    width: int = 1  # days that one of them holds: a power of two, the least for so few that they fit
    segments: dict[str, dict[str, Strand]] = {}

    def add(self, batch: Batch, psi: Floats, weight: Floats) -> None:
        """Take in a batch with Ψ and w of each row, [n]."""
        terms = np.stack([np.ones(len(batch)), batch.earned, psi, weight, weight * weight], axis=1)
        self.all.add(_by_group(batch.group, terms))
        for day, places in batch.days.items():
            self._at(day).add(_by_group(batch.group[places], terms[places]))
        for (kind, name), places in batch.segments.items():
            self._of(kind, name).add(_by_group(batch.group[places], terms[places]))

    def _at(self, day: int) -> Strand:
        """What a day is counted under. A long history has wider strands, however it is dealt."""
        while day // self.width not in self.days and len(self.days) >= MOST_DAYS:
            self._widen(2 * self.width)
        return self.days.setdefault(day // self.width, Strand())

    def _widen(self, width: int) -> None:
        narrow, by = self.days, width // self.width
        self.days, self.width = {}, width
        for place, strand in narrow.items():
            self.days.setdefault(place // by, Strand()).merge(strand)

    def _of(self, kind: str, name: str) -> Strand:
        """What a name is counted under: once kept by the end of all, it never was under "other", so it is whole."""
        names = self.segments.setdefault(kind, {})
        if name not in names:
            names[name] = Strand()
            kept = names.keys() - {OTHER}
            if len(kept) > MOST_NAMES:
                last = max(kept, key=_rank)
                names.setdefault(OTHER, Strand()).merge(names.pop(last))
        return names.get(name) or names[OTHER]

    def merge(self, other: "Strands") -> None:
        self.all.merge(other.all)
        if other.width > self.width:
            self._widen(other.width)
        for place, strand in other.days.items():
            self._at(place * other.width).merge(strand)
        for kind, names in other.segments.items():
            for name, strand in names.items():
                self._of(kind, name).merge(strand)


def _by_group(group: Places, terms: Floats) -> Floats:
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

    def add(self, batch: Batch, matches: Sequence[Match]) -> None:
        """Take in slates, each with the rival's match."""
        slates = batch.under(matches)
        parts, weight = CASCADE_DR.parts(slates, ESTIMATION), slates.weights.prod(axis=1)
        self.judged += Judged.of(slates, ESTIMATION)
        self._tell_apart(replace(parts, base=parts.base - batch.served), slates)
        self._take(batch, parts.base + parts.product, weight, np.minimum(weight, 1.0))

    def _tell_apart(self, moved: Parts, slates: Slates) -> None:
        """Ψ less the same of what served: where the two agree, nothing is left but 0.

        That is Ψ with another base, so its intervals are made in the same way.
        """
        made = Sums.of(moved, buckets_of(slates.cluster, ESTIMATION.buckets), ESTIMATION.buckets)
        self.against = made if self.against is None else self.against + made

    def add_certain(self, batch: Batch, matches: Sequence[Match]) -> None:
        """Take in decisions without chance."""
        weight = np.array([match.slots[0] for match in matches])
        self._take(batch, weight * batch.earned, weight, weight)

    def _take(self, batch: Batch, psi: Floats, weight: Floats, same: Floats) -> None:
        self.strands.add(batch, psi, weight)
        self.decisions += len(batch)
        self.same += float(same.sum())

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
