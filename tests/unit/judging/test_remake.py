"""Every logged decision can be made again from its own record; what was tampered with is named."""

import json
from typing import Any

import pytest

from infra.judging.logged import BadLogError, decided
from infra.judging.remake import Unable, difference, remake
from policies.slates.recommend import PRIOR
from policies.version import SHIPPED, PolicyVersion
from streams.topics import DECISIONS
from tests.unit.judging.log import log

VERSIONS = {SHIPPED.sha256: SHIPPED}


def decisions(name: str, **options: Any) -> list[bytes]:
    return [one.value or b"" for one in log(name, **options) if one.topic is DECISIONS]


@pytest.mark.parametrize("name", ["recommendation", "bidding", "replenishment", "pricing"])
def test_all_come_out_as_they_were_logged(name: str) -> None:
    raws = decisions(name)
    made = list(remake([decided(raw) for raw in raws], VERSIONS))
    assert len(made) == len(raws) > 5
    assert not any(isinstance(one, Unable) for one in made)
    assert [difference(one) for one in made if not isinstance(one, Unable)] == [None] * len(raws)


def test_another_version_comes_out_as_logged_too_and_only_by_its_own_numbers() -> None:
    other = PolicyVersion(number=3, parent=0, priors={"recommendation": PRIOR | {"temperature": 0.02}})
    raws = decisions("recommendation", policy=other)
    known = {other.sha256: other}
    made = list(remake([decided(raw) for raw in raws], known))
    assert [None if isinstance(one, Unable) else difference(one) for one in made] == [None] * len(raws)
    assert not any(isinstance(one, Unable) for one in made)
    (first, *_) = remake([decided(raw) for raw in raws], VERSIONS)
    assert isinstance(first, Unable)
    assert first.why == "version-unknown"


def changed(raw: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(raw) | fields).encode()


def test_a_propensity_off_in_its_ninth_digit_is_named_and_one_off_by_rounding_is_not() -> None:
    raw = next(raw for raw in decisions("recommendation") if len(json.loads(raw)["chosen"]) > 2)
    logged = json.loads(raw)
    for nudge, field in ((3e-9, "propensity"), (1e-13, None)):
        slots = [*logged["slot_propensities"][:-1], logged["slot_propensities"][-1] * (1 + nudge)]
        bent = changed(raw, slot_propensities=slots, propensity=logged["propensity"] * (1 + nudge))
        (made,) = remake([decided(bent)], VERSIONS)
        assert not isinstance(made, Unable)
        found = difference(made)
        assert (found and found.field) == field
        if found is not None:
            assert found.decision_id == logged["decision_id"]
            assert found.remade == pytest.approx(logged["propensity"], rel=1e-12)


def test_another_action_is_named_in_every_domain() -> None:
    for name, change, field in (
        ("recommendation", {"seed": "1"}, "chosen"),
        ("bidding", {"action": {"bid_multiplier": 9.0, "max_bid": 1.0}}, "bid_multiplier"),
        ("replenishment", {"action": {"quantity": 1e6}}, "quantity"),
        ("pricing", {"action": {"price": 1e6}}, "price"),
    ):
        raw = next(raw for raw in decisions(name) if len(json.loads(raw)["candidates"]) != 0 or name == "replenishment")
        (made,) = remake([decided(changed(raw, **change))], VERSIONS)
        assert not isinstance(made, Unable)
        found = difference(made)
        assert found is not None
        assert found.field == field


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"features": {}}, "features-missing"),
        ({"seed": "x"}, "features-missing"),
        ({"features": {"names": ["a"], "unit": 4096, "phi": [], "belief": {}}}, "features-of-another-version"),
    ],
)
def test_what_says_too_little_is_named(change: dict[str, Any], why: str) -> None:
    raw = decisions("recommendation")[0]
    (made,) = remake([decided(changed(raw, **change))], VERSIONS)
    assert isinstance(made, Unable)
    assert made.why == why


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"propensity": 0.0}, "decision-propensity-impossible"),
        ({"propensity": 1.5}, "decision-propensity-impossible"),
        ({"slot_propensities": [1.0]}, "decision-slots-disagree"),
        ({"decision_id": 7}, "decision-unreadable"),
    ],
)
def test_an_impossible_decision_is_refused_by_name(change: dict[str, Any], reason: str) -> None:
    raw = next(raw for raw in decisions("recommendation") if len(json.loads(raw)["chosen"]) > 2)
    with pytest.raises(BadLogError) as refused:
        decided(changed(raw, **change))
    assert refused.value.reason == reason


def test_nan_and_no_bytes_are_unreadable() -> None:
    for raw in (b'{"propensity": NaN}', b"", None):
        with pytest.raises(BadLogError, match="decision-unreadable"):
            decided(raw)
