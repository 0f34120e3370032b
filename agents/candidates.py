"""Which items come into question for a user, and what is known of each pair. No weights, no choice.

Items are rows of the table that all views share. Nothing here depends on the numbers of the rows: what is equal goes by
what came up first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from agents.pairs import Facts
from policies.attention.encoder import HISTORY, KINDS, History
from policies.linalg import Floats
from policies.slates.slate import MAX_CANDIDATES
from streams.item_table import NO_CATEGORY, ItemTable, Rows
from streams.item_tokens import EMBEDDED, SAID
from streams.profile import HALF_LIFE, Profile
from streams.times import DAY, MINUTE
from streams.views import Views

OWN, WITH, TRENDING, NEW, COLD = 60, 15, 15, 8, 4
CATEGORIES, PER_CATEGORY = 4, 4
KEPT_BACK: Final = 8  # are logged
_FAVOURITE: Final = KINDS.index("favourite")
_DIRECTIONS: Final = EMBEDDED + SAID  # of a token: what an item is, not what it costs
_NONE: Final = np.zeros(0, dtype=np.int64), np.zeros(0)


@dataclass(slots=True)
class Look:
    """One user as seen at one moment: `now` is event time."""

    profile: Profile
    views: Views
    now: int
    location: str | None = None
    table: ItemTable = field(init=False)
    past: History | None = field(init=False)  # the last items touched, and favourites; None outside a visit (ADR 0012)
    bought: Rows = field(init=False)  # the rows of the profile's items …
    own: Floats = field(init=False)  # …, their decayed counts of purchases, …
    shares: Floats = field(init=False)  # … and their decayed parts of baskets
    withheld: list[Rows] = field(init=False, default_factory=list[Rows])  # what rules kept back, by source
    together: tuple[Rows, Floats] = field(init=False)  # how often bought with what was just touched, maybe repeated

    def __post_init__(self) -> None:
        self.table = self.views.table
        self.bought = self.profile.items.rows_in(self.table)
        self.own, self.shares = self.profile.items.faded(self.now, HALF_LIFE)
        known = [self.table.companions(self.table.row(item)) for item in self.profile.recent]
        rows, shares = zip(_NONE, *(one for one in known if one is not None), strict=True)
        self.together = np.concatenate(rows), np.concatenate(shares)
        self.past = self._past() if self.views.tokens else None

    def _past(self) -> History | None:
        """The last items touched, newest first; then those bought most that aren't among them. None outside a visit."""
        if not self.profile.is_visiting(self.now):
            return None
        recent = self.table.rows(reversed(self.profile.recent))
        touched = np.array(self.profile.touches()[::-1], dtype=np.int64)
        order = np.argsort(-self.own, kind="stable")[:HISTORY]
        order = order[~(self.bought[order][:, None] == recent).any(axis=1)][: HISTORY - len(recent)]
        at = np.concatenate([MINUTE * (touched >> 2), self.profile.items.bought_at()[order]])
        rows = np.concatenate([recent, self.bought[order]])
        kinds = np.concatenate([touched & 3, np.full(len(order), _FAVOURITE)])
        return History(self.views.tokens.read(rows), (self.now - at) / DAY, kinds)

    def candidates(self) -> Rows:
        """Up to 100 eligible items: from the user's history, co-purchase, trend, categories, popularity, new ones."""
        taken, left = self.table.marks, MAX_CANDIDATES
        found: list[Rows] = []
        for rows, limit in self._sources():
            more = self._eligible(rows[~taken[rows]], min(limit, left))
            taken[more] = True
            found.append(more)
            left -= len(more)
            if not left:
                break
        chosen = np.concatenate(found)
        taken[chosen] = False
        return chosen

    def _eligible(self, rows: Rows, limit: int) -> Rows:
        """The first `limit` of the rows that may be shown."""
        first = rows[:limit]
        if not self.table.doubtful[first].any():
            return first
        may = ~self.table.doubtful[rows]
        asked = np.flatnonzero(~may)
        may[asked] = [self.views.eligible(name, self.location) for name in self.table.names_of(rows[asked])]
        self.withheld.append(first[~may[:limit]])
        return rows[may][:limit]

    def kept_back(self) -> Rows:
        """The first few that would have been candidates, had they not been blocked or out of stock."""
        rows: list[int] = [row for some in self.withheld for row in some.tolist()]
        return np.array(list(dict.fromkeys(rows))[:KEPT_BACK], dtype=np.int64)

    def _sources(self) -> Iterator[tuple[Rows, int]]:
        yield _by_weight(self.bought, self.own), OWN
        with_these = self.table.distinct(self.together[0])
        yield _by_weight(with_these, self.table.spread(*self.together, with_these)), WITH
        yield self.views.trending.rows(), TRENDING
        if self.past is not None:
            yield self._like(self.past), NEW
        for category in self._favourites():
            yield category, PER_CATEGORY
        yield self.views.cold(COLD), COLD
        yield self.views.popular.rows(), MAX_CANDIDATES

    def _like(self, past: History) -> Rows:
        """The youngest items, those first that are most like what the user touched last, all touches alike."""
        rows, tokens = self.views.young()
        middle = np.add.reduce(past.tokens)  # whole numbers, as the products with it are: exact in any order
        return rows[np.argsort(-(tokens[:, :_DIRECTIONS] @ middle[:_DIRECTIONS]), kind="stable")]

    def _favourites(self) -> Iterator[Rows]:
        """The best-selling items of the categories that the user buys most of."""
        codes = self.table.category[self.bought]
        weights: Floats = np.bincount(codes, self.own).astype(np.float64)
        known = np.array([code for code in dict.fromkeys(codes.tolist()) if code != NO_CATEGORY], dtype=np.int64)
        best = _by_weight(known, weights[known])[:CATEGORIES]
        for category in self.table.categories_of(best):
            if category in self.views.by_category:  # asking for another would add it
                yield self.views.by_category[category].rows()

    def facts(self, rows: Rows) -> Facts:
        """What is known of this user and each of the items."""
        bought = len(self.bought)
        place = self.table.spread(self.bought, np.arange(1.0, bought + 1.0), rows).astype(np.int64)
        history = np.zeros((5, bought + 1))  # place 0: never bought
        history[0, 1:], history[1, 1:] = self.own, self.shares
        self.profile.items.history(history[2:, 1:])
        return Facts(
            rows=rows,
            history=history[:, place],
            together=self.table.spread(*self.together, rows),
            past=self.past,
            taste=self._tastes(rows),
            now=self.now,
            visits=self.profile.visits.read(self.now, HALF_LIFE),
            basket_size=self.profile.features.value("basket_size"),
            novelty=self.profile.features.value("novelty"),
            price=self.profile.features.value("price"),
        )

    def _tastes(self, rows: Rows) -> Floats:
        """The share of each item's category in what the user buys: [C]; 0 where it has none."""
        weights = np.bincount(self.table.category[self.bought], self.own, minlength=len(self.table.categories))
        weights[NO_CATEGORY] = 0.0
        return weights[self.table.category[rows]] / max(1.0, float(weights.sum()))


def _by_weight(rows: Rows, weights: Floats) -> Rows:
    """The rows, highest weight first; of equal ones the first first."""
    return rows[np.argsort(-weights, kind="stable")]
