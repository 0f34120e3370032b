"""The live rule in whole: it bids alike in any unit, and flights begun before it had an outlook go on as they were."""

from dataclasses import dataclass, replace
from math import log
from typing import Any, cast

import msgspec
import pytest

from policies.bidding.pacing import FLAT, PRIOR, Plan
from policies.bidding.steering import Steering, Under

PLAN = Plan(100.0, 0, 1_000_000, 0.0, 100.0, (0.0, 0.0, 1.0), False)


@dataclass(frozen=True)
class Heard:
    bid: float | None = 1.0
    won: bool | None = True
    price: float | None = 0.5
    value: float | None = 1.0
    decision_id: str | None = None


def _after(prior: dict[str, Any], *, unit: float = 1.0, auctions: int = 60) -> Steering:
    steering, left = Steering.open(prior, PLAN, 0), PLAN.budget
    for i in range(auctions):
        won = i % 3 == 0
        heard = Heard(won=won, price=0.5 + 0.1 * (i % 7) if won else None, value=unit * (1.0 + 0.2 * (i % 5)))
        left -= heard.price or 0.0
        steering.learn(heard, heard.price or 0.0, left, PLAN, 1_000 * (i + 1), Under(steering.pace.log_mu, 5.0))
    return steering


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_values_in_another_unit_are_soon_bid_for_alike(unit: float) -> None:
    usual, other, lost = _after(PRIOR), _after(PRIOR, unit=unit), _after(FLAT, unit=unit)
    apart, apart_unled = (abs(log(unit) - each.pace.log_mu + usual.pace.log_mu) for each in (other, lost))
    assert apart < 0.5
    assert apart_unled > 5.0


def test_a_shop_s_own_prior_outweighs_what_shops_have_in_common() -> None:
    known = PRIOR | {"log_mu": 3.0, "strength": 300.0}
    assert _after(known, auctions=1).pace.log_mu == pytest.approx(3.0, abs=0.2)
    assert _after(PRIOR, auctions=1).pace.log_mu < 2.0


def test_a_flight_kept_by_earlier_code_goes_on_without_an_outlook() -> None:
    silent = PRIOR | {"outlook": [0.0, 0.0, 0.0], "strength": 10.0}
    kept = cast(list[Any], msgspec.to_builtins(_after(silent)))[:4]
    again = msgspec.convert(kept, Steering)
    assert again.pace == _after(silent).pace
    before = again.pace.log_mu
    again.learn(Heard(bid=0.1, won=False, price=None, value=1e6), 0.0, 50.0, PLAN, 70_000, Under(before, 5.0))
    assert abs(again.pace.log_mu - before) < 0.1


def test_after_a_doubt_it_looks_at_the_market_anew() -> None:
    steering = _after(PRIOR)
    weight, worth = steering.pace.weight, steering.outlook.worth
    steering.doubt()
    assert steering.pace.weight == weight / 2
    assert steering.outlook.worth == worth / 2
    steering.learn(Heard(), 0.5, 50.0, PLAN, 70_000, Under(steering.pace.log_mu, 5.0))
    assert steering.outlook.worth > worth


def test_what_has_no_value_or_tells_none_is_not_looked_at() -> None:
    steering = Steering.open(PRIOR, PLAN, 0)
    for value in (None, 0.0):
        steering.learn(replace(Heard(), value=value), 0.5, 99.0, PLAN, 1_000, Under(0.0, 5.0))
    assert steering.outlook.seen == 0
