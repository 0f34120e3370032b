"""What the dashboard knows, fed record by record."""

import tomllib
import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest

from infra.dashboard.ads import Ads
from infra.dashboard.attention import notices
from infra.dashboard.baskets import Baskets
from infra.dashboard.entities import KEPT, Entities, Head
from infra.dashboard.explained import explained
from infra.dashboard.following import Behind, Following
from infra.dashboard.model import Model, Place
from infra.dashboard.overview import overview
from infra.mapping.entrance import Entrance
from infra.mapping.rules import compiled
from infra.measures.next_basket import NextBasketMeasure
from streams.records import (
    AdEvent,
    BidAdjustment,
    Campaign,
    CatalogItem,
    DeadLetter,
    Erasure,
    Order,
    OrderLine,
    StockUpdate,
    UserEvent,
)
from streams.times import DAY, EventTime
from streams.topics import (
    AD_EVENTS,
    BID_ADJUSTMENTS,
    CAMPAIGNS,
    CATALOG,
    DEAD_LETTERS,
    ERASURES,
    ORDERS,
    OUTCOMES,
    RECOMMENDATIONS,
    STOCK_UPDATES,
    USER_EVENTS,
)
from tests.unit.infra.dashboard.shop import AT, evidence_of, outcome, slates, tell, tell_slate
from tests.unit.infra.mapping import shops

LIVE = Following(state="live")


def campaign(name: str, budget: float = 100.0) -> Campaign:
    return Campaign(
        campaign_id=name,
        budget=budget,
        starts_at=EventTime(AT),
        ends_at=EventTime(AT + 10 * DAY),
        bid_min=0.0,
        bid_max=5.0,
    )


def auction(number: int, name: str, at: int, price: float, won: bool = True) -> AdEvent:
    return AdEvent(
        event_id=f"{name}-{number}",
        campaign_id=name,
        type="auction",
        occurred_at=EventTime(at),
        bid=2.0,
        won=won,
        price=price,
        value=3.0,
    )


def stock(number: int, on_hand: float, at: int) -> StockUpdate:
    return StockUpdate(
        event_id=f"s{number}", item_id="milk", location="north", on_hand=on_hand, occurred_at=EventTime(at)
    )


def sale(number: int, quantity: float, at: int) -> Order:
    line = OrderLine(item_id="milk", location="north", quantity=quantity)
    return Order(order_id=f"o{number}", occurred_at=EventTime(at), lines=[line])


def event(number: int, user: str, at: int, kind: Any = "purchase", item: str | None = "milk") -> UserEvent:
    return UserEvent(event_id=f"{user}-{number}", user_id=user, type=kind, occurred_at=EventTime(at), item_id=item)


@pytest.mark.parametrize(
    ("spent", "day", "state"),
    [
        (50, 5, "on pace"),
        (70, 5, "ahead"),
        (30, 5, "behind"),
        (101, 5, "over budget"),
        (100, 10, "ended"),
        (0, -1, "waiting"),
    ],
)
def test_pace_is_spend_against_an_even_one(spent: float, day: int, state: str) -> None:
    ads = Ads()
    ads.plan("c", campaign("c"))
    if spent:
        ads.event(auction(0, "c", AT, spent))
    ads.event(auction(1, "c", AT, 7.0, won=False))
    account = ads.accounts.get("c")
    assert account is not None
    assert (account.state(AT + day * DAY), account.spent, account.won) == (state, spent, int(spent > 0))


def test_a_second_copy_of_an_event_spends_nothing() -> None:
    model = Model()
    tell(model, CAMPAIGNS, campaign("c"))
    tell(model, AD_EVENTS, auction(0, "c", AT, 10.0), auction(0, "c", AT, 10.0))
    assert overview(model, LIVE, AT).ads.spent == 10.0
    assert model.duplicates == 1


def test_stock_and_its_names_reach_the_page() -> None:
    model = Model()
    tell(model, CATALOG, CatalogItem(item_id="milk", category="DAIRY"))
    tell(model, STOCK_UPDATES, stock(0, 1, AT))
    tell(model, ORDERS, sale(0, 1, AT + DAY))
    found = overview(model, LIVE, AT)
    assert (found.stock.out, found.stock.skus[0].category, found.stock.skus[0].item_id) == (1, "DAIRY", "milk")
    assert any("1 shelf empty" in one.text for one in found.notices)


def test_a_shops_own_messages_are_read_by_its_mapping() -> None:
    model = Model(entrance=Entrance(compiled(tomllib.loads(shops.TRACKED_MAPPING))))
    for number, one in enumerate(shops.TRACKED):
        user = str(one["userId"] or one["anonymousId"]).encode()
        model.observe(USER_EVENTS, user, orjson.dumps(one), AT, AT, Place(0, number))
    assert (model.unreadable, model.totals["user-events"]) == (0, len(shops.TRACKED))
    assert model.now == 1_483_272_000_000 + 28 * 60_000  # the last event: the one after is of a kind that is left


