"""A span for each sampled record, between the span that it names and the actions that name it."""

from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.contract import Input
from infra.cluster.envelope import traced
from infra.settings import load
from infra.tracing.context import Context
from infra.tracing.spans import Spans
from streams.records import SkuDemand
from streams.times import EventTime
from streams.topics import SKU_DEMAND
from tests.unit.infra.serving.test_inbox import Row

SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def demand(event_id: str) -> SkuDemand:
    return SkuDemand(
        event_id=event_id, order_id=f"o-{event_id}", item_id="i", location="l", quantity=1, occurred_at=EventTime(1)
    )


def traced_row(offset: int, parent: bytes) -> tuple[Any, Input]:
    row = Row(offset, headers=(("traceparent", parent), ("tracestate", b"a=1"), ("other", b"x")))
    return row, Input(SKU_DEMAND, 2, offset, "k", demand(f"e{offset}"))


def spans() -> tuple[Spans, InMemorySpanExporter]:
    memory = InMemorySpanExporter()
    resource = {"service.name": "tradewind"}
    return Spans(SimpleSpanProcessor(memory), resource=resource, group="g", settings=load(prefix="eu.")), memory


def test_only_what_is_sampled_has_a_span_and_every_trace_goes_on() -> None:
    made, memory = spans()
    under = made.begin("items", [traced_row(0, SAMPLED), traced_row(1, UNSAMPLED)])
    assert memory.get_finished_spans() == ()
    made.end(under)
    (span,) = memory.get_finished_spans()
    own = span.get_span_context()
    assert own is not None
    assert span.parent is not None
    assert span.parent.span_id == 0xB7AD6B7169203331
    assert span.parent.is_remote
    assert span.name == "process eu.sku-demand"
    assert span.attributes is not None
    assert span.attributes["messaging.destination.partition.id"] == "2"
    assert span.attributes["messaging.kafka.offset"] == 0
    assert span.attributes["messaging.consumer.group.name"] == "g"
    assert not any("key" in name for name in span.attributes)  # it names a person
    headers = dict(traced([], demand("e0"), under.traces))
    assert headers == {
        "traceparent": f"00-0af7651916cd43dd8448eb211c80319c-{own.span_id:016x}-01".encode(),
        "tracestate": b"a=1",
    }
    assert dict(traced([], demand("e1"), under.traces))["traceparent"] == UNSAMPLED


def test_a_batch_made_again_names_the_same_spans() -> None:
    first, again = (spans()[0].begin("items", [traced_row(3, SAMPLED)]) for _ in range(2))
    other_agent = spans()[0].begin("orders", [traced_row(3, SAMPLED)])
    assert first.traces == again.traces
    assert first.traces != other_agent.traces


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"nonsense",
        b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        None,
    ],
)
def test_what_breaks_the_form_is_no_trace(wrong: bytes | None) -> None:
    assert Context.read(wrong) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    read = Context.read(b"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-more")
    assert read is not None
    assert read.sampled
    assert read.header() == SAMPLED
