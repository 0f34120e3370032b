"""A shop's own messages become our records by a declaration; what is wrong with either is told in words."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contract.registry import frame
from infra.errors import UserError
from infra.mapping.entrance import Entrance, Mapped
from infra.mapping.fields import BadMapping, Left
from infra.mapping.intake import intakes
from infra.mapping.load import load
from infra.mapping.rules import Rules, compiled
from policies.version import SHIPPED
from streams.codec import MalformedRecord, decode, encode
from streams.records import Order, StockUpdate, UserEvent
from streams.topics import CATALOG, USER_EVENTS, Topic
from tests.unit.infra.mapping import shops

NOW = 1_600_000_000_000


class Row(NamedTuple):
    """A message as a client reads it."""

    value: bytes | None
    key: bytes | None = b"k"
    offset: int = 0
    timestamp: int = NOW
    headers: tuple[tuple[str, bytes], ...] = ()


def rules(text: str) -> Rules:
    return compiled(tomllib.loads(text))


def read(text: str, topic: Topic, message: Any, key: bytes | None = b"k", **more: Any) -> tuple[str, Any]:
    reader = Entrance(rules(text)).of(topic)
    assert reader is not None
    return reader(0, Row(orjson.dumps(message), key, **more))


def spread(text: str, message: Any, offset: int = 0) -> list[Any]:
    """The records that one message of a shop's own topic becomes, as they are read back from ours."""
    found = rules(text)
    (intake,) = intakes(found)
    reader = Entrance(found).of(intake.reads[0])
    assert reader is not None
    try:
        mapped = reader(0, Row(orjson.dumps(message), None, offset))[1]
    except Left:
        return []
    assert isinstance(mapped, Mapped)
    return [decode(topic, topic.key(one).encode(), encode(one), NOW)[1] for topic, one in mapped.made]


def test_track_calls_become_user_events_at_the_edge() -> None:
    found: Counter[str] = Counter()
    for message in shops.TRACKED:
        who = message["userId"] or message["anonymousId"]
        try:
            key, event = read(shops.TRACKED_MAPPING, USER_EVENTS, message, who.encode())
        except Left:
            found["left"] += 1
            continue
        assert (key, event.user_id, event.placement, event.price) == (who, who, "web", 19.99)
        assert event.context == {"page": "/x"}
        found[event.type] += 1
    assert found == {"view": 6, "click": 6, "add_to_cart": 6, "search": 6, "left": 6}


def test_an_order_becomes_an_order_and_a_purchase_for_each_of_its_lines() -> None:
    order, *bought = spread(shops.WEBHOOKS_MAPPING, shops.WEBHOOKS[1])
    assert isinstance(order, Order)
    assert (order.order_id, order.user_id, order.occurred_at) == ("450789470", "207119551", 1_483_372_800_000)
    assert [(line.item_id, line.price) for line in order.lines] == [("IPOD-1", 199.0), ("CASE", 11.94)]
    assert [(one.event_id, one.type, one.quantity) for one in bought] == [
        ("450789470/IPOD-1", "purchase", 2),
        ("450789470/CASE", "purchase", 1),
    ]
    assert spread(shops.WEBHOOKS_MAPPING, shops.WEBHOOKS[0]) == []  # a voided one


def test_analytics_events_in_microseconds_and_cents() -> None:
    made = [event for place, one in enumerate(shops.ANALYTICS) for event in spread(shops.ANALYTICS_MAPPING, one, place)]
    assert Counter(event.type for event in made) == dict.fromkeys(("view", "click", "add_to_cart", "purchase"), 6)
    first = made[0]
    assert (first.event_id, first.occurred_at, first.price) == ("ga.events-0-0-0", 1_483_272_000_000, 19.99)
    assert first.context == {"page": "https://shop.example/p"}


def test_a_warehouse_in_seconds() -> None:
    (update,) = spread(shops.STOCK_MAPPING, shops.STOCK[3])
    assert isinstance(update, StockUpdate)
    assert (update.event_id, update.on_hand, update.occurred_at) == ("north-3", 9, 1_483_272_003_000)


