"""Orders: every line once, under its SKU, however the orders come."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import Input, Output, State, Writes
from agents.orders import build
from policies.version import SHIPPED
from streams.records import Order, OrderLine
from streams.times import DAY, HOUR, EventTime
from streams.topics import ORDERS, SKU_DEMAND
from streams.views import Views

START = 1_483_272_000_000


def order(name: str, *quantities: float, at: int = START) -> Order:
    lines = [OrderLine(item_id=f"item-{place}", location="north", quantity=q) for place, q in enumerate(quantities)]
    return Order(order_id=name, occurred_at=EventTime(at), lines=lines)


def run(orders: Sequence[Order], cuts: Sequence[int] = ()) -> tuple[list[Output], dict[str, bytes]]:
    """Step through the orders in batches that end at `cuts`; each starts from the entries that the last one left."""
    entries: dict[str, bytes] = {}
    outputs: list[Output] = []
    inputs = [Input(ORDERS, 0, offset, each.order_id, each) for offset, each in enumerate(orders)]
    edges = [0, *sorted(cut % (len(inputs) + 1) for cut in cuts), len(inputs)]
    for first, last in pairwise(edges):
        step = build().step(State(entries, Views()), inputs[first:last], SHIPPED, 0)
        entries = merged(entries, step.writes)
        outputs += step.outputs
    return outputs, entries


def merged(entries: dict[str, bytes], writes: Writes) -> dict[str, bytes]:
    both = {**entries, **writes}
    return {key: raw for key, raw in both.items() if raw is not None}


def test_each_line_becomes_demand_named_by_its_place() -> None:
    outputs, _ = run([order("o-1", 2.0, 3.0)])
    assert [(o.topic, o.record.event_id, o.record.order_id, o.record.item_id, o.record.quantity) for o in outputs] == [
        (SKU_DEMAND, "o-1:0", "o-1", "item-0", 2.0),
        (SKU_DEMAND, "o-1:1", "o-1", "item-1", 3.0),
    ]
    assert outputs[0].record.occurred_at == START
    assert SKU_DEMAND.key(outputs[0].record) == "item-0@north"


def test_a_line_of_nothing_is_no_demand_and_keeps_its_place() -> None:
    outputs, _ = run([order("o-1", 0.0, 3.0)])
    assert [output.record.event_id for output in outputs] == ["o-1:1"]


def test_a_copy_of_an_order_emits_nothing_and_is_counted() -> None:
    one = order("o-1", 1.0)
    step = build().step(State({}, Views()), [Input(ORDERS, 0, place, "o-1", one) for place in (0, 1)], SHIPPED, 0)
    assert len(step.outputs) == 1
    assert step.ignored == {"duplicate": 1}


def test_an_empty_batch_moves_only_the_clock() -> None:
    _, entries = run([order("o-1", 1.0)])
    step = build().step(State(entries, Views()), [], SHIPPED, START + DAY)
    assert (step.outputs, step.now, list(step.writes)) == ([], START + DAY, ["clock"])


def numbered(name: int, hours: int, quantities: list[float]) -> Order:
    return order(f"o-{name}", *quantities, at=START + hours * HOUR)


streams = st.lists(
    st.builds(
        numbered,
        st.integers(0, 30),
        st.integers(0, 500),
        st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=1, max_size=3),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(streams, st.lists(st.integers(0, 1000), max_size=6))
def test_batches_do_not_matter(orders: list[Order], cuts: list[int]) -> None:
    assert run(orders, cuts) == run(orders)


@settings(deadline=None)
@given(streams, st.lists(st.integers(0, 1000), max_size=3))
def test_copies_change_nothing(orders: list[Order], cuts: list[int]) -> None:
    assert run(orders + orders, cuts) == run(orders)
