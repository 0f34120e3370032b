"""A span for each traced record that somebody samples: from when its batch was taken to when that was committed.

It is the child of the span that the record names, and the actions that follow from it name it in turn. Its id is a hash
of the record's place, so that a batch made again after a crash names the same span. Whether a trace is sampled is the
producer's to say: what isn't costs nothing here.
"""

import threading
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from time import time_ns
from typing import Any, Final, NamedTuple, Protocol

from agents.contract import Input
from infra.cluster.clients import Bare
from infra.cluster.envelope import Traces, parent_of, trace_of
from infra.errors import UserError
from infra.settings import Settings
from infra.tracing import conventions as names
from infra.tracing.context import Context

_EXPORT_S: Final = 2  # for a collector to take a batch of spans
_STOP_S: Final = 3.0
_SCOPE: Final = "tradewind"


class Exporter(Protocol):
    """Where finished spans go: an OpenTelemetry span processor."""

    def on_end(self, span: Any) -> None: ...
    def shutdown(self) -> None: ...


class _Open(NamedTuple):
    given: Input
    parent: Context
    own: Context


class Under(NamedTuple):
    """Spans that have begun, and what the outputs are to inherit, by the ids that they may name."""

    agent: str
    began_ns: int
    open: list[_Open]
    traces: Traces


class Spans:
    """Makes spans and hands them to `exporter`. `topics` has the names that the topics have on the cluster."""

    def __init__(self, exporter: Exporter, *, resource: Mapping[str, str], group: str, settings: Settings) -> None:
        from opentelemetry.sdk.resources import Resource

        self._exporter = exporter
        self._resource = Resource(dict(resource))
        self._group = group
        self._settings = settings

    def begin(self, agent: str, read: Iterable[tuple[Bare, Input]]) -> Under:
        """Begin the spans of a batch's sampled records; other traces are passed on as they came."""
        opened: list[_Open] = []
        traces: Traces = {}
        for raw, given in read:
            parent = parent_of(raw)
            if parent is None:
                continue
            own = parent
            if parent.sampled:
                own = parent.child(agent, given.topic.name, given.partition, given.offset)
                opened.append(_Open(given, parent, own))
            traces |= trace_of(raw, given, own)
        return Under(agent, time_ns(), opened, traces)

    def end(self, under: Under) -> None:
        """The batch is committed: its spans end now, and are exported in the background."""
        now = time_ns()
        for one in under.open:
            self._exporter.on_end(self._span(one, under, now))

    def _span(self, one: _Open, under: Under, now: int) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanKind, Status, StatusCode

        destination = self._settings.topic(one.given.topic.name)
        return ReadableSpan(
            name=names.span_name(destination),
            context=_told(one.own, remote=False),
            parent=_told(one.parent, remote=True),
            resource=self._resource,
            instrumentation_scope=InstrumentationScope(_SCOPE, version("tradewind")),
            kind=SpanKind.CONSUMER,
            status=Status(StatusCode.UNSET),
            start_time=under.began_ns,
            end_time=now,
            attributes={
                names.SYSTEM: names.KAFKA,
                names.OPERATION_NAME: names.PROCESS,
                names.OPERATION_TYPE: names.PROCESS,
                names.DESTINATION: destination,
                names.PARTITION: str(one.given.partition),
                names.OFFSET: one.given.offset,
                names.GROUP: self._group,
                names.CLIENT: self._group,
                "tradewind.agent": under.agent,
            },
        )


def _told(context: Context, *, remote: bool) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(context.trace_id, context.span_id, is_remote=remote, trace_flags=TraceFlags(context.flags))


@asynccontextmanager
async def exporting(settings: Settings, *, group: str, instance: str) -> AsyncGenerator[Spans | None]:
    """Spans that go to the collector of the settings while the block runs; None where there is none."""
    if settings.otlp_endpoint is None:
        yield None
        return
    exporter = _exporter(settings.otlp_endpoint)
    resource = {names.SERVICE: "tradewind", names.INSTANCE: instance, names.VERSION: version("tradewind")}
    try:
        yield Spans(exporter, resource=resource, group=group, settings=settings)
    finally:
        # A collector that doesn't answer must not hold up the end.
        ending = threading.Thread(target=exporter.shutdown, daemon=True)
        ending.start()
        ending.join(_STOP_S)


def _exporter(endpoint: str) -> Exporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UserError(
            "TRADEWIND_OTLP_ENDPOINT is set, and OpenTelemetry isn't installed: pip install 'tradewind[tracing]', "
            "or unset it"
        ) from error
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_S))
