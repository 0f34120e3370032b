"""What the warehouse says, and when."""

from infra.demo.shelf import Warehouse
from infra.demo.warehouse import Office
from streams.records import Order, OrderLine, ReplenishmentOrder, StockUpdate
from streams.times import DAY, HOUR, EventTime

START = 17_167 * DAY  # 2017-01-01
MILK, BEER = ("milk", "north"), ("beer", "north")


def office() -> Office:
    opened = Office(Warehouse({MILK: 2.0, BEER: 9.0}), {"milk": 2 * DAY, "beer": DAY})
    opened.open(START)
    return opened


def sale(at: int, item: str, quantity: float) -> Order:
    line = OrderLine(item_id=item, location="north", quantity=quantity)
    return Order(order_id=f"o{at}", occurred_at=EventTime(at), lines=[line])


def restock(decision: str, quantity: float, decided_at: int) -> ReplenishmentOrder:
    return ReplenishmentOrder(
        decision_id=decision,
        item_id="milk",
        location="north",
        quantity=quantity,
        reason="",
        policy_version=0,
        decided_at=decided_at,
    )


def said(updates: list[StockUpdate]) -> list[tuple[str, float, float | None, int]]:
    return [(update.item_id, update.on_hand, update.received, update.occurred_at - START) for update in updates]


def test_all_stock_is_told_at_the_start() -> None:
    opened = Office(Warehouse({MILK: 2.0, BEER: 9.0}), {})
    assert said(opened.open(START)) == [("beer", 9, None, 0), ("milk", 2, None, 0)]


def test_a_stock_out_is_told_at_once_and_a_sale_at_the_days_end() -> None:
    depot = office()
    assert said(depot.on_order(sale(START + HOUR, "beer", 1))) == []
    assert said(depot.on_order(sale(START + 2 * HOUR, "milk", 3))) == [("milk", 0, None, 2 * HOUR)]
    assert said(depot.advance(START + DAY)) == [("beer", 8, None, DAY), ("milk", 0, None, DAY)]
    assert said(depot.advance(START + 2 * DAY)) == []  # nothing has changed since


def test_a_shipment_is_told_when_it_arrives_a_lead_time_after_the_decision() -> None:
    depot = office()
    depot.on_replenishment(restock("d1", 6, START + HOUR))
    depot.on_replenishment(restock("d1", 6, START + HOUR))
    told = depot.advance(START + 3 * DAY)
    assert ("milk", 8, 6, 2 * DAY + HOUR) in said(told)
    assert [update.occurred_at for update in told] == sorted(update.occurred_at for update in told)
    assert depot.counts["receipts"] == 1
    assert depot.counts["replenishments_refused"] == 1


def test_what_was_due_arrives_before_a_later_sale() -> None:
    depot = office()
    depot.on_replenishment(restock("d1", 6, START))
    depot.on_order(sale(START + 2 * DAY + 1, "milk", 8))
    assert depot.stock.short == {}


def test_an_order_from_the_past_does_not_turn_the_clock_back() -> None:
    depot = office()
    depot.advance(START + 5 * DAY)
    (update,) = depot.on_order(sale(START + DAY, "milk", 2))
    assert update.occurred_at == START + 5 * DAY


def test_every_update_has_an_id_of_its_own() -> None:
    depot = office()
    depot.on_replenishment(restock("d1", 6, START))
    ids = [update.event_id for update in depot.on_order(sale(START, "milk", 2)) + depot.advance(START + 9 * DAY)]
    assert len(ids) == len(set(ids)) == 4
