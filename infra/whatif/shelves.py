"""One SKU's shelf as it was recorded: what was wanted, what arrived, what was counted. Facts; nothing is simulated.

At one moment: what arrives, then what is sold, then what is counted. A count may also have been taken before the sales
of its moment: it agrees if it agrees with the stock at any point of that moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal, NamedTuple

from policies.baselines.lost_sales import Demand, Ledger, Shelf
from policies.orders.demand import DemandPrior, Evidence
from streams.records import ReplenishmentOrder, StockUpdate, Supply
from streams.times import DAY

Censored = Literal["as-recorded", "impute"]

_NEVER_FADES: Final = 1e12  # days: all of the recorded range counts the same


class Units(NamedTuple):
    """So many units at a moment, epoch ms: an order placed, a receipt, a count, a correction."""

    at: int
    units: float


@dataclass(slots=True, kw_only=True)
class Known:
    """What was read of one SKU at one location, in any order."""

    item_id: str
    location: str
    category: str = ""
    supply: Supply | None = None
    lines: list[Demand] = field(default_factory=list[Demand])
    updates: list[StockUpdate] = field(default_factory=list[StockUpdate])
    orders: list[ReplenishmentOrder] = field(default_factory=list[ReplenishmentOrder])


@dataclass(slots=True, kw_only=True)
class Recorded:
    """The shelf from its first count (`start`, `opening` units) to `end`, and what of it is not the orderer's doing.

    `under_way` arrived in the range and was ordered before it; `corrections` are counts that differ from what sales and
    receipts come to. Both, and what was wanted, happen whatever is ordered. `orders` are the recorded orderer's.
    """

    known: Known
    supply: Supply  # as it is asked for
    usual_lead_ms: int  # of the recorded orders
    start: int
    opening: float
    end: int
    wanted: list[Demand]
    counts: list[Units]
    ledger: Ledger
    orders: list[Units] = field(default_factory=list[Units])
    under_way: list[Units] = field(default_factory=list[Units])
    corrections: list[Units] = field(default_factory=list[Units])
    receipts: list[Units] = field(default_factory=list[Units])
    stock_outs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])  # from, to
    waits: list[int] = field(default_factory=list[int])  # ms from a logged order to its receipt
    assumed_receipts: int = 0  # rises of a count that named no receipt
    lines_before: int = 0  # the first count
    lines_while_out: int = 0
    units_while_out: float = 0.0
    lines_that_emptied: int = 0
    orders_are_receipts: bool = False  # no orders were logged: what arrived stands for them

    @property
    def key(self) -> str:
        return f"{self.known.item_id}@{self.known.location}"

    @property
    def days(self) -> float:
        return (self.end - self.start) / DAY

    @property
    def lead_ms(self) -> int:
        return round(self.supply.lead_time_days * DAY)

    def rate(self, prior: DemandPrior) -> float:
        """Units a day in stock, by the belief that all of the recorded range comes to."""
        evidence = Evidence()
        evidence.watch(max(0.0, self.days - self.ledger.days_out), _NEVER_FADES)
        evidence.sell(self.ledger.sold)
        return evidence.belief(prior).mean

    def imputed(self, prior: DemandPrior) -> list[Demand]:
        """What would have been wanted in the recorded stock-outs: single units, evenly at the believed rate.

        What is left of a unit at the end of a stock-out counts in the next; the first comes after half a unit's time.
        """
        per_ms, due, found = self.rate(prior) / DAY, 0.5, list[Demand]()
        for since, until in self.stock_outs:
            at = float(since)
            while per_ms > 0.0 and at + (1.0 - due) / per_ms < until:
                at += (1.0 - due) / per_ms
                due = 0.0
                found.append(Demand(int(at), 1.0))
            due += (until - at) * per_ms
        return found


def recorded(known: Known, supply: Supply, end: int, *, usual_lead_days: float) -> Recorded:
    """Put one SKU's records in order, up to `end` (epoch ms). It must have a stock update."""
    updates = sorted(known.updates, key=lambda update: update.occurred_at)
    start, opening = int(updates[0].occurred_at), updates[0].on_hand
    found = Recorded(
        known=known,
        supply=supply,
        usual_lead_ms=round(usual_lead_days * DAY),
        start=start,
        opening=opening,
        end=end,
        wanted=sorted(line for line in known.lines if start < line.at <= end),
        counts=[Units(int(update.occurred_at), update.on_hand) for update in updates],
        ledger=Ledger(),
    )
    found.lines_before = sum(line.at <= start for line in known.lines)
    _walk(found, updates[1:])
    _match(found)
    return found


