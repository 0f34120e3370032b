"""What the tests of the measures feed the scoreboard with."""

from typing import Any

from infra.measures.scoreboard import Scoreboard
from streams.codec import encode
from streams.records import AdEvent, Campaign, Order, OrderLine, Recommendation, ScoredItem, StockUpdate, UserEvent
from streams.times import DAY, EventTime
from streams.topics import Topic

START = 1_483_228_800_000  # 2017-01-01


def day(number: float) -> EventTime:
    return EventTime(START + int(number * DAY))


def tell(board: Scoreboard, topic: Topic, record: Any, *, at: int = START * 2, received: int | None = None) -> None:
    board.observe(topic, topic.key(record).encode(), encode(record), at, received)


def purchase(user: str, item: str, at: int) -> UserEvent:
    return UserEvent(
        event_id=f"{user}-{item}-{at}", user_id=user, type="purchase", occurred_at=EventTime(at), item_id=item
    )


def slate(user: str, items: list[str], at: int, event_id: str = "") -> Recommendation:
    return Recommendation(
        decision_id=f"{user}-{at}",
        event_id=event_id or f"ask-{user}-{at}",
        user_id=user,
        placement="home",
        items=[ScoredItem(item_id=item, score=1.0) for item in items],
        policy_version=0,
        decided_at=at,
    )


def order(item: str, quantity: float, at: int, location: str = "north") -> Order:
    line = OrderLine(item_id=item, location=location, quantity=quantity)
    return Order(order_id=f"{item}-{at}", occurred_at=EventTime(at), lines=[line])


def count(item: str, on_hand: float, at: int, location: str = "north") -> StockUpdate:
    return StockUpdate(
        event_id=f"{item}-{at}-{on_hand}", item_id=item, location=location, on_hand=on_hand, occurred_at=EventTime(at)
    )


def campaign(name: str, budget: float) -> Campaign:
    return Campaign(campaign_id=name, budget=budget, starts_at=day(0), ends_at=day(9), bid_min=0.0, bid_max=9.0)


def auction(name: str, number: int, value: float | None, price: float | None, *, won: bool) -> AdEvent:
    return AdEvent(
        event_id=f"{name}-{number}",
        campaign_id=name,
        type="auction",
        occurred_at=day(1),
        won=won,
        price=price,
        value=value,
    )
