"""What is known of a campaign as a fact: its features, and what its ad-events add up to. No choosing."""

from math import log
from typing import Final

import msgspec

from streams.features import Feature, Features, FeatureSet
from streams.records import AdEvent
from streams.seen import Seen
from streams.statistics import changes, ew_mean, ew_var
from streams.times import MAX_SKEW

REMEMBERED: Final = 250  # event ids per generation
_DRIFT_SCALE: Final = 0.15  # Page–Hinkley tolerates .005 a step: this makes a usual log price (deviation .6) fit that

CAMPAIGN_FEATURES: Final = FeatureSet(
    "campaign",
    1,
    (
        Feature(
            name="click_share",
            source="clicked",
            window="last 500 impressions and clicks",
            why="CTR of late: an impression counts 0, a click 1",
            statistic=ew_mean(500),
        ),
        Feature(
            name="conversion_share",
            source="converted",
            window="last 100 clicks and conversions",
            why="CVR of late: a click counts 0, a conversion 1",
            statistic=ew_mean(100),
        ),
        Feature(
            name="win_rate",
            source="won",
            window="last 100 auctions",
            why="how hard the competition is at the present bid",
            statistic=ew_mean(100),
        ),
        Feature(
            name="log_price",
            source="log_price",
            window="last 100 prices",
            why="the price level",
            statistic=ew_mean(100),
        ),
        Feature(
            name="log_price_var",
            source="log_price",
            window="last 100 prices",
            why="how far prices spread",
            statistic=ew_var(100),
        ),
        Feature(
            name="value",
            source="value",
            window="last 100 auctions",
            why="what an impression is worth: the bid bounds and first-price shading apply at it",
            statistic=ew_mean(100),
        ),
        Feature(
            name="spend_rate",
            source="paid",
            window="last 100 auctions",
            why="money per auction, won or lost",
            statistic=ew_mean(100),
        ),
        Feature(
            name="price_changes",
            source="drift",
            window="all",
            why="a new price level: old evidence on pacing counts half",
            statistic=changes(10.0),
        ),
    ),
)


class CampaignFeatures(Features):
    """One campaign's features."""

    of = CAMPAIGN_FEATURES


class Ledger(msgspec.Struct):
    """One campaign's account. Money in the shop's currency."""

    seen: Seen = msgspec.field(default_factory=Seen)
    spent: float = 0.0
    value_won: float = 0.0
    auctions: int = 0
    wins: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    log_revenue: float = 0.0
    log_revenue_squared: float = 0.0
    features: CampaignFeatures = msgspec.field(default_factory=CampaignFeatures)

    def book(self, event: AdEvent, paid: float) -> None:
        """Count one event, of which `paid` was spent."""
        self.spent += paid
        if event.type == "auction":
            self.auctions += 1
            self.wins += bool(event.won)
            self.value_won += (event.value or 0.0) if event.won else 0.0
        elif event.type == "impression":
            self.impressions += 1
        elif event.type == "click":
            self.clicks += 1
        else:
            self._convert(event.value)

    def _convert(self, value: float | None) -> None:
        self.conversions += 1
        if value:
            self.log_revenue += log(value)
            self.log_revenue_squared += log(value) ** 2


def paid(event: AdEvent, most: float) -> float:
    """What an event cost. Where a win doesn't name its price, the most that it can have cost.

    `most` is the highest bid that was in force.
    """
    if event.type != "auction" or not event.won:
        return 0.0
    if event.price is not None:
        return event.price
    return event.bid if event.bid is not None else most


def still_counts(event: AdEvent, now: int) -> bool:
    """Whether an event too late to be told from a copy must still count as money spent.

    One clock may run ahead of the others by MAX_SKEW, and makes them all look that late. To count a copy twice stops a
    campaign early; to miss a payment would overspend it.
    """
    return event.type == "auction" and event.won is True and event.occurred_at >= now - MAX_SKEW


def observed(event: AdEvent, paid: float) -> dict[str, float]:
    """What one event feeds to CAMPAIGN_FEATURES, by source."""
    if event.type == "impression":
        return {"clicked": 0.0}
    if event.type == "click":
        return {"clicked": 1.0, "converted": 0.0}
    if event.type == "conversion":
        return {"converted": 1.0}
    given = {"won": float(bool(event.won)), "paid": paid}
    if event.value is not None:
        given["value"] = event.value
    if event.price:
        given["log_price"] = log(event.price)
        given["drift"] = _DRIFT_SCALE * log(event.price)
    return given
