"""The recorded bids meet their recorded fate; what no price was told of is not known; budgets are kept."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.errors import UserError
from infra.history.message import Message
from infra.whatif.ads import Wish, what_if
from policies.baselines.hindsight import hindsight_value
from streams.records import AdEvent, Campaign
from streams.times import DAY, EventTime
from streams.topics import AD_EVENTS, CAMPAIGNS
from tests.unit.whatif.recording import START, message, saved, source

BUDGET = 20.0


def campaign(name: str = "c", **more: Any) -> Campaign:
    bounds: dict[str, Any] = {"bid_min": 0.0, "bid_max": 100.0, "budget": BUDGET} | more
    return Campaign(campaign_id=name, starts_at=EventTime(START), ends_at=EventTime(START + DAY), **bounds)


def flown(auctions: int, *, tells: bool, seed: int = 3, name: str = "c") -> list[AdEvent]:
    """Auctions into which 0.8 of the value was bid until the budget was gone."""
    random, left, found = Random(seed), BUDGET, list[AdEvent]()
    for number in range(auctions):
        value, price = random.betavariate(2, 8), random.lognormvariate(-2.0, 0.6)
        bid = min(left, 0.8 * value)
        won = bid >= price
        left -= price if won else 0.0
        event = AdEvent(
            event_id=f"{name}{number}",
            campaign_id=name,
            type="auction",
            occurred_at=EventTime(START + number * DAY // auctions),
            bid=bid,
            won=won,
            price=price if won or tells else None,
            value=value,
        )
        found.append(event)
    return found


def history(events: list[AdEvent], *plans: Campaign) -> list[Message]:
    # A plan lies in the log before its flight.
    return [*(message(CAMPAIGNS, plan) for plan in plans or (campaign(),)), *(message(AD_EVENTS, e) for e in events)]


def asked(path: Path, messages: list[Message], wish: Wish | None = None) -> dict[str, Any]:
    return what_if(source(saved(path / "history.jsonl", messages)), wish or Wish())


@pytest.mark.parametrize("tells", [True, False])
def test_the_recorded_bids_meet_their_recorded_fate(tmp_path: Path, tells: bool) -> None:
    events = flown(600, tells=tells)
    answer = asked(tmp_path, history(events), Wish(policies=("mirror-pacing",)))
    assert answer["check"] == {"bids": 600, "agreed": 600, "share": 1.0}
    won = [event for event in events if event.won]
    assert answer["recorded"]["auctions_won"] == len(won)
    assert answer["recorded"]["spend"] == pytest.approx(sum(event.price or 0.0 for event in won))


@pytest.mark.parametrize("won", [True, False])
def test_a_tie_goes_as_it_went(tmp_path: Path, *, won: bool) -> None:
    first = flown(1, tells=True)[0]
    tie = AdEvent(
        event_id="tie",
        campaign_id="c",
        type="auction",
        occurred_at=first.occurred_at,
        bid=0.25,
        won=won,
        price=0.25,
        value=0.5,
    )
    assert asked(tmp_path, history([first, tie]), Wish(policies=("mirror-pacing",)))["check"]["share"] == 1.0


def test_every_policy_keeps_the_budget_and_lives_on_the_same_auctions(tmp_path: Path) -> None:
    events = flown(600, tells=True)
    answer = asked(tmp_path, history(events))
    best = hindsight_value([(event.value or 0.0, event.price or 0.0) for event in events], BUDGET)
    for name, bill in answer["policies"].items():
        assert bill["overspend"] == 0.0, name
        assert bill["spend"] <= BUDGET, name
        assert bill["hindsight_value"] == pytest.approx(best)
        assert 0.8 < bill["hindsight_share"] <= 1.0, name
        assert bill["undetermined_auctions"] == 0


def test_more_budget_wins_more(tmp_path: Path) -> None:
    events = history(flown(600, tells=True))
    one = asked(tmp_path, events)["policies"]
    more = asked(tmp_path, events, Wish(budget_factor=2.0))
    fixed = asked(tmp_path, events, Wish(budget=2 * BUDGET))
    assert more["policies"] == fixed["policies"]
    assert more["recorded"]["budget"] == BUDGET
    for name, bill in more["policies"].items():
        assert bill["budget"] == 2 * BUDGET
        assert bill["value_won"] > one[name]["value_won"], name


def test_a_bid_above_the_one_that_lost_is_not_known_where_no_price_was_told(tmp_path: Path) -> None:
    events = flown(600, tells=False)
    answer = asked(tmp_path, history(events), Wish(policies=("cold-dual-pacing",), budget=1e6))
    bill = answer["policies"]["cold-dual-pacing"]  # with money for all of them it bids the value itself
    lost = [event for event in events if not event.won]
    assert bill["undetermined_auctions"] == len(lost)
    assert bill["undetermined_value"] == pytest.approx(sum(event.value or 0.0 for event in lost))
    assert bill["auctions_won"] == 600 - len(lost)
    assert any(f"Of {len(lost):,} lost auctions" in one for one in answer["assumptions"])


def test_no_budget_wins_nothing(tmp_path: Path) -> None:
    answer = asked(tmp_path, history(flown(50, tells=True)), Wish(budget=0.0))
    assert all(bill["auctions_won"] == 0 for bill in answer["policies"].values())


def test_what_cannot_be_used_is_counted_and_named(tmp_path: Path) -> None:
    events = flown(20, tells=True)
    first = flown(7, tells=True, name="f")
    nobody = flown(3, tells=True, name="n")
    worthless = AdEvent(event_id="w", campaign_id="c", type="auction", occurred_at=EventTime(START), won=False)
    late = AdEvent(event_id="l", campaign_id="c", type="auction", occurred_at=EventTime(START + 2 * DAY), value=1.0)
    all_of = [*events, events[0], *first, *nobody, worthless, late]
    answer = asked(tmp_path, history(all_of, campaign(), campaign("f", auction="first-price")))
    assert answer["left_out"] == {
        "copies of a record": 1,
        "auctions of first-price campaigns": 7,
        "auctions of campaigns without a plan": 3,
        "auctions without a value, or won at an unknown price": 1,
        "auctions outside the flight of their campaign": 1,
    }
    assert answer["recorded"]["auctions"] == 20


def test_a_history_without_auctions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no auctions"):
        asked(tmp_path, history([]))
    with pytest.raises(UserError, match="with a plan"):
        asked(tmp_path, [message(AD_EVENTS, event) for event in flown(5, tells=True)])
    with pytest.raises(UserError, match="no policy 'best'"):
        asked(tmp_path, history(flown(5, tells=True)), Wish(policies=("best",)))
