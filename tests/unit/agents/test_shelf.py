"""What the shelf knows: orders under way struck off once, stock as last counted, demand only while there was any."""

from math import log

import pytest

from policies.orders.demand import DemandPrior
from streams.times import DAY
from streams.topics import DECISIONS, REPLENISHMENT_ORDERS
from tests.unit.agents.test_replenishment import START, WISE, Worker, demand, stock

# ---- Orders under way ------------------------------------------------------------------------------------------------


def test_what_was_ordered_is_not_ordered_again_while_it_is_under_way() -> None:
    worker = Worker().take(stock("milk", 0, 0.0))
    (first,) = worker.of(REPLENISHMENT_ORDERS)
    for hour in (3, 9, 20, 30, 47):
        worker.take(stock("milk", hour, 0.0))
    again = sum(order.quantity for order in worker.of(REPLENISHMENT_ORDERS)[1:])
    assert again <= first.quantity / 2.0  # the second day's own demand, not the first day's once more
    assert worker.shelf("milk").orders[0].units == first.quantity


def test_two_reviews_in_one_batch_know_of_each_other() -> None:
    together = Worker().take(stock("milk", 0, 3.0), stock("milk", 1, 0.0), stock("milk", 30, 0.0))
    apart = Worker().take(stock("milk", 0, 3.0)).take(stock("milk", 1, 0.0)).take(stock("milk", 30, 0.0))
    assert len(together.of(REPLENISHMENT_ORDERS)) > 0
    assert together.of(REPLENISHMENT_ORDERS) == apart.of(REPLENISHMENT_ORDERS)


def test_a_count_in_the_same_batch_knows_of_the_order() -> None:
    arrival = stock("milk", 20, 3.0, received=3.0, on_order=1.0)
    together = Worker(policy=WISE).take(stock("milk", 0, 0.0), arrival)
    apart = Worker(policy=WISE).take(stock("milk", 0, 0.0)).take(arrival)
    assert together.shelf("milk").orders != []
    assert together.entries == apart.entries


def test_received_units_end_an_order_oldest_first() -> None:
    worker = Worker().take(stock("milk", 0, 0.0))
    shelf = worker.shelf("milk")
    shelf.place(10.0, START + DAY, 2.0)
    placed = shelf.orders[0].units
    prior = DemandPrior.of({})
    shelf.count(stock("milk", 49, placed, received=placed), DAY, prior)
    assert [order.units for order in shelf.orders] == [10.0]
    shelf.count(stock("milk", 50, 4.0, received=4.0), DAY, prior)
    assert [order.units for order in shelf.orders] == [6.0]


def test_a_rise_of_stock_is_a_receipt_where_none_is_told() -> None:
    shelf = Worker().take(stock("milk", 0, 0.0)).shelf("milk")
    placed = shelf.orders[0].units
    shelf.count(stock("milk", 49, placed), DAY, DemandPrior.of({}))
    assert shelf.orders == []


def test_a_warehouse_that_lists_less_is_believed_once_our_order_was_due() -> None:
    shelf = Worker().take(stock("milk", 0, 0.0)).shelf("milk")
    shelf.count(stock("milk", 1, 0.0, on_order=0.0), DAY, DemandPrior.of({}))
    assert len(shelf.orders) == 1  # it may not have heard of it yet
    shelf.count(stock("milk", 24 * 3, 0.0, on_order=0.0), DAY, DemandPrior.of({}))
    assert shelf.orders == []


def test_what_others_ordered_counts_too() -> None:
    worker = Worker().take(stock("milk", 0, 0.0, on_order=500.0))
    assert worker.of(REPLENISHMENT_ORDERS) == []
    assert worker.shelf("milk").elsewhere == 500.0


def test_an_order_that_never_arrives_is_given_up_after_a_week() -> None:
    shelf = Worker().take(stock("milk", 0, 0.0)).shelf("milk")
    shelf.advance(START + 8 * DAY, DemandPrior.of({}))
    assert len(shelf.under_way(2.0)) == 1
    shelf.advance(START + 9 * DAY, DemandPrior.of({}))
    assert shelf.under_way(2.0) == ()


# ---- Stock and demand ------------------------------------------------------------------------------------------------


def test_a_late_stock_update_does_not_overwrite_a_newer_one() -> None:
    worker = Worker().take(stock("milk", 10, 50.0), stock("milk", 5, 0.0))
    shelf = worker.shelf("milk")
    assert (shelf.on_hand, shelf.is_out) == (50.0, False)
    assert len(worker.of(DECISIONS)) == 1


def test_on_hand_is_the_last_count_less_what_was_sold_since() -> None:
    worker = Worker().take(stock("milk", 0, 10.0), demand("milk", 2, 3.0), demand("milk", 6, 2.0))
    assert worker.shelf("milk").on_hand == 5.0
    worker.take(stock("milk", 4, 7.0))  # after the first sale, before the second
    assert worker.shelf("milk").on_hand == 5.0


def test_a_copy_of_a_sale_or_of_a_receipt_is_counted_once() -> None:
    events = [stock("milk", 0, 10.0), demand("milk", 2, 3.0), stock("milk", 30, 4.0, received=2.0)]
    once, twice = Worker().take(*events), Worker().take(*events, *events)
    assert twice.shelf("milk") == once.shelf("milk")
    assert twice.outputs == once.outputs