PLAIN = """
[[rule]]
to = "user-events"
[rule.fields]
event_id = "id"
user_id = "who"
type = {{ path = "kind", values = {{ seen = "view" }} }}
occurred_at = {at}
price = {price}
"""


def plain(at: str = '"at"', price: str = '"price"') -> str:
    return PLAIN.format(at=at, price=price)


MESSAGE = {"id": 1, "who": "u", "kind": "seen", "at": "2017-01-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("spec", "value", "wanted"),
    [
        ('"at"', "2017-01-01T12:00:00Z", 1_483_272_000_000),
        ('"at"', 1_483_272_000_000, 1_483_272_000_000),
        ('{ path = "at", unit = "iso" }', "2017-01-01T13:00:00+01:00", 1_483_272_000_000),
        ('{ path = "at", zone = "+02:00" }', "2017-01-01 14:00:00", 1_483_272_000_000),
        ('{ path = "at", zone = "Z" }', "2017-01-01T14:00:00+02:00", 1_483_272_000_000),
        ('{ path = "at", unit = "s" }', "1483272000", 1_483_272_000_000),
        ('{ path = "at", unit = "s" }', 1483272000.25, 1_483_272_000_250),
        ('{ path = "at", unit = "ms" }', "1483272000000", 1_483_272_000_000),
        ('{ path = "at", unit = "us" }', 1_483_272_000_123_999, 1_483_272_000_123),
        ('{ path = "at", unit = "ns" }', 1_483_272_000_123_999_999, 1_483_272_000_123),
        ('"$timestamp"', None, NOW),
    ],
)
def test_times_come_in_every_unit(spec: str, value: Any, wanted: int) -> None:
    assert read(plain(at=spec), USER_EVENTS, MESSAGE | {"at": value}, b"u")[1].occurred_at == wanted


@pytest.mark.parametrize(
    ("spec", "value", "wanted"),
    [
        ('"price"', "12.90", 12.9),
        ('"price"', 12, 12.0),
        ('{ path = "price", unit = "cents" }', 1999, 19.99),
        ('{ path = "price", unit = "micros" }', "1990000", 1.99),
        ('{ path = "price", scale = 2 }', 1.5, 3.0),
        ('{ path = ["cost", "price"] }', 5, 5.0),
        ('{ path = "price", default = 1.5 }', None, 1.5),
        ('"price"', None, None),
    ],
)
def test_amounts_come_in_every_unit(spec: str, value: Any, wanted: float | None) -> None:
    assert read(plain(price=spec), USER_EVENTS, MESSAGE | {"price": value}, b"u")[1].price == wanted


FAILS: list[tuple[dict[str, Any], str, str]] = [
    ({"who": None}, "invalid-record", "user_id: the message has none"),
    ({"kind": "sold"}, "unmapped", "type: 'sold' is not among the values"),
    ({"price": "12,90"}, "invalid-record", "price: '12,90' is not a number"),
    ({"price": -1}, "invalid-record", "price"),
    ({"price": True}, "invalid-record", "price: True is not a number"),
    ({"price": "1e999"}, "invalid-record", "price: '1e999' is not a number"),
    ({"at": 1_483_272_000}, "invalid-time", 'it would be with unit = "s"'),
    ({"at": "2017-01-01T12:00:00"}, "invalid-time", "it has no offset, set zone"),
    ({"at": "yesterday"}, "invalid-time", "'yesterday' is no time"),
    ({"at": [1]}, "invalid-time", "[1] is no time"),
    ({"at": "2090-01-01T12:00:00Z"}, "invalid-time", "more than a day ahead"),
    ({"who": "v"}, "key-mismatch", "the key is 'u', the record says 'v'"),
    ({"id": {"a": 1}}, "invalid-record", "event_id: {'a': 1} is not text"),
    ({"id": "x" * 300}, "invalid-record", "event_id"),
]


