"""A learned rule with plain ones standing by: the slate is theirs while they have named baskets better of late.

Follow the leader over recall of the latest baskets (half-life 400), with a margin of one standard error: the learned
rule leads unless a plain one is ahead by more than chance would have it. Buyers of few visits are counted apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Final, Protocol

from policies.baselines.next_basket import ColdStart, Visit

FEW: Final = 3  # visits: below it a buyer is new
K: Final = 10  # judged by so many
_KEEP: Final = 0.5 ** (1 / 400)
_ENOUGH: Final = 20.0  # baskets, decayed, before anyone else may lead


class Turning(ColdStart, Protocol):
    """A rule that says whether it looks at the next basket unasked."""

    def is_turn(self) -> bool: ...


@dataclass(slots=True)
class Lead:
    """How far one rule was ahead of the learned one, faded by baskets: sums of weight, differences, their squares."""

    weight: float = 0.0
    ahead: float = 0.0
    squares: float = 0.0

    def add(self, difference: float) -> None:
        self.weight = _KEEP * self.weight + 1.0
        self.ahead = _KEEP * self.ahead + difference
        self.squares = _KEEP * self.squares + difference**2

    def surely(self) -> float:
        """The mean lead less its standard error; below 0 where it is none."""
        if self.weight < _ENOUGH:
            return -1.0
        mean = self.ahead / self.weight
        return mean - sqrt(max(0.0, self.squares / self.weight - mean**2) / self.weight)


@dataclass(slots=True)
class Guarded:
    """`learned` says by `is_turn` which baskets it looks at unasked; the plain rules are compared on the same."""

    learned: Turning
    plain: Mapping[str, ColdStart]
    leads: dict[tuple[str, bool], Lead] = field(default_factory=dict[tuple[str, bool], Lead])
    visits: dict[str, int] = field(default_factory=dict[str, int])
    _asked: tuple[str, int, dict[str, list[str]]] | None = None

    def observe(self, user: str, items: list[str], at: int) -> None:
        asked = self._asked
        if asked is None or asked[:2] != (user, at):
            asked = (user, at, self._slates(user, at, K)) if self.learned.is_turn() else None
        if asked is not None:
            self._judge(asked[2], set(items), new=self.visits.get(user, 0) < FEW)
        self.learned.observe(user, items, at)
        for rule in self.plain.values():
            rule.observe(user, items, at)
        self.visits[user] = self.visits.get(user, 0) + 1
        self._asked = None

    def predict(self, user: str, at: int, k: int) -> list[str]:
        slates = self._slates(user, at, k)
        self._asked = (user, at, slates)
        return list(slates[self.leader(new=self.visits.get(user, 0) < FEW)])  # those are still to be judged

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:
        leader = self.leader(new=len(visits) < FEW)
        rule = self.plain.get(leader)
        return (rule or self.learned).predict_after(visits, at, k)

    def leader(self, *, new: bool) -> str:
        """Who names the slate; "" is the learned rule."""
        best, name = 0.0, ""
        for rule in self.plain:
            lead = self.leads.get((rule, new))
            if lead is not None and (by := lead.surely()) > best:
                best, name = by, rule
        return name

    def _slates(self, user: str, at: int, k: int) -> dict[str, list[str]]:
        return {"": self.learned.predict(user, at, k), **{n: r.predict(user, at, k) for n, r in self.plain.items()}}

    def _judge(self, slates: Mapping[str, list[str]], wanted: set[str], *, new: bool) -> None:
        hits = {name: len(wanted.intersection(slate)) / len(wanted) for name, slate in slates.items()}
        for name in self.plain:
            self.leads.setdefault((name, new), Lead()).add(hits[name] - hits[""])
