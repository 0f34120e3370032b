"""The demo's shop, a neighbour: asks for slates, shows them, and tells what its real households then bought.

    python -m infra.demo.storefront --bootstrap localhost:9092 --prefix demo. --households 150 --seconds 100

It publishes `catalog` and `campaigns` first, then `user-events` and `orders` in order of event time, at a speed-up and
in a closed loop: a basket waits for its slate. It sells only what its shelf has (`stock-updates`). It expects topics
under its prefix that nobody has played on before, prints its own counts as one line of JSON, and ends by itself.
"""

import argparse
import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import numpy as np

from infra.demo.bus import Inbox, Outbox, inbox, serve, stop_requested
from infra.demo.cache import load
from infra.demo.journey import Journey, Subset
from infra.demo.pace import Pace, Script
from infra.demo.shelf import Shelf
from infra.demo.till import Slate, Till
from streams.records import Recommendation, StockUpdate
from streams.times import DAY
from streams.topics import CAMPAIGNS, CATALOG, ORDERS, RECOMMENDATIONS, STOCK_UPDATES, USER_EVENTS

CHUNK: Final = 2_000  # records between two flushes while much is published at once
BEAT_S: Final = 0.01  # between two turns: many records go in one request, which the broker thanks for


@dataclass(frozen=True, slots=True, kw_only=True)
class StorefrontConfig:
    """`seconds`: wall clock that a year takes, if Tradewind keeps up. Times ending in _s are wall clock."""

    bootstrap: str
    prefix: str = ""
    subset: Subset = field(default_factory=Subset)
    seconds: float = 100.0
    most_open: int = 64  # slates asked for whose baskets are not done
    patience_s: float = 2.0  # how long a basket waits for its slate
    opening_s: float = 60.0  # how long the first one does, and the first stock
    most_ahead_days: float = 1.0  # of event time: how far a request may run ahead of the oldest basket not done
    most_ahead_of_stock_days: float = 3.0  # the same, of the warehouse's news


@dataclass(slots=True)
class Storefront:
    """The loop between the script, the till and the topics."""

    config: StorefrontConfig
    till: Till
    script: Script
    pace: Pace
    counts: Counter[str] = field(default_factory=Counter[str])
    latencies: list[float] = field(default_factory=list[float])  # seconds, one a slate
    held_s: float = 0.0  # wall clock during which a request was due but had to wait
    _by_event: dict[str, int] = field(default_factory=dict[str, int])
    _warehouse_at: int = 0  # event time
    _warehouse_wall: float = 0.0
    _redemption: int = 0

    async def hear_slates(self, slates: Inbox) -> None:
        async for batch in slates.batches():
            for _, record in batch:
                self._on_slate(record)

    async def hear_stock(self, stock: Inbox) -> None:
        async for batch in stock.batches():
            for _, record in batch:
                self._on_stock(record)

    def _on_slate(self, record: Recommendation) -> None:
        basket = self._by_event.get(record.event_id)
        if basket is None:
            self.counts["slates_unasked"] += 1
            return
        shown = Slate(record.decision_id, frozenset(item.item_id for item in record.items))
        asked = self.script.answer(basket, shown)
        if asked is not None:
            self.counts["slates"] += 1
            self.latencies.append(monotonic() - asked.wall)

    def _on_stock(self, record: StockUpdate) -> None:
        sku = record.item_id, record.location
        self.till.shelf.deliver(sku, record.event_id, record.on_hand, record.received)
        self._warehouse_at = max(self._warehouse_at, record.occurred_at)
        self._warehouse_wall = monotonic()

    def turn(self, out: Outbox) -> bool:
        """Everything that is due now; whether a request is, and has to wait."""
        wall = monotonic()
        allowed = self.pace.allowed(wall, min(self.script.next_at(), self.script.next_request_at()))
        self._ring_up(out, allowed, wall)
        self._ask(out, allowed, wall)
        self._redeem(out)
        return self.script.next_request_at() <= allowed

    def _ring_up(self, out: Outbox, allowed: int, wall: float) -> None:
        patience = self.config.patience_s if self.latencies else self.config.opening_s
        while (due := self.script.next_basket(allowed, wall, patience)) is not None:
            basket, asked = due
            self.counts["slates_timed_out"] += asked.slate is None
            rung = self.till.ring_up(basket, asked.slate)
            for event in rung.events:
                out.put(USER_EVENTS, event)
            if rung.order is not None:
                out.put(ORDERS, rung.order)
            self._by_event.pop(f"ask-{self.till.journey.baskets[basket]}")

    def _ask(self, out: Outbox, allowed: int, wall: float) -> None:
        bound = min(self._warehouse_bound(wall), self.script.next_at() + int(self.config.most_ahead_days * DAY))
        while (basket := self.script.next_request(min(allowed, bound), wall)) is not None:
            request = self.till.ask(basket)
            self._by_event[request.event_id] = basket
            out.put(USER_EVENTS, request)
            self.counts["requests"] += 1

    def _warehouse_bound(self, wall: float) -> int:
        """No further than this ahead of the warehouse; a warehouse that says nothing is not waited for."""
        if wall - self._warehouse_wall > self.config.patience_s:
            return sys.maxsize
        return self._warehouse_at + int(self.config.most_ahead_of_stock_days * DAY)

    def _redeem(self, out: Outbox) -> None:
        """Redemptions up to the last basket rung up: they keep the order of time among the baskets."""
        at = self.till.journey.redeemed_at
        while self._redemption < len(at) and at[self._redemption] <= self.script.rung_up_to:
            out.put(USER_EVENTS, self.till.redeem(self._redemption))
            self._redemption += 1

    async def open(self, stocked: int, stop: asyncio.Event) -> bool:
        """Wait until the warehouse has said what is on every shelf; False where it did not in time."""
        until = monotonic() + self.config.opening_s
        while len(self.till.shelf.on_hand) < stocked and monotonic() < until and not stop.is_set():
            await _beat(stop)
        return len(self.till.shelf.on_hand) >= stocked

    async def play(self, out: Outbox, stop: asyncio.Event) -> None:
        """Until the script is done or the stop is called."""
        while not self.script.done and not stop.is_set():
            held = self.turn(out)
            began = monotonic()
            await out.flush()
            await _beat(stop)
            self.held_s += monotonic() - began if held else 0.0

    def summary(self, wall_s: float, out: Outbox) -> dict[str, Any]:
        events = out.sent[USER_EVENTS.name] + out.sent[ORDERS.name]
        p50, p99 = np.percentile(self.latencies, [50, 99]).tolist() if self.latencies else (None, None)
        return {
            "neighbour": "storefront",
            **self.counts,
            **self.till.counts,
            "lost_units": round(sum(self.till.lost.values()), 3),
            "skus_with_losses": len(self.till.lost),
            "sent": dict(out.sent),
            "bytes": dict(out.bytes),
            "seconds": round(wall_s, 2),
            "held_seconds": round(self.held_s, 2),
            "events_per_second": round(events / wall_s, 1) if wall_s else None,
            "slate_p50_ms": round(p50 * 1e3, 2) if p50 is not None else None,
            "slate_p99_ms": round(p99 * 1e3, 2) if p99 is not None else None,
            "data": self.till.journey.cleaned(),
        }


