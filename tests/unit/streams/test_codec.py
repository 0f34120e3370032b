"""What comes in is read once, strictly; what can't be read is named by a reason from a closed set."""

import pytest

from streams.codec import MAX_BYTES, MalformedRecord, decode, encode
from streams.records import CatalogItem, UserEvent
from streams.times import DAY, EventTime
from streams.topics import CAMPAIGNS, CATALOG, ORDERS, STOCK_UPDATES, USER_EVENTS, Topic

NOW = 1_483_272_000_000
GOOD = b'{"event_id":"e","user_id":"u","type":"view","occurred_at":1483272000000}'


def event(**fields: str) -> bytes:
    """A user event as JSON text, with raw values in place of its own."""
    own = {"event_id": '"e"', "user_id": '"u"', "type": '"view"', "occurred_at": str(NOW)} | fields
    return ("{" + ",".join(f'"{name}":{raw}' for name, raw in own.items()) + "}").encode()


def test_a_good_event_is_read() -> None:
    key, record = decode(USER_EVENTS, b"u", GOOD, NOW)
    assert key == "u"
    assert record == UserEvent(event_id="e", user_id="u", type="view", occurred_at=EventTime(NOW))


def test_unknown_fields_are_accepted_and_null_is_absence() -> None:
    _, record = decode(USER_EVENTS, b"u", event(colour='"red"', nested='{"a":[1,2]}', price="null"), NOW)
    assert record.price is None


@pytest.mark.parametrize("text", ["2017-01-01T12:00:00Z", "2017-01-01T13:00:00+01:00", "2017-01-01T12:00:00.000Z"])
def test_times_may_be_rfc_3339(text: str) -> None:
    assert decode(USER_EVENTS, b"u", event(occurred_at=f'"{text}"'), NOW)[1].occurred_at == NOW


BAD: list[tuple[str, Topic, bytes | None, bytes | None]] = [
    ("not-json", USER_EVENTS, b"u", b"hello"),
    ("not-json", USER_EVENTS, b"u", b""),
    ("not-json", USER_EVENTS, b"u", GOOD[:-3]),
    ("not-json", USER_EVENTS, b"u", GOOD + b"{}"),
    ("not-json", USER_EVENTS, b"u", event(price="NaN")),
    ("not-json", USER_EVENTS, b"u", event(price="Infinity")),
    ("not-json", USER_EVENTS, b"u", event(price="-Infinity")),
    ("invalid-record", USER_EVENTS, b"u", event(price="1e999")),
    ("invalid-record", USER_EVENTS, b"u", event(context='{"x":1e999}')),
    ("invalid-record", USER_EVENTS, b"u", event(quantity="-1")),
    ("invalid-record", USER_EVENTS, b"u", event(quantity='"2"')),
    ("invalid-record", USER_EVENTS, b"u", event(type='"dance"')),
    ("invalid-record", USER_EVENTS, b"u", event(slate_size="0")),
    ("invalid-record", USER_EVENTS, b"u", event(event_id='""')),
    ("invalid-record", USER_EVENTS, b"u", event(occurred_at="true")),
    ("invalid-record", USER_EVENTS, b"u", event(occurred_at='"yesterday"')),
    ("invalid-record", USER_EVENTS, b"u", event(occurred_at='"2017-01-01T12:00:00"')),
    ("invalid-record", USER_EVENTS, b"u", b"[]"),
    ("invalid-record", USER_EVENTS, b"u", b"null"),
    ("invalid-record", USER_EVENTS, b"u", b'{"user_id":"u","type":"view","occurred_at":1483272000000}'),
    ("invalid-record", ORDERS, b"o", b'{"order_id":"o","occurred_at":1483272000000,"lines":[]}'),
    (
        "invalid-record",
        ORDERS,
        b"o",
        b'{"order_id":"o","occurred_at":1483272000000,"lines":[{"item_id":"i","location":"l","quantity":-2}]}',
    ),
    (
        "invalid-record",
        CAMPAIGNS,
        b"c",
        b'{"campaign_id":"c","budget":1,"starts_at":1483272000000,"ends_at":1483272000000,"bid_min":0,"bid_max":1}',
    ),
    ("not-utf8", USER_EVENTS, b"u", event(colour='"\xff"').replace(b"\xc3\xbf", b"\xff")),
    ("not-utf8", USER_EVENTS, b"\xff", GOOD),
    ("empty-key", USER_EVENTS, b"", GOOD),
    ("empty-key", USER_EVENTS, None, GOOD),
    ("key-mismatch", USER_EVENTS, b"someone-else", GOOD),
    ("null-value", USER_EVENTS, b"u", None),
    ("oversized", USER_EVENTS, b"u", event(colour='"' + "x" * MAX_BYTES + '"')),
    ("nested-too-deep", USER_EVENTS, b"u", event(deep="[" * 50_000 + "]" * 50_000)),
    ("invalid-time", USER_EVENTS, b"u", event(occurred_at="0")),
    ("invalid-time", USER_EVENTS, b"u", event(occurred_at="4102444800000")),
    ("invalid-time", USER_EVENTS, b"u", event(occurred_at=str(NOW + 2 * DAY))),
]


@pytest.mark.parametrize(("reason", "topic", "key", "value"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(reason: str, topic: Topic, key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(MalformedRecord) as caught:
        decode(topic, key, value, NOW)
    assert caught.value.reason == reason
    assert caught.value.detail.startswith(topic.name)
    assert str(caught.value).count(reason) == str(caught.value).count(f"{topic.name}: ") == 1


def test_what_is_no_object_is_said_to_be_none() -> None:
    with pytest.raises(MalformedRecord, match="got `array`"):
        decode(USER_EVENTS, b"u", b"[1]", NOW)


def test_null_on_a_compacted_topic_is_a_deletion() -> None:
    assert decode(CATALOG, b"milk", None, NOW) == ("milk", None)


def test_stock_is_keyed_by_item_and_location() -> None:
    body = b'{"event_id":"s","item_id":"milk","location":"north","on_hand":3,"occurred_at":1483272000000}'
    assert decode(STOCK_UPDATES, b"milk@north", body, NOW)[1].on_hand == 3.0
    with pytest.raises(MalformedRecord, match="key-mismatch"):
        decode(STOCK_UPDATES, b"milk", body, NOW)


def test_what_is_encoded_decodes_to_the_same() -> None:
    item = CatalogItem(item_id="milk", category="dairy", price=1.5, attributes={"fat": 3.5})
    assert decode(CATALOG, b"milk", encode(item), NOW) == ("milk", item)