@pytest.mark.parametrize(("change", "reason", "said"), FAILS)
def test_what_fails_is_a_dead_letter_with_its_reason(change: dict[str, Any], reason: str, said: str) -> None:
    with pytest.raises(MalformedRecord) as told:
        read(plain(), USER_EVENTS, MESSAGE | change, b"u")
    assert told.value.reason == reason
    assert said in told.value.detail


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"{", "not-json"), (b"\xff", "not-utf8"), (b"[" * 100_000, "nested-too-deep"), (b" " * 1_000_001, "oversized")],
)
def test_what_is_no_message_at_all(value: bytes, reason: str) -> None:
    reader = Entrance(rules(plain())).of(USER_EVENTS)
    assert reader is not None
    with pytest.raises(MalformedRecord) as told:
        reader(0, Row(value, b"u"))
    assert told.value.reason == reason


def test_a_key_may_be_trusted_where_the_shop_writes_another_one() -> None:
    text = plain().replace("[rule.fields]", 'key = "trust"\n[rule.fields]')
    assert read(text, USER_EVENTS, MESSAGE, b'{"user":"u"}')[0] == "u"
    assert read(text, USER_EVENTS, MESSAGE, None)[0] == "u"


def test_a_framed_message_is_read_too() -> None:
    reader = Entrance(rules(plain())).of(USER_EVENTS)
    assert reader is not None
    assert reader(0, Row(frame(7) + orjson.dumps(MESSAGE), b"u"))[1].event_id == "1"


def test_headers_and_the_messages_key_are_paths_too() -> None:
    text = plain(at='"$header.ce_time"').replace('user_id = "who"', 'user_id = "$key"')
    event = read(text, USER_EVENTS, MESSAGE, b"z", headers=(("ce_time", b"2017-01-01T12:00:00Z"),))[1]
    assert (event.user_id, event.occurred_at) == ("z", 1_483_272_000_000)


def test_the_first_rule_that_takes_a_message_makes_the_record() -> None:
    first = plain().replace('to = "user-events"', 'to = "user-events"\nwhen = { kind = "seen" }')
    second = plain().replace('seen = "view"', 'sold = "purchase"')
    assert read(first + second, USER_EVENTS, MESSAGE, b"u")[1].type == "view"
    assert read(first + second, USER_EVENTS, MESSAGE | {"kind": "sold"}, b"u")[1].type == "purchase"


def test_a_deletion_on_a_compacted_topic_stays_one() -> None:
    text = '[[rule]]\nto = "catalog"\n[rule.fields]\nitem_id = "sku"\ncategory = { value = "all" }\n'
    reader = Entrance(rules(text)).of(CATALOG)
    assert reader is not None
    assert reader(0, Row(None, b"milk")) == ("milk", None)


def test_a_topic_without_a_rule_is_the_codecs() -> None:
    assert Entrance(rules(plain())).of(CATALOG) is None
    assert Entrance().of(USER_EVENTS) is None


def test_an_intake_puts_all_on_our_topics_and_keeps_the_time() -> None:
    found = rules(shops.WEBHOOKS_MAPPING)
    (intake,) = intakes(found)
    assert (intake.name, [str(one) for one in intake.emits]) == ("intake-shop.orders", ["orders", "user-events"])
    reader = Entrance(found).of(intake.reads[0])
    assert reader is not None
    from agents.contract import Input, State
    from streams.views import Views

    key, mapped = reader(3, Row(orjson.dumps(shops.WEBHOOKS[1]), None, 9))
    assert mapped.event_ids[0] == "450789470"
    step = intake.step(State({}, Views()), [Input(intake.reads[0], 3, 9, key, mapped)], SHIPPED, 0)
    assert [str(one.topic) for one in step.outputs] == ["orders", "user-events", "user-events"]
    assert step.now == 1_483_372_800_000
    assert not step.writes


