"""Recommendation: what is asked for is answered once, what may not be shown isn't, and rewards find their slate."""

from typing import Any

import pytest
from msgspec.structs import replace

from agents.asked import SLATE_SIZE
from agents.contract import Input, Output, State
from agents.recommendation import RecommendationAgent
from policies.version import SHIPPED, PolicyVersion
from streams.records import (
    CatalogItem,
    Decision,
    Experience,
    ItemActivity,
    ItemStats,
    Outcome,
    Recommendation,
    StockUpdate,
    UserEvent,
)
from streams.times import DAY, HOUR, MINUTE, EventTime
from streams.topics import CATALOG, ITEM_STATS, STOCK_UPDATES, USER_EVENTS
from streams.views import Views

START = 1_483_228_800_000


def shop(items: int = 40) -> Views:
    known = Views()
    for n in range(items):
        known.apply(CATALOG, f"i{n}", CatalogItem(item_id=f"i{n}", category=f"c{n % 4}"))
        known.apply(ITEM_STATS, f"i{n}", stats(f"i{n}", float(items - n)))
    return known


def stats(item: str, bought: float, companions: tuple[tuple[str, float], ...] = ()) -> ItemStats:
    return ItemStats(
        item_id=item,
        as_of=EventTime(START),
        purchases_short=bought,
        purchases_long=bought,
        views_long=0.0,
        price=None,
        features={},
        companions=list(companions),
    )


class Shop:
    """The agent as a worker runs it, with views that a test may change between events."""

    def __init__(
        self, views: Views | None = None, *, refresh_interval_ms: int = HOUR, attribution_window_ms: int = DAY
    ) -> None:
        self.views = views if views is not None else shop()
        self.agent = RecommendationAgent(
            refresh_interval_ms=refresh_interval_ms, attribution_window_ms=attribution_window_ms
        )
        self.entries: dict[str, bytes] = {}
        self.policy: PolicyVersion = SHIPPED
        self.count = 0

    def tell(self, kind: Any, at: int = START, user: str = "ann", **fields: Any) -> list[Output]:
        self.count += 1
        given: dict[str, Any] = {
            "event_id": f"e{self.count}",
            "user_id": user,
            "type": kind,
            "occurred_at": EventTime(at),
        }
        return self.feed(UserEvent(**(given | fields)))

    def feed(self, *events: UserEvent) -> list[Output]:
        batch = [Input(USER_EVENTS, 0, n, event.user_id, event) for n, event in enumerate(events)]
        step = self.agent.step(State(self.entries, self.views), batch, self.policy, 0)
        for key, raw in step.writes.items():
            if raw is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = raw
        return step.outputs

    def slate(self, **fields: Any) -> Recommendation:
        (made,) = of(Recommendation, self.tell("request", **fields))
        return made


def of(kind: type[Any], outputs: list[Output]) -> list[Any]:
    return [output.record for output in outputs if isinstance(output.record, kind)]


def names(made: Recommendation) -> list[str]:
    return [item.item_id for item in made.items]


def test_each_request_gets_exactly_one_slate() -> None:
    here = Shop()
    made = [here.slate(at=START + n * 1000) for n in range(5)]
    assert [one.event_id for one in made] == ["e1", "e2", "e3", "e4", "e5"]
    assert len({one.decision_id for one in made}) == 5
    assert all(len(names(one)) == len(set(names(one))) == SLATE_SIZE for one in made)


@pytest.mark.parametrize("size", [1, 3, 10, 40, 100])
def test_size_and_placement_are_the_requests(size: int) -> None:
    made = Shop().slate(slate_size=size, placement="basket")
    assert len(made.items) == min(size, 40)
    assert made.placement == "basket"


def test_other_events_refresh_at_most_once_an_interval() -> None:
    here = Shop(refresh_interval_ms=HOUR)
    made = [len(of(Recommendation, here.tell("view", at=START + n * 10 * MINUTE, item_id="i1"))) for n in range(13)]
    assert made == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_refreshes_of_users_and_placements_are_their_own() -> None:
    here = Shop(refresh_interval_ms=HOUR)
    assert of(Recommendation, here.tell("view", item_id="i1"))
    assert of(Recommendation, here.tell("view", item_id="i1", user="bob"))
    assert of(Recommendation, here.tell("view", item_id="i1", placement="cart"))
    assert not of(Recommendation, here.tell("view", item_id="i1"))


