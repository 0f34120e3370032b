"""Stock arithmetic per item and location: what is on hand, on order, sold and short. No topics, no clock of its own."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Sku = tuple[str, str]  # item, location


class Receipt(NamedTuple):
    """A shipment that has arrived. `order` numbers the orders as they came."""

    due: int  # epoch ms
    order: int
    sku: Sku
    quantity: float


@dataclass(slots=True)
class Warehouse:
    """Ships what was ordered after its lead time. An order is known by its decision: a second copy changes nothing."""

    on_hand: dict[Sku, float]
    now: int = 0
    on_order: dict[Sku, float] = field(default_factory=dict[Sku, float])
    sold: dict[Sku, float] = field(default_factory=dict[Sku, float])
    short: dict[Sku, float] = field(default_factory=dict[Sku, float])  # asked for by orders, but not there
    changed: set[Sku] = field(default_factory=set[Sku])  # since `take_changed`
    late_orders: int = 0  # came when they were due already: shipped at once
    _coming: list[Receipt] = field(default_factory=list[Receipt])
    _decisions: set[str] = field(default_factory=set[str])

    def sell(self, sku: Sku, quantity: float) -> bool:
        """Take what there is, up to `quantity`; whether that emptied the shelf. Items not kept here always sell."""
        held = self.on_hand.get(sku)
        if held is None:
            return False
        taken = min(quantity, held)
        self.on_hand[sku] = held - taken
        self.sold[sku] = self.sold.get(sku, 0.0) + taken
        if taken < quantity:
            self.short[sku] = self.short.get(sku, 0.0) + quantity - taken
        self.changed.add(sku)
        return held > 0 and taken == held

    def order(self, decision_id: str, sku: Sku, quantity: float, due: int) -> bool:
        """Take an order in; False where it was known, or is for what is not kept here."""
        if sku not in self.on_hand or quantity <= 0 or decision_id in self._decisions:
            return False
        self._decisions.add(decision_id)
        self.late_orders += due < self.now
        self.on_order[sku] = self.on_order.get(sku, 0.0) + quantity
        heapq.heappush(self._coming, Receipt(due, len(self._decisions), sku, quantity))
        self.changed.add(sku)
        return True

    def receive(self, to: int) -> Receipt | None:
        """The next shipment due by `to`, put on the shelf; the clock never runs backwards."""
        if not self._coming or self._coming[0].due > to:
            return None
        receipt = heapq.heappop(self._coming)
        self.now = max(self.now, receipt.due)
        self.on_order[receipt.sku] -= receipt.quantity
        self.on_hand[receipt.sku] += receipt.quantity
        self.changed.add(receipt.sku)
        return receipt

    def take_changed(self) -> list[Sku]:
        """What has changed since last asked, in order of name."""
        found = sorted(self.changed)
        self.changed.clear()
        return found


@dataclass(slots=True)
class Shelf:
    """The shop's own count: what was delivered, less what it sold. Right at any moment, however late the news is.

    The first news of an item sets its count, later news adds what was received; a second copy changes nothing.
    """

    on_hand: dict[Sku, float] = field(default_factory=dict[Sku, float])
    _receipts: dict[Sku, set[str]] = field(default_factory=dict[Sku, set[str]])

    def deliver(self, sku: Sku, event_id: str, on_hand: float, received: float | None) -> None:
        known = self._receipts.get(sku)
        if known is None:
            self.on_hand[sku] = on_hand
            self._receipts[sku] = {event_id}
        elif received and event_id not in known:
            self.on_hand[sku] += received
            known.add(event_id)

    def take(self, sku: Sku, quantity: float) -> float:
        """What can be sold of `quantity`; all of it where nobody counts this item."""
        held = self.on_hand.get(sku)
        if held is None:
            return quantity
        taken = min(held, quantity)
        self.on_hand[sku] = held - taken
        return taken


def lost_units(wanted: Iterable[tuple[Sku, float]], sold: Mapping[Sku, float]) -> dict[Sku, float]:
    """Units wanted and not sold, by SKU."""
    lost: dict[Sku, float] = {}
    for sku, quantity in wanted:
        lost[sku] = lost.get(sku, 0.0) + quantity
    return {sku: round(units - sold.get(sku, 0.0), 6) for sku, units in lost.items()}