WRONG = [
    ("", "it has no [[rule]]"),
    ("[rules]\n", "there is no table 'rules'"),
    ('[[rule]]\nto = "user-event"\n', "did you mean user-events?"),
    ('[[rule]]\nto = "recommendations"\n', "Tradewind writes that one itself"),
    ('[[rule]]\nto = "orders"\nfrom = "a b"\n', "from = 'a b' can't be the name of a topic"),
    ('[[rule]]\nto = "orders"\nform = "x"\n', "there is no word 'form': did you mean from?"),
    (plain() + 'userid = "x"\n', "there is no field 'userid': did you mean user_id?"),
    (plain().replace('user_id = "who"\n', ""), "user_id: it is required, and nothing is said of it"),
    (plain().replace('"view"', '"viewed"'), "did you mean view?"),
    (plain(at='{ path = "at", unit = "sec" }'), "there is no unit 'sec'"),
    (plain(at='{ path = "at", unit = "cents" }'), "there is no unit 'cents'"),
    (plain(at='{ path = "at", zone = "CET" }'), "zone is"),
    (plain(at='{ pth = "at" }'), "there is no word 'pth': did you mean path?"),
    (plain(at='{ path = "at", value = 1 }'), "say exactly one of path, value"),
    (plain(at='{ value = "noon" }'), "the constant 'noon' doesn't fit"),
    (plain(at='"a..b"'), "'a..b' is no path"),
    (plain(at='"$nothing"'), "'$nothing' is no path"),
    (plain(at='""'), "a path is empty"),
    (plain(at="7"), "7 is no path"),
    (plain(price='{ path = "p", default = -1 }'), "the default -1 doesn't fit"),
    (plain(price='{ path = "p", unit = "cents", scale = 2 }'), "say unit or scale, not both"),
    (plain(price='{ path = "p", zone = "Z" }'), "zone fits times, and this is a number"),
    (plain(price='{ path = "p", otherwise = "skip" }'), "otherwise means something only with values"),
    (plain(price='{ each = "x", fields = {} }'), "fields fit a record inside"),
    (plain().replace("[rule.fields]", 'each = "x"\n[rule.fields]'), "only a topic named by from can"),
    (plain().replace("[rule.fields]", 'key = "maybe"\n[rule.fields]'), 'key is "check" or "trust"'),
    (plain().replace("[rule.fields]", "when = { a = [] }\n[rule.fields]"), "when: write text"),
    (plain().replace("[rule.fields]", "when = { a = { like = 1 } }\n[rule.fields]"), "when: write a value"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_mapping_is_told_at_start(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    with pytest.raises(UserError) as told:
        load(file)
    assert said in str(told.value)
    assert "mapping.toml" in str(told.value)
    assert "\n" not in str(told.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadMapping, match=r"userid.*rule 2 \(to order\)"):
        rules(plain() + 'userid = "x"\n' + '[[rule]]\nto = "order"\n')


def test_a_missing_file_and_broken_toml_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "m.toml").write_text("a = = 1")
    with pytest.raises(UserError, match="is not valid TOML"):
        load(tmp_path / "m.toml")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["u", "seen", "2017-01-01T12:00:00Z", 1_483_272_000, 1_483_272_000_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "who", "kind", "at", "price", "lines", "items", "event_params"), JSON)
)
READERS = [
    Entrance(found).of(topic)
    for found, topic in [
        (rules(plain()), USER_EVENTS),
        (rules(plain(at='{ path = "at", unit = "us" }', price='{ path = "price", unit = "cents" }')), USER_EVENTS),
        *(
            (found, intakes(found)[0].reads[0])
            for found in map(rules, [shops.WEBHOOKS_MAPPING, shops.ANALYTICS_MAPPING])
        ),
    ]
]


@given(MESSAGES | JSON, st.sampled_from(READERS))
def test_whatever_comes_it_is_a_record_or_a_named_failure(message: Any, reader: Any) -> None:
    import json

    try:
        _, record = reader(0, Row(json.dumps(message).encode(), b"u"))
    except (MalformedRecord, Left):
        return
    assert isinstance(record, UserEvent | Mapped)


def test_the_guides_mapping_is_one() -> None:
    guide = (Path(__file__).parents[4] / "docs/own-events.md").read_text()
    text = next(part.partition("```")[0] for part in guide.split("```toml\n") if "[[rule]]" in part.partition("```")[0])
    (event,) = spread(
        text,
        {
            "type": "track",
            "messageId": 1,
            "anonymousId": "a",
            "sentAt": 1_483_272_000,
            "event": "Product Viewed",
            "properties": {"productId": "p", "price_cents": 250},
        },
    )
    assert (event.user_id, event.type, event.price, event.quantity, event.placement) == ("a", "view", 2.5, 1, "web")
