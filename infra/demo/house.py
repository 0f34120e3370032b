"""An auction house: simulated second-price auctions, bid into by what the last adjustment said. No topics, no clock.

Full information, which a real exchange would not give: the competing price is told even where the auction was lost.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field

from infra.demo.market import TICK, Auction, auctions, market_of
from streams.records import AdEvent, AdEventType, BidAdjustment, Campaign
from streams.times import EventTime


def bid_of(campaign: Campaign, order: BidAdjustment | None, value: float) -> float:
    """What is bid for an impression worth `value`; 0 is no bid."""
    if order is None or order.max_bid <= 0 or order.max_bid < campaign.bid_min:
        return 0.0
    bid = min(order.max_bid, order.bid_multiplier * value)
    return min(max(bid, campaign.bid_min), campaign.bid_max, order.max_bid)


@dataclass(slots=True)
class House:
    """All campaigns and the orders in force. `tick` plays one tick; ticks must come in order."""

    campaigns: dict[str, Campaign] = field(default_factory=dict[str, Campaign])
    orders: dict[str, BidAdjustment] = field(default_factory=dict[str, BidAdjustment])
    spent: dict[str, float] = field(default_factory=dict[str, float])
    counts: Counter[str] = field(default_factory=Counter[str])
    _coming: list[tuple[int, str, AdEvent]] = field(default_factory=list[tuple[int, str, AdEvent]])

    def announce(self, campaign: Campaign) -> None:
        self.campaigns[campaign.campaign_id] = campaign

    def adjust(self, order: BidAdjustment) -> None:
        self.orders[order.campaign_id] = order
        self.counts["adjustments"] += 1

    def tick(self, tick: int) -> list[AdEvent]:
        """Every event of one tick (counted from the epoch), in order of time."""
        for campaign in self.campaigns.values():
            if campaign.starts_at < (tick + 1) * TICK and campaign.ends_at > tick * TICK:
                self._hold(campaign, tick)
        found: list[AdEvent] = []
        while self._coming and self._coming[0][0] < (tick + 1) * TICK:
            found.append(heapq.heappop(self._coming)[2])
        return found

    def _hold(self, campaign: Campaign, tick: int) -> None:
        for auction in auctions(market_of(campaign.campaign_id), tick):
            if campaign.starts_at <= auction.at < campaign.ends_at:
                self._auction(campaign, auction)

    def _auction(self, campaign: Campaign, auction: Auction) -> None:
        order = self.orders.get(campaign.campaign_id)
        bid = bid_of(campaign, order, auction.value)
        won = bid > 0 and bid >= auction.price
        decision = order.decision_id if order is not None else None
        self._later(
            AdEvent(
                event_id=f"auction-{auction.name}",
                campaign_id=campaign.campaign_id,
                type="auction",
                occurred_at=EventTime(auction.at),
                bid=round(bid, 6),
                won=won,
                price=auction.price,
                value=auction.value,
                decision_id=decision,
            )
        )
        self.counts["no_bid"] += bid == 0
        if won:
            self.counts["won"] += 1
            self.spent[campaign.campaign_id] = self.spent.get(campaign.campaign_id, 0.0) + auction.price
            self._follow(campaign, auction, decision)

    def _follow(self, campaign: Campaign, auction: Auction, decision: str | None) -> None:
        """What comes of an impression, as it was drawn with the auction."""
        steps: list[tuple[AdEventType, int | None, float | None]] = [
            ("impression", auction.shown_at, None),
            ("click", auction.clicked_at, None),
            ("conversion", auction.converted_at, auction.worth),
        ]
        for kind, at, worth in steps:
            if at is not None:
                self._later(
                    AdEvent(
                        event_id=f"{kind}-{auction.name}",
                        campaign_id=campaign.campaign_id,
                        type=kind,
                        occurred_at=EventTime(at),
                        value=worth,
                        decision_id=decision,
                    )
                )

    def _later(self, event: AdEvent) -> None:
        self.counts[f"{event.type}s"] += 1
        heapq.heappush(self._coming, (event.occurred_at, event.event_id, event))
