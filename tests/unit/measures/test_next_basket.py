"""Every policy is judged on the same baskets, by what it said before the first purchase."""

import random
from typing import Any

import pytest

from infra.measures.scoreboard import Scoreboard
from streams.times import MINUTE
from streams.topics import RECOMMENDATIONS, USER_EVENTS, Topic
from tests.unit.measures.feed import day, purchase, slate, tell

Told = tuple[Topic, Any]


def basket(user: str, number: int, items: str) -> list[Told]:
    return [(USER_EVENTS, purchase(user, item, day(number) + place)) for place, item in enumerate(items)]


def shown(user: str, at: int, items: str) -> Told:
    return RECOMMENDATIONS, slate(user, list(items), at)


def measured(story: list[Told]) -> dict[str, Any]:
    board = Scoreboard()
    for topic, record in story:
        tell(board, topic, record)
    return board.result()["next_basket"]


WARM_UP = [*basket("u", 1, "ab"), *basket("u", 2, "ac"), *basket("u", 3, "ad")]


def test_recall_and_ndcg_of_one_basket() -> None:
    found = measured([*WARM_UP, shown("u", day(4) - 1, "axyb"), *basket("u", 4, "abef")])
    assert found["baskets"] == 1
    scores = found["policies"]["tradewind"]
    assert scores["recall_at_10"] == pytest.approx(2 / 4)
    assert scores["ndcg_at_10"] == pytest.approx((1 + 0.430677) / (1 + 0.630930 + 0.5 + 0.430677), rel=1e-4)
    assert found["policies"]["personal_frequency"]["recall_at_10"] == pytest.approx(2 / 4)
    assert found["policies"]["personal_frequency"]["tradewind_ahead_by"] == 0


def test_a_basket_without_three_earlier_ones_is_not_judged() -> None:
    assert measured([*WARM_UP[:4], shown("u", day(4) - 1, "a"), *basket("u", 4, "a")])["baskets"] == 0


@pytest.mark.parametrize("when", [day(2), day(4), day(4) + 1])
def test_a_slate_that_is_stale_or_came_too_late_is_not_the_one(when: int) -> None:
    made, bought = shown("u", when, "a"), basket("u", 4, "a")
    for story in ([*WARM_UP, made, *bought], [*WARM_UP, *bought, made]):
        found = measured(story)
        assert (found["baskets"], found["without_slate"], found["policies"]) == (0, 1, None)
        assert found["why"]


def test_the_latest_slate_before_the_basket_is_the_one_in_whatever_order_they_are_read() -> None:
    slates = [shown("u", day(3) + 5, "x"), shown("u", day(4) - 9, "ab"), shown("u", day(4) + 1, "zz")]
    ends = basket("u", 5, "q")
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        early = [*WARM_UP, *(slates[place] for place in order), *basket("u", 4, "ab"), *ends]
        late = [*WARM_UP, *basket("u", 4, "ab"), *(slates[place] for place in order), *ends]
        for story in (early, late):
            found = measured(story)
            assert found["policies"]["tradewind"]["recall_at_10"] == pytest.approx((1.0 + 0.0) / found["baskets"])


def test_purchases_of_one_session_are_one_basket_and_an_item_counts_once() -> None:
    later = [purchase("u", "b", day(4) + 9 * MINUTE), purchase("u", "a", day(4) + MINUTE)]
    within = [(USER_EVENTS, one) for one in later]
    found = measured([*WARM_UP, shown("u", day(4) - 1, "ab"), *basket("u", 4, "a"), *within])
    assert found["baskets"] == 1
    assert found["policies"]["tradewind"]["recall_at_10"] == 1.0


def test_no_rule_sees_a_basket_before_it_has_named_it() -> None:
    fresh = [step for day_ in range(1, 9) for step in basket("u", day_, f"{day_}")]
    slates = [shown("u", day(number) - 1, "!") for number in range(1, 9)]
    found = measured([*slates, *fresh])
    assert found["baskets"] == 5
    assert {scores["recall_at_10"] for scores in found["policies"].values()} == {0.0}


def test_a_second_copy_and_a_purchase_from_long_ago_change_nothing() -> None:
    story = [*WARM_UP, shown("u", day(4) - 1, "ab"), *basket("u", 4, "ab")]
    assert measured([*story, *story[6:], (USER_EVENTS, purchase("u", "z", day(2)))]) == measured(story)


def test_asking_on_the_way_changes_nothing() -> None:
    draw = random.Random(2)
    asked, quiet = Scoreboard(), Scoreboard()
    for number in range(1, 40):
        for user in "uvw":
            story = [shown(user, day(number) - 1, "abc"), *basket(user, number, "".join(draw.sample("abcdef", 3)))]
            for topic, record in story:
                tell(asked, topic, record)
                tell(quiet, topic, record)
        asked.result()
    assert asked.result() == quiet.result()
    found = quiet.result()["next_basket"]
    assert found["baskets"] == 36 * 3
    assert sum(period["baskets"] for period in found["over_time"]) == found["baskets"]
    assert 0 < found["last_third"]["baskets"] < found["baskets"]
