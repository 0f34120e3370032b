"""The scoreboard: fed with every message that a reader of the topics sees, it says how Tradewind did."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from infra.measures.bidding import BiddingMeasure
from infra.measures.counts import Counts
from infra.measures.latency import Latency
from infra.measures.next_basket import NextBasketMeasure
from infra.measures.recent import Recent
from infra.measures.stock import StockMeasure, TrueDemand
from infra.privacy.pseudonyms import Pseudonyms
from streams.codec import MalformedRecord, decode
from streams.records import AdEvent, Campaign, CatalogItem, Order, Recommendation, StockUpdate, UserEvent
from streams.topics import (
    AD_EVENTS,
    CAMPAIGNS,
    CATALOG,
    ORDERS,
    RECOMMENDATIONS,
    STOCK_UPDATES,
    USER_EVENTS,
    Topic,
)

_MEASURED: Final = {topic.name for topic in (USER_EVENTS, ORDERS, STOCK_UPDATES, AD_EVENTS, CATALOG, CAMPAIGNS)}
_REMEMBERED: Final = 200_000  # event ids by which a second copy is known


@dataclass(slots=True)
class Scoreboard:
    """Feed `observe` in the order in which messages were read; `result` may be asked at any time.

    Memory grows with users, SKUs and campaigns, not with events. `demand` is what customers really wanted, where the
    caller knows it: (item_id, location, epoch ms, units), read once, on the first `result`.
    """

    demand: TrueDemand | None = None
    users: Pseudonyms | None = None  # what users of raw inputs are called on the topics of actions
    counts: Counts = field(default_factory=Counts)
    latency: Latency = field(default_factory=Latency)
    next_basket: NextBasketMeasure = field(default_factory=NextBasketMeasure)
    bidding: BiddingMeasure = field(default_factory=BiddingMeasure)
    stock: StockMeasure = field(init=False)
    unreadable: int = 0
    duplicates: int = 0
    _seen: Recent[None] = field(default_factory=lambda: Recent[None](_REMEMBERED))
    _first: int | None = None
    _last: int | None = None
    _took: float | None = None

    def __post_init__(self) -> None:
        self.stock = StockMeasure(demand=self.demand)

    def observe(
        self, topic: Topic, key: bytes | None, value: bytes | None, timestamp_ms: int, received_ms: int | None
    ) -> None:
        """Take in one message. `timestamp_ms` is the log's own, `received_ms` when it was readable; None in a replay.

        What can't be read is counted, not raised: the worker sends it to dead letters.
        """
        if received_ms is not None:
            self._first = received_ms if self._first is None else self._first
            self._last = received_ms
        try:
            self.counts.observe(topic, value)
            if value is not None and topic.name in _MEASURED:
                name, record = decode(topic, key, value, timestamp_ms)
                known = record if self.users is None else self.users.enter(topic, name, record)[1]
                self._measure(known, timestamp_ms)
            elif value is not None and topic is RECOMMENDATIONS:
                self._measure_slate(msgspec.json.decode(value, type=Recommendation), received_ms)
        except (MalformedRecord, msgspec.DecodeError):
            self.unreadable += 1

    def _measure(self, record: object, timestamp_ms: int) -> None:
        if not self._is_new(record):
            self.duplicates += 1
            return
        match record:
            case UserEvent():
                self.latency.asked(record.event_id, timestamp_ms)
                self.next_basket.observe_event(record)
            case Order():
                self.stock.observe_order(record)
            case StockUpdate():
                self.stock.observe_stock(record)
            case AdEvent():
                self.bidding.observe_event(record)
            case CatalogItem():
                self.stock.observe_catalog(record)
            case Campaign():
                self.bidding.observe_campaign(record)
            case _:
                pass

    def _measure_slate(self, made: Recommendation, received_ms: int | None) -> None:
        self.next_basket.observe_slate(made)
        if received_ms is not None:
            self.latency.answered(made.event_id, received_ms)

    def _is_new(self, record: object) -> bool:
        event_id = getattr(record, "event_id", None) or getattr(record, "order_id", None)
        return event_id is None or self._seen.put(f"{type(record).__name__}/{event_id}", None)

    def took(self, seconds: float) -> None:
        """Say how long the run took, where messages do not carry when they were received."""
        self._took = seconds

    def result(self) -> dict[str, Any]:
        """Everything measured, ready for JSON. What is not known is null, with a `why` beside it."""
        counted = self.counts.result()
        seconds = self._seconds()
        events = sum(counted["events_in"].values())
        return {
            **counted,
            "unreadable": self.unreadable,
            "duplicates": self.duplicates,
            "seconds": seconds,
            "events_per_second": events / seconds if seconds else None,
            "latency_ms": self.latency.result(),
            "next_basket": self.next_basket.result(),
            "replenishment": self.stock.result(),
            "bidding": self.bidding.result(),
        }

    def _seconds(self) -> float | None:
        if self._took is not None:
            return self._took
        if self._first is None or self._last is None or self._last <= self._first:
            return None
        return (self._last - self._first) / 1000
