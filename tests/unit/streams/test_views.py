"""What all workers share: rankings that hold as time goes on, and what may not be shown."""

from hypothesis import given
from hypothesis import strategies as st

from streams.decay import Decayed
from streams.records import CatalogItem, ItemStats, StockUpdate
from streams.times import DAY, EventTime
from streams.topics import CATALOG, ITEM_STATS, STOCK_UPDATES
from streams.toplist import TopList
from streams.views import Views

START = 1_483_272_000_000


def stats(item: str, short: float, long: float, at: int = START) -> ItemStats:
    return ItemStats(
        item_id=item,
        as_of=EventTime(at),
        purchases_short=short,
        purchases_long=long,
        views_long=0.0,
        price=None,
        features={},
        companions=[],
    )


def stock(on_hand: float, at: int = START, location: str = "north") -> StockUpdate:
    return StockUpdate(
        event_id=f"{at}{location}", item_id="milk", location=location, on_hand=on_hand, occurred_at=EventTime(at)
    )


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.floats(0, 5)), max_size=60))
def test_a_top_list_holds_the_highest(rises: list[tuple[str, float]]) -> None:
    ranks: dict[str, float] = {}
    top = TopList(4)
    for item, rise in rises:
        ranks[item] = ranks.get(item, 0.0) + rise
        top.put(item, ranks[item], ord(item))
    highest = sorted(ranks, key=lambda name: (-ranks[name], name))[:4]
    assert list(top) == highest
    assert top.rows().tolist() == [ord(item) for item in highest]


def test_trending_fades_as_time_passes() -> None:
    views = Views()
    views.apply(ITEM_STATS, "old", stats("old", short=8.0, long=8.0))
    views.apply(ITEM_STATS, "new", stats("new", short=2.0, long=2.0, at=START + 3 * DAY))
    assert list(views.trending) == ["new", "old"]  # 8 purchases three half-lives ago are worth one
    assert list(views.popular) == ["old", "new"]


def test_totals_follow_the_items() -> None:
    views = Views()
    views.apply(ITEM_STATS, "a", stats("a", 4.0, 10.0))
    views.apply(ITEM_STATS, "b", stats("b", 2.0, 10.0))
    views.apply(ITEM_STATS, "a", stats("a", 5.0, 11.0))
    assert views.short_total.value == 7.0
    views.apply(ITEM_STATS, "b", None)
    assert views.long_total.value == 11.0
    assert list(views.popular) == ["a"]


def test_blocked_and_sold_out_items_are_not_eligible() -> None:
    views = Views()
    assert views.eligible("milk")
    views.apply(STOCK_UPDATES, "milk@north", stock(0.0))
    assert not views.eligible("milk")
    views.apply(STOCK_UPDATES, "milk@south", stock(3.0, location="south"))
    assert views.eligible("milk")
    assert not views.eligible("milk", "north")
    views.apply(CATALOG, "milk", CatalogItem(item_id="milk", category="dairy", blocked=True))
    assert not views.eligible("milk")
    views.apply(CATALOG, "milk", None)
    assert views.eligible("milk")


def test_an_older_stock_update_doesnt_overwrite() -> None:
    views = Views()
    views.apply(STOCK_UPDATES, "milk@north", stock(0.0, at=START + DAY))
    views.apply(STOCK_UPDATES, "milk@north", stock(5.0, at=START))
    assert not views.eligible("milk")


def test_items_that_nobody_has_bought_are_cold() -> None:
    views = Views()
    for at, item in enumerate(("a", "b", "c")):
        views.apply(CATALOG, item, CatalogItem(item_id=item, category="x"), START + at)
    views.apply(ITEM_STATS, "b", stats("b", 1.0, 1.0))
    assert views.table.names_of(views.cold(5)) == ["c", "a"]


def test_a_late_event_decays_to_its_own_time() -> None:
    in_order, late = Decayed(), Decayed()
    in_order.add(1.0, START, DAY)
    in_order.add(1.0, START + DAY, DAY)
    late.add(1.0, START + DAY, DAY)
    late.add(1.0, START, DAY)
    assert late.value == in_order.value == 1.5


@given(
    st.lists(
        st.tuples(st.sampled_from(["milk", "tea"]), st.sampled_from(["north", "south"]), st.sampled_from([0.0, 3.0]))
        | st.tuples(st.sampled_from(["milk", "tea"]), st.none(), st.booleans()),
        max_size=12,
    )
)
def test_what_may_not_be_shown_is_among_the_doubtful(changes: list[tuple[str, str | None, float]]) -> None:
    views = Views()
    for at, (item, location, value) in enumerate(changes):
        if location is None:
            views.apply(CATALOG, item, CatalogItem(item_id=item, category="c", blocked=bool(value)))
        else:
            update = StockUpdate(
                event_id=str(at), item_id=item, location=location, on_hand=value, occurred_at=EventTime(START + at)
            )
            views.apply(STOCK_UPDATES, f"{item}@{location}", update)
        for known in ("milk", "tea"):
            for place in (None, "north", "south"):
                assert views.eligible(known, place) or views.table.doubtful[views.table.row(known)]


@given(st.permutations(range(6)))
def test_the_newest_are_the_same_in_whatever_order_the_partitions_are_read(order: list[int]) -> None:
    views = Views()
    for number in order:
        views.apply(CATALOG, f"i{number}", CatalogItem(item_id=f"i{number}", category="c"), START + number // 2)
    views.apply(ITEM_STATS, "i5", stats("i5", 1.0, 1.0))
    assert views.table.names_of(views.cold(3)) == ["i4", "i2", "i3"]
