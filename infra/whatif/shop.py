"""The records of a shop's stock, put together by SKU from the topics that they lie on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.whatif.shelves import Known
from infra.whatif.source import Read
from policies.baselines.lost_sales import Demand
from streams.records import CatalogItem, Order, SkuDemand, StockUpdate
from streams.topics import ORDERS, SKU_DEMAND, STOCK_UPDATES, sku


@dataclass(slots=True)
class Shop:
    """All that was read, by SKU. Copies of a record count once."""

    known: dict[str, Known] = field(default_factory=dict[str, Known])
    items: dict[str, CatalogItem] = field(default_factory=dict[str, CatalogItem])
    left_out: Counter[str] = field(default_factory=Counter[str])
    end: int = 0
    _seen: dict[str, str] = field(default_factory=dict[str, str])  # event id → topic

    def catalog(self, table: Iterable[Read]) -> None:
        for read in table:
            if read.record is None:
                self.items.pop(read.key, None)
            else:
                self.items[read.key] = read.record

    def take(self, read: Read) -> None:
        record = read.record
        if read.topic is ORDERS:
            self._order(record)
        elif read.topic is SKU_DEMAND:
            self._line(record.event_id, read.topic.name, (record.item_id, record.location), _wanted(record))
        elif read.topic is STOCK_UPDATES:
            self._update(record)
        elif self._is_new(f"r/{record.decision_id}", read.topic.name):
            self._of(record.item_id, record.location).orders.append(record)

    def _order(self, order: Order) -> None:
        for place, line in enumerate(order.lines):
            demand = Demand(int(order.occurred_at), line.quantity)
            self._line(f"{order.order_id}:{place}", ORDERS.name, (line.item_id, line.location), demand)

    def _line(self, name: str, topic: str, which: tuple[str, str], demand: Demand) -> None:
        """One order line. It lies on two topics under one name."""
        if demand.quantity > 0.0 and self._is_new(f"d/{name}", topic):
            self.end = max(self.end, demand.at)
            self._of(*which).lines.append(demand)

    def _update(self, update: StockUpdate) -> None:
        if self._is_new(f"s/{update.item_id}@{update.location}/{update.event_id}", STOCK_UPDATES.name):
            self.end = max(self.end, int(update.occurred_at))
            self._of(update.item_id, update.location).updates.append(update)

    def _is_new(self, name: str, topic: str) -> bool:
        before = self._seen.get(name)
        if before is None:
            self._seen[name] = topic
            return True
        if before == topic:
            self.left_out["copies of a record"] += 1
        return False

    def _of(self, item: str, location: str) -> Known:
        return self.known.setdefault(sku(item, location), Known(item_id=item, location=location))


def _wanted(record: SkuDemand) -> Demand:
    return Demand(int(record.occurred_at), record.quantity)
