"""Only real baskets are told, as far as the shelf has them, and only what was shown is credited."""

import pytest

from infra.demo.journey import Journey
from infra.demo.shelf import Shelf
from infra.demo.till import Slate, Till
from streams.codec import decode, encode
from streams.records import UserEvent
from streams.topics import ORDERS, USER_EVENTS, Topic


@pytest.fixture
def till(journey: Journey) -> Till:
    return Till(journey, Shelf())


def test_a_request_precedes_the_basket(till: Till) -> None:
    request = till.ask(0)
    assert (request.type, request.user_id, request.slate_size) == ("request", "1", 10)
    assert request.occurred_at == till.journey.at[0] - 60_000
    assert request.context["location"] in {"north", "south"}


def test_every_line_is_a_purchase_at_its_unit_price(till: Till) -> None:
    rung = till.ring_up(0, None)
    assert [(e.type, e.item_id, e.quantity, e.price) for e in rung.events] == [
        ("purchase", "7", 2.0, 2.5),
        ("purchase", "8", 1.0, 3.0),
    ]
    assert [e.decision_id for e in rung.events] == [None, None]
    assert rung.events[0].context["discount"] == 0.5
    assert "discount" not in rung.events[1].context
    assert rung.order is not None
    assert [line.item_id for line in rung.order.lines] == ["7", "8"]


def test_what_was_shown_and_bought_is_clicked_first_and_echoes_the_decision(till: Till) -> None:
    rung = till.ring_up(0, Slate("d1", frozenset({"8", "nine"})))
    assert [(e.type, e.item_id, e.decision_id) for e in rung.events] == [
        ("click", "8", "d1"),
        ("purchase", "7", None),
        ("purchase", "8", "d1"),
    ]
    times = [e.occurred_at for e in rung.events]
    assert times == sorted(set(times))
    assert times[0] == till.journey.at[0]


def test_what_the_shelf_lacks_is_neither_bought_nor_ordered(till: Till) -> None:
    place = rung_location(till)
    till.shelf.deliver(("7", place), "e1", 1.0, None)
    till.shelf.deliver(("8", place), "e2", 0.0, None)
    rung = till.ring_up(0, Slate("d1", frozenset({"8"})))
    assert [(e.type, e.item_id, e.quantity, e.price) for e in rung.events] == [("purchase", "7", 1.0, 2.5)]
    assert rung.order is not None
    assert [(line.item_id, line.quantity) for line in rung.order.lines] == [("7", 1.0)]
    assert till.lost == {f"7@{place}": 1.0, f"8@{place}": 1.0}


def rung_location(till: Till) -> str:
    order = Till(till.journey, Shelf()).ring_up(0, None).order
    assert order is not None
    return order.lines[0].location


def test_a_basket_of_nothing_is_not_told(till: Till) -> None:
    place = rung_location(till)
    for item in ("7", "8"):
        till.shelf.deliver((item, place), item, 0.0, None)
    assert till.ring_up(0, None) == ([], None)
    assert till.counts["baskets_left_empty"] == 1


def test_a_redemption_is_a_click_on_its_campaign(till: Till) -> None:
    event = till.redeem(0)
    assert (event.user_id, event.type, event.context) == ("3", "click", {"coupon": "555", "campaign_id": "1"})


def test_all_records_keep_the_contract(till: Till) -> None:
    told: list[tuple[Topic, object]] = [(USER_EVENTS, till.redeem(0))]
    for basket in range(len(till.journey.at)):
        told.append((USER_EVENTS, till.ask(basket)))
        rung = till.ring_up(basket, Slate("d", frozenset({"7"})))
        told += [(USER_EVENTS, event) for event in rung.events]
        told.append((ORDERS, rung.order))
    for topic, record in told:
        assert decode(topic, topic.key(record).encode(), encode(record), 0)[1] == record
    ids = [record.event_id for _, record in told if isinstance(record, UserEvent)]
    assert len(ids) == len(set(ids))
