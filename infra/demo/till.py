"""What a real basket becomes on the topics. Nothing of the shopper is simulated: only what was bought is bought.

A purchase of an item that was in the slate shown names the slate's decision, and has a click before it; an item that
the shelf doesn't have can't be bought.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from infra.demo.journey import LOCATIONS, Journey
from infra.demo.shelf import Shelf
from streams.records import Order, OrderLine, UserEvent
from streams.times import EventTime
from streams.topics import sku

PLACEMENT: Final = "home"
SLATE_SIZE: Final = 10


class Slate(NamedTuple):
    """What was shown."""

    decision_id: str
    items: frozenset[str]


class Rung(NamedTuple):
    """A basket as it is told: clicks, then purchases, a millisecond apart; no order where nothing was left to sell."""

    events: list[UserEvent]
    order: Order | None


@dataclass(slots=True)
class Till:
    """Turns baskets, by their place in the journey, into records. Counts what it did and what was lost."""

    journey: Journey
    shelf: Shelf
    counts: Counter[str] = field(default_factory=Counter[str])
    lost: dict[str, float] = field(default_factory=dict[str, float])  # units by SKU

    def ask(self, basket: int) -> UserEvent:
        """The request for a slate that precedes a basket."""
        journey = self.journey
        return UserEvent(
            event_id=f"ask-{journey.baskets[basket]}",
            user_id=self._user(basket),
            type="request",
            occurred_at=EventTime(journey.asked_at[basket]),
            placement=PLACEMENT,
            slate_size=SLATE_SIZE,
            context={"location": LOCATIONS[journey.location[basket]], "store": str(journey.store[basket])},
        )

    def ring_up(self, basket: int, slate: Slate | None) -> Rung:
        """The basket, as far as the shelf has it. `slate` is what was shown before it, if anything was."""
        lines = list(self._sold(basket))
        self.counts["baskets"] += 1
        if not lines:
            self.counts["baskets_left_empty"] += 1
            return Rung([], None)
        clicks = [line for line, _ in lines if slate is not None and line.item_id in slate.items]
        events = [self._click(basket, place, line, slate) for place, line in enumerate(clicks)]
        events += [
            self._purchase(basket, len(clicks) + place, line, context, slate)
            for place, (line, context) in enumerate(lines)
        ]
        self.counts["clicks"] += len(clicks)
        self.counts["purchases"] += len(lines)
        self.counts["slates_hit"] += bool(clicks)
        return Rung(events, self._order(basket, [line for line, _ in lines]))

    def redeem(self, redemption: int) -> UserEvent:
        """A coupon redeemed, as a click on its campaign."""
        journey = self.journey
        campaign, coupon = journey.coupon_campaign[redemption], journey.coupon_upc[redemption]
        user = str(journey.households[journey.redeemer[redemption]])
        self.counts["redemptions"] += 1
        return UserEvent(
            event_id=f"coupon-{campaign}-{coupon}-{user}-{redemption}",
            user_id=user,
            type="click",
            occurred_at=EventTime(journey.redeemed_at[redemption]),
            context={"coupon": str(coupon), "campaign_id": str(campaign)},
        )

    def _user(self, basket: int) -> str:
        return str(self.journey.households[self.journey.household[basket]])

    def _sold(self, basket: int) -> Iterable[tuple[OrderLine, dict[str, Any]]]:
        journey = self.journey
        location = LOCATIONS[int(journey.location[basket])]
        context: dict[str, Any] = {"location": location, "store": str(journey.store[basket])}
        for line in range(journey.first_line[basket], journey.first_line[basket + 1]):
            item, wanted = str(journey.items[journey.item[line]]), float(journey.quantity[line])
            taken = self.shelf.take((item, location), wanted)
            if taken < wanted:
                self.counts["lines_cut"] += 1
                name = sku(item, location)
                self.lost[name] = self.lost.get(name, 0.0) + wanted - taken
            if taken > 0:
                price = round(float(journey.value[line]) / wanted, 4)
                sold = OrderLine(item_id=item, location=location, quantity=taken, price=price)
                yield sold, {**context, **self._reductions(line)}

    def _reductions(self, line: int) -> dict[str, float]:
        found = {"discount": self.journey.discount[line], "coupon": self.journey.coupon[line]}
        return {name: round(float(amount), 2) for name, amount in found.items() if amount}

    def _order(self, basket: int, lines: list[OrderLine]) -> Order:
        self.counts["orders"] += 1
        return Order(
            order_id=str(self.journey.baskets[basket]),
            user_id=self._user(basket),
            occurred_at=EventTime(self.journey.at[basket]),
            lines=lines,
        )

    def _click(self, basket: int, place: int, line: OrderLine, slate: Slate | None) -> UserEvent:
        return UserEvent(
            event_id=f"click-{self.journey.baskets[basket]}-{line.item_id}",
            user_id=self._user(basket),
            type="click",
            occurred_at=EventTime(self.journey.at[basket] + place),
            item_id=line.item_id,
            placement=PLACEMENT,
            decision_id=_decision(line, slate),
        )

    def _purchase(
        self, basket: int, place: int, line: OrderLine, context: Mapping[str, Any], slate: Slate | None
    ) -> UserEvent:
        return UserEvent(
            event_id=f"buy-{self.journey.baskets[basket]}-{line.item_id}",
            user_id=self._user(basket),
            type="purchase",
            occurred_at=EventTime(self.journey.at[basket] + place),
            item_id=line.item_id,
            quantity=line.quantity,
            price=line.price,
            decision_id=_decision(line, slate),
            context=dict(context),
        )


def _decision(line: OrderLine, slate: Slate | None) -> str | None:
    return slate.decision_id if slate is not None and line.item_id in slate.items else None
