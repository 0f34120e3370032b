"""When a message lies in a history. Two clocks:

- `log`: the timestamp that the log gave it. Workers take messages of several topics in that order, so it is the one to
  make decisions again by, and what `--from` and `--to` mean: brokers find offsets by it.
- `event`: when it says that it happened: the time in the record. It is the one to show how something went over time,
  and the only one that survives a copy of a topic into another cluster, or a year that was played in two minutes.
  Records without a time of their own (`catalog`, `campaigns`) and those that can't be read have the log's.

Within a partition the order of the log is never changed, whichever clock: one entity's messages are what they are to a
worker. So a partition's clock is the greatest time read of it (its watermark), and partitions are merged by it: the one
whose clock is least goes on. What comes late is delivered where its partition stands, never dropped. An event may be no
more than a day ahead of the log (`streams.codec`), else its own time doesn't count: so a broken clock holds its
partition back by a day, and memory never holds more than one fetch a partition.
"""

from collections.abc import Callable
from functools import cache
from typing import Final, cast

import msgspec

from infra.history.message import Message
from infra.history.part import By
from streams.times import EARLIEST, LATEST, MAX_SKEW, parse_time
from streams.topics import Topic

Clock = Callable[[Message], int]

FIELDS: Final = ("occurred_at", "decided_at", "matured_at", "published_at", "as_of", "at")  # of records; first one wins
_OTHERS: Final = {"decisions": "decided_at", "outcomes": "matured_at"}  # where the record has several


def clock(by: By) -> Clock:
    """Reads a message's time, epoch ms."""
    return _logged if by == "log" else event_time


def _logged(message: Message) -> int:
    return message.timestamp


def event_time(message: Message) -> int:
    """When a message says it happened; the log's time where it doesn't say, or can't be believed."""
    decode = _decoder(message.topic)
    if decode is None or not message.value:
        return message.timestamp
    try:
        at = decode(message.value)
    except (ValueError, RecursionError):  # nor is that said here: whoever uses the message finds out, and counts it
        return message.timestamp
    logged = message.timestamp
    if EARLIEST <= at < LATEST and (logged < EARLIEST or at <= logged + MAX_SKEW):
        return at
    return logged


@cache
def _decoder(topic: Topic) -> Callable[[bytes], int] | None:
    """Reads one number out of a record and skips the rest."""
    name = _OTHERS.get(topic.name) or next((name for name in FIELDS if name in topic.record.__struct_fields__), None)
    if name is None:
        return None
    kind = msgspec.defstruct("Timed", [("at", int | str)], rename={"at": name}, gc=False)
    read = msgspec.json.Decoder(kind).decode
    return lambda value: _epoch_ms(cast(int | str, getattr(read(value), "at")))  # noqa: B009 # a struct made here


def _epoch_ms(told: int | str) -> int:
    return told if isinstance(told, int) else int(parse_time(told))
