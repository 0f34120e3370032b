"""The scoreboard as a whole: it takes anything, and what it does not know it says it does not know."""

import random
from typing import Any

import orjson
import pytest

from infra.measures.scoreboard import Scoreboard
from infra.privacy.pseudonyms import Pseudonyms
from streams.topics import BY_NAME, DECISIONS, OUTCOMES, RECOMMENDATIONS, TOPICS, USER_EVENTS
from tests.unit.measures.feed import START, day, purchase, slate, tell


def test_nothing_seen_is_null_with_a_reason_and_never_a_nought_that_lies() -> None:
    found = Scoreboard().result()
    assert found["latency_ms"] is found["seconds"] is found["events_per_second"] is None
    for section in ("next_basket", "replenishment", "bidding"):
        assert found[section]["why"]
    assert found["next_basket"]["policies"] is None
    assert found["replenishment"]["tradewind"] is found["bidding"]["tradewind"] is None
    assert set(found["events_in"].values()) == set(found["actions_out"].values()) == {0}
    assert orjson.loads(orjson.dumps(found)) == found


@pytest.mark.parametrize("topic", TOPICS, ids=str)
@pytest.mark.parametrize("value", [None, b"", b"\xff", b"null", b"[]", b"{}", b'{"domain": 1}', b"NaN", b"[" * 100_000])
def test_no_bytes_on_any_topic_stop_it(topic: Any, value: bytes | None) -> None:
    board = Scoreboard()
    board.observe(topic, None, value, START, START)
    found = board.result()
    assert board.counts.topics[topic.name] == 1
    assert orjson.dumps(found)


def test_counts_by_topic_domain_and_reason() -> None:
    board = Scoreboard()
    told = {
        "decisions": [b'{"domain": "bidding"}', b'{"domain": "bidding", "entity": 5}', b'{"domain": "recommendation"}'],
        "outcomes": [
            b'{"domain": "bidding", "reward": 3.0, "label": "final"}',
            b'{"domain": "bidding", "reward": 0, "label": "final"}',
            b'{"domain": "bidding", "reward": 9, "label": "correction"}',
        ],
        "dead-letters": [b'{"reason": "not-json"}'],
    }
    for name, values in told.items():
        for value in values:
            board.observe(BY_NAME[name], b"k", value, START, None)
    found = board.result()
    assert (found["decisions"], found["decisions_by_domain"]) == (3, {"bidding": 2, "recommendation": 1})
    assert found["outcomes_by_domain"] == {"bidding": {"n": 2, "mean_reward": 1.5, "positive": 1}}
    assert (found["outcomes"], found["corrections"]) == (3, 1)
    assert (found["dead_letters"], found["dead_letter_reasons"]) == (1, {"not-json": 1})
    assert {DECISIONS.name, OUTCOMES.name}.isdisjoint(found["events_in"])


def test_users_under_pseudonyms_are_judged_like_others() -> None:
    """Inputs name them by the shop's ids, slates by what they are called inside."""
    found: list[Any] = []
    for users in (None, Pseudonyms("of-users-who-live-as-long-as-the-test")):
        board = Scoreboard(users=users)
        for at in range(1, 9):
            made = slate("u" if users is None else users.of("u"), ["a", "b"], day(at))
            tell(board, RECOMMENDATIONS, made, received=START)
            tell(board, USER_EVENTS, purchase("u", "a", day(at + 0.1)))
        found.append(board.result()["next_basket"])
    assert found[0]["baskets"] > 0
    assert found[0] == found[1]


def test_latency_is_from_the_events_timestamp_to_when_the_slate_was_readable_in_either_order() -> None:
    asked = [purchase(f"u{number}", "a", day(1)) for number in range(200)]
    waits = list(range(10, 210))
    random.Random(1).shuffle(waits)
    for slate_first in (True, False):
        board = Scoreboard()
        for event, wait in zip(asked, waits, strict=True):
            made = slate(event.user_id, ["a"], day(1), event.event_id)
            stories = [(USER_EVENTS, event, 1), (RECOMMENDATIONS, made, wait)]
            for topic, record, received in reversed(stories) if slate_first else stories:
                tell(board, topic, record, at=START * 2, received=START * 2 + received)
        found = board.result()["latency_ms"]
        assert found["n"] == 200
        assert found["p50"] == pytest.approx(109, rel=0.02)
        assert found["p99"] == pytest.approx(207, rel=0.02)


def test_a_replay_has_no_latency_and_takes_as_long_as_it_is_told() -> None:
    board = Scoreboard()
    tell(board, USER_EVENTS, purchase("u", "a", day(1)))
    tell(board, RECOMMENDATIONS, slate("u", ["a"], day(1), f"u-a-{day(1)}"))
    board.took(0.5)
    found = board.result()
    assert found["latency_ms"] is None
    assert (found["seconds"], found["events_per_second"]) == (0.5, 2.0)
