"""Stock per SKU as the page has it: the same figures as the measure that the demo's summary is made of."""

import tracemalloc

import msgspec
import numpy as np
import pytest

from infra.dashboard.shelves import Shelf, Shelves
from infra.measures.path import Path
from streams.records import Order, OrderLine, ReplenishmentOrder, StockUpdate
from streams.times import DAY, HOUR, EventTime
from streams.topics import sku
from tests.unit.infra.dashboard.shop import AT


def stock(number: int, on_hand: float, at: int, item: str = "milk") -> StockUpdate:
    return StockUpdate(
        event_id=f"s{item}{number}", item_id=item, location="north", on_hand=on_hand, occurred_at=EventTime(at)
    )


def sale(item: str, quantity: float, at: int) -> Order:
    line = OrderLine(item_id=item, location="north", quantity=quantity)
    return Order(order_id=f"{item}{at}", occurred_at=EventTime(at), lines=[line])


def test_a_shelf_counts_each_time_it_runs_empty_and_for_how_long() -> None:
    shelf = Shelf()
    shelf.count(stock(0, 4, AT))
    shelf.sell(AT + DAY, 4)  # empty
    shelf.count(stock(1, 0, AT + DAY))  # the same said again
    shelf.count(stock(2, 10, AT + 3 * DAY))
    shelf.sell(AT + 4 * DAY, 1)
    assert (shelf.now.stock_outs, shelf.days_out(AT + 4 * DAY), shelf.now.on_hand) == (1, 2.0, 9.0)
    assert shelf.cover_days() is not None


def test_a_count_holds_the_sales_of_its_own_moment() -> None:
    shelf = Shelf()
    shelf.count(stock(0, 2, AT))
    shelf.count(stock(1, 1, AT + 1))
    shelf.sell(AT + 1, 1)
    assert (shelf.now.on_hand, shelf.now.stock_outs) == (1.0, 0)


def test_a_sale_that_is_read_ahead_of_an_older_count_is_not_undone_by_it() -> None:
    shelf = Shelf()
    shelf.count(stock(0, 5, AT))
    shelf.sell(AT + 10, 5)
    shelf.count(stock(1, 5, AT + 5))
    shelf.count(stock(2, 0, AT + 10))
    assert (shelf.now.on_hand, shelf.now.stock_outs) == (0.0, 1)


def test_a_sale_that_is_read_ahead_of_its_delivery_is_no_stock_out() -> None:
    shelf = Shelf()
    shelf.count(stock(0, 1, AT))
    shelf.sell(AT + 10, 3)  # two of them came with the delivery
    shelf.count(stock(1, 6, AT + 5))
    assert (shelf.now.on_hand, shelf.now.stock_outs) == (3.0, 0)


def test_the_newest_count_says_what_is_on_order_though_sales_are_ahead_of_it() -> None:
    shelf = Shelf()
    for at, on_order in ((AT, 2.0), (AT + 5, 7.0), (AT + 3, 4.0)):
        shelf.count(msgspec.structs.replace(stock(at, 5, at), on_order=on_order))
        shelf.sell(AT + 10, 1)
    assert shelf.on_order == 7.0


def test_cover_is_by_what_sold_while_it_could() -> None:
    shelf = Shelf()
    shelf.count(stock(0, 1_000, AT))
    for day in range(1, 200):
        shelf.sell(AT + day * DAY, 5)
    rate = shelf.sold_a_day()
    assert rate is not None
    assert rate == pytest.approx(5.0, rel=0.05)
    assert shelf.cover_days() == pytest.approx(5 / 5, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_stock_outs_and_days_out_are_those_of_the_demos_summary(seed: int) -> None:
    """The orders of up to three days are read before the warehouse's news of those days."""
    rng = np.random.default_rng(seed)
    on_hand, at = 3, AT
    told: list[tuple[int, int, Order | StockUpdate]] = [(AT, AT, stock(0, on_hand, AT))]  # when read, when it happened
    for number in range(1, 400):
        at += int(rng.integers(1, 12 * HOUR))
        if rng.random() < 0.3 and on_hand < 3:
            on_hand += int(rng.integers(1, 6))
            told.append((at + int(rng.integers(0, 3 * DAY)), at, stock(number, on_hand, at)))
        elif on_hand:
            taken = int(rng.integers(1, on_hand + 1))
            on_hand -= taken
            told.append((at, at, sale("milk", taken, at)))
    shelves, path = Shelves(), Path()
    for _, when, record in sorted(told, key=lambda one: one[:2]):
        if isinstance(record, Order):
            shelves.order(record)
            path.sold(when, record.lines[0].quantity)
        else:
            shelves.update(record)
            path.counted(when, record.on_hand)
    shelf, ledger = shelves.shelves[sku("milk", "north")], path.ledger(at)
    assert ledger.stock_outs > 10
    assert (shelves.stock_outs, shelf.now.stock_outs) == (ledger.stock_outs, ledger.stock_outs)
    assert shelf.days_out(at) == pytest.approx(ledger.days_out, rel=1e-9)
    assert shelf.now.on_hand == on_hand


def ordered(item: str) -> ReplenishmentOrder:
    return ReplenishmentOrder(
        decision_id=f"d-{item}",
        item_id=item,
        location="north",
        quantity=3.0,
        reason="",
        policy_version=0,
        decided_at=AT,
    )


def test_of_too_many_skus_those_that_need_a_look_are_kept_and_no_stock_out_is_lost() -> None:
    shelves = Shelves(kept=100)
    for number in range(5):
        shelves.update(stock(0, 2, AT, f"sells-{number}"))
        shelves.order(sale(f"sells-{number}", 1, AT + 2 * DAY))
    shelves.update(stock(0, 0, AT, "empty"))
    for number in range(1_000):
        shelves.update(stock(0, float(number % 7 > 0), AT + number, f"idle-{number}"))
        shelves.update(stock(1, 5, AT + 1_000 + number, f"idle-{number}"))
        shelves.ordered(ordered(f"idle-{number}"))
    assert len(shelves.shelves) <= 100
    assert shelves.given_up >= 906
    assert {sku(name, "north") for name in ("empty", *(f"sells-{n}" for n in range(5)))} < set(shelves.shelves)
    assert sku("idle-999", "north") in shelves.shelves  # of those that don't sell the newest
    assert shelves.stock_outs == 1 + 143


def test_a_shelf_takes_little_memory() -> None:
    tracemalloc.start()
    shelves = Shelves()
    for number in range(200):
        for day in range(20):
            shelves.update(stock(day, 100.0 - day, AT + day * DAY, f"item-{number:06d}"))
        shelves.ordered(ordered(f"item-{number:06d}"))
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / 200 < 1_500  # bytes
