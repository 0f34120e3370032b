"""Stock per SKU and location: on hand, sold lately, cover in days, and how often and how long the shelf was empty."""

from array import array
from dataclasses import dataclass, field, replace
from heapq import nlargest
from typing import Final, NamedTuple

from streams.records import Order, ReplenishmentOrder, StockUpdate
from streams.times import DAY
from streams.topics import sku

KEPT: Final = 100_000  # SKUs; about 130 MB
HALF_LIFE: Final = 14 * DAY  # of the rate of sale
_LATE: Final = 16  # the newest entries of a shelf, among which one that is read late can take its place
_LEAST_DAYS: Final = 1.0  # a shelf watched for less has no rate yet
_SALE, _COUNT = 0.0, 1.0  # of one moment the sale comes first: a count holds the sales of its own moment
_WIDE: Final = 3  # numbers of an entry: at, kind, units
_FOREVER: Final = float("inf")


@dataclass(slots=True)
class Course:
    """A shelf walked through time. Units; `at` is epoch ms of event time; `on_hand` is None before the first count.

    The rate of sale is `units` over `days`, the past halving every two weeks. Time out of stock isn't counted:
    nothing could be sold.
    """

    at: int = 0
    counted_at: int = -1
    on_hand: float | None = None
    stock_outs: int = 0
    out_ms: int = 0
    units: float = 0.0
    days: float = 0.0

    def sell(self, at: int, units: float) -> None:
        if self.on_hand is None:
            return
        self.until(at)
        self.units += units
        if at > self.counted_at:  # else the count knew of it
            self._put(self.on_hand - units)

    def count(self, at: int, units: float) -> None:
        self.until(at)
        self.counted_at = at
        self._put(units)

    def until(self, at: int) -> None:
        """Let time pass, with the stock as it is."""
        if self.on_hand is not None and at > self.at:
            kept = 0.5 ** ((at - self.at) / HALF_LIFE)
            self.units *= kept
            self.days *= kept
            if self.out:
                self.out_ms += at - self.at
            else:
                self.days += (at - self.at) / DAY
        self.at = max(self.at, at)

    @property
    def out(self) -> bool:
        return self.on_hand is not None and self.on_hand <= 0

    def _put(self, units: float) -> None:
        self.stock_outs += units <= 0 and not self.out
        self.on_hand = max(0.0, units)


class Ordered(NamedTuple):
    """The last order for a shelf."""

    quantity: float
    reason: str


@dataclass(slots=True)
class Shelf:
    """One SKU in one place.

    Orders and counts come on two topics that aren't read in step. Each takes its place in event time, and what follows
    it is walked again: else a sale that is read before the delivery it was served from would look like a stock-out.
    """

    now: Course = field(default_factory=Course)
    on_order: float | None = None
    last: Ordered | None = None
    _settled: Course = field(default_factory=Course)  # up to the first of the newest entries
    _newest: "array[float]" = field(default_factory=lambda: array("d"))

    def sell(self, at: int, units: float) -> None:
        if at < self._settled.at:
            self._settled.sell(at, units)
            self._walk_again()
        elif self.now.on_hand is not None:
            self._take(at, _SALE, units)

    def count(self, update: StockUpdate) -> None:
        at = int(update.occurred_at)
        if at < self._settled.at:
            return
        if update.on_order is not None and at >= self.now.counted_at:
            self.on_order = update.on_order
        self._take(at, _COUNT, update.on_hand)

    def cover_days(self) -> float | None:
        """How long what is on hand lasts at the rate sold lately; None where that isn't known, or nothing sells."""
        rate = self.sold_a_day()
        return self.now.on_hand / rate if self.now.on_hand is not None and rate else None

    def sold_a_day(self) -> float | None:
        return self.now.units / self.now.days if self.now.days >= _LEAST_DAYS else None

    def days_out(self, now: int) -> float:
        """Up to `now`, epoch ms of event time."""
        return (self.now.out_ms + (max(0, now - self.now.at) if self.now.out else 0)) / DAY

    def _take(self, at: int, kind: float, units: float) -> None:
        newest, place = self._newest, len(self._newest)
        while place and (newest[place - _WIDE], newest[place - _WIDE + 1]) > (at, kind):
            place -= _WIDE
        is_last = place == len(newest)
        newest[place:place] = array("d", (at, kind, units))
        if is_last:
            _apply(self.now, at, kind, units)
        else:
            self._walk_again()
        if len(newest) > _LATE * _WIDE:
            half = len(newest) // (2 * _WIDE) * _WIDE
            _walk(self._settled, newest[:half])
            del newest[:half]

    def _walk_again(self) -> None:
        self.now = replace(self._settled)
        _walk(self.now, self._newest)


def _walk(course: Course, entries: "array[float]") -> None:
    for place in range(0, len(entries), _WIDE):
        _apply(course, int(entries[place]), entries[place + 1], entries[place + 2])


def _apply(course: Course, at: int, kind: float, units: float) -> None:
    if kind == _SALE:
        course.sell(at, units)
    else:
        course.count(at, units)


@dataclass(slots=True)
class Shelves:
    """SKUs that were counted or ordered for: others are sold without being kept.

    Beyond `kept` of them, those that need a look least are given up, a tenth at once: the longest cover first, of
    those that don't sell at all the one heard of longest ago.
    """

    kept: int = KEPT
    shelves: dict[str, Shelf] = field(default_factory=dict[str, Shelf])
    given_up: int = 0
    _stock_outs: int = 0  # of those given up

    def order(self, order: Order) -> None:
        for line in order.lines:
            shelf = self.shelves.get(sku(line.item_id, line.location))
            if shelf is not None:
                shelf.sell(int(order.occurred_at), line.quantity)

    def update(self, update: StockUpdate) -> None:
        self._of(update.item_id, update.location).count(update)

    def ordered(self, order: ReplenishmentOrder) -> None:
        self._of(order.item_id, order.location).last = Ordered(order.quantity, order.reason)

    @property
    def stock_outs(self) -> int:
        """How often a shelf ran empty, those given up since included."""
        return self._stock_outs + sum(shelf.now.stock_outs for shelf in self.shelves.values())

    def _of(self, item_id: str, location: str) -> Shelf:
        name = sku(item_id, location)
        shelf = self.shelves.get(name)
        if shelf is None:
            if len(self.shelves) >= self.kept:
                self._give_up()
            shelf = self.shelves[name] = Shelf()
        return shelf

    def _give_up(self) -> None:
        for name in nlargest(max(1, self.kept // 10), self.shelves, key=self._ease):
            self._stock_outs += self.shelves.pop(name).now.stock_outs
            self.given_up += 1

    def _ease(self, name: str) -> tuple[float, int]:
        """The greater, the less it matters. A shelf that was watched for hours only is judged by what it sold."""
        now = self.shelves[name].now
        if now.out:
            return 0.0, -now.at
        rate = now.units / max(now.days, _LEAST_DAYS)
        return (now.on_hand or 0.0) / rate if rate else _FOREVER, -now.at
