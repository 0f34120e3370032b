"""A flight starts, changes and ends: by time, by its plan, and by its budget."""

from agents.contract import Input
from streams.records import Decision, Experience, Outcome
from streams.times import DAY, HOUR, EventTime
from streams.topics import CAMPAIGNS
from tests.unit.agents import bidder


def test_a_flight_starts_and_ends_by_time_alone_to_the_millisecond() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START - 1)
    worker.feed(
        bidder.inputs([bidder.campaign(starts_at=EventTime(bidder.START + 123), ends_at=EventTime(bidder.START + 456))])
    )
    worker.feed([], bidder.START + 122)
    assert worker.adjustments == []
    worker.feed([], bidder.START + 123)
    worker.feed([], bidder.START + 455)
    assert [a.max_bid > 0 for a in worker.adjustments] == [True]
    worker.feed([], bidder.START + 456)
    assert [a.max_bid > 0 for a in worker.adjustments] == [True, False]
    assert "over" in worker.adjustments[1].reason
    assert [o.reward for o in worker.records(Outcome)] == [0.0, 0.0]


def test_a_campaign_read_before_any_event_starts_with_the_first_event_of_anyone() -> None:
    worker = bidder.Worker()
    worker.feed(bidder.inputs([bidder.campaign("a"), bidder.event(0, bidder.START + HOUR, "stranger")]))
    assert [a.campaign_id for a in worker.adjustments] == ["a"]
    assert worker.adjustments[0].decided_at == bidder.START + HOUR


def test_a_flight_that_was_over_before_it_was_heard_of_is_never_opened() -> None:
    worker = bidder.Worker()
    worker.feed(bidder.inputs([bidder.campaign("a"), bidder.event(0, bidder.START + 2 * DAY, "stranger")]))
    assert worker.adjustments == []


def test_a_withdrawn_campaign_stops_and_its_spend_is_kept() -> None:
    worker = bidder.Worker()
    win = bidder.event(0, bidder.START + HOUR, won=True, price=4.0, value=5.0)
    worker.feed([], bidder.START)
    worker.feed([*bidder.inputs([bidder.campaign(), win]), Input(CAMPAIGNS, 0, 2, "c", None)])
    assert worker.adjustments[-1].max_bid == 0.0
    assert "withdrawn" in worker.adjustments[-1].reason
    assert worker.records(Experience)[-1].outcomes == [5.0]
    worker.feed(bidder.inputs([bidder.campaign()]))
    assert worker.records(Decision)[-1].features["remaining"] == 16.0


def test_a_smaller_budget_and_bound_take_hold_at_once() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START)
    worker.feed(bidder.inputs([bidder.campaign(), bidder.campaign(budget=2.0, bid_max=0.02)]))
    assert len(worker.adjustments) == 2
    assert worker.adjustments[1].max_bid <= 0.02
    worker.feed(bidder.inputs([bidder.campaign(budget=0.0)]))
    assert worker.adjustments[-1].max_bid == 0.0
    assert "spent" in worker.adjustments[-1].reason


def test_the_same_campaign_again_changes_nothing() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START)
    worker.feed(bidder.inputs([bidder.campaign()]))
    entries = dict(worker.entries)
    worker.feed(bidder.inputs([bidder.campaign()]))
    assert (len(worker.adjustments), worker.entries) == (1, entries)


def test_a_larger_budget_reopens_a_spent_campaign() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START)
    worker.feed(
        bidder.inputs([bidder.campaign(), bidder.event(0, bidder.START + HOUR, won=True, price=20.0, value=1.0)])
    )
    assert worker.adjustments[-1].max_bid == 0.0
    worker.feed(bidder.inputs([bidder.campaign(budget=50.0)]))
    assert worker.adjustments[-1].max_bid > 0.0
