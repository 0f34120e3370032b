"""The shop's clock waits for Tradewind, and every basket is played once, in order, after its request."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.demo.journey import Journey
from infra.demo.pace import Pace, Script
from infra.demo.till import Slate

FAR = 2**62
SHOWN = Slate("d", frozenset())


def test_event_time_runs_at_the_speed() -> None:
    pace = Pace(start=1_000, speed=500.0, began=10.0)
    assert pace.allowed(12.0, next_at=2_000) == 2_000


def test_lost_time_is_caught_up_by_the_slack_and_no_more() -> None:
    pace = Pace(start=0, speed=100.0, began=0.0, slack_s=1.0)
    assert pace.allowed(60.0, next_at=500) == 600  # 55 s behind: one of them is allowed for
    assert pace.allowed(60.5, next_at=600) == 650


def test_a_basket_waits_for_its_slate(journey: Journey) -> None:
    script = Script(journey, most_open=9)
    assert script.next_basket(FAR, 0.0, 2.0) is None
    basket = script.next_request(FAR, 0.0)
    assert basket == 0
    assert script.next_basket(FAR, 1.9, 2.0) is None
    script.answer(0, SHOWN)
    found = script.next_basket(FAR, 1.9, 2.0)
    assert found is not None
    assert (found[0], found[1].slate) == (0, SHOWN)


def test_a_slate_that_never_comes_is_waited_for_so_long(journey: Journey) -> None:
    script = Script(journey, most_open=9)
    script.next_request(FAR, 0.0)
    found = script.next_basket(FAR, 2.0, 2.0)
    assert found is not None
    assert found[1].slate is None
    assert script.answer(0, SHOWN) is None  # too late


def test_nothing_comes_before_its_time(journey: Journey) -> None:
    script = Script(journey, most_open=9)
    assert script.next_request(int(journey.asked_at[0]) - 1, 0.0) is None
    script.next_request(int(journey.asked_at[0]), 0.0)
    script.answer(0, SHOWN)
    assert script.next_basket(int(journey.at[0]) - 1, 0.0, 2.0) is None
    assert script.next_basket(int(journey.at[0]), 0.0, 2.0) is not None


def test_a_household_asks_again_when_its_basket_is_done(journey: Journey) -> None:
    script = Script(journey, most_open=9)
    asked = [script.next_request(FAR, 0.0) for _ in range(4)]
    assert asked == [0, 2, 3, None]  # 1 is of the same household as 0, and 4 of that of 2
    script.answer(0, SHOWN)
    script.next_basket(FAR, 0.0, 2.0)
    assert script.next_request(FAR, 0.0) == 1


def test_others_overtake_a_basket_whose_request_was_put_off(journey: Journey) -> None:
    script = Script(journey, most_open=9)
    for _ in range(3):
        script.next_request(FAR, 0.0)
    for basket in (0, 2):
        script.answer(basket, SHOWN)
    done = [script.next_basket(FAR, 0.0, 2.0) for _ in range(3)]
    assert [each and each[0] for each in done] == [0, 2, None]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(most_open=st.integers(1, 4), answers=st.lists(st.integers(0, 4), max_size=40))
def test_whatever_is_answered_when_the_play_ends_and_each_basket_is_done_once(
    journey: Journey, most_open: int, answers: list[int]
) -> None:
    script, wall, done = Script(journey, most_open), 0.0, list[int]()
    asked: list[int] = []
    for answer in [*answers, *range(200)]:
        wall += 1.0
        while (request := script.next_request(FAR, wall)) is not None:
            asked.append(request)
        script.answer(answer, SHOWN)
        while (found := script.next_basket(FAR, wall, 2.0)) is not None:
            done.append(found[0])
    assert script.done
    assert sorted(done) == sorted(asked) == [0, 1, 2, 3, 4]
    assert script.rung_up_to == journey.at[4]