def test_dead_letters_are_told_by_topic_and_reason() -> None:
    model = Model()
    letter = DeadLetter(topic="orders", partition=1, offset=7, reason="not-json", detail="x" * 999, value=None, at=AT)
    tell(model, DEAD_LETTERS, letter, letter)
    found = overview(model, LIVE, AT).letters
    assert (found.total, found.by_reason[0].reason, found.by_reason[0].count) == (2, "not-json", 2)
    assert len(found.last[0].detail) < 300


def test_what_cannot_be_read_is_counted() -> None:
    model = Model()
    model.observe(USER_EVENTS, b"u", b"{", AT, AT)
    model.observe(RECOMMENDATIONS, b"u", b"\xff", AT, AT)
    assert model.unreadable == 2


def test_outcomes_find_their_decision_in_either_order() -> None:
    rng = np.random.default_rng(0)
    model = Model()
    made = slates(rng, [evidence_of(rng, 1), evidence_of(rng, 1)])
    tell_slate(model, made[0])
    tell(model, OUTCOMES, outcome("d-u0", "u0", 2.0), outcome("d-u0", "u0", 3.0, "correction"))
    tell(model, OUTCOMES, outcome("d-u1", "u1", 1.0), outcome("d-u1", "u1", 0.5, "correction"))
    tell_slate(model, made[1])
    rewards = [why.history[0].reward for name in ("u0", "u1") if (why := explained(model, "recommendation", name))]
    assert rewards == [3.0, 0.5]
    assert model.entities.rewards["recommendation"].outcomes == 2


def test_an_erased_user_is_gone_from_the_dashboard_too() -> None:
    rng = np.random.default_rng(0)
    model = Model()
    tell_slate(model, slates(rng, [evidence_of(rng, 1)])[0])
    tell(model, USER_EVENTS, event(0, "u0", AT))
    assert explained(model, "recommendation", "u0") is not None
    tell(model, ERASURES, Erasure(erasure_id="x", user_id="u0", occurred_at=EventTime(AT)))
    assert explained(model, "recommendation", "u0") is None
    assert "u0" not in repr(model.baskets)


def test_baskets_of_more_users_than_are_judged_still_make_what_is_popular() -> None:
    few, all_ = Baskets(users=2), NextBasketMeasure()
    for number, user in enumerate(["a", "b", "c", "d"]):
        one = event(number, user, AT + number * DAY, item="bread" if user in "cd" else "milk")
        few.event(one)
        all_.observe_event(one)
    assert few.beyond == 2
    assert set(few.measure.households) == {"a", "b"}
    popular = "global_popularity"
    assert few.measure.rules[popular].predict("a", AT, 2) == all_.rules[popular].predict("a", AT, 2)


def test_memory_stays_bounded_however_many_there_are() -> None:
    entities = Entities()

    def feed(numbers: range) -> int:
        for n in numbers:
            head = Head(
                decision_id=f"d{n}", domain="bidding", entity=f"c{n}", event_ids=[], decided_at=n, policy_version=0
            )
            entities.decided(head, b"{}" * 50)
            entities.came_of(outcome(f"e{n}", f"c{n}", 1.0))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = feed(range(12_000))
        after = feed(range(12_000, 30_000))
    finally:
        tracemalloc.stop()
    assert len(entities.kept["bidding"]) == KEPT
    assert after < before * 1.05


def test_events_without_actions_are_told_once_a_worker_should_have_acted() -> None:
    model = Model()
    tell(model, USER_EVENTS, event(0, "u", AT))
    waiting = Following(state="live", behind=[Behind(group="g", topic="user-events", records=1)])
    assert [one.level for one in notices(model, waiting, None, AT + 1_000)] == ["bad"]
    adjustment = BidAdjustment(
        decision_id="d", campaign_id="c", bid_multiplier=1, max_bid=1, reason="", policy_version=0, decided_at=AT
    )
    tell(model, BID_ADJUSTMENTS, adjustment)
    assert notices(model, waiting, None, AT + 1_000) == []


def test_an_empty_model_has_an_overview_and_says_what_it_waits_for() -> None:
    found = overview(Model(), Following(state="away", told="no Kafka broker answers at x:1"), AT)
    assert (found.level, found.line) == ("bad", "The brokers don't answer")
    assert "trying again" in found.notices[0].text
    assert (found.ads.count, found.stock.count, found.policy.serving, found.recommendations.rules) == (0, 0, 0, [])
