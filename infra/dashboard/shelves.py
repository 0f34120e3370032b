"""Stock per SKU and location: on hand, sold lately, cover in days, and how often and how long the shelf was empty."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from infra.dashboard.rings import Table
from streams.records import Order, ReplenishmentOrder, StockUpdate
from streams.times import DAY
from streams.topics import sku

KEPT: Final = 20_000  # SKUs
HALF_LIFE: Final = 14 * DAY  # of the rate of sale
_SALES: Final = 16  # the last of a shelf
_LEAST_DAYS: Final = 1.0  # a shelf watched for less has no rate yet


@dataclass(slots=True)
class Rate:
    """Units a day, the past halving every two weeks. Time out of stock isn't counted: nothing could be sold."""

    units: float = 0.0
    days: float = 0.0

    def pass_time(self, ms: int, *, in_stock: bool) -> None:
        kept = 0.5 ** (ms / HALF_LIFE)
        self.units *= kept
        self.days = self.days * kept + (ms / DAY if in_stock else 0.0)

    def a_day(self) -> float | None:
        return self.units / self.days if self.days >= _LEAST_DAYS else None


@dataclass(slots=True)
class Shelf:
    """One SKU in one place. `at` is the newest event time; `out_since` is None while something is there."""

    at: int = 0
    counted_at: int = 0
    on_hand: float | None = None
    on_order: float | None = None
    stock_outs: int = 0
    out_ms: int = 0
    rate: Rate = field(default_factory=Rate)
    last: ReplenishmentOrder | None = None
    _sold: deque[tuple[int, float]] = field(default_factory=lambda: deque[tuple[int, float]](maxlen=_SALES))

    def sell(self, at: int, units: float) -> None:
        self._pass(at)
        self.rate.units += units
        self._sold.append((at, units))
        if self.on_hand is not None and at > self.counted_at:  # a count holds the sales of its own moment
            self._put(self.on_hand - units)

    def count(self, update: StockUpdate) -> None:
        at = int(update.occurred_at)
        if at < self.counted_at:
            return
        self._pass(at)
        self.counted_at = at
        if update.on_order is not None:
            self.on_order = update.on_order
        since = sum(units for sold_at, units in self._sold if sold_at > at)  # orders may be read ahead of counts
        self._put(update.on_hand - since)

    def cover_days(self) -> float | None:
        """How long what is on hand lasts at the rate sold lately; None where that isn't known, or nothing sells."""
        rate = self.rate.a_day()
        return self.on_hand / rate if self.on_hand is not None and rate else None

    def out(self) -> bool:
        return self.on_hand is not None and self.on_hand <= 0

    def days_out(self, now: int) -> float:
        return (self.out_ms + (max(0, now - self.at) if self.out() else 0)) / DAY

    def _pass(self, at: int) -> None:
        if self.at and at > self.at and self.on_hand is not None:
            self.rate.pass_time(at - self.at, in_stock=not self.out())
            if self.out():
                self.out_ms += at - self.at
        self.at = max(self.at, at)

    def _put(self, units: float) -> None:
        was_out = self.out()
        self.on_hand = max(0.0, units)
        self.stock_outs += self.out() and not was_out


@dataclass(slots=True)
class Shelves:
    """All SKUs seen lately. Only those that were ever counted are stocked: others are sold without being kept."""

    shelves: Table[Shelf] = field(default_factory=lambda: Table(Shelf, KEPT))

    def order(self, order: Order) -> None:
        for line in order.lines:
            shelf = self.shelves.get(sku(line.item_id, line.location))
            if shelf is not None:
                shelf.sell(int(order.occurred_at), line.quantity)

    def update(self, update: StockUpdate) -> None:
        self.shelves.touch(sku(update.item_id, update.location)).count(update)

    def ordered(self, order: ReplenishmentOrder) -> None:
        self.shelves.touch(sku(order.item_id, order.location)).last = order
