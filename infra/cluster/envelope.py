"""What travels beside a record: its schema's name and version, and the W3C trace that it belongs to."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from agents.contract import Input
from infra.cluster.clients import Bare
from infra.tracing.context import Context
from streams.topics import Topic

SCHEMA: Final = "schema"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

_STATE_BYTES: Final = 512  # what every tracer must be able to pass on; more than that is dropped

Headers = list[tuple[str, bytes]]
Traces = dict[str, Headers]  # the headers of a trace, by the ids of the record that brought it


@cache
def schema_header(topic: Topic) -> tuple[str, bytes]:
    """The header that names a topic's contract, as `name/version`."""
    return SCHEMA, f"{topic.name}/{topic.version}".encode()


def parent_of(raw: Bare) -> Context | None:
    """The trace that a message belongs to; None where it says none, or says it wrongly."""
    said = [value for name, value in raw.headers if name == TRACEPARENT]
    return Context.read(said[0]) if len(said) == 1 else None


def traces_of(read: Iterable[tuple[Bare, Input]]) -> Traces:
    """The trace of each input that brought one, by the ids its record goes by."""
    found: Traces = {}
    for raw, given in read:
        parent = parent_of(raw)
        if parent is not None:
            found |= trace_of(raw, given, parent)
    return found


def trace_of(raw: Bare, given: Input, parent: Context) -> Traces:
    """What outputs inherit that name this input: `parent`, and the state that its vendors keep in a trace."""
    states = [(name, value) for name, value in raw.headers if name == TRACESTATE and value]
    if sum(len(value) for _, value in states) > _STATE_BYTES:
        states = []
    headers = [(TRACEPARENT, parent.header()), *states]
    return dict.fromkeys(_ids(given.record), headers)


def traced(headers: Headers, record: Any, traces: Traces) -> Headers:
    """The headers, with the trace of the first input that the record names."""
    inherited = [traces[name] for name in _ids(record) if name in traces]
    return headers + inherited[0] if inherited else headers


def _ids(record: Any) -> list[str]:
    single = [getattr(record, name, None) for name in ("event_id", "order_id", "decision_id")]
    return [name for name in (*single, *getattr(record, "event_ids", ())) if isinstance(name, str)]
