"""Every topic as data: its name, its record, how it is keyed and kept. No client, no bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from streams import records as r


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic's contract. `copartition` names the group whose members must have equal partition counts."""

    name: str
    record: type[Any]
    key: Callable[[Any], str]
    role: Literal["input", "action", "log", "internal"]
    compacted: bool = False
    copartition: str | None = None
    single: bool = False  # one partition always: its reader needs the whole order
    version: int = 1

    def __str__(self) -> str:
        return self.name


def sku(item_id: str, location: str) -> str:
    """The key of what is kept per SKU and location.

    >>> sku("milk", "north")
    'milk@north'
    """
    return f"{item_id}@{location}"


def _act_of(record: Any) -> str:
    """A key of its own for each act, so that compaction keeps them all; of rejections the last one of each domain."""
    if record.act == "reject":
        return f"reject/{record.evidence.get('domain', '')}"
    return f"{record.act}/{record.number}/{record.sha256[:16]}/{record.published_at}"


def _sku_of(record: Any) -> str:
    return sku(record.item_id, record.location)


USER_EVENTS: Final = Topic(
    name="user-events", record=r.UserEvent, key=lambda x: x.user_id, role="input", copartition="user"
)
ERASURES: Final = Topic(name="erasures", record=r.Erasure, key=lambda x: x.user_id, role="input", copartition="user")
ORDERS: Final = Topic(name="orders", record=r.Order, key=lambda x: x.order_id, role="input")
STOCK_UPDATES: Final = Topic(
    name="stock-updates", record=r.StockUpdate, key=_sku_of, role="input", copartition="sku@location"
)
AD_EVENTS: Final = Topic(
    name="ad-events", record=r.AdEvent, key=lambda x: x.campaign_id, role="input", copartition="campaign"
)
CATALOG: Final = Topic(name="catalog", record=r.CatalogItem, key=lambda x: x.item_id, role="input", compacted=True)
CAMPAIGNS: Final = Topic(
    name="campaigns",
    record=r.Campaign,
    key=lambda x: x.campaign_id,
    role="input",
    compacted=True,
    copartition="campaign",
)
PRICE_REVIEWS: Final = Topic(name="price-reviews", record=r.PriceReview, key=lambda x: x.item_id, role="input")

RECOMMENDATIONS: Final = Topic(name="recommendations", record=r.Recommendation, key=lambda x: x.user_id, role="action")
BID_ADJUSTMENTS: Final = Topic(
    name="bid-adjustments", record=r.BidAdjustment, key=lambda x: x.campaign_id, role="action"
)
REPLENISHMENT_ORDERS: Final = Topic(
    name="replenishment-orders", record=r.ReplenishmentOrder, key=_sku_of, role="action"
)
PRICE_CHANGES: Final = Topic(name="price-changes", record=r.PriceChange, key=lambda x: x.item_id, role="action")

DECISIONS: Final = Topic(name="decisions", record=r.Decision, key=lambda x: x.entity, role="log", version=2)
OUTCOMES: Final = Topic(name="outcomes", record=r.Outcome, key=lambda x: x.entity, role="log", version=2)
DEAD_LETTERS: Final = Topic(
    name="dead-letters", record=r.DeadLetter, key=lambda x: f"{x.topic}-{x.partition}", role="log"
)
POLICY_VERSIONS: Final = Topic(
    name="policy-versions",
    record=r.PolicyVersionRecord,
    key=_act_of,
    role="log",
    compacted=True,
    single=True,
    version=3,
)

SKU_DEMAND: Final = Topic(
    name="sku-demand", record=r.SkuDemand, key=_sku_of, role="internal", copartition="sku@location"
)
ITEM_ACTIVITY: Final = Topic(name="item-activity", record=r.ItemActivity, key=lambda x: x.item_id, role="internal")
ITEM_STATS: Final = Topic(
    name="item-stats", record=r.ItemStats, key=lambda x: x.item_id, role="internal", compacted=True
)
EXPERIENCES: Final = Topic(
    name="experiences", record=r.Experience, key=lambda x: x.entity, role="internal", single=True, version=3
)

TOPICS: Final = (
    USER_EVENTS,
    ERASURES,
    ORDERS,
    STOCK_UPDATES,
    AD_EVENTS,
    CATALOG,
    CAMPAIGNS,
    PRICE_REVIEWS,
    RECOMMENDATIONS,
    BID_ADJUSTMENTS,
    REPLENISHMENT_ORDERS,
    PRICE_CHANGES,
    DECISIONS,
    OUTCOMES,
    DEAD_LETTERS,
    POLICY_VERSIONS,
    SKU_DEMAND,
    ITEM_ACTIVITY,
    ITEM_STATS,
    EXPERIENCES,
)
BY_NAME: Final = {topic.name: topic for topic in TOPICS}
