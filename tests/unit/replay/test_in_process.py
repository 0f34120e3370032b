"""All agents in one process: what one puts out reaches the next, in any batches."""

from base64 import b64encode

from infra.history.message import Message
from infra.replay.in_process import InProcess
from streams.topics import CATALOG, DEAD_LETTERS, ITEM_ACTIVITY, ORDERS, POLICY_VERSIONS, RECOMMENDATIONS, USER_EVENTS
from tests.unit.replay.story import AT, Echo, Promoter, event, item, records


def test_outputs_on_internal_topics_reach_their_readers_until_nothing_is_left() -> None:
    runner = InProcess([Echo(), Promoter()])
    out = runner.feed([event(1, "view", "milk"), event(2)])
    assert [message.topic for message in out] == [ITEM_ACTIVITY, RECOMMENDATIONS, POLICY_VERSIONS]
    assert runner.policy.number == 1
    assert records(runner.feed([event(3)]), RECOMMENDATIONS)[0]["policy_version"] == 1
    assert runner.ignored == {"nothing to do": 2}


def test_a_version_whose_hash_is_wrong_does_not_serve() -> None:
    runner = InProcess([Echo(), Promoter()])
    for number in range(2):
        runner.feed([event(number, "view", "milk")])
    assert runner.policy.number == 1


def test_watched_topics_are_in_place_before_the_steps_of_their_round_and_deletions_count() -> None:
    runner = InProcess([Echo()])
    out = runner.feed([event(1), item("milk"), item("bread")])
    assert [one["item_id"] for one in records(out, RECOMMENDATIONS)[0]["items"]] == ["bread", "milk"]
    out = runner.feed([Message(CATALOG, b"milk", None, AT), event(2)])
    assert [one["item_id"] for one in records(out, RECOMMENDATIONS)[0]["items"]] == ["bread"]


def test_what_cannot_be_read_is_a_dead_letter_with_its_place_and_bytes_and_the_rest_goes_on() -> None:
    runner = InProcess([Echo()])
    bad = Message(USER_EVENTS, b"u", b"{broken", AT, 3, 17)
    out = runner.feed([event(1), bad, event(2), Message(ORDERS, b"k", b"nobody reads this", AT)])
    letters = records(out, DEAD_LETTERS)
    assert [(one["topic"], one["partition"], one["offset"], one["reason"]) for one in letters] == [
        ("user-events", 3, 17, "not-json")
    ]
    assert letters[0]["value"] == b64encode(b"{broken").decode()
    assert len(records(out, RECOMMENDATIONS)) == 2


def test_a_batch_in_two_halves_gives_the_same() -> None:
    story = [item("milk"), *(event(number) for number in range(20))]
    whole, halves = InProcess([Echo()]), InProcess([Echo()])
    assert whole.feed(story) == [*halves.feed(story[:7]), *halves.feed(story[7:])]
