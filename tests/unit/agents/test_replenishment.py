"""Replenishment: reviews in event time, whatever the batches; orders once; sense under stock-outs and bad news."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.contract import Draft, Input, Output, State
from agents.replenishment import TOLD, build, review_of
from agents.shelf import Shelf
from policies.orders.demand import PRIOR, DemandPrior
from policies.orders.replenish import choose
from policies.version import SHIPPED, PolicyVersion
from streams.records import CatalogItem, Decision, SkuDemand, StockUpdate, Supply
from streams.times import DAY, HOUR, EventTime
from streams.topics import (
    CATALOG,
    DECISIONS,
    EXPERIENCES,
    OUTCOMES,
    REPLENISHMENT_ORDERS,
    SKU_DEMAND,
    STOCK_UPDATES,
    Topic,
    sku,
)
from streams.views import Views

START = 1_483_228_800_000
SUPPLY = Supply(lead_time_days=2.0, holding_cost=0.05, shortage_cost=2.0)
WISE = PolicyVersion(number=3, parent=0, priors={"replenishment": {"a": 400.0, "b": 10.0}})  # 40 a day


def views(items: Iterable[str] = ("milk", "tea", "rice"), supply: Supply | None = SUPPLY) -> Views:
    known = Views()
    for item in items:
        known.apply(CATALOG, item, CatalogItem(item_id=item, category="food", supply=supply))
    return known


def demand(item: str, hours: float, quantity: float = 1.0, name: str = "") -> SkuDemand:
    return SkuDemand(
        event_id=name or f"d-{item}-{hours}-{quantity}",
        order_id="o",
        item_id=item,
        location="north",
        quantity=quantity,
        occurred_at=EventTime(START + int(hours * HOUR)),
    )


def stock(item: str, hours: float, on_hand: float, name: str = "", **known: float | None) -> StockUpdate:
    return StockUpdate(
        event_id=name or f"s-{item}-{hours}-{on_hand}",
        item_id=item,
        location="north",
        on_hand=on_hand,
        occurred_at=EventTime(START + int(hours * HOUR)),
        **known,
    )


def inputs(records: Sequence[SkuDemand | StockUpdate], offset: int = 0) -> list[Input]:
    def topic(record: SkuDemand | StockUpdate) -> Topic:
        return SKU_DEMAND if isinstance(record, SkuDemand) else STOCK_UPDATES

    return [
        Input(topic(each), 0, place, sku(each.item_id, each.location), each)
        for place, each in enumerate(records, offset)
    ]


class Worker:
    """Steps the agent as a runner does: merges the writes, keeps the outputs."""

    def __init__(self, known: Views | None = None, policy: PolicyVersion = SHIPPED) -> None:
        self.entries: dict[str, bytes] = {}
        self.views = views() if known is None else known
        self.policy = policy
        self.outputs: list[Output] = []
        self.offset = 0

    def take(self, *records: SkuDemand | StockUpdate, now: float = 0.0) -> "Worker":
        at = START + int(now * HOUR) if now else 0
        step = build().step(State(self.entries, self.views), inputs(records, self.offset), self.policy, at)
        self.offset += len(records)
        both = {**self.entries, **step.writes}
        self.entries = {key: raw for key, raw in both.items() if raw is not None}
        self.outputs += step.outputs
        return self

    def of(self, topic: Topic) -> list[Any]:
        return [output.record for output in self.outputs if output.topic is topic]

    def shelf(self, item: str) -> Shelf:
        return Draft(self.entries).edit(f"sku/{item}@north", Shelf)


# ---- Properties ------------------------------------------------------------------------------------------------------

hours = st.integers(0, 24 * 12)
items = st.sampled_from(["milk", "tea", "rice"])
maybe = st.one_of(st.none(), st.sampled_from([0.0, 3.0, 12.0]))
events = st.one_of(
    st.builds(demand, items, hours, st.sampled_from([1.0, 2.0, 0.5])),
    st.builds(
        stock,
        items,
        hours,
        st.sampled_from([0.0, 0.0, 2.0, 10.0, 40.0]),
        on_order=maybe,
        received=maybe,
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> list[SkuDemand | StockUpdate]:
    """Events roughly in time order: some late, some twice."""
    drawn = draw(st.lists(events, min_size=1, max_size=40))
    ordered = sorted(drawn, key=lambda each: each.occurred_at)
    late = draw(st.lists(st.sampled_from(ordered), max_size=4))
    return ordered + late


def run(history: Sequence[SkuDemand | StockUpdate], cuts: Sequence[int] = ()) -> Worker:
    worker = Worker()
    edges = [0, *sorted(cut % (len(history) + 1) for cut in cuts), len(history)]
    for first, last in pairwise(edges):
        worker.take(*history[first:last])
    return worker


@settings(deadline=None, max_examples=20)
@given(histories(), st.lists(st.integers(0, 1000), max_size=8))
def test_batches_do_not_matter(history: list[SkuDemand | StockUpdate], cuts: list[int]) -> None:
    whole, cut = run(history), run(history, cuts)
    assert (cut.outputs, cut.entries) == (whole.outputs, whole.entries)


@settings(deadline=None, max_examples=10)
@given(histories())
def test_one_by_one_is_the_same(history: list[SkuDemand | StockUpdate]) -> None:
    whole, cut = run(history), run(history, range(len(history)))
    assert (cut.outputs, cut.entries) == (whole.outputs, whole.entries)


@settings(deadline=None, max_examples=15)
@given(histories(), st.integers(0, 1000), st.integers(0, 1000))
def test_a_copy_changes_nothing(history: list[SkuDemand | StockUpdate], place: int, later: int) -> None:
    at = place % len(history)
    copied = at + 1 + later % (len(history) - at)
    with_copy = [*history[:copied], history[at], *history[copied:]]
    assert sourceless(run(with_copy)) == sourceless(run(history))


def sourceless(worker: Worker) -> list[Output]:
    """The outputs without the offsets that a copy shifts."""
    blank = ("", 0, 0)
    return [
        Output(o.topic, replace(o.record, source=blank) if isinstance(o.record, Decision) else o.record)
        for o in worker.outputs
    ]


@settings(deadline=None, max_examples=12)
@given(histories())
def test_a_step_changes_nothing_of_its_state(history: list[SkuDemand | StockUpdate]) -> None:
    half = len(history) // 2
    worker = run(history[:half])
    before = dict(worker.entries)
    state = State(worker.entries, worker.views)
    once = build().step(state, inputs(history[half:]), SHIPPED, 0)
    again = build().step(state, inputs(history[half:]), SHIPPED, 0)
    assert worker.entries == before
    assert (once.writes, once.outputs) == (again.writes, again.outputs)


# ---- Reviews ---------------------------------------------------------------------------------------------------------


def test_the_first_review_is_at_the_first_stock_update_and_then_every_day() -> None:
    worker = Worker().take(stock("milk", 0, 5.0))
    assert [d.decided_at for d in worker.of(DECISIONS)] == [START]
    for day in range(1, 4):
        worker.take(now=24.0 * day + 1)
    assert [(d.decided_at - START) / DAY for d in worker.of(DECISIONS)] == [0.0, 1.0, 2.0, 3.0]


def test_a_sku_without_a_stock_update_is_never_reviewed() -> None:
    worker = Worker().take(demand("milk", 0), demand("milk", 30), demand("milk", 80))
    assert worker.outputs == []


def test_an_item_without_supply_is_never_reviewed() -> None:
    worker = Worker(views(supply=None)).take(stock("milk", 0, 0.0), demand("milk", 30), demand("milk", 80))
    assert worker.outputs == []


def test_taking_an_item_out_of_the_catalog_ends_its_orders_and_its_return_resumes_them() -> None:
    worker = Worker().take(stock("milk", 0, 0.0))
    assert len(worker.of(REPLENISHMENT_ORDERS)) == 1
    worker.views.apply(CATALOG, "milk", None)
    worker.take(now=24.0 * 20)
    worker.take(stock("milk", 24 * 21, 0.0))
    worker.take(now=24.0 * 22)
    assert len(worker.of(DECISIONS)) == 1
    assert len(worker.of(OUTCOMES)) == 1  # of the decision made before
    worker.views = views()
    worker.take(now=24.0 * 24)
    assert len(worker.of(REPLENISHMENT_ORDERS)) == 2


def test_running_empty_is_reviewed_at_once_and_only_once() -> None:
    worker = Worker().take(stock("milk", 0, 5.0), stock("milk", 3, 0.0), stock("milk", 4, 0.0))
    assert [(d.decided_at - START) // HOUR for d in worker.of(DECISIONS)] == [0, 3]


def test_a_decision_can_be_made_again_from_its_log() -> None:
    worker = Worker().take(stock("milk", 0, 5.0), *(demand("milk", hour) for hour in range(1, 60, 3)))
    decisions: list[Decision] = worker.of(DECISIONS)
    assert len(decisions) == 3
    for decision in decisions:
        again = choose([review_of(decision.features)])[0]
        assert again.quantity == decision.action["quantity"]
        logged = [decision.features[name] for name in ("projected", "level", "service")]
        assert [round(again.projected, TOLD), round(again.level, TOLD), again.service] == logged
        assert review_of(decision.features, DemandPrior.of(PRIOR)) == review_of(decision.features)
        assert (decision.propensity, decision.slot_propensities, decision.seed) == (1.0, [1.0], "")


# ---- Outcomes --------------------------------------------------------------------------------------------------------


def test_an_outcome_is_holding_plus_what_a_stock_out_probably_lost() -> None:
    worker = Worker().take(stock("milk", 0, 10.0), demand("milk", 12, 4.0), stock("milk", 18, 0.0))
    first, second = worker.of(DECISIONS)
    (outcome,) = worker.of(OUTCOMES)
    assert outcome.decision_id == first.decision_id
    assert outcome.reward == pytest.approx(-0.05 * (10.0 * 0.5 + 6.0 * 0.25))
    worker.take(now=25.0)  # out of stock from hour 18 to the review at hour 24
    last = worker.of(OUTCOMES)[-1]
    rate = worker.shelf("milk").evidence.belief(DemandPrior.of({})).mean
    assert last.decision_id == second.decision_id
    assert last.reward == pytest.approx(-2.0 * rate * 0.25)


def test_an_experience_tells_units_days_in_stock_and_orders() -> None:
    worker = Worker().take(stock("milk", 0, 10.0), demand("milk", 6, 4.0), now=0.0).take(now=25.0)
    assert worker.of(EXPERIENCES) == []  # more may be heard of that day
    worker.take(now=49.0)
    (learned,) = worker.of(EXPERIENCES)
    assert (learned.contexts, learned.outcomes) == ([[1.0, 1.0, 0.0]], [4.0])
    assert learned.experience_id == worker.of(DECISIONS)[0].decision_id


@pytest.mark.parametrize("late", [False, True])
def test_a_sale_that_is_heard_of_after_the_stock_out_it_made_still_counts_in_its_period(late: bool) -> None:
    made = [demand("milk", 18, 4.0), stock("milk", 18, 0.0)]
    worker = Worker().take(stock("milk", 0, 4.0), *(reversed(made) if late else made))
    worker.take(stock("milk", 30, 9.0, received=9.0), now=31.0).take(now=49.0).take(now=73.0)
    assert [(e.contexts, e.outcomes) for e in worker.of(EXPERIENCES)] == [
        ([[0.75, 1.0, 1.0]], [4.0]),
        ([[0.75, 0.0, 0.0]], [0.0]),
    ]


def test_what_sells_out_in_an_hour_is_told_with_the_next_period() -> None:
    worker = Worker().take(stock("milk", 0, 4.0), demand("milk", 1, 4.0), stock("milk", 1, 0.0))
    worker.take(stock("milk", 30, 9.0, received=9.0), now=31.0).take(now=49.0).take(now=73.0)
    (learned,) = worker.of(EXPERIENCES)
    assert (learned.contexts[0][0], learned.outcomes) == (pytest.approx(19 / 24), [4.0])


def test_a_learned_prior_is_what_a_new_sku_starts_from() -> None:
    shipped, wise = Worker().take(stock("tea", 0, 0.0)), Worker(policy=WISE).take(stock("tea", 0, 0.0))
    (little,), (much,) = shipped.of(REPLENISHMENT_ORDERS), wise.of(REPLENISHMENT_ORDERS)
    assert much.quantity > 4 * little.quantity
    assert much.policy_version == 3


# ---- Words ---


@pytest.mark.parametrize(
    ("policy", "on_hand", "said"),
    [
        (SHIPPED, 0.0, "0 units on hand or under way, fewer than the"),
        (SHIPPED, 90.0, "90 units on hand or under way, no fewer than the"),
        (WISE, 0.0, "below the level of"),
        (WISE, 900.0, "at or above the level of"),
    ],
)
def test_a_reason_is_that_of_the_rule_which_decided(policy: PolicyVersion, on_hand: float, said: str) -> None:
    worker = Worker(policy=policy).take(stock("tea", 0, on_hand))
    (decision,) = worker.of(DECISIONS)
    assert said in decision.action["reason"]


# ---- Bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("supply", "allowed"),
    [
        (Supply(pack_size=12, shortage_cost=5.0), {12.0, 24.0, 36.0}),
        (Supply(min_order=50.0, shortage_cost=500.0), {50.0}),
        (Supply(max_order=2.0, shortage_cost=500.0), {2.0}),
        (Supply(pack_size=12, max_order=11.0, shortage_cost=500.0), set[float]()),
    ],
)
def test_orders_keep_to_packs_minimum_and_maximum(supply: Supply, allowed: set[float]) -> None:
    worker = Worker(views(supply=supply)).take(stock("milk", 0, 0.0))
    ordered = {order.quantity for order in worker.of(REPLENISHMENT_ORDERS)}
    assert ordered <= allowed
    assert bool(ordered) == bool(allowed)
