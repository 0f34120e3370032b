"""A shop as its baskets tell it: who bought what, what everyone buys, and which items come into question for whom.

Names become numbers here; below it there are only numbers, above it only names. No weights, no choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from policies.baskets import trend as trends
from policies.baskets.companions import Companions
from policies.baskets.features import Level, features
from policies.baskets.profile import Ids, Profile
from policies.baskets.trend import Trend, highest
from policies.linalg import Floats
from policies.portable import largest

OWN: Final = 150
TRENDING, WEEKLY, STEADY, BY_SIZE = 40, 30, 40, 30
WITH: Final = 120  # mentions: a companion may be mentioned several times
KINDS, PER_KIND = 15, 6

Visit = tuple[Sequence[str], int]  # items, and when (epoch ms)
_NO_KINDS: Final[Mapping[str, str]] = {}


class Question(NamedTuple):
    """The candidates for a buyer at a moment, and their features: φ [F, C]."""

    ids: Ids  # [C] in order
    phi: Floats

    def target(self, bought: Ids) -> Floats:
        """What each candidate adds to the recall of a basket of these: 1/n or 0, [C]."""
        found = np.zeros(len(self.ids))
        if len(found) and len(bought):
            place = np.minimum(np.searchsorted(self.ids, bought), len(found) - 1)
            found[place[self.ids[place] == bought]] = 1.0 / len(bought)
        return found


@dataclass(slots=True)
class Numbers:
    """Names numbered in the order in which they turn up."""

    of: dict[str, int] = field(default_factory=dict[str, int])
    names: list[str] = field(default_factory=list[str])

    def read(self, name: str) -> int:
        number = self.of.get(name)
        if number is None:
            number = self.of[name] = len(self.names)
            self.names.append(name)
        return number


@dataclass(slots=True)
class Buyer:
    """One buyer's purchases, by item and by kind of item."""

    items: Profile = field(default_factory=Profile)
    kinds: Profile = field(default_factory=Profile)


@dataclass(slots=True)
class Shop:
    """`kinds` names the kind of an item, where the catalog does; it may be filled while the shop is in use."""

    kinds: Mapping[str, str] = field(default_factory=lambda: _NO_KINDS)
    items: Numbers = field(default_factory=Numbers)
    kind_numbers: Numbers = field(default_factory=Numbers)
    buyers: dict[str, Buyer] = field(default_factory=dict[str, Buyer])
    trend: Trend = field(default_factory=Trend)
    kind_trend: Trend = field(default_factory=Trend)
    companions: Companions = field(default_factory=Companions)
    _kind_of: Ids = field(default_factory=lambda: np.full(64, -1, dtype=np.int64))
    _members: list[list[int]] = field(default_factory=list[list[int]])
    _best: dict[int, Ids] = field(default_factory=dict[int, Ids])  # by kind, since the last look
    _tops: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _unseen: float = np.inf  # purchases since the last look

    def number(self, items: Sequence[str]) -> Ids:
        """The items' numbers, each once."""
        before = len(self.items.names)
        ids = np.array([self.items.read(item) for item in dict.fromkeys(items)], dtype=np.int64)
        for item in range(before, len(self.items.names)):
            self._place(item)
        self.trend.make_room(len(self.items.names))
        self.kind_trend.make_room(len(self.kind_numbers.names))
        return ids

    def observe(self, user: str, items: Sequence[str], at: int) -> None:
        """One visit's items."""
        ids = self.number(items)
        buyer = self.buyers.setdefault(user, Buyer())
        self.trend.observe(ids, at, buyer.items)
        self.companions.observe(ids, buyer.items.latest)
        kinds = self._kinds(ids)
        self.kind_trend.observe(kinds, at, buyer.kinds)
        buyer.items.observe(ids, at)
        buyer.kinds.observe(kinds, at)
        self._unseen += len(ids)

    def buyer(self, user: str) -> Buyer:
        """Who it is; an empty profile for a stranger."""
        return self.buyers.get(user) or Buyer()

    def after(self, visits: Sequence[Visit]) -> Buyer:
        """A buyer of whom only these visits are known. Items that nobody has bought here say nothing."""
        buyer = Buyer()
        for items, at in visits:
            ids = np.array([self.items.of[item] for item in dict.fromkeys(items) if item in self.items.of], np.int64)
            buyer.items.observe(ids, at)
            buyer.kinds.observe(self._kinds(ids), at)
        return buyer

    def ask(self, buyer: Buyer, now: int) -> Question:
        """The items that come into question, and what is known of each."""
        profile = buyer.items
        scores, companions = self.companions.scores(profile.latest, self.trend.known)
        ids = np.unique(np.concatenate([*self._sources(buyer), _strongest(scores, companions)]))
        level = Level(profile=profile, trend=self.trend)
        kinds = Level(profile=buyer.kinds, trend=self.kind_trend) if self.kind_numbers.names else None
        return Question(ids, features(level, ids, scores[ids], now, kinds, self._kind_of[ids]))

    def _sources(self, buyer: Buyer) -> list[Ids]:
        if self._unseen > max(10, self.trend.known // 40):  # so that a look costs each purchase as little in any shop
            self._look()
        kinds = buyer.kinds.strongest(KINDS)
        return [buyer.items.strongest(OWN), self._tops, *(self._best_of(kind) for kind in kinds.tolist())]

    def _look(self) -> None:
        tops = (
            (trends.DAILY, TRENDING),
            (trends.WEEKLY, WEEKLY),
            (trends.STEADY, STEADY),
            (trends.DAILY_BY_SIZE, BY_SIZE),
        )
        self._tops = np.unique(np.concatenate([self.trend.highest(rate, count) for rate, count in tops]))
        self._best = {}
        self._unseen = 0.0 if len(self._tops) else np.inf  # what wasn't there can't have been seen

    def _best_of(self, kind: int) -> Ids:
        if kind not in self._best:
            members = np.array(self._members[kind], dtype=np.int64)
            self._best[kind] = members[highest(self.trend.table[members, trends.WEEKLY], PER_KIND)]
        return self._best[kind]

    def _kinds(self, ids: Ids) -> Ids:
        kinds = self._kind_of[ids]
        return np.unique(kinds[kinds >= 0])

    def _place(self, item: int) -> None:
        if item >= len(self._kind_of):
            self._kind_of = np.concatenate([self._kind_of, np.full_like(self._kind_of, -1)])
        kind = self.kinds.get(self.items.names[item])
        if kind:
            number = self._kind_of[item] = self.kind_numbers.read(kind)
            if number == len(self._members):
                self._members.append([])
            self._members[number].append(item)


def _strongest(scores: Floats, ids: Ids) -> Ids:
    """Among the companions, which may be named more than once, those with the highest scores."""
    return ids[largest(scores[ids], WITH)]
