"""What is gathered of an experiment while decisions are judged: by entity, in bounded memory, so that it merges.

Of more entities than fit, those whose hash is lowest are kept: a fair sample that doesn't depend on the arm, each of
them with all of its decisions.
"""

from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np

from policies.estimators.arms import Arm

MOST: Final = 65_536  # entities of one experiment
_ALL: Final = 2**64


class Member(msgspec.Struct, array_like=True):
    """One entity: its arm, its decisions that were judged, and what they earned."""

    arm: str
    n: int = 0
    earned: float = 0.0


class Trial(msgspec.Struct):
    """One experiment in one domain, for as long as its shares were the same."""

    name: str
    domain: str
    shares: dict[str, float]
    members: dict[int, Member] = {}
    below: int = _ALL  # entities with a lower hash are kept
    n: int = 0
    earned: float = 0.0
    squares: float = 0.0
    moved: int = 0  # decisions of entities that had been in another arm before

    def add(self, entity: str, arm: str, reward: float) -> None:
        """Take in a judged decision."""
        self.n += 1
        self.earned += reward
        self.squares += reward * reward
        place = int.from_bytes(blake2b(entity.encode(), digest_size=8).digest(), "big")
        if place >= self.below:
            return
        member = self.members.setdefault(place, Member(arm))
        if member.arm != arm:
            self.moved += 1
            return
        member.n += 1
        member.earned += reward
        if len(self.members) > 2 * MOST:
            self._prune()

    def merge(self, other: "Trial") -> None:
        """Take in what was gathered elsewhere."""
        self.n += other.n
        self.earned += other.earned
        self.squares += other.squares
        self.moved += other.moved
        for place, theirs in other.members.items():
            mine = self.members.setdefault(place, Member(theirs.arm))
            if mine.arm == theirs.arm:
                mine.n += theirs.n
                mine.earned += theirs.earned
            else:
                self.moved += theirs.n
        self.below = min(self.below, other.below)
        self._prune()

    def _prune(self) -> None:
        kept = sorted(place for place in self.members if place < self.below)
        if len(kept) > MOST:
            self.below = kept[MOST]
        self.members = {place: self.members[place] for place in kept[:MOST]}

    @property
    def spread(self) -> float:
        """σ², the variance of one decision's reward."""
        return max(0.0, self.squares / self.n - (self.earned / self.n) ** 2) if self.n else 0.0

    def arms(self) -> dict[str, Arm]:
        """What is known of each arm that anybody was in, and by name."""
        self._prune()
        by: dict[str, list[Member]] = {}
        for _, member in sorted(self.members.items()):
            if member.n:
                by.setdefault(member.arm, []).append(member)
        return {
            arm: Arm(np.array([float(one.n) for one in of]), np.array([one.earned for one in of]))
            for arm, of in by.items()
        }


class Beside(msgspec.Struct):
    """What is counted of one shadow in one domain. `agreement` is a sum over its decisions, each from 0 to 1."""

    domain: str
    version: int
    decisions: int = 0
    same: int = 0
    agreement: float = 0.0

    def add(self, agreement: float) -> None:
        """Take in one of its decisions."""
        self.decisions += 1
        self.same += agreement >= 1.0
        self.agreement += agreement

    def merge(self, other: "Beside") -> None:
        self.decisions += other.decisions
        self.same += other.same
        self.agreement += other.agreement
