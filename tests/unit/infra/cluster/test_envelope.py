"""What travels beside a record."""

from agents.contract import Input
from infra.cluster.envelope import schema_header, traced, traces_of
from streams.records import SkuDemand
from streams.times import EventTime
from streams.topics import SKU_DEMAND
from tests.unit.infra.serving.test_inbox import Row

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def demand(event_id: str, order_id: str) -> SkuDemand:
    return SkuDemand(
        event_id=event_id, order_id=order_id, item_id="i", location="l", quantity=1, occurred_at=EventTime(1)
    )


def test_a_contract_is_named_by_its_version() -> None:
    assert schema_header(SKU_DEMAND) == ("schema", b"sku-demand/1")


def test_an_output_goes_on_in_the_trace_of_the_input_that_it_names() -> None:
    row = Row(0, headers=(("traceparent", TRACE), ("other", b"x")))
    traces = traces_of([(row, Input(SKU_DEMAND, 0, 0, "k", demand("e1", "o1")))])
    plain = [("schema", b"sku-demand/1")]
    assert traced(plain, demand("new", "o1"), traces) == [*plain, ("traceparent", TRACE)]
    assert traced(plain, demand("new", "o2"), traces) == plain


def test_a_deletion_has_no_trace() -> None:
    row = Row(0, headers=(("traceparent", TRACE),))
    assert traces_of([(row, Input(SKU_DEMAND, 0, 0, "k", None))]) == {}


def test_the_state_that_others_keep_in_a_trace_goes_along_unless_it_is_too_long() -> None:
    for size, kept in ((100, True), (600, False)):
        row = Row(0, headers=(("traceparent", TRACE), ("tracestate", b"a=" + b"x" * size)))
        traces = traces_of([(row, Input(SKU_DEMAND, 0, 0, "k", demand("e1", "o1")))])
        assert ("tracestate" in dict(traced([], demand("new", "o1"), traces))) == kept


def test_two_traces_of_one_record_are_none() -> None:
    row = Row(0, headers=(("traceparent", TRACE), ("traceparent", TRACE)))
    assert traces_of([(row, Input(SKU_DEMAND, 0, 0, "k", demand("e1", "o1")))]) == {}
