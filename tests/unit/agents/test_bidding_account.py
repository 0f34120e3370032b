"""What a campaign has spent and what it is credited with, and what its first bid goes by."""

from typing import Any

import pytest

from agents.bidder import Bidder, Taken, plan_of
from policies.bidding.landscape import Landscape
from policies.bidding.pacing import PRIOR, Plan, Published
from policies.bidding.steering import Steering, uncapped
from policies.version import PolicyVersion
from streams.records import Decision, Objective, Outcome
from streams.times import HOUR
from tests.unit.agents import bidder


def test_a_win_without_a_price_counts_the_most_that_it_can_have_cost() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START)
    worker.feed(bidder.inputs([bidder.campaign()]))
    cap = worker.adjustments[0].max_bid
    worker.feed(bidder.inputs([bidder.event(0, bidder.START + 1, won=True), bidder.campaign(bid_max=0.01)]))
    assert worker.records(Decision)[-1].features["remaining"] == 20.0 - cap


def test_a_win_too_late_to_tell_from_a_copy_still_counts_as_spent() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START)
    clicks = [bidder.event(i, bidder.START + 2 * HOUR, type="click") for i in range(1, 700)]
    late = bidder.event(0, bidder.START + HOUR, won=True, price=3.0)
    worker.feed(bidder.inputs([bidder.campaign(), *clicks, late, bidder.campaign(bid_max=0.01)]))
    assert worker.records(Decision)[-1].features["remaining"] == 17.0
    assert worker.ignored["too-late"] == 1


def test_value_won_is_credited_to_the_decision_that_the_auction_names() -> None:
    worker = bidder.Worker()
    worker.feed([], bidder.START)
    worker.feed(bidder.inputs([bidder.campaign(), bidder.campaign(bid_max=0.02), bidder.campaign(bid_max=0.01)]))
    first, second, third = (a.decision_id for a in worker.adjustments)
    won: dict[str, Any] = {"won": True, "price": 0.01, "value": 0.5}
    worker.feed(
        bidder.inputs(
            [
                bidder.event(1, bidder.START + 1, decision_id=first, **won),
                bidder.event(2, bidder.START + 2, decision_id=second, **won),
                bidder.event(3, bidder.START + 3, decision_id=second, **won),
                bidder.event(4, bidder.START + 4, decision_id=third, **won),
                bidder.event(5, bidder.START + 5, decision_id=second, **won),
            ]
        )
    )
    told = [(o.decision_id, o.reward, o.label) for o in worker.records(Outcome)]
    assert told == [(first, 0.5, "final"), (second, 1.0, "final"), (second, 1.5, "correction")]


def test_an_unknown_campaign_is_kept_and_not_acted_on() -> None:
    worker = bidder.Worker()
    worker.feed(bidder.inputs([bidder.event(i, bidder.START + i, won=True, price=1.0, value=1.0) for i in range(5)]))
    assert worker.outputs == []
    assert worker.ignored == {"unknown campaign": 5}
    worker.feed(bidder.inputs([bidder.campaign()]))
    assert worker.records(Decision)[0].features["remaining"] == 15.0


def test_a_learned_prior_is_where_a_campaign_starts() -> None:
    learned = PolicyVersion(number=7, parent=0, priors={"bidding": {**PRIOR, "log_mu": 1.0}})
    cold, warm = bidder.Worker(), bidder.Worker(learned)
    for worker in (cold, warm):
        worker.feed([], bidder.START)
        worker.feed(bidder.inputs([bidder.campaign()]))
    assert cold.adjustments[0].bid_multiplier == 1.0
    assert warm.adjustments[0].bid_multiplier == pytest.approx(0.368, abs=0.001)
    assert warm.adjustments[0].policy_version == 7


def test_what_a_campaign_wants_moves_its_bids() -> None:
    def multiplier(objective: Objective) -> float:
        worker = bidder.Worker()
        worker.feed([], bidder.START - HOUR)
        seen = [bidder.event(i, bidder.START - HOUR + i, type="impression") for i in range(200)]
        clicked = [bidder.event(1_000 + i, bidder.START - HOUR + 500 + i, type="click") for i in range(10)]
        worker.feed(bidder.inputs([bidder.campaign(objective=objective), *seen, *clicked]))
        worker.feed([], bidder.START)
        return worker.adjustments[0].bid_multiplier

    assert multiplier(Objective(ctr=1.0, revenue=0.0)) > 1.3
    assert multiplier(Objective(cvr=1.0, revenue=0.0)) < 1.0
    assert multiplier(Objective(revenue=1.0)) == 1.0


@pytest.mark.parametrize(("first_price", "cost"), [(False, 6.0), (True, 10.0)])
def test_a_loss_under_the_cap_is_reserved_for_as_a_winner_would_pay(
    first_price: bool, cost: float
) -> None:  # by pytest
    lost = bidder.event(0, bidder.START, won=False, bid=2.0, price=6.0, value=10.0)
    plan = Plan(20.0, 0, 1, 0.0, 2.0, (0.0, 0.0, 1.0), first_price)
    assert uncapped(lost, 0.0, Landscape.open(PRIOR), plan) == cost
    assert uncapped(lost, 1.0, Landscape.open(PRIOR), plan) == 0.0  # the bid of 10/e would have lost too


def test_a_late_bid_is_capped_by_the_cap_that_it_was_made_under() -> None:
    """A loss below that cap says that μ was too high, a loss at it nothing; the cap published by now says neither."""
    plan = plan_of(bidder.campaign())
    taken = [Taken("first", bidder.START, 0, 0.0, cap=0.5), Taken("second", bidder.START, 0, 0.0, cap=0.1)]
    moved: dict[tuple[str, float], bool] = {}
    for echo, bid in (("first", 0.2), ("first", 0.5), ("second", 0.1), ("second", 0.05)):
        steering = Steering.open(PRIOR | {"outlook": [0.0, 0.0, 0.0]}, plan, bidder.START)
        known = Bidder(plan=plan, steering=steering, published=Published(1.0, 0.1, bidder.START), open=list(taken))
        before = steering.pace.log_mu
        lost = bidder.event(1, bidder.START + HOUR, won=False, bid=bid, value=bid, decision_id=echo)
        known.learn(lost, 0.0, plan, bidder.START + HOUR)
        moved[echo, bid] = steering.pace.log_mu < before
    assert moved == {("first", 0.2): True, ("first", 0.5): False, ("second", 0.1): False, ("second", 0.05): True}