async def _beat(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), BEAT_S)


async def publish_assortment(journey: Journey, out: Outbox) -> None:
    """The catalog and the campaigns, in the broker's hands when this returns."""
    for campaign in journey.ad_campaigns():
        out.put(CAMPAIGNS, campaign)
    for place, item in enumerate(journey.catalog_items()):
        out.put(CATALOG, item)
        if place % CHUNK == 0:
            await out.flush()
    await out.confirm()


async def run(config: StorefrontConfig) -> dict[str, Any]:
    """Play the journey once; what was done."""
    journey = load(config.subset)
    stop = stop_requested()
    async with AsyncExitStack() as stack:
        topics = (CATALOG, CAMPAIGNS, USER_EVENTS, ORDERS)
        out = await stack.enter_async_context(Outbox(config.bootstrap, config.prefix, topics))
        slates = await stack.enter_async_context(inbox(config.bootstrap, config.prefix, (RECOMMENDATIONS,), "end"))
        stock = await stack.enter_async_context(inbox(config.bootstrap, config.prefix, (STOCK_UPDATES,), "beginning"))
        await publish_assortment(journey, out)
        return await _open(config, journey, out, slates, stock, stop)


async def _open(
    config: StorefrontConfig, journey: Journey, out: Outbox, slates: Inbox, stock: Inbox, stop: asyncio.Event
) -> dict[str, Any]:
    script = Script(journey, config.most_open)
    speed = 365 * DAY / config.seconds
    shop = Storefront(config, Till(journey, Shelf()), script, Pace(int(journey.asked_at.min()), speed, monotonic()))
    async with asyncio.TaskGroup() as ears:
        heard = [ears.create_task(shop.hear_slates(slates)), ears.create_task(shop.hear_stock(stock))]
        stocked = await shop.open(journey.plan.size, stop)
        began = shop.pace.began = monotonic()
        await shop.play(out, stop)
        await out.confirm()
        wall_s = monotonic() - began
        for task in heard:
            task.cancel()
    malformed = slates.malformed + stock.malformed
    finished = {"finished": script.done, "stock_known": stocked, "malformed": malformed}
    return {**shop.summary(wall_s, out), **finished}


def parse(arguments: list[str] | None = None) -> StorefrontConfig:
    """The command line as a configuration."""
    parser = argparse.ArgumentParser(prog="infra.demo.storefront", description="The demo's shop, on real baskets.")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--households", type=int, default=Subset().households)
    parser.add_argument("--stocked", type=int, default=Subset().stocked)
    parser.add_argument("--days", type=int, default=Subset().days)
    parser.add_argument("--seconds", type=float, default=100.0)
    parser.add_argument("--most-open", type=int, default=64)
    given = parser.parse_args(arguments)
    return StorefrontConfig(
        bootstrap=given.bootstrap,
        prefix=given.prefix,
        subset=Subset(households=given.households, stocked=given.stocked, days=given.days),
        seconds=given.seconds,
        most_open=given.most_open,
    )


if __name__ == "__main__":
    serve(run(parse()))
