"""A message as one line of JSON, and back. Whatever bytes it holds, it comes back as it was.

    {"topic": "user-events", "partition": 0, "offset": 7, "key": "u1", "value": {…}, "timestamp": 1483272000000}

`value` is the payload itself where that is JSON on one line; null is a null value; a JSON string stands for its text as
the payload. Anything else travels as `value_base64`, and a key that is not UTF-8 as `key_base64`. Only `topic` and a
value are required of a line.
"""

from base64 import b64decode, b64encode
from typing import Annotated, Final, Literal

import msgspec
import orjson

from infra.history.message import Message
from streams.topics import BY_NAME, Topic

_ABSENT: Final = msgspec.Raw(b"")

Reason = Literal["oversized", "not-a-json-line", "no-topic", "unknown-topic", "no-value", "nested-too-deep"]


class BadLine(ValueError):  # noqa: N818 # named for what it is, as MalformedRecord
    """A line that is no message. `topic` is the one it names, if any."""

    def __init__(self, reason: Reason, detail: str, topic: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail
        self.topic = topic


class _Line(msgspec.Struct):
    topic: str | None = None
    key: str | None = None
    key_base64: str | None = None
    value: msgspec.Raw = _ABSENT
    value_base64: str | None = None
    timestamp: Annotated[int, msgspec.Meta(ge=-1, lt=2**62)] = 0
    partition: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0
    offset: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] | None = None


_DECODER: Final = msgspec.json.Decoder(_Line)


def parse(line: bytes) -> Message:
    """The message of one line. Raises BadLine."""
    try:
        given = _DECODER.decode(line)
        return Message(_topic(given), _key(given), _value(given), given.timestamp, given.partition, given.offset)
    except BadLine:
        raise
    except RecursionError as error:
        raise BadLine("nested-too-deep", str(error)) from error
    except ValueError as error:  # msgspec's and base64's errors are both ValueErrors, and bad UTF-8 is one too
        raise BadLine("not-a-json-line", str(error)) from error


def _topic(line: _Line) -> Topic:
    if not line.topic:
        raise BadLine("no-topic", "the line names no topic")
    topic = BY_NAME.get(line.topic)
    if topic is None:
        raise BadLine("unknown-topic", f"there is no topic {line.topic[:256]!r}", line.topic[:256])
    return topic


def _key(line: _Line) -> bytes | None:
    if line.key_base64 is not None:
        return b64decode(line.key_base64, validate=True)
    return None if line.key is None else line.key.encode()


def _value(line: _Line) -> bytes | None:
    if line.value_base64 is not None:
        return b64decode(line.value_base64, validate=True)
    raw = bytes(line.value)
    if not raw:
        raise BadLine("no-value", "the line has neither value nor value_base64", line.topic or "")
    if raw == b"null":
        return None
    return msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw


def write(message: Message) -> bytes:
    """The line of a message, with its line feed. `parse` gives the same message back."""
    parts = [
        b'{"topic":' + orjson.dumps(message.topic.name),
        b'"partition":%d' % message.partition,
        b'"offset":%s' % (b"null" if message.offset is None else b"%d" % message.offset),
        _write_key(message.key),
        _write_value(message.value),
        b'"timestamp":%d}\n' % message.timestamp,
    ]
    return b",".join(parts)


def _write_key(key: bytes | None) -> bytes:
    try:
        return b'"key":' + orjson.dumps(None if key is None else key.decode())
    except UnicodeDecodeError:
        return b'"key_base64":' + orjson.dumps(b64encode(key or b"").decode())


def _is_plain(value: bytes) -> bool:
    """Whether the payload can stand in the line as it is: JSON, on one line, and neither a string nor null."""
    if not value or value[:1] in b'"n' or b"\n" in value or b"\r" in value:
        return False
    try:
        value.decode()
        return bytes(msgspec.json.decode(value, type=msgspec.Raw)) == value
    except (ValueError, RecursionError):
        return False


def _write_value(value: bytes | None) -> bytes:
    if value is None:
        return b'"value":null'
    if _is_plain(value):
        return b'"value":' + value
    return b'"value_base64":' + orjson.dumps(b64encode(value).decode())
