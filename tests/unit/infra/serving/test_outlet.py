"""A record on its way out: where it goes, what goes with it, and how large it may be."""

import pytest

from infra.cluster.partitioner import partition_for
from infra.errors import UserError
from infra.serving.outlet import Outlet
from streams.records import DeadLetter, SkuDemand
from streams.times import EventTime
from streams.topics import DEAD_LETTERS, SKU_DEMAND, Topic

DEMAND = SkuDemand(event_id="e", order_id="o", item_id="i", location="l", quantity=1, occurred_at=EventTime(1))
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def outlet(topic: Topic = SKU_DEMAND, limit: int = 1000) -> Outlet:
    return Outlet(topic, name=f"eu.{topic.name}", partitions=7, agent="orders", limit=limit)


def test_a_message_goes_where_its_key_belongs() -> None:
    made = outlet().messages([DEMAND], {})[0]
    assert (made.place.topic, made.key) == ("eu.sku-demand", b"i@l")
    assert made.place.partition == partition_for(b"i@l", 7)
    assert made.headers == [("schema", b"sku-demand/1")]


def test_it_takes_its_trace_along_and_leaves_none_behind() -> None:
    out = outlet()
    assert out.messages([DEMAND], {"o": [("traceparent", TRACE)]})[0].headers == [
        ("schema", b"sku-demand/1"),
        ("traceparent", TRACE),
    ]
    assert out.messages([DEMAND], {})[0].headers == [("schema", b"sku-demand/1")]


def test_a_record_over_the_limit_is_told_with_agent_and_topic() -> None:
    size = len(b"i@l") + len(outlet().messages([DEMAND], {})[0].value or b"")
    outlet(limit=size).messages([DEMAND], {})[0]
    with pytest.raises(UserError, match=rf"the orders agent made a record of {size} bytes for topic eu\.sku-demand"):
        outlet(limit=size - 1).messages([DEMAND], {})[0]


def test_a_dead_letter_has_no_limit() -> None:
    letter = DeadLetter(topic="t", partition=0, offset=1, reason="not-json", detail="", value="A" * 5000, at=1)
    assert outlet(DEAD_LETTERS, limit=10).messages([letter], {})[0].value
