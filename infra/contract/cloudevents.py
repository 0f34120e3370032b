"""The attributes of CloudEvents 1.0 as message headers: the Kafka protocol binding, in binary mode."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, get_type_hints

from infra.cluster.envelope import Headers
from infra.settings import Settings
from streams.topics import Topic

CONTENT_TYPE: Final = "application/json"
_IDS: Final = ("decision_id", "event_id", "experience_id")
_TIMES: Final = ("matured_at", "decided_at", "occurred_at", "as_of", "published_at", "at")

Attributes = Callable[[Any, bytes], Headers]


def attributes_of(topic: Topic, source: str) -> Attributes:
    """What makes a record's headers, from the record and its key. `source` is the topic's own name on the cluster.

    >>> from streams.records import SkuDemand
    >>> from streams.topics import SKU_DEMAND
    >>> demand = SkuDemand(
    ...     event_id="o1/0", order_id="o1", item_id="milk", location="north", quantity=1, occurred_at=1483272000000
    ... )
    >>> dict(attributes_of(SKU_DEMAND, "sku-demand")(demand, b"milk@north"))["ce_id"]
    b'o1/0'
    """
    constant: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", type_of(topic).encode()),
        ("ce_source", f"/tradewind/{source}".encode()),
        ("content-type", CONTENT_TYPE.encode()),
    ]
    fields = list(get_type_hints(topic.record))
    identity = _identity(topic, fields)
    at = next(name for name in _TIMES if name in fields)

    def headers(record: Any, key: bytes) -> Headers:
        return [*constant, ("ce_id", identity(record)), ("ce_time", _text(getattr(record, at))), ("ce_subject", key)]

    return headers


def carries_attributes(topic: Topic, settings: Settings) -> bool:
    """Whether a topic's records go out with the attributes of CloudEvents."""
    chosen = settings.cloud_events
    return topic.role != "input" and (chosen == "all" or (chosen == "actions" and topic.role == "action"))


def type_of(topic: Topic) -> str:
    """The event type of a topic's records: it changes with the contract's version.

    >>> from streams.topics import RECOMMENDATIONS
    >>> type_of(RECOMMENDATIONS)
    'tradewind.recommendations.v1'
    """
    return f"tradewind.{topic.name}.v{topic.version}"


def _identity(topic: Topic, fields: list[str]) -> Callable[[Any], bytes]:
    """What tells two records of one topic apart: with the source it is unique."""
    if topic.name == "outcomes":  # corrections follow the final one
        return lambda record: f"{record.decision_id}/{record.label}/{record.matured_at}".encode()
    if topic.name == "dead-letters":
        return lambda record: f"{record.topic}-{record.partition}-{record.offset}".encode()
    if topic.name == "item-activity":  # one event may be told of several items
        return lambda record: f"{record.event_id}/{record.item_id}".encode()
    if topic.name == "item-stats":
        return lambda record: f"{record.item_id}/{record.as_of}".encode()
    name = next((name for name in _IDS if name in fields), None)
    if name is None:
        return lambda record: topic.key(record).encode()
    return lambda record: str(getattr(record, name)).encode()


@lru_cache(maxsize=1024)
def _minute(minutes: int) -> str:
    return datetime.fromtimestamp(minutes * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


def _text(at: int) -> bytes:
    """An event time as RFC 3339, to the millisecond.

    >>> _text(1483272000007)
    b'2017-01-01T12:00:00.007Z'
    """
    minutes, rest = divmod(at, 60_000)
    return f"{_minute(minutes)}{rest // 1000:02}.{rest % 1000:03}Z".encode()
