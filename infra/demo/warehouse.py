"""The demo's warehouse, a neighbour: ships what Tradewind orders, loses sales at stock-out, says what is on hand.

    python -m infra.demo.warehouse --bootstrap localhost:9092 --prefix demo. --households 150

It reads `replenishment-orders` and `orders`, and publishes `stock-updates`: all of its stock at the start, then at each
receipt, at each stock-out, and at each day's end for what changed. Its clock is that of the orders. A shipment leaves
when it was decided, so it arrives a lead time of event time later, whatever the message took to come. The stock of the
first morning is ten days of the assortment plan. SIGTERM ends it; it then prints its own counts as one line of JSON.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.demo.bus import Inbox, Outbox, inbox, serve, stop_requested
from infra.demo.cache import load
from infra.demo.journey import Journey, Subset, initial_stock, real_demand, supply_of
from infra.demo.shelf import Sku, Warehouse, lost_units
from streams.records import Order, ReplenishmentOrder, StockUpdate
from streams.times import DAY, EventTime
from streams.topics import ORDERS, REPLENISHMENT_ORDERS, STOCK_UPDATES

REST_S: Final = 0.02  # between two looks at the topics


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseConfig:
    bootstrap: str
    prefix: str = ""
    subset: Subset = field(default_factory=Subset)
    initial_days: float = 10.0


@dataclass(slots=True)
class Office:
    """Between the records and the stock. `lead_time_ms` by item. Everything it says is returned, in order of time."""

    stock: Warehouse
    lead_time_ms: Mapping[str, int]
    counts: Counter[str] = field(default_factory=Counter[str])
    _said: Counter[Sku] = field(default_factory=Counter[Sku])

    def open(self, at: int) -> list[StockUpdate]:
        """What is on every shelf as the first day begins."""
        self.stock.now = at
        return [self._say(sku, "opening") for sku in sorted(self.stock.on_hand)]

    def on_order(self, order: Order) -> list[StockUpdate]:
        """A sale: first everything that was due before it, then what it takes."""
        found = self.advance(order.occurred_at)
        self.counts["orders"] += 1
        emptied = [
            (line.item_id, line.location)
            for line in order.lines
            if self.stock.sell((line.item_id, line.location), line.quantity)
        ]
        return found + [self._say(sku, "stock_outs") for sku in emptied]

    def on_replenishment(self, order: ReplenishmentOrder) -> None:
        due = order.decided_at + self.lead_time_ms.get(order.item_id, 0)
        taken = self.stock.order(order.decision_id, (order.item_id, order.location), order.quantity, due)
        self.counts["replenishments" if taken else "replenishments_refused"] += 1

    def advance(self, to: int) -> list[StockUpdate]:
        """Receipts and day's ends up to `to`, as they come."""
        found: list[StockUpdate] = []
        while True:
            midnight = (self.stock.now // DAY + 1) * DAY
            receipt = self.stock.receive(min(to, midnight))
            if receipt is not None:
                found.append(self._say(receipt.sku, "receipts", receipt.quantity))
            elif midnight <= to:
                self.stock.now = midnight
                found += [self._say(sku, "snapshots") for sku in self.stock.take_changed()]
            else:
                self.stock.now = max(self.stock.now, to)
                return found

    def _say(self, sku: Sku, why: str, received: float | None = None) -> StockUpdate:
        self.counts[why] += 1
        self._said[sku] += 1
        item_id, location = sku
        return StockUpdate(
            event_id=f"stock-{item_id}-{location}-{self._said[sku]}",
            item_id=item_id,
            location=location,
            on_hand=self.stock.on_hand[sku],
            occurred_at=EventTime(self.stock.now),
            on_order=self.stock.on_order.get(sku, 0.0),
            received=received,
        )


def office_of(journey: Journey, initial_days: float) -> Office:
    """The office of the journey's stocked items."""
    lead = {item: int(supply.lead_time_days * DAY) for item, supply in supply_of(journey).items()}
    return Office(Warehouse(initial_stock(journey, initial_days)), lead)


async def run(config: WarehouseConfig) -> dict[str, Any]:
    """Serve until SIGTERM; what was done."""
    journey = load(config.subset)
    stop = stop_requested()
    office = office_of(journey, config.initial_days)
    async with Outbox(config.bootstrap, config.prefix, (STOCK_UPDATES,)) as out:
        for update in office.open(int(journey.asked_at.min()) // DAY * DAY):
            out.put(STOCK_UPDATES, update)
        await out.confirm()
        topics = (ORDERS, REPLENISHMENT_ORDERS)
        async with inbox(config.bootstrap, config.prefix, topics, "beginning") as orders, asyncio.TaskGroup() as work:
            serving = work.create_task(_serve(office, orders, out))
            await stop.wait()
            serving.cancel()
        await out.confirm()
        return {**_summary(office, journey), "sent": dict(out.sent), "bytes": dict(out.bytes)}


async def _serve(office: Office, orders: Inbox, out: Outbox) -> None:
    async for batch in orders.batches(REST_S):
        for _, record in batch:
            if isinstance(record, ReplenishmentOrder):
                office.on_replenishment(record)
        # Partitions come one after the other; their orders are merged by time again.
        sales = sorted((record for _, record in batch if isinstance(record, Order)), key=_when)
        for update in (update for sale in sales for update in office.on_order(sale)):
            out.put(STOCK_UPDATES, update)
        await out.flush()


def _when(order: Order) -> tuple[int, str]:
    return order.occurred_at, order.order_id


def _summary(office: Office, journey: Journey) -> dict[str, Any]:
    stock = office.stock
    wanted = [((line.item_id, line.location), line.quantity) for line in real_demand(journey) if line.at <= stock.now]
    lost = lost_units(wanted, stock.sold)
    units = sum(quantity for _, quantity in wanted)
    return {
        "neighbour": "warehouse",
        **office.counts,
        "late_orders": stock.late_orders,
        "units_wanted": round(units, 3),
        "units_sold": round(sum(stock.sold.values()), 3),
        "units_lost": round(sum(lost.values()), 3),
        "skus_with_losses": sum(units > 0 for units in lost.values()),
        "units_ordered_but_not_there": round(sum(stock.short.values()), 3),
        "units_on_hand": round(sum(stock.on_hand.values()), 3),
        "units_on_order": round(sum(stock.on_order.values()), 3),
    }


_DEFAULTS: Final = Subset()


def parse(arguments: list[str] | None = None) -> WarehouseConfig:
    """The command line as a configuration."""
    parser = argparse.ArgumentParser(prog="infra.demo.warehouse", description="The demo's warehouse, on real demand.")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--households", type=int, default=_DEFAULTS.households)
    parser.add_argument("--stocked", type=int, default=_DEFAULTS.stocked)
    parser.add_argument("--days", type=int, default=_DEFAULTS.days)
    parser.add_argument("--initial-days", type=float, default=10.0)
    given = parser.parse_args(arguments)
    return WarehouseConfig(
        bootstrap=given.bootstrap,
        prefix=given.prefix,
        subset=Subset(households=given.households, stocked=given.stocked, days=given.days),
        initial_days=given.initial_days,
    )


if __name__ == "__main__":
    serve(run(parse()))
