"""A shelf that other orders fill, SKU by SKU: what was wanted stays, what was there to sell follows. No topics.

At one moment: what was ordered arrives, then the review, then what is wanted, then what a count corrects.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from infra.whatif.shelves import Recorded, Units, same
from policies.baselines.base_stock import CappedBaseStock, NaiveBaseStock
from policies.baselines.lost_sales import Demand, Rule, Shelf, Terms
from streams.records import Supply
from streams.times import DAY

ARRIVES, WANTED, CORRECTED = range(3)


class Happening(NamedTuple):
    """What comes whatever is ordered, by time and then by kind."""

    at: int
    kind: int
    units: float


class Told(NamedTuple):
    """What happened on a shelf: what arrived, what was sold, whether that emptied it; and what it came to."""

    at: int
    kind: int
    units: float  # that arrived or were sold; signed, by which a count corrected it
    emptied: bool
    on_hand: float
    on_order: float


class Orderer(Protocol):
    """Fills one SKU's shelf: a rule, or the orders of the record."""

    def fill(self, store: "Store") -> None:
        """Run the store to its end."""
        ...


@dataclass(slots=True)
class Store:
    """One SKU's simulated shelf. `path` is its stock after each change: (epoch ms, units)."""

    given: Recorded
    happenings: list[Happening]
    shelf: Shelf
    path: list[Units]
    lead_ms: int
    orders: int = 0
    place: int = 0  # of the next happening
    under_way: float = 0.0  # units of before the start that haven't come yet
    _coming: list[Units] = field(default_factory=list[Units])  # a heap, by time

    @classmethod
    def open(cls, given: Recorded, wanted: Sequence[Demand], *, lead_ms: int | None = None) -> "Store":
        """The shelf as it was at the first count; `wanted` in any order; the lead time as asked for if not told."""
        found = [Happening(one.at, ARRIVES, one.units) for one in given.under_way]
        found += [Happening(one.at, WANTED, one.quantity) for one in wanted]
        found += [Happening(one.at, CORRECTED, one.units) for one in given.corrections]
        start = Units(given.start, given.opening)
        under_way = sum(one.units for one in given.under_way)
        shelf, lead = Shelf(given.opening, given.start), given.lead_ms if lead_ms is None else lead_ms
        return cls(given, sorted(found), shelf, [start], lead, under_way=under_way)

    @property
    def on_order(self) -> float:
        """What was ordered and hasn't come, with what was under way at the start."""
        return sum(one.units for one in self._coming) + self.under_way

    def order(self, units: float, at: int) -> None:
        """Order so many units at a moment, epoch ms; they come a lead time later, but not in the past."""
        if units <= 0.0:
            return
        self.orders += 1
        self.shelf.ledger.ordered += units
        heapq.heappush(self._coming, Units(max(at + self.lead_ms, self.shelf.at), units))

    def next_at(self) -> int | None:
        """When the next thing happens by itself."""
        due = [self._coming[0].at] if self._coming else []
        if self.place < len(self.happenings):
            due.append(self.happenings[self.place].at)
        return min(due, default=None)

    def receive(self, to: int) -> list[Told]:
        """What arrives up to a moment, of what nothing else comes before."""
        told: list[Told] = []
        while self._coming and self._coming[0].at <= to:
            one = heapq.heappop(self._coming)
            told.append(self._arrive(one))
        return told

    def until(self, to: int) -> list[Told]:
        """All that happens before a moment (epoch ms), in order."""
        told: list[Told] = []
        while (at := self.next_at()) is not None and at < to:
            told += self.receive(at)
            while self.place < len(self.happenings) and self.happenings[self.place].at == at:
                one = self.happenings[self.place]
                self.place += 1
                told.append(self._happen(one))
        return told

    def finish(self) -> None:
        """To the end of the range, and what happens at that moment."""
        self.until(self.given.end + 1)
        self.shelf.until(self.given.end)

    def _arrive(self, one: Units) -> Told:
        self.under_way += one.units  # as what was ordered before the start, until it is here
        return self._happen(Happening(one.at, ARRIVES, one.units))

    def _happen(self, one: Happening) -> Told:
        self.shelf.until(one.at)
        held, units = self.shelf.on_hand, one.units
        if one.kind == WANTED:
            units = self.shelf.want(one.units)
        else:
            self.shelf.put(held + one.units)
        if one.kind == ARRIVES:
            self.under_way = max(0.0, self.under_way - one.units)
        now = self.shelf.on_hand
        self.path.append(Units(one.at, now))
        return Told(one.at, one.kind, units, held > 0.0 >= now, now, self.on_order)


@dataclass(slots=True, kw_only=True)
class ByRule:
    """A rule that reviews at each full `review_ms` after the start."""

    rule: Rule
    terms: Terms
    review_ms: int

    def fill(self, store: Store) -> None:
        given, sold = store.given, 0.0
        for at in range((given.start // self.review_ms + 1) * self.review_ms, given.end + 1, self.review_ms):
            store.until(at)
            store.receive(at)
            on_order = store.on_order
            ledger = store.shelf.ledger
            wanted = self.rule.review(store.shelf.on_hand, on_order, ledger.sold - sold)
            sold = ledger.sold
            store.order(self.terms.orderable(wanted), at)
        store.finish()


@dataclass(slots=True)
class AsRecorded:
    """The orders of the record, placed when they were."""

    def fill(self, store: Store) -> None:
        for order in store.given.orders:
            store.until(order.at)
            store.order(order.units, order.at)
        store.finish()


def terms_of(supply: Supply) -> Terms:
    """How an item is restocked, as the simple rules take it."""
    return Terms(
        lead_time=round(supply.lead_time_days * DAY),
        holding_cost=supply.holding_cost,
        shortage_cost=supply.shortage_cost,
        pack_size=supply.pack_size,
        min_order=supply.min_order,
        max_order=supply.max_order,
    )


def base_stock(given: Recorded, review_ms: int) -> Orderer:
    terms = terms_of(given.supply)
    return ByRule(rule=NaiveBaseStock(terms, review_ms), terms=terms, review_ms=review_ms)


def capped_base_stock(given: Recorded, review_ms: int) -> Orderer:
    terms = terms_of(given.supply)
    return ByRule(rule=CappedBaseStock(NaiveBaseStock(terms, review_ms)), terms=terms, review_ms=review_ms)


RULES: Final = {"base-stock": base_stock, "capped-base-stock": capped_base_stock}


def agreeing(store: Store) -> int:
    """How many of the recorded counts the simulated path agrees with."""
    agreed, place, path = 0, 0, store.path
    for count in (one for one in store.given.counts if one.at <= store.given.end):
        while place + 1 < len(path) and path[place + 1].at < count.at:
            place += 1
        levels, here = [path[place].units], place + 1
        while here < len(path) and path[here].at <= count.at:
            levels.append(path[here].units)
            here += 1
        agreed += any(same(count.units, level) for level in levels)
    return agreed
