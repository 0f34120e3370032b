"""The lost-sales recursion in event time: stock, orders on their way, demand that finds an empty shelf is gone.

At one instant: arrivals, then the review, then the sale. With demand right after each daily review this is the periodic
model of Zipkin (2008), where an order comes in `lead_time` periods later and costs are charged at the period's end.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from typing import Final, NamedTuple, Protocol

DAY: Final = 86_400_000  # milliseconds


class Demand(NamedTuple):
    """Units wanted at one moment (epoch ms), whether or not they were there."""

    at: int
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a SKU is restocked and what it costs: `holding_cost` a unit and day, `shortage_cost` a unit lost."""

    lead_time: int  # milliseconds
    holding_cost: float
    shortage_cost: float
    pack_size: int = 1
    min_order: float = 0.0
    max_order: float = float("inf")

    def orderable(self, wanted: float) -> float:
        """The quantity that may be ordered: whole packs, upwards; nothing, or at least the minimum.

        >>> Terms(lead_time=0, holding_cost=1, shortage_cost=1, pack_size=6, max_order=20).orderable(13)
        18.0
        """
        if wanted <= 0:
            return 0.0
        packs = ceil(max(wanted, self.min_order) / self.pack_size - 1e-9)
        return float(min(packs, self.max_order // self.pack_size) * self.pack_size)


class Rule(Protocol):
    """An ordering rule: `review` is told what was sold since the last one, and names the units to order."""

    def review(self, on_hand: float, on_order: float, sold: float) -> float: ...


@dataclass(slots=True)
class Ledger:
    """What happened: in units, in unit-days of stock held, and in days without stock."""

    demanded: float = 0.0
    sold: float = 0.0
    unit_days: float = 0.0
    stock_outs: int = 0  # times that stock fell to zero
    days_out: float = 0.0
    ordered: float = 0.0

    @property
    def lost(self) -> float:
        return self.demanded - self.sold


@dataclass(slots=True)
class Shelf:
    """One SKU at one place, walked through time."""

    on_hand: float
    at: int
    ledger: Ledger = field(default_factory=Ledger)

    def until(self, at: int) -> None:
        """Let time pass, with the stock as it is."""
        if at > self.at:
            days = (at - self.at) / DAY
            self.ledger.unit_days += self.on_hand * days
            self.ledger.days_out += days if self.on_hand <= 0 else 0.0
            self.at = at

    def put(self, on_hand: float) -> None:
        """Set the stock to what it is now known to be."""
        if on_hand <= 0 < self.on_hand:
            self.ledger.stock_outs += 1
        self.on_hand = max(0.0, on_hand)

    def want(self, quantity: float) -> float:
        """Sell what is there of the quantity, and return it; the rest is lost."""
        sold = min(quantity, self.on_hand)
        self.ledger.demanded += quantity
        self.ledger.sold += sold
        self.put(self.on_hand - sold)
        return sold


def simulate(
    demand: Iterable[Demand], terms: Terms, rule: Rule, *, on_hand: float, start: int, end: int, review: int = DAY
) -> Ledger:
    """Run the rule from `start` to `end` (epoch ms) on demand in time order, reviewing at each full `review` (ms)."""
    # The first review is after the start: at the start itself nothing is known yet.
    plant = _Plant(Shelf(on_hand, start), terms, rule, review, next_review=(start // review + 1) * review)
    for at, quantity in demand:
        if start <= at <= end:
            plant.until(at)
            plant.sold += plant.shelf.want(quantity)
    plant.until(end)
    return plant.shelf.ledger


@dataclass(slots=True)
class _Plant:
    """A shelf with a rule that orders for it, and what is on its way: (due, units) in order of time."""

    shelf: Shelf
    terms: Terms
    rule: Rule
    review: int
    next_review: int
    sold: float = 0.0
    coming: deque[tuple[int, float]] = field(default_factory=deque[tuple[int, float]])

    def until(self, at: int) -> None:
        while True:
            due = self.coming[0][0] if self.coming else at + 1
            if min(due, self.next_review) > at:
                break
            if due <= self.next_review:
                self._receive()
            else:
                self._review()
        self.shelf.until(at)

    def _receive(self) -> None:
        at, quantity = self.coming.popleft()
        self.shelf.until(at)
        self.shelf.put(self.shelf.on_hand + quantity)

    def _review(self) -> None:
        self.shelf.until(self.next_review)
        on_order = sum(quantity for _, quantity in self.coming)
        quantity = self.terms.orderable(self.rule.review(self.shelf.on_hand, on_order, self.sold))
        if quantity > 0:
            self.shelf.ledger.ordered += quantity
            self.coming.append((self.next_review + self.terms.lead_time, quantity))
        self.sold = 0.0
        self.next_review += self.review
