"""Event time: epoch milliseconds, or RFC 3339 text, within bounds that a broken clock can't cross."""

from datetime import UTC, datetime, timedelta
from typing import Final, NewType

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


# Milliseconds since 1970-01-01T00:00Z; a type of its own, so that no count is mistaken for a time.
EventTime = NewType("EventTime", int)

EARLIEST: Final = EventTime(946_684_800_000)  # 2000-01-01: a clock before it was never set
LATEST: Final = EventTime(4_102_444_800_000)  # 2100-01-01, exclusive
MAX_SKEW: Final = DAY  # how far an event may run ahead of the log's own timestamp


def parse_time(value: object) -> EventTime:
    """Epoch milliseconds or RFC 3339 text with an offset, as an event time.

    >>> parse_time("2017-01-01T12:00:00Z") == parse_time(1483272000000)
    True
    """
    if isinstance(value, bool):
        raise TypeError("a time is epoch milliseconds or RFC 3339 text, not a boolean")
    if isinstance(value, int):
        return EventTime(value)
    if isinstance(value, str):
        return _parse_text(value)
    raise TypeError(f"a time is epoch milliseconds or RFC 3339 text, not {type(value).__name__}")


def _parse_text(text: str) -> EventTime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"the time {text!r} has no offset: end it with Z or ±hh:mm")
    return EventTime((at - EPOCH) // timedelta(milliseconds=1))


def check_time(at: int, logged_at: int) -> None:
    """Raise ValueError where `at` is outside all reason, or more than a day ahead of the log's timestamp."""
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"the time {at} is outside 2000-01-01 … 2100-01-01")
    if logged_at >= EARLIEST and at > logged_at + MAX_SKEW:
        raise ValueError(f"the time {at} is more than a day ahead of the log's own {logged_at}")


def iso(at: int) -> str:
    """An event time as a person reads it."""
    return (EPOCH + timedelta(milliseconds=at)).isoformat(timespec="seconds").replace("+00:00", "Z")