def test_many_sales_between_counts_stay_bounded_and_whole() -> None:
    worker = Worker().take(stock("milk", 0, 1000.0))
    worker.take(*(demand("milk", 1 + n / 100, 1.0) for n in range(300)))
    shelf = worker.shelf("milk")
    assert (shelf.on_hand, len(shelf.sales)) == (700.0, 64)


def test_time_without_stock_teaches_nothing_of_demand() -> None:
    hourly = [demand("milk", hour, name=f"d{hour}") for hour in range(1, 240)]
    worker = Worker().take(stock("milk", 0, 240.0), *hourly)
    known = worker.shelf("milk").evidence.belief(DemandPrior.of({})).mean
    assert known == pytest.approx(24.0, rel=0.1)
    worker.take(stock("milk", 240, 0.0))
    for day in range(11, 20):
        worker.take(demand("milk", day * 24 + 1), now=day * 24.0 + 2)
    belief = worker.shelf("milk").evidence.belief(DemandPrior.of({}))
    assert belief.mean == pytest.approx(known, rel=0.05)


def test_a_receipt_that_is_heard_of_late_makes_demand_of_what_was_sold_since() -> None:
    receipt = stock("milk", 60, 8.0, received=8.0)
    sales = [demand("milk", 66, 1.0), demand("milk", 90, 2.0)]
    known = Worker().take(stock("milk", 0, 3.0), demand("milk", 24, 3.0), receipt, *sales, now=100.0)
    late = Worker().take(stock("milk", 0, 3.0), demand("milk", 24, 3.0), *sales, now=100.0).take(receipt)
    beliefs = [worker.shelf("milk").evidence.belief(DemandPrior.of({})).mean for worker in (known, late)]
    assert beliefs[1] == pytest.approx(beliefs[0], rel=0.05)
    assert (late.shelf("milk").on_hand, late.shelf("milk").is_out) == (5.0, False)


def test_what_was_sold_out_again_before_the_receipt_was_heard_of_is_out() -> None:
    late = Worker().take(stock("milk", 0, 3.0), demand("milk", 24, 3.0), demand("milk", 72, 2.0), now=100.0)
    before = late.shelf("milk").evidence.units
    late.take(stock("milk", 60, 2.0, received=2.0))
    shelf = late.shelf("milk")
    assert (shelf.on_hand, shelf.is_out, shelf.out_from) == (0.0, True, START + 72 * DAY // 24)
    assert shelf.evidence.units == pytest.approx(before + 2.0, rel=0.02)


def test_a_stock_out_that_is_heard_of_late_was_no_time_in_stock() -> None:
    emptied = stock("milk", 30, 0.0)
    known = Worker().take(stock("milk", 0, 3.0), demand("milk", 24, 2.0), emptied, now=200.0)
    late = Worker().take(stock("milk", 0, 3.0), demand("milk", 24, 2.0), now=200.0).take(emptied)
    days = [worker.shelf("milk").evidence.days for worker in (known, late)]
    assert days[0] == pytest.approx(30.0 / 24.0, rel=0.05)
    assert days[1] == pytest.approx(days[0], rel=0.05)


def test_a_new_level_of_demand_is_found_and_learned_fast() -> None:
    slow = [demand("milk", 12 * n, name=f"slow-{n}") for n in range(1, 240)]  # two a day for 120 days
    fast = [demand("milk", 2880 + 2 * n, name=f"fast-{n}") for n in range(1, 360)]  # twelve a day for 30
    worker = Worker().take(stock("milk", 0, 1e6), *slow)
    assert worker.shelf("milk").evidence.belief(DemandPrior.of({})).mean == pytest.approx(2.0, rel=0.1)
    worker.take(*fast)
    evidence = worker.shelf("milk").evidence
    assert evidence.belief(DemandPrior.of({})).mean == pytest.approx(12.0, rel=0.1)
    likeliest = max(evidence.runs, key=lambda run: run.weight)
    half_life = DemandPrior.of({}).half_life_days
    since = half_life / log(2.0) * (1.0 - 0.5 ** (30.0 / half_life))  # what is left of 30 days
    assert (likeliest.weight, likeliest.days) == (pytest.approx(1.0, abs=0.05), pytest.approx(since, rel=0.1))


@pytest.mark.parametrize("late", [False, True])
def test_the_sale_that_took_the_last_unit_is_known_for_it_however_late_it_is_heard_of(late: bool) -> None:
    made = [demand("milk", 18, 4.0), stock("milk", 18, 0.0)]
    worker = Worker().take(stock("milk", 0, 6.0), demand("milk", 6, 2.0), *(reversed(made) if late else made))
    evidence = worker.shelf("milk").evidence
    assert (evidence.orders, evidence.cut) == (pytest.approx(2.0, rel=0.01), pytest.approx(1.0, rel=0.01))


def test_a_sale_from_a_shelf_that_had_been_filled_unheard_was_whole() -> None:
    worker = Worker().take(stock("milk", 0, 3.0), demand("milk", 24, 3.0))
    assert worker.shelf("milk").evidence.cut == 1.0
    worker.take(stock("milk", 12, 11.0, received=8.0))
    assert (worker.shelf("milk").evidence.cut, worker.shelf("milk").is_out) == (0.0, False)
