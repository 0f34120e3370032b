"""Pricing, event by event: what moves a price, what may not, and what is logged."""

import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from agents.contract import Input, Output, State
from agents.pricing import again, build
from policies.version import SHIPPED, PolicyVersion
from streams.codec import MalformedRecord, encode, record_of
from streams.records import CatalogItem, PriceReview, Pricing
from streams.times import DAY, EventTime
from streams.topics import CATALOG, DECISIONS, OUTCOMES, PRICE_CHANGES, PRICE_REVIEWS, Topic
from streams.views import Views

START = 1_483_228_800_000
LIMITS = Pricing(floor=2.0, ceiling=6.0, step=0.5, max_steps=2, hold_days=1.0)


class Shop:
    """A shop with one item, and the agent that prices it."""

    def __init__(self, limits: Pricing | None = LIMITS, cost: float | None = 1.0) -> None:
        self.views = Views()
        self.show(limits, cost)
        self.entries: dict[str, bytes] = {}
        self.outputs: list[Output] = []
        self.ignored: dict[str, int] = {}
        self.count = 0

    def show(self, limits: Pricing | None, cost: float | None = 1.0) -> None:
        self.views.apply(CATALOG, "tea", CatalogItem(item_id="tea", category="c", unit_cost=cost, pricing=limits))

    def review(
        self, price: float, units: float, day: float, policy: PolicyVersion = SHIPPED, name: str = ""
    ) -> list[Output]:
        self.count += 1
        at = EventTime(START + round(day * DAY))
        record = PriceReview(
            event_id=name or f"r{self.count}", item_id="tea", occurred_at=at, price=price, units_sold=units
        )
        given = Input(PRICE_REVIEWS, 0, self.count, "tea", record)
        step = build().step(State(self.entries, self.views), [given], policy, 0)
        self.entries.update({key: raw for key, raw in step.writes.items() if raw is not None})
        self.outputs += step.outputs
        for why, n in step.ignored.items():
            self.ignored[why] = self.ignored.get(why, 0) + n
        return step.outputs

    def of(self, topic: Topic) -> list[Any]:
        return [one.record for one in self.outputs if one.topic is topic]

    def follow(self, days: int, base: float = 12.0, slope: float = 2.0, price: float = 3.0) -> list[float]:
        """A shop that takes up every change; demand without noise."""
        prices: list[float] = []
        for day in range(days):
            self.review(price, max(0.0, base - slope * price), day)
            changes = self.of(PRICE_CHANGES)
            price = changes[-1].price if changes else price
            prices.append(price)
        return prices


def test_it_settles_near_the_best_price_and_never_leaves_the_ladder() -> None:
    shop = Shop()
    prices = shop.follow(80)
    assert abs(sum(prices[-20:]) / 20 - 3.5) < 0.5  # (12 + 2 × 1) / (2 × 2)
    for change in shop.of(PRICE_CHANGES):
        assert change.price in [2.0 + 0.5 * n for n in range(9)]
        assert 0.0 < abs(change.price - change.previous_price) <= 1.0
    assert len(shop.of(DECISIONS)) == 80


def test_every_decision_can_be_made_again_from_the_log() -> None:
    shop = Shop()
    shop.follow(30)
    for logged in shop.of(DECISIONS):
        told = msgspec.json.decode(encode(logged))
        propensity, fields = again(told["features"], SHIPPED, told["seed"])
        assert propensity == told["propensity"]
        assert fields == {"chosen": told["chosen"], "price": told["action"]["price"]}
        assert sum(told["exploration"]["probabilities"]) == pytest.approx(1.0)
        assert 0.0 < told["propensity"] <= 1.0
        assert told["chosen"][0] in told["candidates"]


def test_another_version_draws_anew_and_goes_by_its_own_prior() -> None:
    flat = PolicyVersion(number=4, parent=0, priors={"pricing": {"elasticity": 40.0, "elasticity_sd": 0.1}})
    ours, theirs = Shop(), Shop()
    ours.review(4.0, 5.0, 0)
    theirs.review(4.0, 5.0, 0, flat)
    (mine,), (other,) = ours.of(DECISIONS), theirs.of(DECISIONS)
    assert (mine.policy_version, other.policy_version) == (0, 4)
    assert mine.seed != other.seed
    assert other.action["price"] == 3.0  # the lowest within two steps: demand is believed to collapse above
    assert other.propensity > 0.99


