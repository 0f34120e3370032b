"""Stock is conserved: what came in, less what was sold, is what is there, in the warehouse and in the shop."""

from hypothesis import given
from hypothesis import strategies as st

from infra.demo.shelf import Shelf, Warehouse, lost_units

MILK = ("milk", "north")


def test_a_sale_takes_no_more_than_there_is() -> None:
    stock = Warehouse({MILK: 3.0})
    assert not stock.sell(MILK, 2)
    assert stock.sell(MILK, 2)  # emptied
    assert not stock.sell(MILK, 1)  # was empty already
    assert (stock.on_hand[MILK], stock.sold[MILK], stock.short[MILK]) == (0, 3, 2)


def test_what_is_not_kept_here_always_sells() -> None:
    stock = Warehouse({})
    assert not stock.sell(MILK, 5)
    assert stock.sold == {}


def test_an_order_arrives_when_due_and_once() -> None:
    stock = Warehouse({MILK: 0.0})
    assert stock.order("d1", MILK, 6, due=100)
    assert not stock.order("d1", MILK, 6, due=100)
    assert stock.on_order[MILK] == 6
    assert stock.receive(99) is None
    receipt = stock.receive(100)
    assert receipt is not None
    assert (receipt.quantity, stock.on_hand[MILK], stock.on_order[MILK], stock.now) == (6, 6, 0, 100)
    assert stock.receive(1000) is None


def test_shipments_arrive_in_the_order_of_their_dates() -> None:
    stock = Warehouse({MILK: 0.0})
    stock.order("late", MILK, 1, due=200)
    stock.order("early", MILK, 2, due=100)
    assert [receipt.quantity for receipt in iter(lambda: stock.receive(500), None)] == [2, 1]


def test_a_late_order_ships_at_once_and_is_counted() -> None:
    stock = Warehouse({MILK: 0.0}, now=500)
    stock.order("d1", MILK, 1, due=400)
    assert stock.late_orders == 1
    assert stock.receive(500) is not None
    assert stock.now == 500


def test_orders_for_nothing_or_for_others_are_refused() -> None:
    stock = Warehouse({MILK: 0.0})
    assert not stock.order("d1", MILK, 0, due=1)
    assert not stock.order("d2", ("beer", "north"), 1, due=1)


def test_the_first_news_sets_the_shelf_and_later_news_adds() -> None:
    shelf = Shelf()
    assert shelf.take(MILK, 4) == 4  # nobody counts it yet
    shelf.deliver(MILK, "e1", on_hand=5, received=None)
    assert shelf.take(MILK, 4) == 4
    shelf.deliver(MILK, "e2", on_hand=5, received=None)  # a snapshot, older than the sale
    assert shelf.take(MILK, 4) == 1
    shelf.deliver(MILK, "e3", on_hand=3, received=3)
    shelf.deliver(MILK, "e3", on_hand=3, received=3)  # a second copy
    assert shelf.take(MILK, 10) == 3


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("sell"), st.integers(1, 5)),
            st.tuples(st.just("order"), st.integers(1, 9)),
            st.tuples(st.just("wait"), st.integers(1, 3)),
        )
    )
)
def test_the_shop_never_sells_what_the_warehouse_lacks(script: list[tuple[str, int]]) -> None:
    stock, shelf = Warehouse({MILK: 4.0}), Shelf()
    shelf.deliver(MILK, "open", 4.0, None)
    bought = 0.0
    for place, (what, size) in enumerate(script):
        if what == "sell":
            stock.sell(MILK, shelf.take(MILK, size))
        elif what == "order":
            stock.order(f"d{place}", MILK, size, due=stock.now + 2)
        else:
            stock.now += size
            while (receipt := stock.receive(stock.now)) is not None:
                bought += receipt.quantity
                shelf.deliver(MILK, f"r{receipt.order}", stock.on_hand[MILK], receipt.quantity)
    assert stock.short == {}
    assert stock.on_hand[MILK] == shelf.on_hand[MILK] == 4 + bought - stock.sold.get(MILK, 0.0)


def test_lost_units_are_wanted_less_sold() -> None:
    assert lost_units([(MILK, 3), (MILK, 2)], {MILK: 4}) == {MILK: 1}