def test_a_refresh_goes_where_the_user_was_last_served() -> None:
    here = Shop(refresh_interval_ms=HOUR)
    here.slate(placement="home")
    assert not of(Recommendation, here.tell("purchase", item_id="i1", at=START + MINUTE))
    (made,) = of(Recommendation, here.tell("purchase", item_id="i1", at=START + HOUR))
    assert made.placement == "home"


def test_blocked_and_sold_out_items_never_appear() -> None:
    here = Shop()
    here.views.apply(CATALOG, "i0", CatalogItem(item_id="i0", category="c0", blocked=True))
    gone = StockUpdate(event_id="s", item_id="i1", location="north", on_hand=0.0, occurred_at=EventTime(START))
    here.views.apply(STOCK_UPDATES, "i1@north", gone)
    for n in range(3):
        here.tell("purchase", item_id="i0", at=START + n)
        here.tell("purchase", item_id="i1", at=START + n)
    assert not {"i0", "i1"} & set(names(here.slate(at=START + MINUTE, slate_size=100)))
    here.views.apply(STOCK_UPDATES, "i1@north", replace(gone, on_hand=5.0))
    assert "i1" in names(here.slate(at=START + 2 * MINUTE, slate_size=100))


def test_stock_is_that_of_the_users_location() -> None:
    here = Shop()
    for location, on_hand in (("north", 0.0), ("south", 9.0)):
        update = StockUpdate(
            event_id=location, item_id="i2", location=location, on_hand=on_hand, occurred_at=EventTime(START)
        )
        here.views.apply(STOCK_UPDATES, f"i2@{location}", update)
    assert "i2" not in names(here.slate(slate_size=100, context={"location": "north"}))
    assert "i2" in names(here.slate(slate_size=100, context={"location": "south"}))


def test_what_a_user_keeps_buying_comes_first() -> None:
    here = Shop()
    for week in range(8):
        here.tell("purchase", item_id="i37", at=START + 7 * week * DAY)
    assert names(here.slate(at=START + 56 * DAY))[0] == "i37"


def test_a_cold_user_gets_what_is_popular() -> None:
    assert set(names(Shop().slate(user="stranger"))) & {f"i{n}" for n in range(10)}


def test_an_empty_shop_answers_with_an_empty_slate_and_says_why() -> None:
    outputs = Shop(Views()).tell("request")
    (made,), (logged,) = of(Recommendation, outputs), of(Decision, outputs)
    assert made.items == []
    assert logged.fallback == "no-candidates"


def test_items_that_no_catalog_lists_are_served_from_the_prior() -> None:
    here = Shop()
    for week in range(5):
        here.tell("purchase", item_id="unlisted", at=START + 7 * week * DAY)
    assert "unlisted" in names(here.slate(at=START + 35 * DAY))


def test_companions_come_into_question() -> None:
    views = shop(items=400)
    views.apply(ITEM_STATS, "i0", stats("i0", 400.0, (("rare", 0.9),)))
    here = Shop(views)
    here.tell("view", item_id="i0")
    (logged,) = of(Decision, here.tell("request"))
    assert "rare" in logged.candidates


def test_the_decision_log_holds_the_choice() -> None:
    here = Shop()
    outputs = here.tell("request")
    (made,), (logged,) = of(Recommendation, outputs), of(Decision, outputs)
    assert logged.chosen == names(made)
    assert set(logged.chosen) <= set(logged.candidates)
    assert logged.features["phi"].shape == (len(logged.candidates), len(logged.features["names"]))
    assert 0.0 < logged.propensity <= 1.0
    assert logged.policy_hash == SHIPPED.sha256
    assert logged.source == ("user-events", 0, 0)


