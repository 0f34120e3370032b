"""Shelves that the live agent fills: its own step, beside simulated warehouses. No clock, no broker."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from agents.contract import Input, State, Step
from agents.replenishment import ReplenishmentAgent
from infra.whatif.shelves import Recorded
from infra.whatif.source import stepping
from infra.whatif.warehouse import ARRIVES, WANTED, Store, Told
from policies.version import PolicyVersion
from streams.records import CatalogItem, ReplenishmentOrder, SkuDemand, StockUpdate
from streams.times import DAY, HOUR, EventTime
from streams.topics import CATALOG, REPLENISHMENT_ORDERS, SKU_DEMAND, STOCK_UPDATES, sku
from streams.views import Views

LONGEST: Final = DAY  # between two looks at what was ordered

News = SkuDemand | StockUpdate


def slice_ms(shelves: Sequence[Recorded]) -> int:
    """How long the agent runs on by itself: no order may be due before the warehouse has heard of it.

    Never less than an hour, so that what has a shorter lead time may come up to an hour late.
    """
    shortest = min(given.lead_ms for given in shelves)
    return max(HOUR, min(LONGEST, shortest // HOUR * HOUR))


def fill(stores: Sequence[Store], policy: PolicyVersion, review_ms: int) -> None:
    """Run the agent over all stores to the end of the range."""
    agent, offset = ReplenishmentAgent(review_ms=review_ms), 0
    entries: dict[str, bytes] = {}
    views = _catalog(stores)
    by_key = {store.given.key: store for store in stores}
    shelves = [store.given for store in stores]
    opened = {key: Scribe(store) for key, store in by_key.items()}
    first, end, step_ms = min(given.start for given in shelves), max(given.end for given in shelves), slice_ms(shelves)
    # Every slice but the last ends before the moment that the next begins with.
    moments = [*range(first // step_ms * step_ms, end + 1, step_ms), end + 1]
    for since, until in stepping(list(pairwise(moments)), "the live policy"):
        news = sorted((one for each in opened.values() for one in each.news(since, until)), key=_when)
        inputs = [_input(record, offset + place) for place, record in enumerate(news)]
        offset += len(inputs)
        for batch, now in ((inputs, 0), ([], until - 1)):
            step = agent.step(State(entries, views), batch, policy, now)
            entries = _after(entries, step)
            _deliver(step, by_key)
    for store in stores:
        store.finish()


def _after(entries: dict[str, bytes], step: Step) -> dict[str, bytes]:
    for name, raw in step.writes.items():
        if raw is None:
            entries.pop(name, None)
        else:
            entries[name] = raw
    return entries


def _deliver(step: Step, by_key: dict[str, Store]) -> None:
    for output in step.outputs:
        if output.topic is REPLENISHMENT_ORDERS:
            order: ReplenishmentOrder = output.record
            by_key[sku(order.item_id, order.location)].order(order.quantity, order.decided_at)


class Scribe:
    """What one warehouse and its shop publish of a stretch of time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._said = 0

    def news(self, since: int, until: int) -> list[News]:
        """All that happens at since ≤ time < until (epoch ms)."""
        store, said = self._store, list[News]()
        start = store.given.start
        if since <= start < until:
            said.append(self._stock(start, store.shelf.on_hand, store.on_order, None))
        for told in store.until(min(until, store.given.end + 1)):
            said += self._say(told)
        return said

    def _say(self, told: Told) -> list[News]:
        """A sale, a receipt or a correction; and that the shelf is empty, where a sale emptied it."""
        said: list[News] = []
        if told.kind != WANTED:
            received = told.units if told.kind == ARRIVES else 0.0
            return [self._stock(told.at, told.on_hand, told.on_order, received)]
        if told.units > 0.0:
            said.append(self._line(told))
        if told.emptied:
            said.append(self._stock(told.at, told.on_hand, told.on_order, None))
        return said

    def _line(self, told: Told) -> SkuDemand:
        known, name = self._store.given.known, self._name()
        return SkuDemand(
            event_id=name,
            order_id=name,
            item_id=known.item_id,
            location=known.location,
            quantity=told.units,
            occurred_at=EventTime(told.at),
        )

    def _stock(self, at: int, on_hand: float, on_order: float, received: float | None) -> StockUpdate:
        known = self._store.given.known
        return StockUpdate(
            event_id=self._name(),
            item_id=known.item_id,
            location=known.location,
            on_hand=on_hand,
            occurred_at=EventTime(at),
            on_order=on_order,
            received=received,
        )

    def _name(self) -> str:
        self._said += 1
        return f"{self._store.given.key}-{self._said}"


def _catalog(stores: Sequence[Store]) -> Views:
    views = Views()
    for store in stores:
        given = store.given
        item = CatalogItem(item_id=given.known.item_id, category=given.known.category, supply=given.supply)
        before = views.catalog.get(item.item_id)
        views.apply(CATALOG, item.item_id, item if before is None else replace(before, supply=given.supply))
    return views


def _when(record: News) -> tuple[int, str]:
    return int(record.occurred_at), sku(record.item_id, record.location)


def _input(record: News, offset: int) -> Input:
    topic = STOCK_UPDATES if isinstance(record, StockUpdate) else SKU_DEMAND
    return Input(topic, 0, offset, sku(record.item_id, record.location), record)
