"""What rules cost: by what was believed when the decision was made, and unknown where the log can't tell."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from infra.judging import prices
from infra.judging.constraints import Bounds, sentence
from infra.judging.evidence import Constraint
from infra.judging.judge import Judge
from infra.judging.logged import Decided, decided
from policies.bidding.pacing import Plan
from policies.linalg import dot
from policies.slates.evidence import Evidence
from policies.slates.recommend import prior_of, query
from policies.slates.slate import drawn
from policies.version import SHIPPED
from streams.topics import DECISIONS
from tests.contract import world
from tests.unit.judging.log import log

VERSIONS = {SHIPPED.sha256: SHIPPED}


def made(domain: str) -> list[Decided]:
    return [decided(one.value) for one in log(domain) if one.topic is DECISIONS]


def told(*decisions: Decided) -> dict[str, Constraint]:
    bounds = Bounds()
    bounds.take(decisions, VERSIONS)
    return {one.name: one for one in bounds.told()}


def features(one: Decided) -> Any:
    return msgspec.json.decode(one.features)


def with_features(one: Decided, **changed: Any) -> Decided:
    return replace(one, features=msgspec.Raw(msgspec.json.encode({**features(one), **changed})))


def test_what_was_kept_back_from_a_slate_costs_what_was_expected_of_it() -> None:
    some = [one for one in made("recommendation") if features(one)["withheld"]]
    assert some
    views, prior = world.views(), prior_of(SHIPPED)
    for one in some:
        said = features(one)
        assert not set(said["withheld"]) & set(one.candidates)
        assert not any(views.eligible(item, None) for item in said["withheld"])
        upper, shift = (np.array(said["belief"].get(of, [])).tobytes() for of in ("precision_upper", "shift"))
        phi, count = np.array(said["phi"] + said["withheld_phi"]), len(one.candidates)
        seen = drawn([query(phi, Evidence(upper=upper, shift=shift), 0, one.action["size"])], *prior)
        expected = dot(seen.phi, seen.mean[..., None])[0, : len(phi)]
        size = one.action["size"]
        best, allowed = (float(np.sort(x)[::-1][:size].sum()) for x in (expected, expected[:count]))
        (found,) = told(one).values()
        assert found.cost is not None
        assert found.cost.value == pytest.approx(max(0.0, best - allowed), abs=1e-9)
        assert found.bound == (best > allowed + 1e-9)


def test_a_log_that_does_not_tell_what_was_kept_back_says_nothing_of_it() -> None:
    one = made("recommendation")[0]
    bare = {name: value for name, value in features(one).items() if not name.startswith("withheld")}
    assert not told(replace(one, features=msgspec.Raw(msgspec.json.encode(bare))))
    spaced = replace(one, features=msgspec.Raw(json.dumps(features(one)).encode()))
    assert told(spaced).keys() == {"blocked or out of stock"}
    assert told(replace(one, features=msgspec.Raw(b'{"withheld":[1]}'))).keys() == {"any"}


def test_limits_of_a_price_cost_the_profit_that_lies_beyond_them() -> None:
    for one in made("pricing")[::9]:
        priced, said = prices.priced(one, SHIPPED), features(one)
        assert priced is not None
        if not np.isfinite(priced.made.belief.best(priced.cost)):
            assert not told(one)  # the higher the better, it believes: no best price is known
            continue
        best, allowed, reached = (
            float(prices.profits(priced.made, priced.cost, np.linspace(low, high, 200_001).tolist()).max())
            for low, high in (
                (0.0, 20.0 * said["ceiling"]),
                (said["floor"], said["ceiling"]),
                (min(priced.made.prices), max(priced.made.prices)),
            )
        )
        found = told(one)
        costs = {name: each.cost.value for name, each in found.items() if each.cost is not None}
        assert costs["floor and ceiling"] == pytest.approx(best - allowed, abs=2e-3 * abs(best))
        assert costs["longest step"] == pytest.approx(allowed - reached, abs=2e-3 * abs(best))


def test_orders_that_the_shop_bounds() -> None:
    one = made("replenishment")[0]
    shelf = {"on_hand": 0.0, "due": [[1.0, 4.0]], "projected": 2.0, "level": 32.0, "enough": 24.0, "fast": 0.5,
             "pack_size": 1.0, "min_order": 0.0, "max_order": 10.0, "shortage_cost": 3.0}  # fmt: skip
    full = replace(with_features(one, **shelf), action={"quantity": 10.0})
    found = told(full)["most that may be ordered"]  # wanted ½·30 + ½·20 = 25, a pack of rounding is no shortage
    assert found.cost is not None
    assert (found.bound, found.cost.value) == (1, pytest.approx(14 * 3.0))
    assert told(replace(full, action={"quantity": 9.0}))["most that may be ordered"].bound == 0
    raised = replace(with_features(full, min_order=40.0, max_order=50.0), action={"quantity": 40.0})
    least = told(raised)["least that may be ordered"]
    assert (least.bound, least.cost) == (1, None)
    assert "what-if stock" in sentence(least, str)


def test_bids_tell_where_money_held_them_but_not_what_it_cost() -> None:
    found = told(*made("bidding"))
    assert found["budget"].bound
    assert found["budget"].cost is found["highest bid"].cost is None
    assert "can't be known from this log" in sentence(found["budget"], str)


def test_a_bid_that_was_held_back_for_those_in_flight_is_not_held_by_the_highest_bid() -> None:
    some = [one for one in made("bidding") if features(one).get("safe_bid") is not None]
    one = some[-1]
    most = msgspec.convert(features(one)["situation"]["plan"], Plan).bid_max
    wants = {"log_mu": 0.0, "quality": 1.0, "shade": 1.0, "campaign": {"value": 2.0 * most}}
    at_most = replace(one, action={**one.action, "max_bid": most})
    assert told(with_features(at_most, **wants, reserve_share=1.0))["highest bid"].bound == 1
    assert told(with_features(at_most, **wants, reserve_share=0.2))["highest bid"].bound == 0


def test_shares_add_up_and_what_cannot_be_read_is_counted() -> None:
    decisions = [*made("pricing"), *made("replenishment")]
    whole, parts = Bounds(), [Bounds(), Bounds()]
    whole.take(decisions, VERSIONS)
    for place, part in enumerate(parts):
        part.take(decisions[place::2], VERSIONS)
    parts[0].merge(msgspec.msgpack.decode(msgspec.msgpack.encode(parts[1]), type=Bounds))
    for mine, theirs in zip(whole.told(), parts[0].told(), strict=True):
        assert (mine.name, mine.decisions, mine.bound) == (theirs.name, theirs.decisions, theirs.bound)
        assert (mine.cost and mine.cost.value) == pytest.approx(theirs.cost and theirs.cost.value)
    broken = told(*(replace(one, features=msgspec.Raw(b"[]")) for one in decisions))
    assert broken["any"].decisions
    judge = Judge(rivals=[], versions={}, categories={})
    for each in log("pricing"):
        judge.add(each)
    judge.finish()
    again = Judge(rivals=[], versions={}, categories={})
    again.load(judge.dump())
    assert again.gathered.bounds.told() == judge.gathered.bounds.told() != []
