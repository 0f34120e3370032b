"""A message's time is what its record says, where that can be believed; else the log's."""

import pytest

from infra.history.clock import clock, event_time
from infra.history.message import Message
from streams.times import DAY, EARLIEST
from streams.topics import CATALOG, DECISIONS, OUTCOMES, TOPICS, USER_EVENTS, Topic

AT = 1_483_272_000_000
LOGGED = AT + 3600_000


def at(topic: Topic, value: bytes | None, logged: int = LOGGED) -> int:
    return event_time(Message(topic, b"k", value, logged))


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (USER_EVENTS, b'{"context":{"occurred_at":5},"occurred_at":1483272000000}'),
        (USER_EVENTS, b'{"occurred_at":"2017-01-01T14:00:00+02:00"}'),
        (DECISIONS, b'{"occurred_at":1,"decided_at":1483272000000,"features":{"decided_at":3}}'),
        (OUTCOMES, b'{"decided_at":1,"matured_at":1483272000000}'),
    ],
)
def test_the_records_own_time(topic: Topic, value: bytes) -> None:
    assert at(topic, value) == AT
    assert clock("log")(Message(topic, b"k", value, LOGGED)) == LOGGED


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not json",
        b"\xff",
        b"{}",
        b'{"occurred_at":null}',
        b'{"occurred_at":1.5}',
        b'{"occurred_at":99999999999999999999999}',
        b'{"occurred_at":"yesterday"}',
        b'{"occurred_at":"2017-01-01T12:00:00"}',
        b'{"occurred_at":%d}' % (EARLIEST - 1),
        b'{"occurred_at":%d}' % (LOGGED + DAY + 1),
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_the_logs_time_where_there_is_none_to_believe(value: bytes | None) -> None:
    assert at(USER_EVENTS, value) == LOGGED


def test_without_a_log_time_the_records_own_counts_alone() -> None:
    assert at(USER_EVENTS, b'{"occurred_at":1483272000000}', logged=0) == AT


def test_every_topic_has_a_time_of_its_own_or_none_is_looked_for() -> None:
    timeless = {topic.name for topic in TOPICS if at(topic, b'{"%s":1}' % b"x") == LOGGED and at_all(topic) == LOGGED}
    assert timeless == {"catalog", "campaigns"}
    assert at(CATALOG, b'{"occurred_at":1483272000000}') == LOGGED


def at_all(topic: Topic) -> int:
    names = ("occurred_at", "decided_at", "matured_at", "published_at", "as_of", "at")
    return at(topic, ("{" + ",".join(f'"{name}":{AT}' for name in names) + "}").encode())
