"""Decisions that wait for their outcome, and outcomes that came first: joined by id, in bounded memory.

A decision waits until its final label is in, and a day of event time more for corrections. What is more than fits is
let go and counted; an id that was let go is remembered for a while, so that a copy of it is known as one.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from infra.judging.logged import Earned
from infra.judging.score import Scored
from streams.times import DAY

HOLD_MS: Final = DAY  # event time after a final label, in which a correction still counts
UNREADABLE: Final = "line-unreadable"  # in the counts, before the reason why a line of a file is no message
MOST: Final = 100_000  # decisions that wait; of as many ids it is known that they were let go


class Pair(msgspec.Struct, array_like=True):
    """A decision (None until it is scored) and what it has earned so far. `at` is its decision's event time."""

    at: int
    scored: Scored | None = None
    final: Earned | None = None
    correction: Earned | None = None

    @property
    def earned(self) -> Earned | None:
        """What counts; None while there is no final label."""
        return None if self.final is None else (self.correction or self.final)


class Waiting(msgspec.Struct):
    """All that waits. `counts` says by name what was left out."""

    pairs: dict[str, Pair] = {}
    orphans: dict[str, list[Earned]] = {}  # outcomes whose decision hasn't come
    ended: dict[str, int] = {}  # ids let go, and when
    counts: dict[str, int] = {}
    corrected: int = 0
    now: int = 0  # the greatest event time seen

    def count(self, name: str, many: int = 1) -> None:
        """Say that something is left out, and why."""
        self.counts[name] = self.counts.get(name, 0) + many

    def decide(self, decision_id: str, at: int) -> bool:
        """A decision has come; whether it is the first of its id."""
        self.now = max(self.now, at)
        if decision_id in self.pairs or decision_id in self.ended:
            self.count("decision-duplicate")
            return False
        pair = self.pairs[decision_id] = Pair(at)
        for earned in self.orphans.pop(decision_id, ()):
            self._label(pair, earned)
        return True

    def end(self, decision_id: str, why: str) -> None:
        """A decision isn't to be judged; its outcome, when it comes, is no orphan."""
        self.pairs.pop(decision_id, None)
        self._let_go(decision_id)
        self.count(why)

    def earn(self, earned: Earned) -> None:
        """An outcome has come."""
        self.now = max(self.now, earned.matured_at)
        pair = self.pairs.get(earned.decision_id)
        if pair is not None:
            self._label(pair, earned)
        elif earned.decision_id in self.ended:
            self.count("outcome-of-a-decision-left-out")
        else:
            self.orphans.setdefault(earned.decision_id, []).append(earned)
            if len(self.orphans) > MOST:
                self.orphans.pop(next(iter(self.orphans)))
                self.count("outcome-without-decision")

    def _label(self, pair: Pair, earned: Earned) -> None:
        if earned.label == "correction":
            pair.correction = earned
            self.corrected += 1
        elif pair.final is None:
            pair.final = earned
        else:
            self.count("outcome-duplicate")

    def ripe(self, *, at_the_end: bool = False) -> Iterator[tuple[Scored, Earned]]:
        """Let go of the decisions whose label is final and won't be corrected any more, oldest first."""
        crowded = len(self.pairs) > MOST
        for name, pair in list(self.pairs.items()):
            earned, scored = pair.earned, pair.scored
            if earned is None or scored is None:
                continue
            if at_the_end or crowded or earned.matured_at + HOLD_MS <= self.now:
                del self.pairs[name]
                self._let_go(name)
                yield scored, earned
        while len(self.pairs) > MOST:
            self.end(next(iter(self.pairs)), "immature")

    def close(self) -> None:
        """Nothing more comes: what has no final label, or no decision, is counted."""
        for name in list(self.pairs):
            self.end(name, "immature")
        for earned in self.orphans.values():
            self.count("outcome-without-decision", len(earned))
        self.orphans.clear()

    def merge(self, other: "Waiting") -> None:
        """Take in what waits elsewhere: halves of the same decision find each other."""
        self.now = max(self.now, other.now)
        self.corrected += other.corrected
        for name, many in other.counts.items():
            self.count(name, many)
        self.ended |= other.ended
        for name, pair in other.pairs.items():
            if name in self.pairs:
                self.count("decision-duplicate")
                continue
            self.pairs[name] = pair
            for earned in self.orphans.pop(name, ()):
                self._label(pair, earned)
        for earned in [one for each in other.orphans.values() for one in each]:
            self.earn(earned)

    def _let_go(self, name: str) -> None:
        self.ended[name] = self.now
        while len(self.ended) > MOST:
            del self.ended[next(iter(self.ended))]
