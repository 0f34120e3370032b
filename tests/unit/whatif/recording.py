"""Small recorded histories, made by the demo's warehouse: another simulator than the one under test."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from infra.demo.shelf import Sku, Warehouse
from infra.demo.warehouse import Office
from infra.history.lines import write
from infra.history.message import Message
from infra.settings import Settings
from infra.whatif.source import Source
from streams.codec import encode
from streams.records import CatalogItem, Order, OrderLine, ReplenishmentOrder, StockUpdate, Supply
from streams.times import DAY, HOUR, EventTime
from streams.topics import BY_NAME, CATALOG, ORDERS, REPLENISHMENT_ORDERS, STOCK_UPDATES, Topic

START = 1_500_000_000_000 // DAY * DAY
Rule = Callable[[float, float], float]  # on hand, on order → units


def message(topic: Topic, record: Any) -> Message:
    at = getattr(record, "occurred_at", None) or getattr(record, "decided_at", START)
    return Message(topic, topic.key(record).encode(), encode(record), int(at))


def saved(path: Path, messages: Iterable[Message]) -> Path:
    path.write_bytes(b"".join(write(one) for one in messages))
    return path


def source(path: Path) -> Source:
    return Source(settings=Settings(), events=path)


@dataclass(slots=True)
class Recording:
    """A warehouse of some SKUs, restocked by a rule each morning at six, on demand from a seed."""

    rule: Rule
    rates: dict[Sku, float]
    supply: Supply
    days: int = 60
    opening: float = 8.0
    seed: int = 1
    made: list[Message] = field(default_factory=list[Message])
    updates: list[StockUpdate] = field(default_factory=list[StockUpdate])

    def run(self) -> list[Message]:
        random = Random(self.seed)
        lead = round(self.supply.lead_time_days * DAY)
        office = Office(Warehouse(dict.fromkeys(self.rates, self.opening)), {item: lead for item, _ in self.rates})
        for item in dict.fromkeys(item for item, _ in self.rates):
            known = CatalogItem(item_id=item, category=f"shelf {item}", supply=self.supply)
            self.made.append(message(CATALOG, known))
        self._say(office.open(START))
        for day in range(self.days):
            morning = START + day * DAY + 6 * HOUR
            self._say(office.advance(morning))
            self._restock(office, morning)
            for at, sku in self._customers(random, morning):
                self._say(office.advance(at))
                self._sell(office, at, sku, float(random.choice((1, 1, 2))))
        self._say(office.advance(START + self.days * DAY))
        return self.made

    def _customers(self, random: Random, morning: int) -> list[tuple[int, Sku]]:
        found: list[tuple[int, Sku]] = []
        for sku, rate in self.rates.items():
            at = morning + random.expovariate(1.0) / rate * DAY if rate else morning + DAY
            while at < morning + 16 * HOUR:
                found.append((int(at), sku))
                at += random.expovariate(1.0) / rate * DAY
        return sorted(found)

    def _sell(self, office: Office, at: int, sku: Sku, wanted: float) -> None:
        taken = min(wanted, office.stock.on_hand[sku])
        if taken <= 0.0:
            return  # a sale lost at an empty shelf leaves no trace
        line = OrderLine(item_id=sku[0], location=sku[1], quantity=taken)
        order = Order(order_id=f"o{len(self.made)}", occurred_at=EventTime(at), lines=[line])
        self.made.append(message(ORDERS, order))
        self._say(office.on_order(order))

    def _restock(self, office: Office, at: int) -> None:
        for sku in self.rates:
            units = self.rule(office.stock.on_hand[sku], office.stock.on_order.get(sku, 0.0))
            if units <= 0.0:
                continue
            order = ReplenishmentOrder(
                decision_id=f"r{len(self.made)}",
                item_id=sku[0],
                location=sku[1],
                quantity=units,
                reason="",
                policy_version=0,
                decided_at=at,
            )
            office.on_replenishment(order)
            self.made.append(message(REPLENISHMENT_ORDERS, order))

    def _say(self, updates: list[StockUpdate]) -> None:
        self.updates += updates
        self.made += [message(STOCK_UPDATES, update) for update in updates]


def up_to(level: float) -> Rule:
    return lambda on_hand, on_order: level - on_hand - on_order


def without(messages: Iterable[Message], *names: str) -> list[Message]:
    return [one for one in messages if one.topic not in {BY_NAME[name] for name in names}]