def _walk(found: Recorded, updates: list[StockUpdate]) -> None:
    shelf = Shelf(found.opening, found.start, found.ledger)
    out_since = found.start if shelf.on_hand <= 0.0 else None
    for at, received, wanted, counted in _moments(found, updates):
        shelf.until(at)
        levels: list[float] = [] if received else [shelf.on_hand]
        for units in received:
            found.receipts.append(Units(at, units))
            shelf.put(shelf.on_hand + units)
            levels.append(shelf.on_hand)
        for units in wanted:
            _want(found, shelf, units)
            levels.append(shelf.on_hand)
        for update in counted:
            _count(found, shelf, update, levels)
        if shelf.on_hand > 0.0 and out_since is not None:
            found.stock_outs.append((out_since, at))
            out_since = None
        elif shelf.on_hand <= 0.0 and out_since is None:
            out_since = at
    shelf.until(found.end)
    if out_since is not None and found.end > out_since:
        found.stock_outs.append((out_since, found.end))


def _moments(
    found: Recorded, updates: list[StockUpdate]
) -> Iterator[tuple[int, list[float], list[float], list[StockUpdate]]]:
    """Each moment at which something happened: what was received, wanted and counted then."""
    lines: list[tuple[int, float | StockUpdate]] = [(line.at, line.quantity) for line in found.wanted]
    lines += [(int(update.occurred_at), update) for update in updates if update.occurred_at <= found.end]
    for at, group in groupby(sorted(lines, key=lambda each: each[0]), key=lambda each: each[0]):
        there = [what for _, what in group]
        counted = [what for what in there if isinstance(what, StockUpdate)]
        wanted: list[float] = [what for what in there if not isinstance(what, StockUpdate)]
        yield at, [update.received for update in counted if update.received], wanted, counted


def _want(found: Recorded, shelf: Shelf, units: float) -> None:
    held = shelf.on_hand
    sold = shelf.want(units)
    if sold < units:
        found.lines_while_out += 1
        found.units_while_out += units - sold
    elif held > 0.0 and shelf.on_hand <= 0.0:
        found.lines_that_emptied += 1


def _count(found: Recorded, shelf: Shelf, update: StockUpdate, levels: list[float]) -> None:
    if any(same(update.on_hand, level) for level in levels):
        return
    more = update.on_hand - shelf.on_hand
    if more > 0.0 and update.received is None:  # as the agent takes it too
        found.assumed_receipts += 1
        found.receipts.append(Units(shelf.at, more))
    else:
        found.corrections.append(Units(shelf.at, more))
    shelf.put(update.on_hand)
    levels.append(shelf.on_hand)


def same(one: float, other: float) -> bool:
    """Whether two stocks are equal, but for what adding in another order leaves."""
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def _match(found: Recorded) -> None:
    """Tell the receipts of orders in the range from those of orders before it.

    A receipt belongs to the oldest logged order of as many units that is still open. Of the others, what arrived within
    a lead time of the start was ordered before it.
    """
    placed = sorted((int(o.decided_at), o.quantity) for o in found.known.orders if o.quantity > 0.0)
    placed = [Units(*each) for each in placed if found.start <= each[0] <= found.end]
    waiting, alone = list(placed), list[Units]()
    for receipt in found.receipts:
        order = next((o for o in waiting if o.at <= receipt.at and same(o.units, receipt.units)), None)
        if order is None:
            alone.append(receipt)
        else:
            waiting.remove(order)
            found.waits.append(receipt.at - order.at)
    lead = found.usual_lead_ms
    found.under_way = [one for one in alone if one.at < found.start + lead]
    found.orders = placed
    if not placed:
        later = [one for one in alone if one.at >= found.start + lead]
        found.orders = [Units(one.at - lead, one.units) for one in later]
        found.orders_are_receipts = bool(found.orders)
