"""The table of items: rows stay what they were, sums go by order, and nothing is left behind between calls."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.item_table import ItemTable

some_rows = st.lists(st.integers(0, 9), max_size=30).map(lambda rows: np.array(rows, dtype=np.int64))


def table(items: int = 10) -> ItemTable:
    made = ItemTable()
    made.rows(f"i{n}" for n in range(items))
    return made


@given(st.lists(some_rows, min_size=1, max_size=4))
def test_distinct_rows_by_where_they_came_up_first(asked: list[np.ndarray]) -> None:
    known = table()
    for rows in asked:
        assert known.distinct(rows).tolist() == list(dict.fromkeys(rows.tolist()))


@given(st.lists(some_rows, min_size=1, max_size=4))
def test_spread_sums_what_was_given_for_a_row(asked: list[np.ndarray]) -> None:
    known, over = table(), np.arange(10)
    for rows in asked:
        values = np.arange(1.0, len(rows) + 1.0)
        expected = [values[rows == row].sum() for row in range(10)]
        assert known.spread(rows, values, over).tolist() == expected


def test_what_was_put_is_still_there_when_the_table_has_grown() -> None:
    known = table()
    known.put_category("i3", "tea")
    known.doubt("i4", doubtful=True)
    for n in range(5_000):
        known.put_category(f"more{n}", "other")
    assert known.categories[known.category[known.row("i3")]] == "tea"
    assert known.doubtful[[3, 4, 5]].tolist() == [False, True, False]
    assert known.names_of(known.rows(["i9", "more4999"])) == ["i9", "more4999"]
