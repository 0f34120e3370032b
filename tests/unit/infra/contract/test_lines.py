"""A record on one line, for a person: what was decided, of whom, by which version."""

import pytest

from infra.contract.examples import example_of
from infra.contract.lines import line, short, text_of
from streams.codec import record_of
from streams.topics import BY_NAME, TOPICS, Topic

LATE = 4_102_444_800_000


@pytest.mark.parametrize("topic", TOPICS, ids=str)
def test_every_record_is_one_line_with_its_time_and_key(topic: Topic) -> None:
    said = line(topic, "the-key", record_of(topic, example_of(topic), None, LATE), 1_483_272_000_000)
    assert said.startswith("2017-01-")
    assert "  the-key  " in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("topic", "change", "said"),
    [
        ("recommendations", {}, "home: milk 0.71  policy 4  d-8f3a"),
        ("recommendations", {"items": []}, "home: nothing  policy 4"),
        (
            "recommendations",
            {"items": [{"item_id": f"i{place}", "score": 1.0} for place in range(12)]},
            "i9 1, and 2 more",
        ),
        ("bid-adjustments", {"max_bid": 0.0, "reason": "spent"}, "do not bid  (spent)"),
        ("decisions", {"fallback": "no-stock"}, "recommendation: milk of 2, propensity 0.25  fallback: no-stock"),
        ("outcomes", {"reward": 0.5}, "reward 0.5  final, by decision_id"),
        ("policy-versions", {"reason": "better"}, "publish version 4 by learner  (better)"),
        ("dead-letters", {"value": "e30="}, "invalid-record  user-events, partition 0, offset 7"),
    ],
)
def test_actions_are_told_in_words(topic: str, change: dict[str, object], said: str) -> None:
    record = record_of(BY_NAME[topic], example_of(BY_NAME[topic]) | change, None, LATE)
    assert said in line(BY_NAME[topic], "k", record, 0)


def test_a_deletion_is_told_as_such() -> None:
    assert line(BY_NAME["catalog"], "milk", None, 1_483_272_000_000) == "2017-01-01T12:00:00Z  milk  deleted"


def test_original_bytes_are_shown_as_far_as_they_can_be() -> None:
    assert text_of("eyJhIjoxfQ==") == '{"a":1}'
    assert text_of("/w==") == r"\xff"
    assert text_of(None) == "nothing"
    assert text_of("no base64!") == "no base64!"
    assert short("x" * 500) == "x" * 160 + "…"
