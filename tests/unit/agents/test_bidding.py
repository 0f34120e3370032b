"""The bidding agent as a step: what it publishes, what it never does, and that no batching, copy or restart shows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents import bidding
from agents.contract import Input, Output, State, Step
from policies.bidding.pacing import PRIOR
from policies.version import SHIPPED, PolicyVersion
from streams.records import AdEvent, BidAdjustment, Campaign, Decision, Experience, Objective, Outcome
from streams.times import DAY, HOUR, EventTime
from streams.topics import AD_EVENTS, CAMPAIGNS
from streams.views import Views

BIDDING = bidding.build()
START = 1_500_000_000_000 - 1_500_000_000_000 % DAY


def _campaign(name: str = "c", **given: Any) -> Campaign:
    base = Campaign(
        campaign_id=name,
        budget=20.0,
        starts_at=EventTime(START),
        ends_at=EventTime(START + DAY),
        bid_min=0.0,
        bid_max=1.0,
        objective=Objective(ctr=1.0, cvr=1.0, revenue=1.0),
    )
    return replace(base, **given)


def _event(number: int, at: int, name: str = "c", **given: Any) -> AdEvent:
    base = AdEvent(event_id=f"{name}{number}", campaign_id=name, type="auction", occurred_at=EventTime(at))
    return replace(base, **given)


def _inputs(records: Sequence[Any]) -> list[Input]:
    return [
        Input(CAMPAIGNS if isinstance(r, Campaign) else AD_EVENTS, 0, i, r.campaign_id, r)
        for i, r in enumerate(records)
    ]


class _Worker:
    """Runs the step as the worker does: merges its writes, keeps its outputs."""

    def __init__(self, policy: PolicyVersion = SHIPPED) -> None:
        self.entries: dict[str, bytes] = {}
        self.outputs: list[Output] = []
        self.ignored: dict[str, int] = {}
        self.policy = policy

    def feed(self, batch: Sequence[Input], now: int = 0) -> Step:
        done = BIDDING.step(State(dict(self.entries), Views()), batch, self.policy, now)
        for key, raw in done.writes.items():
            if raw is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = raw
        self.outputs += done.outputs
        for why, count in done.ignored.items():
            self.ignored[why] = self.ignored.get(why, 0) + count
        return done

    def records(self, kind: type[Any]) -> list[Any]:
        return [out.record for out in self.outputs if isinstance(out.record, kind)]

    @property
    def adjustments(self) -> list[BidAdjustment]:
        return self.records(BidAdjustment)


_KINDS = st.sampled_from(["auction"] * 6 + ["impression", "click", "conversion"])
_AMOUNT = st.floats(0.001, 0.5)


@st.composite
def _streams(draw: st.DrawFn) -> list[Input]:
    """Two campaigns and a stranger: any kinds of events, somewhat out of order, plans that change and go."""
    records = list[Input]()
    at = START - HOUR
    for i in range(draw(st.integers(1, 60))):
        at += draw(st.integers(0, HOUR))
        name = draw(st.sampled_from(["a", "b", "stranger"]))
        what = draw(st.integers(0, 9))
        if what == 0 and name != "stranger":
            plan = None if draw(st.booleans()) else _campaign(name, budget=draw(st.sampled_from([1.0, 20.0])))
            records.append(Input(CAMPAIGNS, 0, i, name, plan))
            continue
        won = draw(st.booleans())
        event = _event(
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
    start = _inputs([_campaign("a"), _campaign("b", auction="first-price", bid_min=0.01)])
    return [*start, *records]


@settings(max_examples=60, deadline=None)
@given(_streams(), st.data())
def test_no_way_to_cut_the_stream_shows(stream: list[Input], data: st.DataObject) -> None:
    whole, cut = _Worker(), _Worker()
    whole.feed(stream)
    rest = stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        cut.feed(rest[:size])
        rest = rest[size:]
    assert cut.outputs == whole.outputs
    assert cut.entries == whole.entries


@settings(max_examples=60, deadline=None)
@given(_streams(), st.data())
def test_copies_of_events_change_nothing(stream: list[Input], data: st.DataObject) -> None:
    once, twice = _Worker(), _Worker()
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


@settings(max_examples=30, deadline=None)
@given(_streams(), st.data())
def test_a_step_made_again_after_a_crash_is_the_same_step(stream: list[Input], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(stream)))
    worker = _Worker()
    worker.feed(stream[:place])
    before = dict(worker.entries)
    first = BIDDING.step(State(worker.entries, Views()), stream[place:], SHIPPED, 0)
    again = BIDDING.step(State(before, Views()), stream[place:], SHIPPED, 0)
    assert (first.writes, first.outputs) == (again.writes, again.outputs)
    assert worker.entries == before


@settings(max_examples=60, deadline=None)
@given(_streams())
def test_whatever_comes_the_adjustments_are_sound(stream: list[Input]) -> None:
    worker = _Worker()
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
            assert START <= adjustment.decided_at < START + DAY


# ---- In a market -----------------------------------------------------------------------------------------------------


class _Market:
    """One flight. An adjustment reaches the bidder late, and an auction the agent; lags are in auctions."""

    def __init__(self, budget: float, *, first_price: bool, tolerance: float = 0.0) -> None:
        self.worker = _Worker()
        self.first_price = first_price
        self.spent = 0.0
        kind = "first-price" if first_price else "second-price"
        plan = _campaign(budget=budget, bid_max=50.0, auction=kind, overspend_tolerance=tolerance)
        self.worker.feed(_inputs([plan]))
        self.worker.feed([], START)
        self._coming: list[tuple[int, BidAdjustment]] = []
        self._heard = 0
        self._current: BidAdjustment | None = None
        self.hear(0)

    def hear(self, at: int) -> None:
        """The bidder will follow what is new from auction `at` on, and never an older adjustment after a newer one."""
        for adjustment in self.worker.adjustments[self._heard :]:
            self._coming.append((max([at, *(due for due, _ in self._coming)]), adjustment))
        self._heard = len(self.worker.adjustments)

    def auction(self, number: int, at: int, value: float, rival: float) -> AdEvent:
        while self._coming and self._coming[0][0] <= number:
            self._current = self._coming.pop(0)[1]
        now = self._current
        bid = min(now.max_bid, now.bid_multiplier * value) if now else 0.0
        won = bid > 0 and bid >= rival
        price = (bid if self.first_price else rival) if won else None
        self.spent += price or 0.0
        echo = now.decision_id if now else None
        return _event(number, at, bid=bid, won=won, price=price, value=value, decision_id=echo)


def _fly(
    draws: Sequence[tuple[float, float, int, int]],
    budget: float,
    *,
    first_price: bool,
    order: Callable[[int], int],
    tolerance: float = 0.0,
) -> tuple[float, _Worker]:
    """A flight of (value, rival bid, lag of the bidder, lag of the event) per auction. Returns what was spent."""
    market = _Market(budget, first_price=first_price, tolerance=tolerance)
    unseen = list[tuple[int, AdEvent]]()
    for i, (value, rival, to_bidder, to_agent) in enumerate(draws):
        at = START + (i + 1) * (DAY // (len(draws) + 2))
        unseen.append((i + to_agent, market.auction(i, at, value, rival)))
        ready = sorted((x for x in unseen if x[0] <= i), key=lambda x: order(x[0]))
        unseen = [x for x in unseen if x[0] > i]
        market.worker.feed(_inputs([event for _, event in ready]))
        market.hear(i + 1 + to_bidder)
    market.worker.feed(_inputs([event for _, event in unseen]))
    market.worker.feed([], START + DAY)
    return market.spent, market.worker


def _as_sent(number: int) -> int:
    return number


def _newest_first(number: int) -> int:
    return -number


_AUCTION = st.tuples(st.floats(0.01, 2), st.floats(0, 2), st.integers(0, 7), st.integers(0, 7))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_AUCTION, min_size=1, max_size=120),
    st.floats(0.05, 30),
    st.booleans(),
    st.sampled_from([_as_sent, _newest_first]),
)
def test_never_overspends_within_the_lag_that_is_modelled(
    draws: list[tuple[float, float, int, int]], budget: float, first_price: bool, order: Callable[[int], int]
) -> None:
    spent, _ = _fly(draws, budget, first_price=first_price, order=order)
    assert spent <= budget


@pytest.mark.parametrize("lag", [0, 1, 5, 15])
def test_a_market_that_takes_all_it_can_gets_no_more_than_the_budget(lag: int) -> None:
    """Every auction is won, at exactly the bid, by a bidder that is late by up to what the prior expects."""
    spent, worker = _fly([(5.0, 0.0, lag, 0)] * 600, 10.0, first_price=True, order=_as_sent)
    assert 5.0 < spent <= 10.0
    assert worker.adjustments[-1].max_bid == 0.0
    assert worker.records(Experience)


def test_it_spends_the_budget_evenly_and_says_little() -> None:
    draws = [(0.2 + 0.1 * (i % 3), 0.05 + 0.02 * (i * 7 % 11), 0, 0) for i in range(1_500)]
    spent, worker = _fly(draws, 60.0, first_price=False, order=_as_sent)
    assert 58.0 < spent <= 60.0
    half = [e for e in worker.records(Decision) if e.decided_at <= START + DAY // 2][-1].features["remaining"]
    assert half == pytest.approx(30.0, abs=6.0)
    assert len(worker.adjustments) < 120


@pytest.mark.parametrize(("lag", "least"), [(0, 0.97), (60, 0.85)])
def test_a_tolerant_budget_is_spent_though_much_is_in_flight_and_hardly_passed(lag: int, least: float) -> None:
    rng = np.random.default_rng(lag)
    values, rivals = rng.beta(2, 8, 700).tolist(), rng.lognormal(-2, 0.6, 700).tolist()
    draws = [(value, rival, lag, 0) for value, rival in zip(values, rivals, strict=True)]
    budget = 0.3 * sum(rivals)
    tolerant, _ = _fly(draws, budget, first_price=False, order=_as_sent, tolerance=0.01)
    assert least * budget < tolerant <= 1.01 * budget
    if lag:
        never, _ = _fly(draws, budget, first_price=False, order=_as_sent)
        assert never < 0.9 * tolerant  # what the worst case costs


def test_auctions_that_nobody_bid_in_say_nothing_of_what_to_bid() -> None:
    worker = _Worker()
    worker.feed(_inputs([_campaign()]))
    worker.feed([], START)
    silent = [_event(i, START + i * HOUR // 20, bid=0.0, won=False, price=0.1, value=0.2) for i in range(200)]
    worker.feed(_inputs(silent))
    assert {adjustment.bid_multiplier for adjustment in worker.adjustments} == {1.0}
    worthless = [_event(i + 200, START + (200 + i) * HOUR // 20, bid=0.0, value=0.0) for i in range(200)]
    worker.feed(_inputs(worthless))  # no bid is right there: the rest may pay more
    assert worker.adjustments[-1].bid_multiplier > 1.0


# ---- Flights ---------------------------------------------------------------------------------------------------------


def test_a_flight_starts_and_ends_by_time_alone_to_the_millisecond() -> None:
    worker = _Worker()
    worker.feed([], START - 1)
    worker.feed(_inputs([_campaign(starts_at=EventTime(START + 123), ends_at=EventTime(START + 456))]))
    worker.feed([], START + 122)
    assert worker.adjustments == []
    worker.feed([], START + 123)
    worker.feed([], START + 455)
    assert [a.max_bid > 0 for a in worker.adjustments] == [True]
    worker.feed([], START + 456)
    assert [a.max_bid > 0 for a in worker.adjustments] == [True, False]
    assert "over" in worker.adjustments[1].reason
    assert [o.reward for o in worker.records(Outcome)] == [0.0, 0.0]


def test_a_campaign_read_before_any_event_starts_with_the_first_event_of_anyone() -> None:
    worker = _Worker()
    worker.feed(_inputs([_campaign("a"), _event(0, START + HOUR, "stranger")]))
    assert [a.campaign_id for a in worker.adjustments] == ["a"]
    assert worker.adjustments[0].decided_at == START + HOUR


def test_a_flight_that_was_over_before_it_was_heard_of_is_never_opened() -> None:
    worker = _Worker()
    worker.feed(_inputs([_campaign("a"), _event(0, START + 2 * DAY, "stranger")]))
    assert worker.adjustments == []


def test_a_withdrawn_campaign_stops_and_its_spend_is_kept() -> None:
    worker = _Worker()
    win = _event(0, START + HOUR, won=True, price=4.0, value=5.0)
    worker.feed([], START)
    worker.feed([*_inputs([_campaign(), win]), Input(CAMPAIGNS, 0, 2, "c", None)])
    assert worker.adjustments[-1].max_bid == 0.0
    assert "withdrawn" in worker.adjustments[-1].reason
    assert worker.records(Experience)[-1].outcomes == [5.0]
    worker.feed(_inputs([_campaign()]))
    assert worker.records(Decision)[-1].features["remaining"] == 16.0


def test_a_smaller_budget_and_bound_take_hold_at_once() -> None:
    worker = _Worker()
    worker.feed([], START)
    worker.feed(_inputs([_campaign(), _campaign(budget=2.0, bid_max=0.02)]))
    assert len(worker.adjustments) == 2
    assert worker.adjustments[1].max_bid <= 0.02
    worker.feed(_inputs([_campaign(budget=0.0)]))
    assert worker.adjustments[-1].max_bid == 0.0
    assert "spent" in worker.adjustments[-1].reason


def test_the_same_campaign_again_changes_nothing() -> None:
    worker = _Worker()
    worker.feed([], START)
    worker.feed(_inputs([_campaign()]))
    entries = dict(worker.entries)
    worker.feed(_inputs([_campaign()]))
    assert (len(worker.adjustments), worker.entries) == (1, entries)


def test_a_larger_budget_reopens_a_spent_campaign() -> None:
    worker = _Worker()
    worker.feed([], START)
    worker.feed(_inputs([_campaign(), _event(0, START + HOUR, won=True, price=20.0, value=1.0)]))
    assert worker.adjustments[-1].max_bid == 0.0
    worker.feed(_inputs([_campaign(budget=50.0)]))
    assert worker.adjustments[-1].max_bid > 0.0


# ---- Account and credit ----------------------------------------------------------------------------------------------


def test_a_win_without_a_price_counts_the_most_that_it_can_have_cost() -> None:
    worker = _Worker()
    worker.feed([], START)
    worker.feed(_inputs([_campaign()]))
    cap = worker.adjustments[0].max_bid
    worker.feed(_inputs([_event(0, START + 1, won=True), _campaign(bid_max=0.01)]))
    assert worker.records(Decision)[-1].features["remaining"] == 20.0 - cap


def test_a_win_too_late_to_tell_from_a_copy_still_counts_as_spent() -> None:
    worker = _Worker()
    worker.feed([], START)
    clicks = [_event(i, START + 2 * HOUR, type="click") for i in range(1, 700)]
    late = _event(0, START + HOUR, won=True, price=3.0)
    worker.feed(_inputs([_campaign(), *clicks, late, _campaign(bid_max=0.01)]))
    assert worker.records(Decision)[-1].features["remaining"] == 17.0
    assert worker.ignored["too-late"] == 1


def test_value_won_is_credited_to_the_decision_that_the_auction_names() -> None:
    worker = _Worker()
    worker.feed([], START)
    worker.feed(_inputs([_campaign(), _campaign(bid_max=0.02), _campaign(bid_max=0.01)]))
    first, second, third = (a.decision_id for a in worker.adjustments)
    won: dict[str, Any] = {"won": True, "price": 0.01, "value": 0.5}
    worker.feed(
        _inputs(
            [
                _event(1, START + 1, decision_id=first, **won),
                _event(2, START + 2, decision_id=second, **won),
                _event(3, START + 3, decision_id=second, **won),
                _event(4, START + 4, decision_id=third, **won),
                _event(5, START + 5, decision_id=second, **won),
            ]
        )
    )
    told = [(o.decision_id, o.reward, o.label) for o in worker.records(Outcome)]
    assert told == [(first, 0.5, "final"), (second, 1.0, "final"), (second, 1.5, "correction")]


def test_an_unknown_campaign_is_kept_and_not_acted_on() -> None:
    worker = _Worker()
    worker.feed(_inputs([_event(i, START + i, won=True, price=1.0, value=1.0) for i in range(5)]))
    assert worker.outputs == []
    assert worker.ignored == {"unknown campaign": 5}
    worker.feed(_inputs([_campaign()]))
    assert worker.records(Decision)[0].features["remaining"] == 15.0


def test_a_learned_prior_is_where_a_campaign_starts() -> None:
    learned = PolicyVersion(number=7, parent=0, priors={"bidding": {**PRIOR, "log_mu": 1.0}})
    cold, warm = _Worker(), _Worker(learned)
    for worker in (cold, warm):
        worker.feed([], START)
        worker.feed(_inputs([_campaign()]))
    assert cold.adjustments[0].bid_multiplier == 1.0
    assert warm.adjustments[0].bid_multiplier == pytest.approx(0.368, abs=0.001)
    assert warm.adjustments[0].policy_version == 7


def test_what_a_campaign_wants_moves_its_bids() -> None:
    def multiplier(objective: Objective) -> float:
        worker = _Worker()
        worker.feed([], START - HOUR)
        seen = [_event(i, START - HOUR + i, type="impression") for i in range(200)]
        clicked = [_event(1_000 + i, START - HOUR + 500 + i, type="click") for i in range(4)]
        worker.feed(_inputs([_campaign(objective=objective), *seen, *clicked]))
        worker.feed([], START)
        return worker.adjustments[0].bid_multiplier

    assert multiplier(Objective(ctr=1.0, revenue=0.0)) > 1.3
    assert multiplier(Objective(cvr=1.0, revenue=0.0)) < 1.0
    assert multiplier(Objective(revenue=1.0)) == 1.0
