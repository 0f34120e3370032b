"""Bytes to records and back, once, at the edge. What can't be read is named, never guessed."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, Literal, NoReturn, cast, get_type_hints

import msgspec
import orjson

from streams.times import EARLIEST, LATEST, EventTime, check_time, parse_time
from streams.topics import Topic

MAX_BYTES = 1_000_000
FRAME: Final = 5  # bytes of Confluent's wire format before the value

Reason = Literal[
    "oversized",
    "empty-key",
    "key-mismatch",
    "null-value",
    "not-utf8",
    "not-json",
    "nested-too-deep",
    "invalid-record",
    "invalid-time",
    "unmapped",
]


class MalformedRecord(ValueError):  # noqa: N818  # it names what the message is, not what went wrong here
    """A message that can't become a record. `reason` is from a closed set; `detail` says where and what."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


@cache
def _decoder(record: type[Any]) -> Callable[[str], Any]:
    return msgspec.json.Decoder(record).decode


@cache
def _times_of(record: type[Any]) -> tuple[str, ...]:
    """The fields of a record that are event times."""
    return tuple(name for name, kind in get_type_hints(record).items() if kind is EventTime)


def decode(topic: Topic, key: bytes | None, value: bytes | None, logged_at: int) -> tuple[str, Any]:
    """The key and record of one message; the record is None for a deletion on a compacted topic.

    `logged_at` is the log's own timestamp (epoch ms): an event may not be more than a day ahead of it.
    Raises MalformedRecord.
    """
    # Nearly every message is good. Only where one isn't is it worth finding out step by step why.
    if key and value and len(value) <= MAX_BYTES:
        try:
            name, record = key.decode(), _decoder(topic.record)(value.decode())
            at = getattr(record, "occurred_at", EARLIEST)
            if EARLIEST <= at <= logged_at < LATEST and name == topic.key(record):
                return name, record
        except (ValueError, RecursionError):
            pass
    return _decode_in_steps(topic, key, value, logged_at)


def _decode_in_steps(topic: Topic, key: bytes | None, value: bytes | None, logged_at: int) -> tuple[str, Any]:
    framed = unframed(value)
    if framed is not value:  # another service's, with the number of its schema in front
        return decode(topic, key, framed, logged_at)
    name = decode_key(topic, key)
    if value is None:
        if topic.compacted:
            return name, None
        raise MalformedRecord("null-value", f"{topic}: a null value, on a topic that is not compacted")
    record = _decode_value(topic, value)
    _check(topic, name, record, logged_at)
    return name, record


def unframed(value: bytes | None) -> bytes | None:
    """A value without Confluent's frame (a zero byte, and the schema's number in four), if it has one; else itself.

    >>> unframed(b"\\0\\0\\0\\0\\x07{}"), unframed(b"{}")
    (b'{}', b'{}')
    """
    framed = value is not None and len(value) > FRAME and value[0] == 0 and value[FRAME] != 0
    return value[FRAME:] if framed and value is not None else value


def record_of(topic: Topic, given: dict[str, Any], key: str | None, logged_at: int) -> Any:
    """A record from its fields as plain values; a `key` of None isn't compared. Raises MalformedRecord."""
    try:
        record = msgspec.convert(given, topic.record)
    except (ValueError, RecursionError) as error:
        _refuse(topic, error)
    _check(topic, topic.key(record) if key is None else key, record, logged_at)
    return record


def decode_key(topic: Topic, key: bytes | None) -> str:
    """A message's key as text. Raises MalformedRecord."""
    if not key:
        raise MalformedRecord("empty-key", f"{topic}: the key is empty")
    if len(key) > MAX_BYTES:
        raise MalformedRecord("oversized", f"{topic}: a key of {len(key)} bytes")
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise MalformedRecord("not-utf8", f"{topic}: the key: {error}") from error


def _decode_value(topic: Topic, value: bytes) -> Any:
    if len(value) > MAX_BYTES:
        raise MalformedRecord("oversized", f"{topic}: {len(value)} bytes, over {MAX_BYTES}")
    try:
        return _decoder(topic.record)(value.decode())
    except UnicodeDecodeError as error:
        raise MalformedRecord("not-utf8", f"{topic}: {error}") from error
    except msgspec.ValidationError as error:
        return _decode_otherwise(topic, value, error)
    except msgspec.DecodeError as error:
        raise MalformedRecord("not-json", f"{topic}: {error}") from error
    except RecursionError as error:
        raise MalformedRecord("nested-too-deep", f"{topic}: {error}") from error


def _decode_otherwise(topic: Topic, value: bytes, refused: msgspec.ValidationError) -> Any:
    """A record whose times are RFC 3339 text, or one inside a structured CloudEvent. Else it stays refused."""
    try:
        given: Any = msgspec.json.decode(value)
        told = _inside(cast(dict[str, Any], given)) if isinstance(given, dict) else {}
        times = {name: parse_time(told[name]) for name in _times_of(topic.record) if isinstance(told.get(name), str)}
        otherwise = times or (told and told is not given)
        found = msgspec.convert(told | times, topic.record) if otherwise else None
    except (ValueError, RecursionError) as error:
        return _refuse(topic, error)
    return found if found is not None else _refuse(topic, refused)


def _inside(given: dict[str, Any]) -> dict[str, Any]:
    """The data of a structured CloudEvent, or what was given."""
    data = given.get("data")
    return cast(dict[str, Any], data) if "specversion" in given and isinstance(data, dict) else given


def _refuse(topic: Topic, error: BaseException) -> NoReturn:
    raise MalformedRecord("invalid-record", f"{topic}: {error}") from error


def _check(topic: Topic, key: str, record: Any, logged_at: int) -> None:
    expected = topic.key(record)
    if key != expected:
        raise MalformedRecord("key-mismatch", f"{topic}: the key is {key[:64]!r}, the record says {expected[:64]!r}")
    at = getattr(record, "occurred_at", None)
    if at is None:
        return
    try:
        check_time(at, logged_at)
    except ValueError as error:
        raise MalformedRecord("invalid-time", f"{topic}: occurred_at: {error}") from error


def _array(value: Any) -> msgspec.Raw:
    """What msgspec doesn't write itself: arrays and numbers of numpy."""
    return msgspec.Raw(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


encode: Final = msgspec.json.Encoder(enc_hook=_array).encode  # a record as compact UTF-8 JSON
