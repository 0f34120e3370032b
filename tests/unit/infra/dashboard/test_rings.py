"""Counts by second and tables of a bounded size."""

from hypothesis import given
from hypothesis import strategies as st

from infra.dashboard.rings import Ring, Table


@given(st.lists(st.integers(min_value=0, max_value=40_000), max_size=60), st.integers(min_value=0, max_value=45_000))
def test_a_ring_counts_what_a_list_of_times_would(times: list[int], now: int) -> None:
    ring, newest = Ring(span=10), max(times, default=0) // 1000
    for at in sorted(times):
        ring.add(at)
    kept = [at for at in times if at // 1000 > newest - 10]
    wanted = [sum(at // 1000 == second for at in kept) for second in range(now // 1000 - 9, now // 1000 + 1)]
    assert ring.last(10, now) == wanted


def test_a_ring_takes_what_comes_late_and_drops_what_is_too_old() -> None:
    ring = Ring(span=5)
    for at in (9_000, 7_500, 1_000):
        ring.add(at)
    assert ring.last(5, now=9_999) == [0, 0, 1, 0, 1]


def test_a_table_forgets_the_row_touched_longest_ago() -> None:
    table = Table(list[int], size=2)
    table.touch("a").append(1)
    table.touch("b")
    table.touch("a")
    table.touch("c")
    assert (table.get("a"), table.get("b"), table.dropped) == ([1], None, 1)
    assert table.newest(5) == ["c", "a"]
