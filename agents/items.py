"""Items: what users did with each item in; its popularity, price and companions, for every worker to read, out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agents.contract import Agent, Draft, Input, State, Step, Work
from agents.fold import fold
from policies.version import PolicyVersion
from streams.decay import Decayed, highest, rank_of, readings
from streams.features import Feature, Features, FeatureSet
from streams.records import ItemActivity, ItemStats
from streams.seen import Seen
from streams.statistics import Count, changes, ew_mean, ew_var, trend
from streams.times import DAY, HOUR, EventTime
from streams.topics import ITEM_ACTIVITY, ITEM_STATS
from streams.views import LONG_HALF_LIFE, SHORT_HALF_LIFE

NAME: Final = "items"
PUBLISH_EVERY: Final = HOUR
PUBLISH_GROWTH: Final = 1.1  # or sooner, once the count has grown by a tenth
REMEMBERED: Final = 16  # copies are stopped before they get here; this guards against a replayed log only
MAX_COMPANIONS: Final = 30
PUBLISHED_COMPANIONS: Final = 12

ITEM_FEATURES: Final = FeatureSet(
    "item",
    1,
    (
        Feature(
            name="buyers",
            source="quantity",
            window="all",
            why="how much is known",
            statistic=Count,
        ),
        Feature(
            name="quantity",
            source="quantity",
            window="last 20 purchases",
            why="singles or multi-packs",
            statistic=ew_mean(20),
        ),
        Feature(
            name="price",
            source="price",
            window="last 20 purchases",
            why="whether it fits a user's price level",
            statistic=ew_mean(20),
        ),
        Feature(
            name="price_var",
            source="price",
            window="last 20 purchases",
            why="how often it is on offer",
            statistic=ew_var(20),
        ),
        Feature(
            name="gap_days",
            source="gap_days",
            window="last 20 purchases",
            why="its rate of sale",
            statistic=ew_mean(20),
        ),
        Feature(
            name="gap_trend",
            source="gap_days",
            window="last 5 against last 30 purchases",
            why="rising or falling out of favour",
            statistic=trend(5, 30),
        ),
        Feature(
            name="rate_changes",
            source="gap_days",
            window="all",
            why="launches, delistings, seasons",
            statistic=changes(50.0),
        ),
    ),
)


class ItemFeatures(Features):
    """One item's features."""

    of = ITEM_FEATURES


class Item(msgspec.Struct):
    """All that is kept of one item."""

    seen: Seen = msgspec.field(default_factory=Seen)
    short: Decayed = msgspec.field(default_factory=Decayed)
    long: Decayed = msgspec.field(default_factory=Decayed)
    views: Decayed = msgspec.field(default_factory=Decayed)
    companions: dict[str, Decayed] = {}
    features: ItemFeatures = msgspec.field(default_factory=ItemFeatures)
    sold_at: int = 0
    priced: bool = False
    published_at: int = 0
    published: float = 0.0

    def observe(self, activity: ItemActivity) -> dict[str, float]:
        """Take in what one user did, and return what it shows for the features."""
        at = int(activity.occurred_at)
        if activity.type == "purchase":
            return self._sell(activity, at)
        if activity.type in ("view", "click", "add_to_cart"):
            self.views.add(1.0, at, LONG_HALF_LIFE)
        return {}

    def _sell(self, activity: ItemActivity, at: int) -> dict[str, float]:
        self.short.add(1.0, at, SHORT_HALF_LIFE)
        self.long.add(1.0, at, LONG_HALF_LIFE)
        observed = {"quantity": activity.quantity}
        if activity.price is not None:
            observed["price"] = activity.price
            self.priced = True
        if self.sold_at:
            observed["gap_days"] = max(0, at - self.sold_at) / DAY
        self.sold_at = max(self.sold_at, at)
        for other in activity.companions:
            self._accompany(other, at)
        return observed

    def _accompany(self, other: str, at: int) -> None:
        count = self.companions.get(other)
        if count is None:
            count = self.companions[other] = Decayed()
        count.add(1.0, at, LONG_HALF_LIFE)
        if len(self.companions) > 2 * MAX_COMPANIONS:  # pruned rarely, since it takes a sort
            ranks = {name: rank_of(count.value, count.at, LONG_HALF_LIFE) for name, count in self.companions.items()}
            self.companions = {name: self.companions[name] for name in highest(ranks, MAX_COMPANIONS)}

    def worth_telling(self, at: int) -> bool:
        """Whether what was last published is old, or far off; by event time, so that batches don't matter."""
        total = self.long.value + self.views.value
        return at - self.published_at >= PUBLISH_EVERY or total >= PUBLISH_GROWTH * self.published

    def publish(self, item_id: str, at: int, measures: dict[str, float]) -> ItemStats:
        self.published_at, self.published = at, self.long.value + self.views.value
        return ItemStats(
            item_id=item_id,
            as_of=EventTime(at),
            purchases_short=self.short.read(at, SHORT_HALF_LIFE),
            purchases_long=self.long.read(at, LONG_HALF_LIFE),
            views_long=self.views.read(at, LONG_HALF_LIFE),
            price=measures["price"] if self.priced else None,
            features=measures,
            companions=self._companion_shares(at),
        )

    def _companion_shares(self, at: int) -> list[tuple[str, float]]:
        """Of this item's purchases, the share that had each companion; the highest first."""
        bought = max(1.0, self.long.read(at, LONG_HALF_LIFE))
        times = readings(self.companions.values(), at, LONG_HALF_LIFE)
        ranked = sorted((-each, name) for name, each in zip(self.companions, times, strict=True))
        return [(name, min(1.0, -each / bought)) for each, name in ranked[:PUBLISHED_COMPANIONS]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsAgent:
    """Keeps each item's statistics, and publishes them when they have changed enough to matter."""

    name: str = NAME
    reads: tuple[Any, ...] = (ITEM_ACTIVITY,)
    watches: tuple[Any, ...] = ()
    emits: tuple[Any, ...] = (ITEM_STATS,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(draft=Draft(state.entries, state.memo))
        end = fold(work.draft, batch, now, on_record=work.take, on_timer=lambda name, at: None)
        return work.done(end)


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    def take(self, given: Input, now: int) -> None:
        activity: ItemActivity = given.record
        item = self.draft.edit(f"item/{activity.item_id}", Item)
        verdict = item.seen.admit(activity.event_id, activity.occurred_at, REMEMBERED)
        if verdict != "new":
            self.ignore(verdict)
            return
        item.features.update(item.observe(activity))
        if item.worth_telling(now):
            self.put(ITEM_STATS, item.publish(activity.item_id, now, item.features.read()))


def build() -> Agent:
    return ItemsAgent()
