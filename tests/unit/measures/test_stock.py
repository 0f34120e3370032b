"""What stock cost, from counts and order lines that are not read in step, against what the topics can't tell."""

from itertools import permutations
from typing import Any

import pytest

from infra.measures.scoreboard import Scoreboard
from streams.codec import encode
from streams.records import CatalogItem, Supply
from streams.times import DAY
from streams.topics import CATALOG, ORDERS, STOCK_UPDATES
from tests.unit.measures.feed import count, day, order, tell

ITEM = CatalogItem(item_id="milk", category="dairy", supply=Supply(lead_time_days=1, holding_cost=2, shortage_cost=10))
STORY = [
    (STOCK_UPDATES, count("milk", 10, day(0))),
    (ORDERS, order("milk", 4, day(1))),  # 6 are left
    (STOCK_UPDATES, count("milk", 0, day(2))),  # something was stolen
    (STOCK_UPDATES, count("milk", 5, day(3))),
    (ORDERS, order("milk", 5, day(4))),
]
DEMAND = [("milk", "north", int(day(at)), wanted) for at, wanted in ((1, 4.0), (2.5, 3.0), (4, 5.0))]


def measured(story: list[Any], demand: list[tuple[str, str, int, float]] | None = None) -> dict[str, Any]:
    board = Scoreboard(demand=demand)
    tell(board, CATALOG, ITEM)
    for topic, record in story:
        tell(board, topic, record)
    return board.result()["replenishment"]


@pytest.mark.parametrize("story", list(permutations(STORY)))
def test_the_path_is_the_same_in_whatever_order_the_topics_are_read(story: list[Any]) -> None:
    found = measured(story, DEMAND)["tradewind"]
    unit_days = 10 + 6 + 0 + 5
    assert found["unit_days_held"] == pytest.approx(unit_days)
    assert found["holding_cost"] == pytest.approx(2 * unit_days)
    assert found["stock_outs"] == 2
    assert found["days_out_of_stock"] == pytest.approx(1.0)
    assert (found["sold_units"], found["lost_units"], found["shortage_cost"]) == (9, 3, 30)
    assert found["cost"] == pytest.approx(2 * unit_days + 30)
    assert found["fill_rate"] == pytest.approx(9 / 12)


def test_the_rule_is_charged_for_the_same_demand_from_the_same_stock() -> None:
    found = measured(STORY, DEMAND)["base_stock"]
    assert found["sold_units"] + found["lost_units"] == 12
    assert found["cost"] == pytest.approx(found["holding_cost"] + 10 * found["lost_units"])


def test_without_the_real_demand_what_was_lost_is_unknown_and_nothing_is_compared() -> None:
    found = measured(STORY)
    assert found["tradewind"]["lost_units"] is found["tradewind"]["cost"] is found["base_stock"] is None
    assert "leaves no trace" in found["why"]
    assert found["tradewind"]["holding_cost"] > 0


def test_items_that_nobody_counts_are_left_out() -> None:
    found = measured([(ORDERS, order("bread", 4, day(1)))], [("bread", "north", int(day(1)), 4.0)])
    assert (found["skus"], found["tradewind"]) == (0, None)
    assert found["why"]


def test_a_long_path_in_pieces_is_the_path_in_one() -> None:
    story: list[Any] = [(STOCK_UPDATES, count("milk", 20.0, day(0)))]
    for number in range(1, 1_500):
        if number % 7:
            story.append((ORDERS, order("milk", 1, day(number) + number)))
        else:
            story.append((STOCK_UPDATES, count("milk", 20.0, day(number))))
    late = [*story[:1_200:2], *story[1:1_200:2], *story[1_200:]]
    late.sort(key=lambda told: told[1].occurred_at // (100 * DAY))  # a hundred days out of step, at most
    in_pieces, in_one = (measured(one, DEMAND)["tradewind"]["unit_days_held"] for one in (late, story))
    assert in_pieces == pytest.approx(in_one)


def test_an_unreadable_count_is_passed_over() -> None:
    board = Scoreboard()
    board.observe(STOCK_UPDATES, b"milk@north", encode(count("milk", 5, day(0)))[:-1], day(0), None)
    assert (board.result()["unreadable"], board.result()["replenishment"]["skus"]) == (1, 0)
