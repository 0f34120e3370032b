"""What is known of one user: what was bought and when, visits, price level. Facts only; nothing is chosen here."""

from typing import Final

import msgspec

from streams.decay import Decayed
from streams.features import Feature, Features, FeatureSet
from streams.purchases import Purchases
from streams.records import UserEvent
from streams.seen import Seen
from streams.statistics import Count, Mean, changes, ew_mean, ew_var, trend
from streams.times import DAY, HOUR, MINUTE

HALF_LIFE: Final = 90 * DAY
VISIT_GAP: Final = HOUR  # a visit ends after an hour without an event
MAX_ITEMS: Final = 150
MAX_RECENT: Final = 12
TOUCHED: Final = {"view": 0, "click": 0, "remove_from_cart": 0, "add_to_cart": 1, "purchase": 2}  # how, as it is kept

USER_FEATURES: Final = FeatureSet(
    "user",
    1,
    (
        Feature(
            name="visits",
            source="gap_days",
            window="all",
            why="how much the other features can be trusted",
            statistic=Count,
        ),
        Feature(
            name="gap_days",
            source="gap_days",
            window="last 8 visits",
            why="when the user is due again",
            statistic=ew_mean(8),
        ),
        Feature(
            name="gap_days_var",
            source="gap_days",
            window="last 8 visits",
            why="how regular the user is",
            statistic=ew_var(8),
        ),
        Feature(
            name="basket_size",
            source="basket_size",
            window="last 8 visits",
            why="stock-up or top-up shopper",
            statistic=ew_mean(8),
        ),
        Feature(
            name="basket_trend",
            source="basket_size",
            window="last 3 against last 12 visits",
            why="a household that grows or drifts away",
            statistic=trend(3, 12),
        ),
        Feature(
            name="price",
            source="price",
            window="last 30 purchases",
            why="the price level that fits",
            statistic=ew_mean(30),
        ),
        Feature(
            name="price_var",
            source="price",
            window="last 30 purchases",
            why="how wide that level is",
            statistic=ew_var(30),
        ),
        Feature(
            name="discount_share",
            source="discounted",
            window="all",
            why="whether offers matter",
            statistic=Mean,
        ),
        Feature(
            name="novelty",
            source="novel",
            window="last 40 purchases",
            why="how readily new items are tried",
            statistic=ew_mean(40),
        ),
        Feature(
            name="taste_changes",
            source="novel",
            window="all",
            why="how often the habit has broken",
            statistic=changes(8.0),
        ),
    ),
)


class UserFeatures(Features):
    """One user's features."""

    of = USER_FEATURES


class Profile(msgspec.Struct):
    """One user's history, as of `at`."""

    seen: Seen = msgspec.field(default_factory=Seen)
    at: int = 0
    items: Purchases = msgspec.field(default_factory=Purchases)
    visits: Decayed = msgspec.field(default_factory=Decayed)
    basket: list[str] = []  # distinct items bought in the visit under way
    recent: list[str] = []  # the last items touched, newest last
    touched: list[int] = []  # beside them when, in minutes since 1970, and how (TOUCHED): 4 · minute + kind
    features: UserFeatures = msgspec.field(default_factory=UserFeatures)

    def observe(self, event: UserEvent) -> dict[str, float]:
        """Take in one event, and return what it shows for the features. Late events decay to their own time."""
        at = int(event.occurred_at)
        observed: dict[str, float] = {}
        if at - self.at > VISIT_GAP:
            observed |= self._begin_visit(at)
        self.at = max(self.at, at)
        if event.item_id is not None:
            observed |= self._touch(event, event.item_id, at)
        return observed

    def _begin_visit(self, at: int) -> dict[str, float]:
        observed: dict[str, float] = {}
        if self.at:
            observed["gap_days"] = (at - self.at) / DAY
        if self.basket:
            observed["basket_size"] = float(len(self.basket))
            self.items.close_basket(self.basket)
        self.basket = []
        self.visits.add(1.0, at, HALF_LIFE)
        return observed

    def _touch(self, event: UserEvent, item_id: str, at: int) -> dict[str, float]:
        self._note(item_id, at // MINUTE, TOUCHED.get(event.type, 0), taken_back=event.type == "remove_from_cart")
        if event.type != "purchase":
            return {}
        observed = {"novel": float(item_id not in self.items)}
        if event.price is not None:
            observed["price"] = event.price
        discount = event.context.get("discount")
        if isinstance(discount, int | float):
            observed["discounted"] = float(discount > 0)
        self._buy(item_id, at)
        return observed

    def _note(self, item_id: str, minute: int, kind: int, *, taken_back: bool) -> None:
        """Put an item in front of those touched last; of what was done to it while it is among them the most counts."""
        self.touched = self.touches()
        if item_id in self.recent:
            place = self.recent.index(item_id)
            before = self.touched.pop(place) & 3
            del self.recent[place]
            kind = kind if taken_back else max(kind, before)
        self.recent = [*self.recent, item_id][-MAX_RECENT:]
        self.touched = [*self.touched, 4 * minute + kind][-MAX_RECENT:]

    def touches(self) -> list[int]:
        """`touched`, as long as `recent`: an entry of an older version lacks some, which count as views just now."""
        return [4 * (self.at // MINUTE)] * (len(self.recent) - len(self.touched)) + self.touched

    def is_visiting(self, now: int) -> bool:
        """Whether what was touched last belongs to a visit that still goes on at `now`."""
        touches = self.touches()
        return bool(touches) and now - MINUTE * (touches[-1] >> 2) <= VISIT_GAP

    def _buy(self, item_id: str, at: int) -> None:
        if item_id not in self.basket:
            self.basket.append(item_id)
        self.items.add(item_id, at, half_life=HALF_LIFE, limit=MAX_ITEMS)
