"""The checks themselves: sound where all is well, and each rule found broken where it was."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
import pytest

from tests.chaos.checker import Findings, check_bookings, check_letters, check_once, check_reading, check_state
from tests.chaos.events import event
from tests.chaos.onlooker import Sighting
from tests.chaos.reference import Expected, expect
from tests.kafka.harness import AT


@dataclass(frozen=True)
class Lain:
    """A message of the input log."""

    offset: int
    key: bytes | None
    value: bytes | None
    partition: int = 0
    timestamp: int = AT


@pytest.fixture
def expected() -> Expected:
    """Three bookings of two users, a copy of one of them, and one message that can't be read."""
    said = [event(0, "u0", 1.0, AT), event(1, "u1", 2.0, AT), event(2, "u0", 4.0, AT), event(1, "u1", 2.0, AT)]
    log = [Lain(offset, key, value) for offset, (key, value) in enumerate([*said, (b"u0", None)])]
    return expect(log)


def as_seen(records: list[Any], topic: str = "bookings") -> list[Sighting]:
    return [Sighting(topic, 0, offset, b"", orjson.dumps(record)) for offset, record in enumerate(records)]


def broken(findings: Findings) -> dict[str, int]:
    return {rule: count for rule, count in findings.counts().items() if count}


def test_the_reference_accounts_for_every_input(expected: Expected) -> None:
    assert (expected.booked, len(expected.letters), expected.left_aside) == (3, 1, 1)
    assert [booking["total"] for booking in expected.bookings[0]] == [1.0, 2.0, 5.0]


def bookings(expected: Expected, records: list[Any]) -> dict[str, int]:
    findings = Findings()
    check_bookings(findings, expected, as_seen(records))
    return broken(findings)


def test_bookings(expected: Expected) -> None:
    one, two, three = expected.bookings[0]
    assert bookings(expected, [one, two, three]) == {}
    assert bookings(expected, [one, three]) == {"lost": 1}
    assert bookings(expected, [one, one, two, three]) == {"duplicate": 1, "non_monotonic": 1}
    assert bookings(expected, [one, three, two]) == {"non_monotonic": 1}
    assert bookings(expected, [one, two, three | {"belief": 0.5}]) == {"wrong": 1}
    assert bookings(expected, [one, two, three, three | {"event_id": "never sent", "place": 4}]) == {"wrong": 1}


def test_reading() -> None:
    def read(seen: list[Sighting], final: list[Sighting]) -> dict[str, int]:
        findings = Findings()
        check_reading(findings, seen, final)
        return broken(findings)

    a, b, c = as_seen(["a", "b", "c"])
    assert read([a, b, c], [a, b, c]) == {}
    assert read([a, b, c], [a, c]) == {"aborted_read": 1}
    assert read([a, c], [a, b, c]) == {"skipped": 1}
    assert read([a, b], [a, b, c]) == {"unseen": 1}
    assert read([], [a, b, c]) == {"unseen": 3}
    assert read([a, c, b], [a, b, c]) == {"non_monotonic": 1}


def test_letters(expected: Expected) -> None:
    def letters(*said: dict[str, Any]) -> dict[str, int]:
        findings = Findings()
        check_letters(findings, expected, "user-events", as_seen(list(said)))
        return broken(findings)

    good: dict[str, Any] = {"topic": "user-events", "partition": 0, "offset": 4, "key": b64encode(b"u0").decode()}
    good |= {"value": None}
    assert letters(good) == {}
    assert letters() == {"lost": 1}
    assert letters(good, good) == {"duplicate": 1}
    assert letters(good | {"key": None}) == {"wrong": 1}
    assert letters(good, good | {"offset": 0}) == {"wrong": 1}


def test_state(expected: Expected) -> None:
    accounts = {
        user: {name: getattr(account, name) for name in ("n", "total", "belief", "chain", "newest")}
        for user, account in expected.accounts.items()
    }

    def state(now: dict[str, Any]) -> dict[str, int]:
        findings = Findings()
        rows = [Lain(0, f"account/{user}".encode(), msgspec.msgpack.encode(entry)) for user, entry in now.items()]
        check_state(findings, expected, rows)
        return broken(findings)

    assert state(accounts) == {}
    assert state({"u0": accounts["u0"]}) == {"wrong": 1}
    assert state(accounts | {"u1": accounts["u1"] | {"n": 7}}) == {"wrong": 1}


def test_once() -> None:
    findings = Findings()
    check_once(findings, ["a", "b", "c"], ["a", "a", "b", "x"])
    assert broken(findings) == {"lost": 1, "duplicate": 1, "wrong": 1}
