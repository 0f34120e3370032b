"""What travels beside a record: its schema's name and version, and the W3C trace that it belongs to."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from agents.contract import Input
from infra.clients import Bare
from streams.topics import Topic

SCHEMA: Final = "schema"
TRACEPARENT: Final = "traceparent"

Headers = list[tuple[str, bytes]]


@cache
def schema_header(topic: Topic) -> tuple[str, bytes]:
    """The header that names a topic's contract, as `name/version`."""
    return SCHEMA, f"{topic.name}/{topic.version}".encode()


def traces_of(read: Iterable[tuple[Bare, Input]]) -> dict[str, bytes]:
    """The traceparent of each input that brought one, by the ids its record goes by."""
    found: dict[str, bytes] = {}
    for raw, given in read:
        for name, value in raw.headers:
            if name == TRACEPARENT:
                found |= dict.fromkeys(_ids(given.record), value)
    return found


def traced(headers: Headers, record: Any, traces: dict[str, bytes]) -> Headers:
    """The headers, with the trace of the first input that the record names."""
    return headers + [(TRACEPARENT, traces[name]) for name in _ids(record) if name in traces][:1]


def _ids(record: Any) -> list[str]:
    single = [getattr(record, name, None) for name in ("event_id", "order_id", "decision_id")]
    return [name for name in (*single, *getattr(record, "event_ids", ())) if isinstance(name, str)]
