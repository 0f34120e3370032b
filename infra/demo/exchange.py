"""The demo's ad exchange, a neighbour. SIMULATED: its auctions are drawn, only the campaigns' flights are real.

    python -m infra.demo.exchange --bootstrap localhost:9092 --prefix demo.

It reads `campaigns`, `bid-adjustments` and, for the time only, `orders`; it plays second-price auctions tick by tick
(two hours of event time) and publishes `ad-events`. Adjustments are taken in before every tick. It enforces no budget:
that nothing is overspent is the bidder's to see to. SIGTERM ends it; it then prints its counts as one line of JSON.
"""

import argparse
import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from infra.demo.bus import Inbox, Outbox, inbox, serve, stop_requested
from infra.demo.house import House
from infra.demo.market import TICK
from streams.records import BidAdjustment, Order
from streams.topics import AD_EVENTS, BID_ADJUSTMENTS, CAMPAIGNS, ORDERS, Topic

BREATH_S: Final = 0.002  # between two ticks, so that answers to the last one can come in

REST_S: Final = 0.02  # between two looks at the topics


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeConfig:
    bootstrap: str
    prefix: str = ""


@dataclass(slots=True)
class Exchange:
    """The house and its clock. `next_tick` is the next tick to play; 0 until the shop's first order."""

    house: House = field(default_factory=House)
    now: int = 0
    next_tick: int = 0
    most_behind_ticks: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, box: Inbox) -> None:
        async for batch in box.batches(REST_S):
            for topic, record in batch:
                self.take(topic, record)
            self.news.set()

    def take(self, topic: Topic, record: Any) -> None:
        """One record that was heard."""
        if isinstance(record, Order):
            self.now = max(self.now, record.occurred_at)
            self.next_tick = self.next_tick or self.now // TICK
        elif isinstance(record, BidAdjustment):
            self.house.adjust(record)
        elif topic is CAMPAIGNS and record is not None:
            self.house.announce(record)

    async def play(self, out: Outbox) -> None:
        """Every tick that the shop's time has left behind, one after the other."""
        while True:
            await self.news.wait()
            self.news.clear()
            while self.next_tick and (self.next_tick + 1) * TICK <= self.now:
                self.most_behind_ticks = max(self.most_behind_ticks, self.now // TICK - self.next_tick)
                for event in self.house.tick(self.next_tick):
                    out.put(AD_EVENTS, event)
                self.next_tick += 1
                await out.flush()
                await asyncio.sleep(BREATH_S)

    def summary(self) -> dict[str, Any]:
        budgets = {name: campaign.budget for name, campaign in self.house.campaigns.items()}
        spent = self.house.spent
        return {
            "neighbour": "exchange",
            "simulated": True,
            "campaigns": len(budgets),
            **self.house.counts,
            "spent": round(sum(spent.values()), 2),
            "budget": round(sum(budgets.values()), 2),
            "overspent": sorted(name for name, amount in spent.items() if amount > budgets.get(name, 0.0)),
            "most_behind_ticks": self.most_behind_ticks,
        }


async def run(config: ExchangeConfig) -> dict[str, Any]:
    """Serve until SIGTERM; what was done."""
    stop = stop_requested()
    exchange = Exchange()
    async with Outbox(config.bootstrap, config.prefix, (AD_EVENTS,)) as out:
        topics = (CAMPAIGNS, BID_ADJUSTMENTS, ORDERS)
        async with inbox(config.bootstrap, config.prefix, topics, "beginning") as box, asyncio.TaskGroup() as work:
            tasks = [work.create_task(exchange.hear(box)), work.create_task(exchange.play(out))]
            await stop.wait()
            for task in tasks:
                task.cancel()
        await out.confirm()
    return {**exchange.summary(), "sent": dict(out.sent), "bytes": dict(out.bytes), "malformed": box.malformed}


def parse(arguments: list[str] | None = None) -> ExchangeConfig:
    """The command line as a configuration."""
    parser = argparse.ArgumentParser(prog="infra.demo.exchange", description="The demo's ad exchange (simulated).")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", default="")
    given = parser.parse_args(arguments)
    return ExchangeConfig(bootstrap=given.bootstrap, prefix=given.prefix)


if __name__ == "__main__":
    serve(run(parse()))