def test_a_purchase_within_the_window_is_its_slates_reward() -> None:
    here = Shop(attribution_window_ms=DAY)
    shown = here.slate()
    first, second = names(shown)[:2]
    here.tell("purchase", item_id=first, at=START + HOUR, decision_id=shown.decision_id)
    here.tell("click", item_id=second, at=START + HOUR, decision_id=shown.decision_id)
    here.tell("purchase", item_id="elsewhere", at=START + HOUR)
    outputs = here.tell("search", at=START + 2 * DAY)
    told = next(one for one in of(Outcome, outputs) if one.decision_id == shown.decision_id)
    assert told.slot_rewards[:3] == [1.0, 0.1, 0.0]
    assert told.reward == pytest.approx(1.1)
    assert (told.label, told.attribution) == ("final", "decision_id")
    learned = next(one for one in of(Experience, outputs) if one.experience_id == shown.decision_id)
    assert learned.outcomes == told.slot_rewards


def test_without_an_echo_the_window_attributes() -> None:
    here = Shop(attribution_window_ms=DAY)
    shown = here.slate()
    here.tell("purchase", item_id=names(shown)[3], at=START + HOUR)
    told = next(
        one for one in of(Outcome, here.tell("search", at=START + 2 * DAY)) if one.decision_id == shown.decision_id
    )
    assert (told.reward, told.attribution) == (1.0, "window")


def test_a_purchase_for_another_slate_or_after_the_window_doesnt_count() -> None:
    here = Shop(attribution_window_ms=DAY)
    shown = here.slate()
    here.tell("purchase", item_id=names(shown)[0], at=START + HOUR, decision_id="another")
    outputs = here.tell("purchase", item_id=names(shown)[1], at=START + DAY + 2 * HOUR)
    told = next(one for one in of(Outcome, outputs) if one.decision_id == shown.decision_id)
    assert (told.reward, told.attribution) == (0.0, "none")


def test_late_feedback_is_a_correction() -> None:
    here = Shop(attribution_window_ms=DAY)
    shown = here.slate()
    here.tell("search", at=START + 2 * DAY)
    late = here.tell("purchase", item_id=names(shown)[0], at=START + HOUR, decision_id=shown.decision_id)
    (told,) = of(Outcome, late)
    assert (told.label, told.reward, told.decision_id) == ("correction", 1.0, shown.decision_id)


def test_every_decision_gets_one_final_outcome_whatever_the_gap() -> None:
    here = Shop(attribution_window_ms=HOUR, refresh_interval_ms=HOUR)
    decided: list[str] = []
    closed: list[str] = []
    for n in range(30):
        outputs = here.tell("view", item_id="i3", at=START + n * 2 * HOUR)
        decided += [one.decision_id for one in of(Decision, outputs)]
        closed += [one.decision_id for one in of(Outcome, outputs) if one.label == "final"]
    assert closed == decided[: len(closed)]
    assert len(decided) - len(closed) <= 1


def test_what_a_user_does_with_an_item_is_told_on() -> None:
    here = Shop()
    here.tell("purchase", item_id="i1", price=2.0)
    (told,) = of(ItemActivity, here.tell("purchase", item_id="i2", at=START + 1, quantity=3.0))
    assert (told.item_id, told.quantity, told.companions) == ("i2", 3.0, ["i1"])
    assert not of(ItemActivity, here.tell("request"))


def test_the_belief_moves_the_slate() -> None:
    """Equal items, one of which this user takes whenever it is shown: it rises; another user's slate doesn't change."""
    here = Shop(attribution_window_ms=HOUR)
    for day in range(40):
        shown = here.slate(at=START + day * DAY)
        for item in names(shown):
            if int(item[1:]) % 4 == 3:  # category c3
                here.tell("purchase", item_id=item, at=START + day * DAY + 1, decision_id=shown.decision_id)
    favoured = [n for n in names(here.slate(at=START + 41 * DAY)) if int(n[1:]) % 4 == 3]
    unmoved = [n for n in names(here.slate(at=START + 41 * DAY, user="bob")) if int(n[1:]) % 4 == 3]
    assert len(favoured) > len(unmoved)