def test_a_price_stands_as_long_as_it_must() -> None:
    shop = Shop(msgspec.structs.replace(LIMITS, hold_days=7.0))
    prices = shop.follow(60)
    assert len(shop.of(PRICE_CHANGES)) > 2
    times = [change.decided_at for change in shop.of(PRICE_CHANGES)]
    assert all(later - earlier >= 7 * DAY for earlier, later in pairwise(times))
    assert shop.ignored["the price has to stand for longer"] > 10
    assert prices[-1] in [2.5, 3.0, 3.5, 4.0, 4.5]


def test_the_outcome_is_the_profit_of_a_period_at_the_price_that_was_set() -> None:
    shop = Shop(msgspec.structs.replace(LIMITS, max_steps=1))
    shop.review(3.0, 6.0, 0)
    set_to = shop.of(DECISIONS)[0].action["price"]
    shop.review(set_to, 8.0, 0.5)
    shop.review(set_to, 4.0, 2.0)
    (outcome,) = shop.of(OUTCOMES)
    assert outcome.decision_id == shop.of(DECISIONS)[0].decision_id
    assert outcome.reward in (pytest.approx((set_to - 1.0) * 6.0), pytest.approx((set_to - 1.0) * 8.0))
    assert outcome.matured_at > outcome.decided_at


def test_a_price_that_the_shop_never_set_has_no_outcome() -> None:
    shop = Shop()
    shop.review(2.0, 6.0, 0)
    set_to = shop.of(DECISIONS)[0].action["price"]
    shop.review(set_to + 0.25, 6.0, 5)
    assert shop.of(OUTCOMES) == []
    assert shop.ignored == {"no outcome: the price that was decided never stood": 1}


def test_limits_that_change_bring_the_price_back() -> None:
    shop = Shop()
    shop.show(Pricing(floor=4.0, ceiling=6.0, step=0.5, max_steps=1))
    shop.review(1.0, 20.0, 0)
    (change,) = shop.of(PRICE_CHANGES)
    assert (change.previous_price, change.price) == (1.0, 4.0)
    assert "back to the nearest price that the limits allow" in change.reason


@pytest.mark.parametrize(("limits", "cost"), [(None, 1.0), (LIMITS, None)])
def test_without_limits_or_cost_it_learns_and_leaves_the_price_alone(limits: Pricing | None, cost: float) -> None:
    shop = Shop(limits, cost)
    shop.review(3.0, 5.0, 0)
    assert shop.outputs == []
    assert shop.ignored == {"no pricing or unit_cost in the catalog": 1}
    shop.show(LIMITS)
    shop.review(3.0, 5.0, 1)
    assert shop.of(DECISIONS)[0].features["evidence"][1] == pytest.approx(2.0, abs=0.01)


def test_copies_and_late_reviews_decide_nothing() -> None:
    shop = Shop()
    shop.review(3.0, 5.0, 3, name="a")
    before = len(shop.outputs)
    shop.review(3.0, 5.0, 3, name="a")
    shop.review(3.0, 5.0, 1, name="late")
    assert len(shop.outputs) == before
    assert shop.ignored == {"duplicate": 1, "older than the last review: learned from only": 1}


def test_the_reason_says_what_is_believed_and_what_was_done() -> None:
    shop = Shop()
    shop.follow(20)
    for change in shop.of(PRICE_CHANGES):
        assert re.search(r"sold a period at .* fewer for each 1 more.*: best (near|as high)", change.reason)
        move = "up" if change.price > change.previous_price else "down"
        assert f"; {move} by " in change.reason
        assert "drawn with probability" in change.reason


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"floor": 3, "ceiling": 2, "step": 0.1}, "floor must not be above ceiling"),
        ({"floor": 1, "ceiling": 2, "step": 0}, "step"),
        ({"floor": 1, "ceiling": 2, "step": 0.1, "max_steps": 0}, "max_steps"),
        ({"floor": 1, "step": 0.1}, "ceiling"),
    ],
)
def test_limits_that_cant_be_are_refused(block: dict[str, float], said: str) -> None:
    with pytest.raises(MalformedRecord, match=said):
        record_of(CATALOG, {"item_id": "tea", "category": "c", "pricing": block}, None, START)


def test_a_review_of_no_time_is_refused() -> None:
    given = {"event_id": "r", "item_id": "tea", "occurred_at": START, "price": 2, "units_sold": 1, "periods": 0}
    with pytest.raises(MalformedRecord, match="periods"):
        record_of(PRICE_REVIEWS, given, None, START)
