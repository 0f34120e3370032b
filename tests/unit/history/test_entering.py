"""A history of a shop's own messages is read by the mapping that workers read it by."""

import tomllib
from typing import Any

import orjson

from infra.history.entering import entered
from infra.history.message import Found, Message, Rejected
from infra.mapping.entrance import PLAIN, Entrance
from infra.mapping.rules import compiled
from infra.privacy.pseudonyms import Pseudonyms
from streams.codec import decode
from streams.records import DeadLetter, UserEvent
from streams.topics import CATALOG, DEAD_LETTERS, USER_EVENTS
from tests.unit.infra.mapping import shops

MAPPED = Entrance(compiled(tomllib.loads(shops.TRACKED_MAPPING)))
ITEM = Message(CATALOG, b"i", b'{"item_id":"i","category":"c"}', 5)


def told(number: int, **changed: Any) -> Message:
    one = {**shops.TRACKED[number], **changed}
    user = one["userId"] or one["anonymousId"]
    return Message(USER_EVENTS, user.encode(), orjson.dumps(one), 1_483_272_000_000 + number, 3, 100 + number)


def events(found: list[Found]) -> list[UserEvent]:
    made = [one for one in found if isinstance(one, Message) and one.topic is USER_EVENTS]
    return [decode(one.topic, one.key, one.value, one.timestamp)[1] for one in made]


def test_a_shops_messages_become_our_records_where_they_lay() -> None:
    history = [ITEM, told(1), told(2), told(4)]  # the last is of a kind that the mapping leaves
    found = list(entered(history, MAPPED))
    assert found[0] is ITEM
    assert [(one.event_id, one.type, one.item_id) for one in events(found)] == [
        ("ajs-1", "add_to_cart", "sku-1"),
        ("ajs-2", "click", "sku-2"),
    ]
    assert [one[3:] for one in found[1:]] == [one[3:] for one in history[1:3]]  # time, partition, offset


def test_without_a_mapping_a_history_is_handed_on_as_it_is() -> None:
    history: list[Found] = [ITEM, told(1), Rejected(ITEM)]
    assert list(entered(history, PLAIN)) == history


def test_what_the_mapping_cannot_make_a_record_of_is_named_and_not_taken_as_it_is() -> None:
    ours = b'{"event_id":"e","user_id":"u","type":"view","occurred_at":1483272000000,"item_id":"i"}'
    history = [
        told(1, timestamp="never"),
        Message(USER_EVENTS, b"u", b"{", 7),
        Message(USER_EVENTS, b"u", b"[", 8),  # a file needn't tell offsets: then they are counted
        Message(USER_EVENTS, b"u", ours.replace(b"view", b"look"), 9),
    ]
    letters = [
        decode(DEAD_LETTERS, one.letter.key, one.letter.value, one.letter.timestamp)[1]
        for one in entered(history, MAPPED)
        if isinstance(one, Rejected)
    ]
    assert all(isinstance(one, DeadLetter) for one in letters)
    assert [(one.topic, one.partition, one.offset) for one in letters] == [
        ("user-events", 3, 101),
        ("user-events", 0, 0),
        ("user-events", 0, 1),
    ]
    assert [one.reason for one in letters][1:] == ["not-json", "not-json"]


def test_users_of_mapped_messages_go_by_their_pseudonyms() -> None:
    users = Pseudonyms("of-users-who-live-as-long-as-the-test")
    (made,) = events(list(entered([told(1)], Entrance(MAPPED.rules, users))))
    assert made.user_id == users.of("user-1")
