"""A small shop's log for every agent: what each reads, in an order that a real topic could have. No Kafka."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from agents.contract import Input
from agents.versions import record_of
from policies.attention.prior import PRIOR as HISTORIES
from policies.experiment import Experiment
from policies.experiments import Experiments
from policies.slates.recommend import DOMAIN, PRIOR
from policies.version import PolicyVersion
from streams import topics as t
from streams.records import (
    AdEvent,
    Campaign,
    CatalogItem,
    Erasure,
    Experience,
    ItemActivity,
    ItemStats,
    Order,
    OrderLine,
    PolicyVersionRecord,
    PriceReview,
    Pricing,
    SkuDemand,
    StockUpdate,
    Supply,
    UserEvent,
)
from streams.times import DAY, HOUR, MINUTE, EventTime
from streams.views import Views

START = 1_483_228_800_000
ITEMS = [f"item-{n}" for n in range(30)]
USER_TYPES = ["view", "search", "click", "add_to_cart", "remove_from_cart", "purchase", "purchase", "request"]


def views() -> Views:
    """A catalog of thirty items in three categories, one blocked, one out of stock; half of them have statistics."""
    known = Views()
    for n, item in enumerate(ITEMS):
        listed = CatalogItem(
            item_id=item,
            category=f"c{n % 3}",
            unit_cost=1.0,
            blocked=n == 4,
            price=1.0 + n % 5 if n % 2 else None,
            attributes={"brand": f"b{n % 4}", "size": float(n)} if n % 3 else {},
            embedding=[float((n * k) % 7 - 3) for k in range(1, 9)] if n % 4 else None,
            supply=Supply(shortage_cost=2.0),
            pricing=None if n == 3 else Pricing(floor=1.5, ceiling=6.0, step=0.25, hold_days=0.5),
        )
        known.apply(t.CATALOG, item, listed)
    for n, item in enumerate(ITEMS[:15]):
        companions = [(ITEMS[(n + 1) % 30], 0.5), (ITEMS[(n + 9) % 30], 0.2)]
        stats = ItemStats(
            item_id=item,
            as_of=EventTime(START),
            purchases_short=float(n),
            purchases_long=3.0 * n,
            views_long=1.0,
            price=1.0 + n,
            features={},
            companions=companions,
        )
        known.apply(t.ITEM_STATS, item, stats)
    known.apply(
        t.STOCK_UPDATES,
        "item-7@north",
        StockUpdate(event_id="s", item_id="item-7", location="north", on_hand=0.0, occurred_at=EventTime(START)),
    )
    return known


def _times(rng: Random, count: int, step: int) -> list[EventTime]:
    """Times that mostly rise, sometimes repeat, are sometimes late, and once leap by days."""
    at, times = START, list[EventTime]()
    for n in range(count):
        at += rng.choice([0, step // 10, step, step]) + (3 * DAY if n == count // 2 else 0)
        times.append(EventTime(max(START, at - rng.choice([0, 0, 0, 0, 2 * step]))))
    return times


def user_events(rng: Random, count: int) -> list[Input]:
    """Events of three users, one of whom asks to be forgotten now and then."""

    def one(n: int, at: EventTime) -> UserEvent | Erasure:
        kind: Any = rng.choice(USER_TYPES)
        user = rng.choice(["ann", "bob", "cem"])
        if rng.random() < 0.06:
            return Erasure(erasure_id=f"f{n}", user_id=user, occurred_at=at)
        return UserEvent(
            event_id=f"e{n}",
            user_id=user,
            type=kind,
            occurred_at=at,
            item_id=None if kind in ("request", "search") else rng.choice([*ITEMS, "never-listed"]),
            price=rng.choice([None, 2.5, 9.0]),
            placement=rng.choice([None, "home"]),
            slate_size=rng.choice([None, 3]) if kind == "request" else None,
            context={"discount": rng.choice([0.0, 0.5])},
        )

    records = [one(n, at) for n, at in enumerate(_times(rng, count, 20 * MINUTE))]
    return [
        Input(topic := t.ERASURES if isinstance(r, Erasure) else t.USER_EVENTS, 0, n, topic.key(r), r)
        for n, r in enumerate(records)
    ]


def item_activity(rng: Random, count: int) -> list[Input]:
    def one(n: int, at: EventTime) -> ItemActivity:
        return ItemActivity(
            event_id=f"a{n}",
            item_id=rng.choice(ITEMS[:4]),
            type=rng.choice(["view", "purchase", "purchase", "click"]),
            occurred_at=at,
            price=rng.choice([None, 3.0]),
            companions=rng.sample(ITEMS, 2),
        )

    return _inputs(t.ITEM_ACTIVITY, [one(n, at) for n, at in enumerate(_times(rng, count, 10 * MINUTE))])


def orders(rng: Random, count: int) -> list[Input]:
    def one(n: int, at: EventTime) -> Order:
        lines = [
            OrderLine(item_id=rng.choice(ITEMS), location="north", quantity=float(rng.randrange(4)))
            for _ in range(rng.randrange(1, 4))
        ]
        return Order(order_id=f"o{n}", occurred_at=at, lines=lines)

    return _inputs(t.ORDERS, [one(n, at) for n, at in enumerate(_times(rng, count, HOUR))])


def supply(rng: Random, count: int) -> list[Input]:
    def one(n: int, at: EventTime) -> Any:
        item = rng.choice(ITEMS[:4])
        if rng.random() < 0.3:
            return StockUpdate(
                event_id=f"s{n}", item_id=item, location="north", on_hand=float(rng.randrange(20)), occurred_at=at
            )
        return SkuDemand(
            event_id=f"d{n}", order_id=f"o{n}", item_id=item, location="north", quantity=2.0, occurred_at=at
        )

    records = [one(n, at) for n, at in enumerate(_times(rng, count, 6 * HOUR))]
    return [
        Input(topic := t.STOCK_UPDATES if isinstance(r, StockUpdate) else t.SKU_DEMAND, 0, n, topic.key(r), r)
        for n, r in enumerate(records)
    ]


def ads(rng: Random, count: int) -> list[Input]:
    campaigns = [
        Campaign(
            campaign_id=name,
            budget=5.0,
            starts_at=EventTime(START + n * DAY),
            ends_at=EventTime(START + 6 * DAY),
            bid_min=0.01,
            bid_max=1.0,
        )
        for n, name in enumerate(["x", "y"])
    ]

    def one(n: int, at: EventTime) -> AdEvent:
        kind: Any = rng.choice(["auction", "auction", "auction", "impression", "click", "conversion"])
        won = rng.random() < 0.5 if kind == "auction" else None
        return AdEvent(
            event_id=f"ad{n}",
            campaign_id=rng.choice(["x", "y", "unknown"]),
            type=kind,
            occurred_at=at,
            won=won,
            bid=0.3 if kind == "auction" else None,
            price=rng.random() * 0.3 if kind == "auction" else None,
            value=rng.random(),
        )

    events = [one(n, at) for n, at in enumerate(_times(rng, count, HOUR))]
    return _inputs(t.CAMPAIGNS, campaigns) + _inputs(t.AD_EVENTS, events)


def prices(rng: Random, count: int) -> list[Input]:
    """Reviews of four items, one of which has no limits; a shop that mostly sells at prices of the ladder."""

    def one(n: int, at: EventTime) -> PriceReview:
        price = rng.choice([1.5, 2.0, 2.25, 3.0, 3.1, 9.0])
        return PriceReview(
            event_id=f"r{n}",
            item_id=rng.choice(ITEMS[:4]),
            occurred_at=at,
            price=price,
            units_sold=float(rng.randrange(max(1, round(12 - 2 * price)))),
            periods=rng.choice([1.0, 1.0, 7.0]),
        )

    return _inputs(t.PRICE_REVIEWS, [one(n, at) for n, at in enumerate(_times(rng, count, 6 * HOUR))])


def experiences(rng: Random, count: int) -> list[Input]:
    """Experiences of three domains, entities that are forgotten, and now and then a person who has a version serve."""
    people, drawn = [f"p{n}" for n in range(10)], rng.choice([[], [], [0.2] * 3])

    def one(n: int, at: EventTime) -> Any:
        if rng.random() < 0.03:
            return _acted(n, rng)
        domain: Any = rng.choice(["recommendation"] * 5 + ["replenishment"])
        if domain == "recommendation" and rng.random() < 0.06:
            return _unlearn(f"x{n}", rng.choice(people), at)
        if domain == "recommendation" and rng.random() < 0.4:
            return _bought(f"x{n}", rng, rng.choice(people), at)
        width = 12 if domain == "recommendation" else 1
        contexts = [[rng.random() for _ in range(width)] for _ in range(3)]
        return Experience(
            experience_id=f"x{n}",
            domain=domain,
            entity=rng.choice(people),
            occurred_at=at,
            contexts=contexts,
            outcomes=[round(context[0] + rng.random() / 4, 1) for context in contexts],
            policy_version=0,
            propensities=drawn,
        )

    records = [one(n, at) for n, at in enumerate(_times(rng, count, HOUR))]
    return [
        Input(topic := t.EXPERIENCES if isinstance(r, Experience) else t.POLICY_VERSIONS, 0, n, topic.key(r), r)
        for n, r in enumerate(records)
    ]


def _bought(name: str, rng: Random, entity: str, at: EventTime) -> Experience:
    """A purchase that is more or less like what the user touched before."""
    kind = rng.choice([1.0, -1.0])
    rows = [[kind * rng.randrange(20, 40) for _ in range(31)] + [127.0, float(n), 0.0] for n in range(4)]
    return Experience(
        experience_id=name,
        domain="history",
        entity=entity,
        occurred_at=at,
        contexts=rows,
        outcomes=[1.0, 0.0, 0.0, 0.0],
        policy_version=0,
    )


def _acted(n: int, rng: Random) -> PolicyVersionRecord:
    """Somebody has a version serve; now and then one that can't."""
    prior = PRIOR | {"noise": rng.choice([0.1, 0.2, -1.0])}
    made = PolicyVersion(number=100 + n, parent=0, priors={DOMAIN: prior}, published_at=START + n)
    return record_of(made, rng.choice(["promote", "rollback"]), by="ann", hold=rng.random() < 0.3)


