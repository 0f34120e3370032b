"""The bidding agent's step on any stream: what it publishes is sound, and no batching, copy or restart shows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import Input, State
from policies.version import SHIPPED
from streams.records import Decision, Outcome
from streams.times import DAY, HOUR
from streams.topics import AD_EVENTS, CAMPAIGNS
from streams.views import Views
from tests.unit.agents import bidder

_KINDS = st.sampled_from(["auction"] * 6 + ["impression", "click", "conversion"])
_AMOUNT = st.floats(0.001, 0.5)


@st.composite
def _streams(draw: st.DrawFn) -> list[Input]:
    """Two campaigns and a stranger: any kinds of events, somewhat out of order, plans that change and go."""
    records = list[Input]()
    at = bidder.START - HOUR
    for i in range(draw(st.integers(1, 60))):
        at += draw(st.integers(0, HOUR))
        name = draw(st.sampled_from(["a", "b", "stranger"]))
        what = draw(st.integers(0, 9))
        if what == 0 and name != "stranger":
            plan = None if draw(st.booleans()) else bidder.campaign(name, budget=draw(st.sampled_from([1.0, 20.0])))
            records.append(Input(CAMPAIGNS, 0, i, name, plan))
            continue
        won = draw(st.booleans())
        event = bidder.event(
            i,
            at - draw(st.integers(0, 2)) * HOUR,
            name,
            type=draw(_KINDS),
            won=won,
            bid=draw(_AMOUNT),
            price=draw(_AMOUNT) if won else None,
            value=draw(_AMOUNT),
        )
        records.append(Input(AD_EVENTS, 0, i, name, event))
    start = bidder.inputs([bidder.campaign("a"), bidder.campaign("b", auction="first-price", bid_min=0.01)])
    return [*start, *records]


@settings(max_examples=30, deadline=None)
@given(_streams(), st.data())
def test_no_way_to_cut_the_stream_shows(stream: list[Input], data: st.DataObject) -> None:
    whole, cut = bidder.Worker(), bidder.Worker()
    whole.feed(stream)
    rest = stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        cut.feed(rest[:size])
        rest = rest[size:]
    assert cut.outputs == whole.outputs
    assert cut.entries == whole.entries


@settings(max_examples=30, deadline=None)
@given(_streams(), st.data())
def test_copies_of_events_change_nothing(stream: list[Input], data: st.DataObject) -> None:
    once, twice = bidder.Worker(), bidder.Worker()
    once.feed(stream)
    copied = list[Input]()
    for given_ in stream:
        copied.append(given_)
        events = [x for x in copied if x.topic is AD_EVENTS]
        if events and data.draw(st.booleans()):
            copied.append(data.draw(st.sampled_from(events)))
    twice.feed(copied)
    assert twice.outputs == once.outputs
    assert twice.entries == once.entries


@settings(max_examples=15, deadline=None)
@given(_streams(), st.data())
def test_a_step_made_again_after_a_crash_is_the_same_step(stream: list[Input], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(stream)))
    worker = bidder.Worker()
    worker.feed(stream[:place])
    before = dict(worker.entries)
    first = bidder.BIDDING.step(State(worker.entries, Views()), stream[place:], SHIPPED, 0)
    again = bidder.BIDDING.step(State(before, Views()), stream[place:], SHIPPED, 0)
    assert (first.writes, first.outputs) == (again.writes, again.outputs)
    assert worker.entries == before


@settings(max_examples=30, deadline=None)
@given(_streams())
def test_whatever_comes_the_adjustments_are_sound(stream: list[Input]) -> None:
    worker = bidder.Worker()
    worker.feed(stream)
    decided = {d.decision_id: d for d in worker.records(Decision)}
    finals = [o.decision_id for o in worker.records(Outcome) if o.label == "final"]
    assert [a.decision_id for a in worker.adjustments] == list(decided)
    assert len(decided) == len(worker.adjustments)
    assert len(set(finals)) == len(finals)
    assert set(finals) <= set(decided)
    for adjustment in worker.adjustments:
        assert 0.0 <= adjustment.max_bid <= 1.0
        assert adjustment.campaign_id != "stranger"
        assert adjustment.reason
        decision = decided[adjustment.decision_id]
        assert decision.propensity == 1.0
        assert decision.action == {"bid_multiplier": adjustment.bid_multiplier, "max_bid": adjustment.max_bid}
        if adjustment.max_bid > 0:
            assert bidder.START <= adjustment.decided_at < bidder.START + DAY