def _unlearn(name: str, entity: str, at: EventTime) -> Experience:
    return Experience(
        experience_id=name,
        domain="recommendation",
        entity=entity,
        occurred_at=at,
        contexts=[],
        outcomes=[],
        policy_version=0,
        kind="erasure",
    )


def _inputs(topic: t.Topic, records: list[Any]) -> list[Input]:
    return [Input(topic, 0, offset, topic.key(record), record) for offset, record in enumerate(records)]


Stream = Callable[[Random, int], list[Input]]

_TRIED: dict[str, Any] = {
    "recommendation": PRIOR | {"temperature": 0.05},
    "bidding": {"log_mu": 0.7},
    "replenishment": {"a": 6.0, "b": 1.0},
    "pricing": {"elasticity": 4.0},
}
TRIED = tuple(_TRIED)


def versions() -> dict[int, PolicyVersion]:
    """Two versions that decide otherwise than what ships, each with an encoder of its own."""
    return {
        number: PolicyVersion(number=number, parent=0, priors=_TRIED | {"history": seen_by(number)}, seed=number)
        for number in (7, 8)
    }


def seen_by(number: int) -> dict[str, Any]:
    """The weights of an encoder that sees histories otherwise than the shipped one, and than other numbers."""
    return {name: (np.array(value) * (1.0 - 0.06 * number)).tolist() for name, value in HISTORIES.items()}


def experiments(domain: str, *, shadow: bool = True) -> Experiments:
    """Version 7 tried on half of a domain's entities, and version 8 in its shadow."""
    tried = Experiment(name="trial", domain=domain, salt="halves", arms=(("v7", 0.5),), shadows=(8,) if shadow else ())
    return Experiments(running={domain: tried}, versions=versions())
